//! What one shard holds: sixteen databases of typed values with expiry. No I/O and no clock of its
//! own, so a test can be the clock.

mod bytes;
mod cursor;
mod db;
mod elements;
mod expiry;
mod ranked;
mod value;
mod zset;

use std::borrow::Cow;
use std::fmt;

use crate::aof::journal::Journal;

pub use bytes::Bytes;
pub use cursor::{Cursor, Part};
pub use db::{Db, Entry, Trail};
pub use elements::Ordered;
pub use ranked::Ranked;
pub use value::{Collection, Hash, List, Set, Str, Typed, Value};
pub use zset::Zset;

/// How many databases SELECT can choose from.
pub const DATABASES: usize = 16;

/// Tells the time in milliseconds since 1970.
pub type Clock = fn() -> u64;

/// Why a command was refused: the text of the error reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub Cow<'static, str>);

impl Error {
    /// The key holds another type.
    pub const WRONG_TYPE: Error =
        Error::text("WRONGTYPE Operation against a key holding the wrong kind of value");
    /// The words do not make sense in this order.
    pub const SYNTAX: Error = Error::text("ERR syntax error");
    /// Not an integer.
    pub const NOT_INTEGER: Error = Error::text("ERR value is not an integer or out of range");
    /// Not an integer of zero or more.
    pub const NOT_POSITIVE: Error = Error::text("ERR value is out of range, must be positive");
    /// Not a floating-point number.
    pub const NOT_FLOAT: Error = Error::text("ERR value is not a valid float");

    /// An error of fixed text.
    pub const fn text(text: &'static str) -> Error {
        Error(Cow::Borrowed(text))
    }

    /// The wrong number of words for `command`.
    pub fn arity(command: &str) -> Error {
        let command = command.to_ascii_lowercase();
        Error(format!("ERR wrong number of arguments for '{command}' command").into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// All databases of one shard.
#[derive(Debug)]
pub struct Store {
    databases: Vec<Db>,
    /// Where changes are written down, if they are.
    journal: Option<Journal>,
}

impl Store {
    /// An empty store for `part` of the data, which tells the time by `clock`.
    pub fn new(part: Part, clock: Clock) -> Store {
        let databases = (0..DATABASES).map(|_| Db::new(part, clock)).collect();
        Store { databases, journal: None }
    }

    /// As [`new`](Store::new), to run commands of the past again: until
    /// [`keep_journal`](Store::keep_journal) time stands still.
    pub fn replaying(part: Part, clock: Clock) -> Store {
        let mut store = Store::new(part, clock);
        store.databases.iter_mut().for_each(|db| db.set_replays(true));
        store
    }

    /// Writes down what changes from now on, to be fetched from [`journal`](Store::journal).
    pub fn keep_journal(&mut self) {
        for db in &mut self.databases {
            db.set_replays(false);
            db.leave_trail();
        }
        self.journal = Some(Journal::default());
    }

    /// Where changes are written down, if they are.
    pub fn journal(&mut self) -> Option<&mut Journal> {
        self.journal.as_mut()
    }

    /// A command has run on database `db`; `words` if it has changed something.
    pub fn ran<'a>(
        &mut self,
        db: usize,
        words: Option<impl ExactSizeIterator<Item = &'a [u8]> + Clone>,
    ) {
        let Some(journal) = &mut self.journal else { return };
        let Trail { gone, instead } = self.databases[db].take_trail();
        for key in &gone {
            journal.record(db, [b"DEL", &**key].into_iter());
        }
        match (words, instead) {
            (None, _) => {}
            (Some(words), None) => journal.record(db, words),
            (Some(_), Some(words)) if words.is_empty() => {}
            (Some(_), Some(words)) => journal.record(db, words.iter().map(|word| &word[..])),
        }
    }

    /// What there is, at one moment.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.databases.iter().map(Db::snapshot).collect())
    }

    /// Takes over what another store has that belongs to `part`.
    pub fn absorb(&mut self, other: Store, part: Part) {
        for (db, other) in self.databases.iter_mut().zip(other.databases) {
            db.absorb(other, |key| part.owner(key) == part.index);
        }
    }

    /// One database.
    ///
    /// # Panics
    ///
    /// When `index` is not below [`DATABASES`]; SELECT lets no other through.
    pub fn db(&mut self, index: usize) -> &mut Db {
        &mut self.databases[index]
    }

    /// All databases, in order.
    pub fn databases(&self) -> &[Db] {
        &self.databases
    }

    /// Empties every database.
    pub fn clear(&mut self) {
        self.databases.iter_mut().for_each(Db::clear);
    }

    /// When the next key expires, in milliseconds since 1970.
    pub fn next_expiry(&self) -> Option<u64> {
        self.databases.iter().filter_map(Db::next_expiry).min()
    }

    /// Removes up to `limit` keys whose time has come; how many there were.
    pub fn expire(&mut self, limit: usize) -> usize {
        let mut removed = 0;
        for db in &mut self.databases {
            removed += db.expire(limit - removed);
        }
        if self.journal.is_some() && removed > 0 {
            for db in 0..self.databases.len() {
                self.ran(db, None::<std::iter::Empty<&[u8]>>);
            }
        }
        removed
    }
}

/// A key, its value, and when it expires in milliseconds since 1970.
pub type Kept = (Bytes, Value, Option<u64>);

/// What a store held at one moment.
#[derive(Debug)]
pub struct Snapshot(Vec<Vec<Kept>>);

impl Snapshot {
    /// The databases, with their numbers.
    pub fn databases(&self) -> impl Iterator<Item = (usize, &[Kept])> {
        self.0.iter().map(Vec::as_slice).enumerate()
    }
}
