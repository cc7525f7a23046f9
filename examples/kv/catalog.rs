//! COMMAND: the table of commands, for clients that want to see it.

use crate::commands::{COMMANDS, Command, Outcome, Route, find};
use crate::resp::{Args, Reply};
use crate::session::unknown_subcommand;
use crate::store::Error;

pub(crate) fn command(args: Args<'_>, reply: &mut Reply) -> Outcome {
    if args.len() == 1 {
        describe_all(reply);
        return Ok(());
    }
    let subcommand = args.at(1).to_ascii_lowercase();
    match (subcommand.as_slice(), args.len()) {
        (b"count", 2) => reply.integer(COMMANDS.len() as i64),
        (b"list", 2) => {
            reply.array(COMMANDS.len());
            COMMANDS.iter().for_each(|command| reply.bulk(command.name.as_bytes()));
        }
        (b"info", 2) => describe_all(reply),
        (b"info", _) => {
            reply.array(args.len() - 2);
            for name in args.from(2) {
                match find(name) {
                    Some(command) => describe(command, reply),
                    None => reply.null_array(),
                }
            }
        }
        (b"docs", words) => {
            let named: Vec<&Command> = if words == 2 {
                COMMANDS.iter().collect()
            } else {
                args.from(2).filter_map(find).collect()
            };
            reply.map(named.len());
            for command in named {
                reply.bulk(command.name.as_bytes());
                document(command, reply);
            }
        }
        (b"count" | b"list", _) => {
            return Err(Error::arity(&format!("command|{}", subcommand.escape_ascii())));
        }
        _ => return Err(unknown_subcommand("COMMAND", args.at(1))),
    }
    Ok(())
}

fn describe_all(reply: &mut Reply) {
    reply.array(COMMANDS.len());
    COMMANDS.iter().for_each(|command| describe(command, reply));
}

/// The ten fields of COMMAND INFO; the last four are about access lists, routing hints and
/// subcommands, of which there are none.
fn describe(command: &Command, reply: &mut Reply) {
    reply.array(10);
    reply.bulk(command.name.as_bytes());
    reply.integer(i64::from(command.arity));
    reply.set(1);
    reply.simple(if command.writes { "write" } else { "readonly" });
    let (first, last, step) = match command.route {
        Route::Key | Route::Alone => (1, 1, 1),
        Route::Keys { step, .. } => (1, if step.get() == 1 { -1 } else { -2 }, step.get() as i64),
        Route::Nowhere | Route::Every(_) | Route::Cursor => (0, 0, 0),
    };
    [first, last, step].into_iter().for_each(|number| reply.integer(number));
    reply.set(0);
    (0..3).for_each(|_| reply.array(0));
}

fn document(command: &Command, reply: &mut Reply) {
    reply.map(2);
    reply.bulk(b"group");
    reply.bulk(match command.route {
        Route::Nowhere => b"connection".as_slice(),
        _ => b"generic",
    });
    reply.bulk(b"arity");
    reply.integer(i64::from(command.arity));
}
