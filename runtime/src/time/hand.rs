//! A clock that is cheap to read and never slow: what a duration is added to.
//!
//! Reading the monotonic clock is most of what a timer costs that is set and cancelled. A deadline
//! that is counted from *now or a little later* serves as well, as long as it is never counted from
//! earlier: the timer would end before its time. So between two readings of the clock, at most
//! 2¹⁵ ns apart, the cycle counter tells how much time has passed, and a quarter is added:
//!
//! - the anchor's cycles are read *before* its time, so that at these cycles it was not yet later;
//! - the counter is the one that the kernel makes the monotonic clock from, so the two differ only
//!   by the rate at which the clock is disciplined, at most 10 % by `adjtimex`, both when the rate
//!   was measured and now: less than the quarter;
//! - a counter that jumps, as under a virtual machine that moves, looks like an old anchor.
//!
//! What comes out is at most 10 µs late. It is not monotonic and never shown as the time.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use henge_driver::sys::{clock::now as monotonic, cycles};

use super::moment;

/// For how long an anchor is good, in nanoseconds.
const FRESH: u64 = 1 << 15;
/// How far apart, in cycles, the two readings of an anchor may lie: 2 µs at 2 GHz.
const APART: u64 = 1 << 12;
/// How long the rate is measured, in nanoseconds. Wrong by less than half a percent.
const CALIBRATION: u64 = 1_000_000;

/// Nanoseconds a cycle and a quarter, times 2³²; 0 until it is known.
static RATE: AtomicU64 = AtomicU64::new(0);

/// The clock's hand: one thread's anchor.
#[derive(Debug, Default)]
pub(super) struct Hand {
    cycles: Cell<u64>,
    nanos: Cell<u64>,
    rate: Cell<u64>,
    /// How many cycles the anchor is good for: none until the rate is known.
    fresh: Cell<u64>,
}

impl Hand {
    /// A hand whose rate, if this is the process's first, is measured from now on.
    pub(super) fn new() -> Self {
        let hand = Hand::default();
        hand.anchor();
        hand
    }

    /// The number of this moment, or of one up to 10 µs later.
    #[inline]
    pub(super) fn now_or_later(&self) -> u64 {
        let fresh = self.fresh.get();
        if fresh != 0 {
            let age = cycles::read().wrapping_sub(self.cycles.get());
            if age < fresh {
                return self.nanos.get() + ((age * self.rate.get()) >> 32);
            }
        }
        self.anchor()
    }

    #[cold]
    #[inline(never)]
    fn anchor(&self) -> u64 {
        if !cycles::usable() {
            return moment::number(monotonic());
        }
        let cycles = cycles::read();
        let nanos = moment::number(monotonic());
        if cycles::read().wrapping_sub(cycles) > APART {
            // Preempted in between: what is counted from here would be late by as much.
            return nanos;
        }
        self.cycles.set(cycles);
        self.nanos.set(nanos);
        if self.fresh.get() == 0
            && let Some(rate) = rate(cycles, nanos)
        {
            self.rate.set(rate);
            self.fresh.set((FRESH << 32) / rate);
        }
        nanos
    }
}

/// The rate, once it is known: measured from the first call in the process to one that is late
/// enough.
fn rate(cycles: u64, nanos: u64) -> Option<u64> {
    static FIRST: OnceLock<(u64, u64)> = OnceLock::new();
    // Relaxed: the number is all there is to it.
    let known = RATE.load(Ordering::Relaxed);
    if known != 0 {
        return Some(known);
    }
    let (first_cycles, first_nanos) = *FIRST.get_or_init(|| (cycles, nanos));
    let (cycles, nanos) = (cycles.checked_sub(first_cycles)?, nanos.checked_sub(first_nanos)?);
    if nanos < CALIBRATION {
        return None;
    }
    let rate = (u128::from(nanos) << 32) * 5 / 4 / u128::from(cycles.max(1));
    // A counter below 100 MHz or above 100 GHz is none.
    let rate = u64::try_from(rate).ok().filter(|rate| (1 << 25..1 << 36).contains(rate))?;
    RATE.store(rate, Ordering::Relaxed);
    Some(rate)
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// On any machine, however its clock is made.
    #[test]
    fn never_earlier_than_the_clock_and_hardly_later() {
        let hand = Hand::new();
        let end = Instant::now() + Duration::from_millis(100);
        let (mut reads, mut late) = (0u64, 0u64);
        loop {
            let before = monotonic();
            let told = hand.now_or_later();
            let after = monotonic();
            assert!(told >= moment::number(before), "read {reads}");
            reads += 1;
            late += u64::from(told > moment::number(after) + 12_000);
            if after > end {
                break;
            }
        }
        assert_eq!(late, 0, "of {reads}");
    }
}
