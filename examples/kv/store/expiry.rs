//! When which key expires: the deadlines of one database, soonest first.

use std::collections::BTreeSet;

/// Deadlines with their keys. A key is in here exactly while its entry has that deadline.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    deadlines: BTreeSet<(u64, Box<[u8]>)>,
}

impl Expiry {
    pub(super) fn insert(&mut self, at: u64, key: &[u8]) {
        self.deadlines.insert((at, key.into()));
    }

    pub(super) fn remove(&mut self, at: u64, key: &[u8]) {
        self.deadlines.remove(&(at, key.into()));
    }

    /// The soonest deadline.
    pub(super) fn next(&self) -> Option<u64> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Takes a key whose deadline is not after `now`.
    pub(super) fn pop(&mut self, now: u64) -> Option<Box<[u8]>> {
        if self.next()? > now {
            return None;
        }
        self.deadlines.pop_first().map(|(_, key)| key)
    }

    pub(super) fn len(&self) -> usize {
        self.deadlines.len()
    }

    pub(super) fn clear(&mut self) {
        self.deadlines.clear();
    }
}
