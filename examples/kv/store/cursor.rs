//! SCAN's cursors: which shard has its turn, and how far it got.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// Which part of the data a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 0.
    pub index: usize,
    /// How many parts there are.
    pub of: usize,
}

impl Part {
    /// All of it.
    pub const WHOLE: Part = Part { index: 0, of: 1 };

    /// The number of the part that `key` belongs to.
    pub fn owner(self, key: &[u8]) -> usize {
        if self.of == 1 {
            return 0;
        }
        // Not the hash of the dictionaries, which would find all keys of a shard in one corner. It
        // has no seed of its own: files that were written by other processes depend on it.
        let hash = FixedState::with_seed(0x6b76).hash_one(key);
        ((u128::from(hash) * self.of as u128) >> 64) as usize
    }
}

/// A cursor of SCAN. To clients it is one number; zero both starts and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The shard whose turn it is.
    pub shard: usize,
    /// How many of its entries are left; zero stands for all, as there is no cursor once none are.
    left: u64,
}

/// The bits below the shard's number.
const LEFT_BITS: u32 = 48;

impl Cursor {
    /// Reads a client's cursor.
    ///
    /// ```
    /// use henge_kv::store::{Cursor, Part};
    /// let second = Part { index: 1, of: 3 };
    /// let cursor = Cursor::parse(b"0").unwrap();
    /// assert_eq!((cursor.shard, cursor.left()), (0, usize::MAX));
    /// let cursor = Cursor::parse(Cursor::after(second, 17).as_bytes()).unwrap();
    /// assert_eq!((cursor.shard, cursor.left()), (1, 17));
    /// let cursor = Cursor::parse(Cursor::after(second, 0).as_bytes()).unwrap();
    /// assert_eq!((cursor.shard, cursor.left()), (2, usize::MAX));
    /// ```
    pub fn parse(text: &[u8]) -> Option<Cursor> {
        // Redis reads it with `strtoul`, which takes a minus and counts down from the top.
        let text = std::str::from_utf8(text).ok()?;
        let number: u64 = match text.strip_prefix('-') {
            Some(digits) => digits.parse::<u64>().ok()?.wrapping_neg(),
            None => text.parse().ok()?,
        };
        let left = number & ((1 << LEFT_BITS) - 1);
        Some(Cursor { shard: (number >> LEFT_BITS) as usize, left })
    }

    /// How many entries of the shard are still to be looked at.
    pub fn left(self) -> usize {
        if self.left == 0 { usize::MAX } else { self.left as usize }
    }

    /// The cursor to send when `left` entries of `part` are still to be looked at.
    pub fn after(part: Part, left: usize) -> String {
        let next = part.index as u64 + 1;
        match left {
            0 if next == part.of as u64 => 0,
            0 => next << LEFT_BITS,
            left => (part.index as u64) << LEFT_BITS | left as u64,
        }
        .to_string()
    }
}
