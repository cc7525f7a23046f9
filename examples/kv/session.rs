//! What a connection knows about itself, and the commands that are about that.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::commands::Connection;
use crate::jobs::Pieces;
use crate::resp::{Args, Protocol, Reply, parse_integer};
use crate::server::{Server, VERSION};
use crate::store::{DATABASES, Error};
use crate::{catalog, config, info};

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// From the network.
    Tcp(SocketAddr),
    /// From this machine, by the socket file.
    Unix,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Tcp(address) => address.fmt(f),
            Peer::Unix => f.write_str("unixsocket:0"),
        }
    }
}

/// One client.
#[derive(Debug)]
pub struct Session {
    /// Its number, from 1.
    pub id: u64,
    /// The name that it gave itself.
    pub name: Box<[u8]>,
    /// Where it comes from.
    pub peer: Peer,
    /// The database that it selected.
    pub db: usize,
    /// How it wants to be spoken to.
    pub protocol: Protocol,
    /// Whether the connection ends when the replies so far are sent.
    pub closing: bool,
    /// How many commands it has sent since somebody took this count.
    pub commands: u64,
    server: Arc<Server>,
}

impl Connection {
    /// Whether what follows in the pipeline has to wait for it.
    pub fn changes_session(self) -> bool {
        matches!(self, Connection::Hello | Connection::Select | Connection::Quit)
    }
}

impl Session {
    /// A new client from `peer`.
    pub fn new(server: Arc<Server>, peer: Peer) -> Session {
        Session {
            id: server.next_client(),
            name: Box::default(),
            peer,
            db: 0,
            protocol: Protocol::V2,
            closing: false,
            commands: 0,
            server,
        }
    }

    /// Whether large collections are encoded as they are sent, by whoever has time.
    pub fn is_lazy(&self) -> bool {
        self.server.pieces == Pieces::Anywhere
    }

    /// Runs one of the commands that are about the connection or the server.
    ///
    /// # Errors
    ///
    /// The error to reply.
    pub fn run(
        &mut self,
        action: Connection,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> Result<(), Error> {
        match action {
            Connection::Client => return self.client(args, reply),
            Connection::Command => return catalog::command(args, reply),
            Connection::Config => return config::config(&self.server, args, reply),
            Connection::Echo => reply.bulk(args.at(1)),
            Connection::Hello => return self.hello(args, reply),
            Connection::Info => reply.verbatim(&info::report(&self.server, args)),
            Connection::Ping => match args.len() {
                1 => reply.simple("PONG"),
                2 => reply.bulk(args.at(1)),
                _ => return Err(Error::arity("ping")),
            },
            Connection::Quit => {
                self.closing = true;
                reply.simple("OK");
            }
            Connection::Select => {
                self.db = database(args.at(1))?;
                reply.simple("OK");
            }
        }
        Ok(())
    }

    fn hello(&mut self, args: Args<'_>, reply: &mut Reply) -> Result<(), Error> {
        let mut protocol = self.protocol;
        if args.len() > 1 {
            protocol = match parse_integer(args.at(1)) {
                Some(2) => Protocol::V2,
                Some(3) => Protocol::V3,
                Some(_) => return Err(Error::text("NOPROTO unsupported protocol version")),
                None => {
                    return Err(Error::text(
                        "ERR Protocol version is not an integer or out of range",
                    ));
                }
            };
        }
        let mut name = None;
        let mut words = args.from(2);
        while let Some(option) = words.next() {
            match (option.to_ascii_lowercase().as_slice(), words.len()) {
                (b"auth", 2..) => {
                    let (user, _password) = (words.next(), words.next());
                    // There are no users but the default one, which needs no password.
                    if user != Some(b"default") {
                        return Err(Error::text(
                            "WRONGPASS invalid username-password pair or user is disabled.",
                        ));
                    }
                }
                (b"setname", 1..) => name = Some(checked_name(words.next().unwrap_or_default())?),
                _ => {
                    let option = String::from_utf8_lossy(option);
                    return Err(Error(
                        format!("ERR Syntax error in HELLO option '{option}'").into(),
                    ));
                }
            }
        }
        if let Some(name) = name {
            self.name = name.into();
        }
        self.protocol = protocol;
        reply.protocol = protocol;
        reply.map(7);
        reply.bulk(b"server");
        reply.bulk(b"redis");
        reply.bulk(b"version");
        reply.bulk(VERSION.as_bytes());
        reply.bulk(b"proto");
        reply.integer(if protocol == Protocol::V3 { 3 } else { 2 });
        reply.bulk(b"id");
        reply.integer(self.id as i64);
        reply.bulk(b"mode");
        reply.bulk(b"standalone");
        reply.bulk(b"role");
        reply.bulk(b"master");
        reply.bulk(b"modules");
        reply.array(0);
        Ok(())
    }

    fn client(&mut self, args: Args<'_>, reply: &mut Reply) -> Result<(), Error> {
        let subcommand = args.at(1).to_ascii_lowercase();
        let words = match subcommand.as_slice() {
            b"id" | b"getname" | b"info" => 2,
            b"setname" => 3,
            _ => return Err(unknown_subcommand("CLIENT", args.at(1))),
        };
        if args.len() != words {
            return Err(Error::arity(&format!("client|{}", subcommand.escape_ascii())));
        }
        match subcommand.as_slice() {
            b"id" => reply.integer(self.id as i64),
            b"getname" if self.name.is_empty() => reply.null(),
            b"getname" => reply.bulk(&self.name),
            b"info" => reply.verbatim(&format!(
                "id={} addr={} name={} db={} resp={}\n",
                self.id,
                self.peer,
                String::from_utf8_lossy(&self.name),
                self.db,
                if self.protocol == Protocol::V3 { 3 } else { 2 },
            )),
            _ => {
                self.name = checked_name(args.at(2))?.into();
                reply.simple("OK");
            }
        }
        Ok(())
    }
}

/// The error for a subcommand that does not exist.
pub(crate) fn unknown_subcommand(command: &str, subcommand: &[u8]) -> Error {
    let shown = String::from_utf8_lossy(&subcommand[..subcommand.len().min(128)]);
    Error(format!("ERR unknown subcommand '{shown}'. Try {command} HELP.").into())
}

fn checked_name(name: &[u8]) -> Result<&[u8], Error> {
    if name.iter().all(u8::is_ascii_graphic) {
        Ok(name)
    } else {
        Err(Error::text("ERR Client names cannot contain spaces, newlines or special characters."))
    }
}

fn database(word: &[u8]) -> Result<usize, Error> {
    let index = parse_integer(word).ok_or(Error::NOT_INTEGER)?;
    let index = i32::try_from(index).map_err(|_| {
        Error::text("ERR value is out of range, value must between -2147483648 and 2147483647")
    })?;
    usize::try_from(index)
        .ok()
        .filter(|&index| index < DATABASES)
        .ok_or(Error::text("ERR DB index is out of range"))
}
