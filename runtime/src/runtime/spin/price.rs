//! What a sleep is worth on this machine, where one peer waits for one answer: measured, since it
//! takes 6 µs of a CPU on one machine and 25 on another.
//!
//! Now and then a sleep is measured, with nothing to submit, as there is nothing to submit before a
//! look: the first few soon, then one in [`APART`]. A shard that looks sleeps once in so many looks
//! for that, to learn whether it still should look.
//!
//! ```text
//!              ├── wait ───┼─ fetch ─┼───── later ─────┤
//!   a look     ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                     the CPU is busy all the time
//!   a sleep    ▒▒▒─────────────────────────▒▒▒▒▒▒▒▒▒▒▒▒▒▒  it is not
//! ```
//!
//! So a sleep is worth what it takes of the CPU, but for the fetch, and a quarter of what the
//! answer is later by. A peer that does not wait for its answer is not delayed, and that quarter is
//! nothing. Until both have been seen a sleep is worth what was said at first, which it never
//! exceeds.

use std::time::Duration;

/// Sleeps between two that are measured, and looks for each of these.
const APART: u32 = 64;
const LOOKS: u32 = 16;

/// The first few that are measured are so far apart.
const FIRST: u32 = 4;

/// What did not wait for at least so many nanoseconds was no sleep.
const NO_SLEEP: u64 = 1_000;

/// All times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Price {
    most: u64,
    /// How long a sleep is on average, fetch included, and how much of that the CPU is busy.
    sleep: u64,
    busy: u64,
    /// How long a look is on average that finds something, and the fetch after it.
    look: u64,
    fetch: u64,
    /// Sleeps that were measured.
    measured: u32,
    /// Looks, each sleep counting as so many, until a sleep is measured.
    left: u32,
    /// So many more are soon to be measured.
    soon: u32,
}

impl Price {
    pub(super) fn new(most: u64) -> Price {
        let (left, soon) = (FIRST * LOOKS, FIRST);
        Price { most, sleep: 0, busy: 0, look: 0, fetch: 0, measured: 0, left, soon }
    }

    /// What a sleep is worth.
    pub(super) fn of_sleep(&self) -> u64 {
        if self.measured < FIRST || self.look == 0 {
            return self.most;
        }
        let later = self.sleep.saturating_sub(self.look.saturating_add(self.fetch));
        (self.busy.saturating_sub(self.fetch) + later / 4).min(self.most)
    }

    /// Whether the next sleep is to be measured.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.left == 0
    }

    /// A look found something after `look`, which took `fetch` to be brought.
    pub(super) fn found(&mut self, look: u64, fetch: u64) {
        self.left = self.left.saturating_sub(1);
        let first = self.look == 0;
        self.look = average(first, self.look, look);
        self.fetch = average(first, self.fetch, fetch);
    }

    /// It slept.
    pub(super) fn slept(&mut self) {
        if self.is_due() {
            self.soon = self.soon.saturating_sub(1);
            self.left = LOOKS * if self.soon > 0 { FIRST } else { APART };
        } else {
            self.left = self.left.saturating_sub(LOOKS);
        }
    }

    /// In a sleep of so long, fetch included, the CPU was busy for so long.
    pub(super) fn measure(&mut self, busy: Duration, sleep: Duration) {
        let (busy, sleep) = (super::nanos(busy), super::nanos(sleep));
        if sleep < busy.saturating_add(NO_SLEEP) {
            return;
        }
        let first = self.measured == 0;
        self.busy = average(first, self.busy, busy);
        self.sleep = average(first, self.sleep, sleep);
        self.measured = self.measured.saturating_add(1);
    }
}

/// Follows what is shorter at once, and what is longer slowly: a thread is often kept from its
/// CPU, and seldom given more of it than there is.
fn average(first: bool, average: u64, newest: u64) -> u64 {
    if first {
        newest
    } else if newest < average {
        average - (average - newest) / 2
    } else {
        average + (newest - average) / 16
    }
}
