//! Reading files back into a store, and what to do about one that ends in the middle.

use std::io;

use henge::fs::File;

use crate::commands::{self, Action};
use crate::resp::{Parser, Reply, Status, parse_integer};
use crate::store::{DATABASES, Store};

/// How a file was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Commands that were run.
    pub commands: u64,
    /// Bytes that they took. What stands behind cannot be used.
    pub valid: u64,
    /// Why reading ended there; `None` at the end of the file.
    pub damage: Option<String>,
}

/// Runs commands that come in pieces of any size.
#[derive(Debug, Default)]
pub struct Replay {
    parser: Parser,
    db: usize,
    done: Replayed,
    reply: Reply,
    /// The start of a command whose end has not come.
    unfinished: Vec<u8>,
}

impl Replay {
    /// Runs what is whole of `bytes`, which follow those of the last call. False once something
    /// cannot be understood: there is no use in going on.
    pub fn feed(&mut self, bytes: &[u8], store: &mut Store) -> bool {
        self.unfinished.extend_from_slice(bytes);
        let input = std::mem::take(&mut self.unfinished);
        let mut rest = &input[..];
        while self.done.damage.is_none() && !rest.is_empty() {
            match self.next(rest, store) {
                Ok(Some(consumed)) => {
                    rest = &rest[consumed..];
                    self.done.valid += consumed as u64;
                }
                Ok(None) => break,
                Err(damage) => self.done.damage = Some(damage),
            }
        }
        self.unfinished = rest.to_vec();
        self.done.damage.is_none()
    }

    /// There is no more.
    pub fn finish(mut self) -> Replayed {
        if self.done.damage.is_none() && !self.unfinished.is_empty() {
            self.done.damage = Some("the last command is not all there".to_owned());
        }
        self.done
    }

    /// Runs the command at the front; how long it was. `None` if it is not all there.
    fn next(&mut self, input: &[u8], store: &mut Store) -> Result<Option<usize>, String> {
        // Clients may send bare lines. What was written here never is one, and zeros are.
        if !self.parser.is_midway() && input[0] != b'*' {
            return Err(format!("no command begins with byte {:#04x}", input[0]));
        }
        let consumed = match self.parser.parse(input).map_err(|error| error.to_string())? {
            Status::Incomplete => return Ok(None),
            Status::Nothing { .. } => return Err("a command without words".to_owned()),
            Status::Command { consumed } => consumed,
        };
        let args = self.parser.args(input);
        let name = args.at(0);
        if name.eq_ignore_ascii_case(b"select") && args.len() == 2 {
            self.db = parse_integer(args.at(1))
                .and_then(|db| usize::try_from(db).ok())
                .filter(|&db| db < DATABASES)
                .ok_or("no database of that number")?;
            return Ok(Some(consumed));
        }
        let command = commands::find(name)
            .filter(|command| command.writes && command.takes(args.len()))
            .filter(|command| matches!(command.action, Action::Data(_) | Action::Shard(_)))
            .ok_or_else(|| format!("no change is called '{}'", name.escape_ascii()))?;
        self.reply.clear();
        let job = command.run(store, self.db, args, &mut self.reply);
        if job.is_some() || self.reply.is_error() {
            return Err(format!("'{}' was refused", command.name));
        }
        self.done.commands += 1;
        Ok(Some(consumed))
    }
}

/// Replays a file.
///
/// # Errors
///
/// If it cannot be read.
///
/// # Cancel safety
///
/// Dropped, a part of the file was replayed.
pub async fn file(file: &File, store: &mut Store) -> io::Result<Replayed> {
    const PIECE: usize = 1 << 20;
    let mut replay = Replay::default();
    let (mut buffer, mut at) = (Vec::with_capacity(PIECE), 0);
    loop {
        buffer.clear();
        let (read, returned) = file.read_at(buffer, at).await;
        buffer = returned;
        let read = read?;
        if read == 0 || !replay.feed(&buffer[..read], store) {
            return Ok(replay.finish());
        }
        at += read as u64;
    }
}
