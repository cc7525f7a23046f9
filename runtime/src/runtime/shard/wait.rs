//! What a shard does that has nothing to do: it looks for work, then at the ring, then sleeps.

use std::cell::Cell;
use std::hint;
use std::io;
use std::time::{Duration, Instant};

use henge_driver::Turn;
use henge_driver::sys::{clock, cpu, thread};

use super::Shard;
use crate::runtime::spin::Spin;

/// How often a loop that looks does so between two looks at the clock.
const LOOKS: u32 = 16;

impl Shard {
    /// Nothing to do, after a turn that ran `polls` tasks: looks for what others have too much of,
    /// then for a while at the ring if that pays, then sleeps until something comes.
    pub(super) fn wait(&self, polls: u32) -> io::Result<()> {
        if self.driver.completion_expected() || self.driver.has_posted() {
            return self.enter();
        }
        if self.worker.as_ref().is_some_and(|worker| worker.search()) {
            return if self.ring_wants_us() { self.enter() } else { Ok(()) };
        }
        let deadline = self.timers.next_deadline();
        if deadline.is_none() && self.timers.pending() > 0 {
            // Timers that are never due: the clock is paused, and moves when nothing else does.
            if self.driver.has_queued() {
                return self.enter();
            }
            if self.timers.auto_advance() {
                return Ok(());
            }
        }
        let begun = clock::now();
        let mut looked = false;
        let mut spin = self.spin.get();
        spin.ran(polls);
        self.spin.set(spin);
        let rule = self.rule();
        if rule.get().measures() && self.driver.has_queued() {
            // It is submitted first, or the sleep would seem to cost what is sent with it.
            return self.enter();
        }
        // A flag that is up for nothing would hide the next completion from a look.
        // Others send without a call while their lane is looked at, which a sleep is the end of: on
        // either side it costs more than many messages.
        let glance = || self.mesh.watches().then(|| spin.glance()).flatten();
        if let Some(limit) = rule.get().before_sleep().or_else(glance)
            && !self.driver.completion_pending()
        {
            if self.driver.has_queued() {
                // It is submitted first, or there would be nothing to look for.
                return self.enter();
            }
            if self.look(rule, begun, limit, deadline) {
                // What was posted is run by a turn of the driver and by nothing else.
                if self.ring_wants_us() {
                    self.enter()?;
                    let mut spin = rule.get();
                    spin.fetched(self.entered.get() - begun);
                    rule.set(spin);
                }
                return Ok(());
            }
            looked = true;
        }
        self.call_hook(self.shared.config.hooks.park.as_ref());
        if !self.has_work() {
            self.sleep(rule, begun, looked, deadline)?;
        }
        self.call_hook(self.shared.config.hooks.unpark.as_ref());
        Ok(())
    }

    /// The rule for how long to look. A turn that polls one task again and again, since its channel
    /// is never empty or never full, looks like a crowd to the rule for all; one of its own learns
    /// how soon the other end comes.
    fn rule(&self) -> &Cell<Spin> {
        if self.mesh.expects() { &self.mesh_spin } else { &self.spin }
    }

    /// Looks for at most `limit` and not past `deadline`. True if the next turn has something to
    /// do.
    fn look(
        &self,
        rule: &Cell<Spin>,
        begun: Instant,
        limit: Duration,
        deadline: Option<Instant>,
    ) -> bool {
        let mut spin = rule.get();
        let until = begun.checked_add(limit);
        let found = loop {
            let came = if self.shared.config.one_cpu {
                // Other threads of this program run only while this one lets them.
                thread::yield_now();
                self.something_came()
            } else {
                (0..LOOKS).any(|_| {
                    hint::spin_loop();
                    self.something_came()
                })
            };
            if came || self.worker.as_ref().is_some_and(|worker| worker.glance()) {
                spin.found(clock::now() - begun);
                break true;
            }
            let now = clock::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                break true;
            }
            if until.is_some_and(|until| until <= now) {
                break false;
            }
        };
        rule.set(spin);
        let counter = if found { &self.counters.spins } else { &self.counters.spins_in_vain };
        counter.add(1);
        found
    }

    fn sleep(
        &self,
        rule: &Cell<Spin>,
        begun: Instant,
        looked: bool,
        deadline: Option<Instant>,
    ) -> io::Result<()> {
        self.mesh.rest(&self.home);
        let submits = self.driver.has_queued();
        let awake_since = self.awake.get();
        let mut batch_wait = self.batch_wait.get();
        match batch_wait.before_sleep() {
            Some((completions, limit)) => {
                self.driver.set_min_wait(completions, limit);
                self.counters.batch_waits.add(1);
            }
            None => self.driver.set_min_wait(1, Duration::ZERO),
        }
        self.count_busy(begun);
        self.counters.parks.add(1);
        let measures = rule.get().measures() && !submits && !looked;
        let spent = measures.then(cpu::spent).flatten();
        // What the driver does before it sleeps may wake tasks as well.
        let turn = match &self.worker {
            None => self.driver.park(deadline, || self.something_came() || self.has_work())?,
            Some(worker) => {
                if !worker.lie_down() {
                    self.counters.unparks.add(1);
                    return Ok(());
                }
                let came = || self.something_came() || self.has_work() || worker.is_woken();
                let slept = self.driver.park(deadline, came);
                worker.rise();
                slept?
            }
        };
        let now = clock::now();
        self.entered.set(now);
        let mut spin = rule.get();
        spin.slept(now - begun, looked, submits);
        if let Some(before) = spent
            && let Some(after) = cpu::spent()
        {
            spin.measured(after.saturating_sub(before), now - begun);
        }
        rule.set(spin);
        batch_wait.brought(arrivals(&turn), turn.operations);
        batch_wait.slept(now - begun, now - awake_since);
        self.batch_wait.set(batch_wait);
        self.awake.set(now);
        self.counters.unparks.add(1);
        self.counters.parked.add((now - begun).as_nanos() as u64);
        self.count_enter();
        Ok(())
    }
}

impl Shard {
    /// What a turn of the driver brought without a sleep.
    #[inline]
    pub(super) fn note_arrivals(&self, turn: &Turn) {
        let mut batch_wait = self.batch_wait.get();
        batch_wait.brought(arrivals(turn), turn.operations);
        self.batch_wait.set(batch_wait);
    }
}

/// How much a turn of the driver brought that others did.
#[inline]
fn arrivals(turn: &Turn) -> u32 {
    (turn.completions + turn.wakes).saturating_sub(turn.at_once)
}
