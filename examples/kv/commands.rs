//! The commands: what each is called, how many words it takes, where its keys are, what it does.

mod hashes;
mod keys;
mod lists;
mod scan;
mod sets;
mod sort;
mod sorted_range;
mod sorted_sets;
mod strings;
mod table;

use std::num::NonZero;

pub use table::{COMMANDS, MGET_ONE, find};

use crate::jobs::Job;
use crate::resp::{Args, Reply, parse_integer};
use crate::store::{Db, Error, Store};

/// What came of a command: its reply is written, or this error is the reply.
pub type Outcome = Result<(), Error>;

/// One command.
#[derive(Debug)]
pub struct Command {
    /// Its name in lower case.
    pub name: &'static str,
    /// How many words it takes, its name counted; negative: that many or more.
    pub arity: i32,
    /// Whether it may change data.
    pub writes: bool,
    /// Which shards it concerns.
    pub route: Route,
    /// What it does.
    pub action: Action,
}

/// Which shards a command concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// None: it is about the connection or the server.
    Nowhere,
    /// The shard that owns the key in word 1.
    Key,
    /// The same, alone in its pass: keys of other shards may be in other words.
    Alone,
    /// The shards that own the keys from word 1 on, every `step`th word.
    Keys {
        /// From one key to the next.
        step: NonZero<usize>,
        /// How the shards' replies become one.
        merge: Merge,
    },
    /// All shards.
    Every(Merge),
    /// The shard that the cursor in word 1 has come to.
    Cursor,
}

/// How the replies of several shards become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Integers: their sum.
    Sum,
    /// Arrays: one behind the other.
    Concatenate,
    /// All the same: any one.
    Any,
    /// An array of one reply for each key, in the order of the keys.
    Gather,
}

/// What a command does.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// Something to one database.
    Data(fn(&mut Db, Args<'_>, &mut Reply) -> Outcome),
    /// Something to all databases of a shard.
    Shard(fn(&mut Store, Args<'_>, &mut Reply) -> Outcome),
    /// Something that takes long to one database: what is left to be done.
    Job(fn(&mut Db, Args<'_>) -> Result<Job, Error>),
    /// Something to the connection; which thing, its module knows by the name.
    Connection(Connection),
}

/// The commands that are about the connection or the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the command of that name")]
pub enum Connection {
    Client,
    Command,
    Config,
    Echo,
    Hello,
    Info,
    Ping,
    Quit,
    Select,
}

impl Command {
    /// Whether `words` is a number of words that it takes.
    pub fn takes(&self, words: usize) -> bool {
        let least = self.arity.unsigned_abs() as usize;
        if self.arity > 0 { words == least } else { words >= least }
    }

    /// Runs a command about data, its reply or error encoded to `reply`; or else what is left to
    /// be done before there is a reply.
    #[must_use = "a job has to be done"]
    pub fn run(
        &self,
        store: &mut Store,
        db: usize,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> Option<Job> {
        if self.writes
            && let Some(refusal) = store.journal().and_then(|journal| journal.refusal())
        {
            reply.error(refusal.0.as_bytes());
            return None;
        }
        let mut job = None;
        let outcome = match self.action {
            Action::Data(action) => action(store.db(db), args, reply),
            Action::Shard(action) => action(store, args, reply),
            Action::Job(action) => action(store.db(db), args).map(|cut| job = Some(cut)),
            Action::Connection(_) => return None,
        };
        // What a job changes it has others do.
        let changes = self.writes && outcome.is_ok() && job.is_none();
        if let Err(error) = outcome {
            reply.error(error.0.as_bytes());
        }
        store.ran(db, changes.then(|| args.from(0)));
        job
    }
}

/// The error for a name that is no command.
pub fn unknown(args: Args<'_>) -> Error {
    /// How much is repeated of the name, and of all arguments together.
    const SHOWN: usize = 128;
    let name = &args.at(0)[..args.at(0).len().min(SHOWN)];
    let mut shown = String::new();
    for arg in args.from(1) {
        if shown.len() >= SHOWN {
            break;
        }
        let arg = &arg[..arg.len().min(SHOWN - shown.len())];
        shown.push_str(&format!("'{}' ", arg.escape_line()));
    }
    let name = name.escape_line();
    Error(format!("ERR unknown command '{name}', with args beginning with: {shown}").into())
}

/// Bytes of a client inside of our own text.
trait EscapeLine {
    fn escape_line(&self) -> String;
}

impl EscapeLine for [u8] {
    fn escape_line(&self) -> String {
        String::from_utf8_lossy(self).replace(['\r', '\n'], " ")
    }
}

/// An integer argument.
fn integer(word: &[u8]) -> Result<i64, Error> {
    parse_integer(word).ok_or(Error::NOT_INTEGER)
}

/// A count argument: an integer of zero or more.
fn count(word: &[u8]) -> Result<usize, Error> {
    parse_integer(word).and_then(|n| usize::try_from(n).ok()).ok_or(Error::NOT_POSITIVE)
}

/// Whether an option is this one, whatever its case.
fn is(word: &[u8], option: &str) -> bool {
    word.eq_ignore_ascii_case(option.as_bytes())
}

/// The range `start..end` of `length` elements that LRANGE's and ZRANGE's inclusive, perhaps
/// negative indices mean; empty where they cross.
fn index_range(start: i64, stop: i64, length: usize) -> (usize, usize) {
    let length = length as i64;
    let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    let start = from_end(start).max(0);
    let stop = from_end(stop).min(length - 1);
    if start > stop { (0, 0) } else { (start as usize, stop as usize + 1) }
}
