//! The channel's word: the version of the value, whether it is closed, and whether anybody waits.
//!
//! ```text
//!   word = version << 2 | WAITING << 1 | CLOSED
//! ```
//!
//! - The version counts changes, and wraps. It is raised by who holds the value's write lock, so a
//!   reader of the value knows its version.
//! - CLOSED is set when the last sender goes, and never cleared.
//! - WAITING is set, and cleared when the line is empty, with the mutex of the line held. Raising
//!   the version and setting WAITING are both read-modify-writes of this one word: either the
//!   sender sees the flag and goes to the line, or the receiver sees the new version and does not.
//!   So a change that nobody waits for touches no mutex, and none is missed.

use std::sync::atomic::Ordering;

use crate::loom::sync::atomic::AtomicUsize;

const CLOSED: usize = 0b01;
const WAITING: usize = 0b10;
const FLAGS: usize = CLOSED | WAITING;
const STEP: usize = 0b100;

/// Which change of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version(usize);

impl Version {
    pub(super) const FIRST: Self = Self(0);

    /// A version that the current one differs from, for a receiver that was at it.
    pub(super) fn before(self) -> Self {
        Self(self.0.wrapping_sub(STEP))
    }
}

/// What the word said at one time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snapshot(usize);

impl Snapshot {
    pub(super) fn version(self) -> Version {
        Version(self.0 & !FLAGS)
    }

    pub(super) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    pub(super) fn is_waited_for(self) -> bool {
        self.0 & WAITING != 0
    }
}

#[derive(Debug)]
pub(super) struct Word(AtomicUsize);

impl Word {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(Version::FIRST.0))
    }

    pub(super) fn load(&self) -> Snapshot {
        // Acquire: who sees a version, or the end, sees what its sender did before (pairs with
        // the releases below).
        Snapshot(self.0.load(Ordering::Acquire))
    }

    /// The value has changed. Needs the write lock of the value. Returns what the word said before.
    pub(super) fn raise(&self) -> Snapshot {
        // Release: pairs with `load` and `wait`.
        Snapshot(self.0.fetch_add(STEP, Ordering::Release))
    }

    /// The last sender has gone. Returns what the word said before.
    pub(super) fn close(&self) -> Snapshot {
        // Release: pairs with `load` and `wait`.
        Snapshot(self.0.fetch_or(CLOSED, Ordering::Release))
    }

    /// Somebody is about to stand in line. Needs the mutex of the line.
    pub(super) fn wait(&self) -> Snapshot {
        // Acquire: as in `load`.
        Snapshot(self.0.fetch_or(WAITING, Ordering::Acquire))
    }

    /// Nobody stands in line. Needs the mutex of the line.
    pub(super) fn nobody_waits(&self) {
        self.0.fetch_and(!WAITING, Ordering::Relaxed);
    }
}
