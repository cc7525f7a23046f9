//! For how long an idle shard looks at its ring before it sleeps: pure policy, fed with how long
//! each wait was.
//!
//! To sleep and be woken costs the kernel more than a small request, and twice its latency. Where
//! the next completion is near, looking for it is cheaper; where it is far, looking is a waste of a
//! CPU; and where requests come in bursts both are true in turn. So there are several lengths of a
//! look to choose from, none at all among them, and for each of them an account of what the waits
//! of late would have cost with it:
//!
//! ```text
//!              wait ≤ look:  the wait             (spent looking)
//!              wait > look:  the look + a sleep   (in vain, then asleep)
//! ```
//!
//! The shortest look whose account is next to the lowest is taken. What a sleep costs is more than
//! CPU time where one peer waits for one answer: a look is worth nearly its limit there. Where a
//! few tasks run between two waits nobody gains by it, and only what the sleep itself costs counts.
//! Where there are more, a sleep costs nothing at all: meanwhile requests gather, and go through
//! the ring and the caches together.
//!
//! A wait enters all accounts, *whether it was spent looking or asleep*, so that the rule finds its
//! way in both directions; one that only counts how often looking paid gets stuck where it is,
//! since a shard that sleeps learns nothing.

use std::time::Duration;

/// The share of the newest wait in an account is one in 2 to the power of this.
const WEIGHT: u32 = 4;

/// The looks to choose from, besides none: the limit divided by 2 to the power of these.
const LENGTHS: [u32; 5] = [4, 3, 2, 1, 0];

/// Up to so many tasks a turn, times 256, there is one peer, or a few that take turns.
const ALONE: u32 = 3 << 7;

/// Above so many tasks a turn, times 256, there is a crowd.
const CROWD: u32 = 2 << 8;

/// A wait that had entries to submit and ended within this was, as a rule, ended by their own
/// completions (a send that went out at once), and says nothing about when the next request comes.
const OWN_COMPLETION: Duration = Duration::from_micros(10);

/// The state of the rule for one shard. All times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spin {
    /// How long to look at most; 0 for never.
    limit: u64,
    /// What sleeping at once costs, then the looks in the order of [`LENGTHS`].
    accounts: [u64; 1 + LENGTHS.len()],
    /// The look that is taken now.
    look: u64,
    /// Waits that were too short to count, to be added to the next.
    carried: u64,
    /// The average number of tasks that a turn runs, times 256.
    tasks: u32,
}

impl Spin {
    /// Looks for at most `limit` at a time; [`Duration::ZERO`] switches it off.
    pub(crate) fn new(limit: Duration) -> Spin {
        let limit = nanos(limit);
        let mut spin = Spin { limit, accounts: [0; _], look: 0, carried: 0, tasks: 1 << 8 };
        // As if the waits before had been long: a shard that starts earns its first look.
        for n in 0..spin.accounts.len() {
            spin.accounts[n] = spin.cost(spin.length(n), u64::MAX);
        }
        spin
    }

    /// How long to look before sleeping now; `None` is not at all.
    #[inline]
    pub(crate) fn before_sleep(&self) -> Option<Duration> {
        (self.look > 0).then(|| Duration::from_nanos(self.look))
    }

    /// A turn ran so many tasks.
    #[inline]
    pub(crate) fn ran(&mut self, tasks: u32) {
        if tasks > 0 {
            self.tasks = self.tasks - (self.tasks >> WEIGHT) + ((tasks << 8) >> WEIGHT);
        }
    }

    /// A look found something after `wait`.
    #[inline]
    pub(crate) fn found(&mut self, wait: Duration) {
        self.learn(nanos(wait));
    }

    /// Slept for `wait`, in which a look in vain may be; `submitted` if the sleep also took entries
    /// to the kernel.
    #[inline]
    pub(crate) fn slept(&mut self, wait: Duration, looked: bool, submitted: bool) {
        let wait = nanos(wait).saturating_add(self.carried);
        if submitted && wait < nanos(OWN_COMPLETION) {
            self.carried = wait;
            return;
        }
        // A wait that is spent asleep is longer than one spent looking: the wake-up is in it, the
        // peer's too if it sleeps while we do.
        let awake = wait / 3 * 2;
        self.learn(if looked { awake.max(self.look.saturating_add(1)) } else { awake });
    }

    fn learn(&mut self, wait: u64) {
        self.carried = 0;
        if self.limit == 0 {
            return;
        }
        for n in 0..self.accounts.len() {
            let account = self.accounts[n];
            let cost = self.cost(self.length(n), wait);
            self.accounts[n] = account - (account >> WEIGHT) + (cost >> WEIGHT);
        }
        let lowest = self.accounts.iter().min().copied().unwrap_or(0);
        let enough = lowest.saturating_add(self.limit >> 6);
        let chosen = self.accounts.iter().position(|&account| account <= enough).unwrap_or(0);
        self.look = self.length(chosen);
    }

    /// The length of a look, by its account.
    fn length(&self, account: usize) -> u64 {
        match account {
            0 => 0,
            n => self.limit >> LENGTHS[n - 1],
        }
    }

    /// What a wait costs that begins with a look.
    fn cost(&self, look: u64, wait: u64) -> u64 {
        let sleep = if self.tasks <= ALONE {
            self.limit / 5 * 4
        } else if self.tasks <= CROWD {
            self.limit / 10
        } else {
            0
        };
        if wait <= look { wait } else { look.saturating_add(sleep) }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_micros(50);

    /// What was spent on looking.
    #[derive(Default)]
    struct Spent {
        looked: Duration,
        sleeps: u32,
    }

    /// Replays one request that comes after `apart` and is answered in no time.
    fn request(spin: &mut Spin, apart: Duration, spent: &mut Spent) {
        match spin.before_sleep() {
            None => {
                // The answer goes out with the sleep, which its completion ends.
                spin.slept(Duration::from_micros(2), false, true);
                spin.slept(apart - Duration::from_micros(2), false, false);
                spent.sleeps += 1;
            }
            Some(look) if apart <= look => {
                spent.looked += apart;
                spin.found(apart);
            }
            Some(look) => {
                spent.looked += look;
                spent.sleeps += 1;
                spin.slept(apart, true, false);
            }
        }
    }

    /// Replays requests that come every `apart`, and returns the share of the time that went into
    /// looking.
    fn share_spent_looking(spin: &mut Spin, apart: Duration, requests: u32) -> f64 {
        let mut spent = Spent::default();
        (0..requests).for_each(|_| request(spin, apart, &mut spent));
        spent.looked.as_secs_f64() / (apart * requests).as_secs_f64()
    }

    #[test]
    fn looks_all_the_time_where_requests_are_near() {
        let mut spin = Spin::new(LIMIT);
        share_spent_looking(&mut spin, Duration::from_micros(30), 50);
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
        let (near, far) = (Duration::from_micros(20), Duration::from_millis(5));
        for _ in 0..3 {
            share_spent_looking(&mut spin, near, 100);
            assert_eq!(share_spent_looking(&mut spin, near, 50), 1.0);
            share_spent_looking(&mut spin, far, 50);
            assert_eq!(share_spent_looking(&mut spin, far, 50), 0.0);
        }
    }

    #[test]
    fn within_a_burst_it_looks_and_after_it_hardly() {
        let mut spin = Spin::new(LIMIT);
        let mut spent = Spent::default();
        for burst in 0..100 {
            if burst == 50 {
                spent = Spent::default();
            }
            (0..49).for_each(|_| request(&mut spin, Duration::from_micros(3), &mut spent));
            request(&mut spin, Duration::from_micros(200), &mut spent);
        }
        assert!(spent.sleeps <= 55, "{} sleeps in fifty bursts", spent.sleeps);
        let in_bursts = Duration::from_micros(3) * 49 * 50;
        let in_vain = spent.looked.saturating_sub(in_bursts) / 50;
        assert!(in_vain < Duration::from_micros(15), "{in_vain:?} after each burst");
    }

    #[test]
    fn a_crowd_is_not_looked_for() {
        let mut spin = Spin::new(LIMIT);
        for _ in 0..100 {
            spin.ran(10);
            share_spent_looking(&mut spin, Duration::from_micros(20), 1);
        }
        assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(20), 10), 0.0);
        for _ in 0..100 {
            spin.ran(10);
            share_spent_looking(&mut spin, Duration::from_micros(3), 1);
        }
        assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(3), 10), 0.0);
        for _ in 0..200 {
            spin.ran(1);
            share_spent_looking(&mut spin, Duration::from_micros(20), 1);
        }
        assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(20), 10), 1.0);
    }

    #[test]
    fn zero_never_looks() {
        let mut spin = Spin::new(Duration::ZERO);
        assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(3), 100), 0.0);
    }

    #[test]
    fn a_limit_without_end_does_not_overflow() {
        let mut spin = Spin::new(Duration::MAX);
        for _ in 0..100 {
            spin.slept(Duration::from_secs(1), false, false);
            spin.slept(Duration::MAX, true, false);
        }
        spin.found(Duration::from_secs(1));
        assert!(spin.before_sleep().is_some());
    }
}
