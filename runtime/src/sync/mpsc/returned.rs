//! What has come back of a bounded channel's capacity, in a word that takes no lock.
//!
//! ```text
//!   word = returned << 1 | AWAITED
//! ```
//!
//! - `returned` counts, wrapping, the messages that the receiver has received out of its batch. The
//!   capacity that they held is put back by whoever next holds the channel's mutex and wants some.
//! - AWAITED says that somebody stands in line for capacity. It is set, and cleared when the line
//!   is empty, with the mutex held.
//!
//! Both sides do read-modify-writes of this one word: either the receiver sees the flag, takes the
//! mutex and serves the line, or the sender sees the new count and does not stand in line for what
//! is there. So capacity that nobody waits for touches no mutex, and no wake is missed.

use std::sync::atomic::Ordering;

use crate::loom::sync::atomic::AtomicUsize;

const AWAITED: usize = 0b1;
const ONE: usize = 0b10;

#[derive(Debug)]
pub(super) struct Returned(AtomicUsize);

/// A count at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(usize);

impl Count {
    pub(super) const START: Self = Self(0);

    /// How many have come back since `before`.
    pub(super) fn since(self, before: Self) -> usize {
        self.0.wrapping_sub(before.0) / ONE
    }
}

impl Returned {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(Count::START.0))
    }

    /// One more has come back. Whether somebody waits for it: the line is to be served then.
    #[must_use = "somebody may wait for it"]
    pub(super) fn add(&self, n: usize) -> bool {
        // Release: who takes the capacity has seen its message received (pairs with `count`).
        self.0.fetch_add(n.wrapping_mul(ONE), Ordering::Release) & AWAITED != 0
    }

    pub(super) fn count(&self) -> Count {
        // Acquire: pairs with `add`.
        Count(self.0.load(Ordering::Acquire) & !AWAITED)
    }

    /// Somebody is about to stand in line, unless what has come back by now is enough. Needs the
    /// mutex.
    pub(super) fn await_more(&self) -> Count {
        // Acquire: as in `count`.
        Count(self.0.fetch_or(AWAITED, Ordering::Acquire) & !AWAITED)
    }

    /// Nobody stands in line. Needs the mutex.
    pub(super) fn nobody_waits(&self) {
        self.0.fetch_and(!AWAITED, Ordering::Relaxed);
    }
}
