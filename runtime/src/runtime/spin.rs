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
//! CPU time where one peer waits for one answer, and differs from machine to machine: it is
//! [measured](price), and until it has been a look is worth nearly its limit. Where a few tasks run
//! between two waits nobody gains by it, and only what the sleep itself costs counts.
//! Where there are more, a sleep costs nothing at all: meanwhile requests gather, and go through
//! the ring and the caches together.
//!
//! A wait enters all accounts, *whether it was spent looking or asleep*, so that the rule finds its
//! way in both directions; one that only counts how often looking paid gets stuck where it is,
//! since a shard that sleeps learns nothing.
//!
//! One thing a shard that sleeps cannot learn: how soon the peer would answer one that is awake. A
//! sleep makes the wait longer, by its own wake-up and by the peer's, whose CPU goes to sleep in
//! the meantime, too. A third of the wait is taken off for that; but where wake-ups are slow, as on
//! some virtual machines, a wait of 120 µs is one of 30. So now and then there is a [trial](trial):
//! a few looks of full length, come what may. In these the newest wait weighs half, so that the
//! accounts are those of the trial when it is over, and choose as ever.
//!
//! The other thing it cannot learn asleep: whether the peer would answer at all while we look. One
//! that waits for this very CPU answers as soon as we sleep, and never before. Each short sleep
//! says that a look would have found it, and each look is in vain. So after several in vain in a
//! row short sleeps are [no evidence](doubt) for a while.

mod doubt;
mod price;
mod trial;

use std::time::Duration;

use doubt::Doubt;
use price::Price;
use trial::Trial;

/// The share of the newest wait in an account is one in 2 to the power of this.
const WEIGHT: u32 = 4;

/// The same in a trial.
const TRIAL_WEIGHT: u32 = 1;

/// The looks to choose from, besides none: the limit divided by 2 to the power of these.
const LENGTHS: [u32; 5] = [4, 3, 2, 1, 0];

/// Up to so many tasks a turn, times 256, there is one peer, or a few that take turns.
const ALONE: u32 = 3 << 7;

/// Above so many tasks a turn, times 256, there is a crowd.
const CROWD: u32 = 2 << 8;

/// A wait of so many limits or more is no reason for a trial: no slow wake-up makes up for it.
const FAR: u64 = 8;

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
    /// The account whose look is taken now.
    chosen: usize,
    /// Waits that were too short to count, to be added to the next.
    carried: u64,
    /// The last wait in which a look found something.
    newest: u64,
    /// The average number of tasks that a turn runs, times 256.
    tasks: u32,
    trial: Trial,
    doubt: Doubt,
    price: Price,
}

impl Spin {
    /// Looks for at most `limit` at a time; [`Duration::ZERO`] switches it off.
    pub(crate) fn new(limit: Duration) -> Spin {
        let limit = nanos(limit);
        let mut spin = Spin {
            limit,
            accounts: [0; _],
            chosen: 0,
            carried: 0,
            newest: 0,
            tasks: 1 << 8,
            trial: Trial::default(),
            doubt: Doubt::default(),
            price: Price::new(limit / 5 * 4),
        };
        // As if the waits before had been long: a shard that starts earns its first look.
        for n in 0..spin.accounts.len() {
            spin.accounts[n] = spin.cost(spin.length(n), u64::MAX);
        }
        spin
    }

    /// How long to look before sleeping now; `None` is not at all.
    #[inline]
    pub(crate) fn before_sleep(&self) -> Option<Duration> {
        if self.measures() {
            return None;
        }
        let look = self.length(self.chosen);
        (look > 0).then(|| Duration::from_nanos(look))
    }

    /// Whether the next sleep is to be [measured](Spin::measured): one without anything to submit.
    #[inline]
    pub(crate) fn measures(&self) -> bool {
        self.price.is_due() && self.tasks <= ALONE && self.limit > 0
    }

    /// In the sleep of `wait` that was told of last the CPU was busy for so long.
    pub(crate) fn measured(&mut self, busy: Duration, wait: Duration) {
        self.price.measure(busy, wait);
    }

    /// What the look that was told of last has found is here, so long after it began.
    #[inline]
    pub(crate) fn fetched(&mut self, since: Duration) {
        if self.tasks <= ALONE {
            self.price.found(self.newest, nanos(since).saturating_sub(self.newest));
        }
    }

    /// How long to look for what comes any moment, however many tasks there are; `None` where
    /// nothing is to be looked for.
    #[inline]
    pub(crate) fn glance(&self) -> Option<Duration> {
        (self.limit > 0).then(|| Duration::from_nanos(self.limit >> LENGTHS[0]))
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
        self.doubt.found();
        self.newest = nanos(wait);
        self.learn(self.newest, true);
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
        self.price.slept();
        // A wait that is spent asleep is longer than one spent looking: the wake-up is in it, the
        // peer's too if it sleeps while we do.
        let awake = wait / 3 * 2;
        let look = self.length(self.chosen);
        let doubted = self.doubt.slept(looked);
        let awake = if looked { awake.max(look.saturating_add(1)) } else { awake };
        self.learn(if doubted { awake.max(self.limit.saturating_add(1)) } else { awake }, false);
    }

    fn learn(&mut self, wait: u64, found: bool) {
        self.carried = 0;
        if self.limit == 0 {
            return;
        }
        let weight = if self.trial.is_on() { TRIAL_WEIGHT } else { WEIGHT };
        for n in 0..self.accounts.len() {
            let account = self.accounts[n];
            let cost = self.cost(self.length(n), wait);
            self.accounts[n] = account - (account >> weight) + (cost >> weight);
        }
        if self.tasks > ALONE {
            self.trial.end();
        } else if found {
            self.trial.found();
        } else {
            self.trial.slept(wait < self.limit.saturating_mul(FAR));
        }
        self.chosen = if self.trial.is_on() { LENGTHS.len() } else { self.choose() };
    }

    /// The account that is next to the lowest and has the shortest look.
    fn choose(&self) -> usize {
        let lowest = self.accounts.iter().min().copied().unwrap_or(0);
        let enough = lowest.saturating_add(self.limit >> 6);
        let chosen = self.accounts.iter().position(|&account| account <= enough).unwrap_or(0);
        // One peer is not given up for a few waits that were long: it would be slow to come back.
        let now = self.chosen;
        let patience = (self.length(now) / 8).min(self.price.of_sleep() / 6);
        if chosen == 0
            && self.tasks <= ALONE
            && self.accounts[now] <= self.accounts[0].saturating_add(patience)
        {
            return now;
        }
        chosen
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
            self.price.of_sleep()
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
mod tests;
