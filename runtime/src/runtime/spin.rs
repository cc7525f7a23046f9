//! Whether an idle shard looks at its ring for a while before it sleeps: pure policy, fed with how
//! long each wait was.
//!
//! To sleep and be woken costs the kernel more than a small request, and twice its latency. Where
//! the next completion is near, looking for it is cheaper; where it is far, looking is a waste of a
//! CPU. The rule goes by the average wait, *whether it was spent looking or asleep*, so that it
//! finds its way in both directions; one that only counts how often looking paid gets stuck where
//! it is, since a shard that sleeps learns nothing.
//!
//! ```text
//!                    average wait ≤ 1½ × limit
//!   sleep at once  ───────────────────────────►  look for `limit`, then sleep
//!        ▲                                             │
//!        └─────────────────────────────────────────────┘
//!          average wait > 1½ × limit; a look in vain counts as 8 × limit
//! ```
//!
//! Half more than the limit, because a wait that is spent asleep is longer than one spent looking:
//! the wake-up is in it, the peer's too if it sleeps while we do. A look in vain weighs more than
//! it took, so that arrivals a little more than the limit apart do not burn a limit each time:
//! about one wait in eight is tried again.

use std::time::Duration;

/// The share of the newest wait in the average is one in 2 to the power of this.
const WEIGHT: u32 = 3;

/// A wait that had entries to submit and ended within this was, as a rule, ended by their own
/// completions (a send that went out at once), and says nothing about when the next request comes.
const OWN_COMPLETION: Duration = Duration::from_micros(10);

/// The state of the rule for one shard. All times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spin {
    /// How long to look; 0 for never.
    limit: u64,
    average: u64,
    /// Waits that were too short to count, to be added to the next.
    carried: u64,
}

impl Spin {
    /// Looks for at most `limit` at a time; [`Duration::ZERO`] switches it off.
    pub(crate) fn new(limit: Duration) -> Spin {
        let limit = nanos(limit);
        // Just above the threshold: a shard that starts earns its first look with a short wait.
        Spin { limit, average: worth(limit).saturating_add(1), carried: 0 }
    }

    /// How long to look before sleeping now; `None` is not at all.
    #[inline]
    pub(crate) fn before_sleep(&self) -> Option<Duration> {
        let pays = self.limit > 0 && self.average <= worth(self.limit);
        pays.then(|| Duration::from_nanos(self.limit))
    }

    /// A look found something after `wait`.
    #[inline]
    pub(crate) fn found(&mut self, wait: Duration) {
        self.learn(nanos(wait));
    }

    /// A look found nothing; the sleep that follows it is not reported.
    #[inline]
    pub(crate) fn in_vain(&mut self) {
        self.learn(self.limit.saturating_mul(8));
    }

    /// Slept, without a look, for `wait`; `submitted` if the sleep also took entries to the kernel.
    #[inline]
    pub(crate) fn slept(&mut self, wait: Duration, submitted: bool) {
        let wait = nanos(wait).saturating_add(self.carried);
        if submitted && wait < nanos(OWN_COMPLETION) {
            self.carried = wait;
        } else {
            self.learn(wait);
        }
    }

    fn learn(&mut self, wait: u64) {
        self.carried = 0;
        // One night's sleep must not outweigh the whole of the next burst.
        let wait = wait.min(self.limit.saturating_mul(16));
        self.average = self.average - (self.average >> WEIGHT) + (wait >> WEIGHT);
    }
}

/// The average wait up to which looking for `limit` is tried.
fn worth(limit: u64) -> u64 {
    limit.saturating_add(limit / 2)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_micros(50);

    /// Replays requests that come every `apart`, each answered in no time, and returns the share of
    /// the time that went into looking.
    fn share_spent_looking(spin: &mut Spin, apart: Duration, requests: u32) -> f64 {
        let mut looked = Duration::ZERO;
        for _ in 0..requests {
            match spin.before_sleep() {
                None => {
                    // The answer goes out with the sleep, which its completion ends.
                    spin.slept(Duration::from_micros(2), true);
                    spin.slept(apart - Duration::from_micros(2), false);
                }
                Some(limit) if apart <= limit => {
                    looked += apart;
                    spin.found(apart);
                }
                Some(limit) => {
                    looked += limit;
                    spin.in_vain();
                }
            }
        }
        looked.as_secs_f64() / (apart * requests).as_secs_f64()
    }

    #[test]
    fn looks_all_the_time_where_requests_are_near() {
        let mut spin = Spin::new(LIMIT);
        share_spent_looking(&mut spin, Duration::from_micros(40), 20);
        assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(20), 1000), 1.0);
    }

    #[test]
    fn never_looks_where_requests_are_far() {
        for apart in [Duration::from_micros(200), Duration::from_millis(5)] {
            assert_eq!(share_spent_looking(&mut Spin::new(LIMIT), apart, 1000), 0.0);
        }
    }

    #[test]
    fn backs_off_where_requests_come_just_too_late() {
        for apart in [60, 70, 80, 90, 99].map(Duration::from_micros) {
            let share = share_spent_looking(&mut Spin::new(LIMIT), apart, 10_000);
            assert!(share < 0.2, "{share} of the time at {apart:?}");
        }
    }

    #[test]
    fn finds_its_way_in_both_directions() {
        let mut spin = Spin::new(LIMIT);
        let (near, far) = (Duration::from_micros(30), Duration::from_millis(5));
        for _ in 0..3 {
            share_spent_looking(&mut spin, near, 50);
            assert_eq!(share_spent_looking(&mut spin, near, 50), 1.0);
            share_spent_looking(&mut spin, far, 5);
            assert_eq!(share_spent_looking(&mut spin, far, 50), 0.0);
        }
    }

    #[test]
    fn one_pause_costs_one_look() {
        let mut spin = Spin::new(LIMIT);
        share_spent_looking(&mut spin, Duration::from_micros(20), 100);
        assert!(spin.before_sleep().is_some());
        spin.in_vain();
        share_spent_looking(&mut spin, Duration::from_micros(20), 3);
        assert!(spin.before_sleep().is_some(), "one pause in a burst ends the looking");
    }

    #[test]
    fn zero_never_looks() {
        let mut spin = Spin::new(Duration::ZERO);
        assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(3), 100), 0.0);
    }

    #[test]
    fn a_limit_without_end_does_not_overflow() {
        let mut spin = Spin::new(Duration::MAX);
        spin.slept(Duration::from_secs(1), false);
        spin.slept(Duration::MAX, false);
        spin.in_vain();
        assert!(spin.before_sleep().is_some());
    }
}
