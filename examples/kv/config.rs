//! CONFIG: the parameters of a Redis server that clients ask for, with what they are here.

use crate::aof::Fsync;
use crate::commands::Outcome;
use crate::glob;
use crate::resp::{Args, MAX_BULK, Reply};
use crate::server::Server;
use crate::session::unknown_subcommand;
use crate::store::{DATABASES, Error};

pub(crate) fn config(server: &Server, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let subcommand = args.at(1).to_ascii_lowercase();
    match (subcommand.as_slice(), args.len()) {
        (b"get", 3..) => get(server, args, reply),
        (b"set", 4..) => return set(server, args, reply),
        (b"resetstat", 2) => reply.simple("OK"),
        (b"get" | b"set" | b"resetstat", _) => {
            return Err(Error::arity(&format!("config|{}", subcommand.escape_ascii())));
        }
        _ => return Err(unknown_subcommand("CONFIG", args.at(1))),
    }
    Ok(())
}

fn parameters(server: &Server) -> [(&'static str, String); 10] {
    let fsync = server.files.as_ref().map(|(fsync, _)| *fsync);
    [
        ("appendfsync", fsync.unwrap_or(Fsync::EverySecond).name().to_owned()),
        ("appendonly", if fsync.is_some() { "yes" } else { "no" }.to_owned()),
        ("bind", server.address.ip().to_string()),
        ("databases", DATABASES.to_string()),
        ("io-threads", server.shards().len().to_string()),
        ("maxmemory", "0".to_owned()),
        ("port", server.address.port().to_string()),
        ("proto-max-bulk-len", MAX_BULK.to_string()),
        ("save", String::new()),
        ("timeout", "0".to_owned()),
    ]
}

fn get(server: &Server, args: Args<'_>, reply: &mut Reply) {
    let mut found = parameters(server).to_vec();
    found.retain(|(name, _)| {
        args.from(2).any(|pattern| glob::matches(&pattern.to_ascii_lowercase(), name.as_bytes()))
    });
    reply.map(found.len());
    for (name, value) in found {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
}

/// Nothing can be set while the server runs, except to what it is: scripts that make sure that
/// nothing is saved get their OK.
fn set(server: &Server, args: Args<'_>, reply: &mut Reply) -> Outcome {
    if !args.len().is_multiple_of(2) {
        return Err(Error::arity("config|set"));
    }
    let parameters = parameters(server);
    let mut words = args.from(2);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        let shown = String::from_utf8_lossy(name);
        match parameters.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes())) {
            None => {
                return Err(Error(
                    format!("ERR Unknown option or number of arguments for CONFIG SET - '{shown}'")
                        .into(),
                ));
            }
            Some((_, current)) if current.as_bytes() != value => {
                return Err(Error(
                    format!(
                        "ERR CONFIG SET failed (possibly related to argument '{shown}') - can't \
                         set immutable config"
                    )
                    .into(),
                ));
            }
            Some(_) => {}
        }
    }
    reply.simple("OK");
    Ok(())
}
