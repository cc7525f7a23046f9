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

pub use bytes::Bytes;
pub use cursor::{Cursor, Part};
pub use db::{Db, Entry};
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
}

impl Store {
    /// An empty store for `part` of the data, which tells the time by `clock`.
    pub fn new(part: Part, clock: Clock) -> Store {
        Store { databases: (0..DATABASES).map(|_| Db::new(part, clock)).collect() }
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
        removed
    }
}
