//! For how many completions a shard that goes to sleep waits: pure policy, fed with what came.
//!
//! A shard that is woken for every request spends as much on waking up as on the requests. Where
//! many peers ask, what one of them sends may wait some microseconds for what others send, and all
//! is answered together: the kernel can be told to end a sleep when so many completions are there,
//! or, after a while, when there is one. But nobody may wait for others who do not come, and who is
//! alone must never wait at all. So three things have to agree:
//!
//! * *Peers.* A quarter of the operations that completed of late, of [`SAMPLE`] completions, is
//!   waited for: the others may all be silent, and the wait ends none the later. One peer is a few
//!   operations (its receive, its sends, what is done for it), so fewer than eight are nobody.
//! * *Pace.* No more than come within the limit, on average; and for no longer than twice what
//!   that many take, on average.
//! * *Outcome.* Nothing is waited for, for a while, once one wait in four has been *in vain*: its
//!   time ran out, and not half of what it was for had come.
//!
//! The pace is that of the work: from the end of one sleep to the end of the next, the time in
//! between included. A wait that is longer than the others because it was to bring more brings
//! more, so the pace does not depend on what this rule chose before.

use std::time::Duration;

/// A longer limit is this one.
const LONGEST: Duration = Duration::from_secs(1);

/// After so many completions their operations are counted.
const SAMPLE: u32 = 64;

/// Of so many peers one is waited for.
const PEERS: u32 = 4;

/// The most completions to wait for. An enter takes about 20 at a time.
const MOST: u32 = 16;

/// The share of the newest sleep in an average is one in 2 to the power of this.
const WEIGHT: u32 = 4;

/// The share of waits in vain, times 256, above which there are no more for a while.
const IN_VAIN: u32 = 64;

/// So many sleeps.
const REST: u32 = 512;

/// The state of the rule for one shard. All times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchWait {
    /// How long the first that comes may wait for others; 0 for never.
    limit: u64,
    /// Since the last sample: which operations have completed, modulo 64, and how many times.
    seen: u64,
    completions: u32,
    /// How many operations were in the last sample.
    peers: u32,
    /// What came since the last sleep.
    arrived: u32,
    /// From the end of one sleep to the end of the next: what comes on average, times 256, and how
    /// long that takes.
    arrivals: u64,
    cycle: u64,
    /// How many completions are waited for now; up to 1 is an ordinary sleep.
    batch: u32,
    /// And for how long, before one is enough.
    wait: u64,
    /// The average share of waits in vain, times 256.
    in_vain: u32,
    /// For so many sleeps there are none.
    rest: u32,
}

impl BatchWait {
    /// Lets the first that comes wait for others for at most `limit`; never, if that is zero.
    pub(crate) fn new(limit: Duration) -> BatchWait {
        BatchWait {
            limit: nanos(limit.min(LONGEST)),
            seen: 0,
            completions: 0,
            peers: 0,
            arrived: 0,
            arrivals: 0,
            cycle: 0,
            batch: 0,
            wait: 0,
            in_vain: 0,
            rest: 0,
        }
    }

    /// For how many completions to wait, and for how long, before one is enough; `None` if one is
    /// enough from the start.
    #[inline]
    pub(crate) fn before_sleep(&self) -> Option<(u32, Duration)> {
        (self.batch > 1).then(|| (self.batch, Duration::from_nanos(self.wait)))
    }

    /// A turn of the driver brought so much that was not its own doing, of these operations.
    #[inline]
    pub(crate) fn brought(&mut self, arrived: u32, operations: u64) {
        self.arrived += arrived;
        self.completions += arrived;
        self.seen |= operations;
        if self.completions >= SAMPLE {
            self.peers = self.seen.count_ones();
            (self.completions, self.seen) = (0, 0);
        }
    }

    /// Slept for `wait`, after what that brought was told of; `cycle` has passed since the end of
    /// the sleep before.
    #[inline]
    pub(crate) fn slept(&mut self, wait: Duration, cycle: Duration) {
        if self.limit == 0 {
            return;
        }
        let arrived = std::mem::take(&mut self.arrived);
        if self.batch > 1 {
            let in_vain = nanos(wait) >= self.wait && arrived < self.batch.div_ceil(2);
            let share = u32::from(in_vain) << 8;
            self.in_vain = self.in_vain - (self.in_vain >> WEIGHT) + (share >> WEIGHT);
            if self.in_vain > IN_VAIN {
                (self.in_vain, self.rest) = (0, REST);
            }
        } else {
            self.rest = self.rest.saturating_sub(1);
        }
        // What is longer than this is as good as for ever, and soon forgotten.
        let cycle = nanos(cycle).min(self.limit.saturating_mul(4));
        self.cycle = self.cycle - (self.cycle >> WEIGHT) + (cycle >> WEIGHT);
        self.arrivals =
            self.arrivals - (self.arrivals >> WEIGHT) + ((u64::from(arrived) << 8) >> WEIGHT);
        self.choose();
    }

    fn choose(&mut self) {
        self.batch = 0;
        let most = (self.peers / PEERS).min(MOST);
        if most < 2 || self.rest > 0 {
            return;
        }
        // From one to the next.
        let gap = self.cycle.saturating_mul(256) / self.arrivals.max(1);
        let others = (self.limit / gap.max(1)).min(u64::from(most) - 1);
        self.batch = 1 + others as u32;
        self.wait = (2 * others * gap).clamp(self.limit / 8, self.limit);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
