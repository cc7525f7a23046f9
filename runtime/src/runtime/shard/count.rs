//! What a shard notes of its turns for the metrics.

use std::time::Instant;

use super::Shard;

impl Shard {
    #[inline]
    pub(super) fn count_turn(&self, polls: u32) {
        self.counters.turns.add(1);
        self.counters.polls.add(u64::from(polls));
        let mut queued = self.home.queued();
        if let Some(worker) = &self.worker {
            queued += worker.queued();
            self.counters.stolen.set(worker.done.stolen.get());
            self.counters.thefts.set(worker.done.thefts.get());
            self.counters.searches.set(worker.done.searches.get());
            self.counters.overflows.set(worker.done.overflows.get());
        }
        let (sent, saved) = self.driver.wakes();
        self.counters.wakes_sent.set(sent);
        self.counters.wakes_saved.set(saved + self.mesh.saved());
        self.counters.queued.set(queued as u64);
        // The future that `block_on` was given is no task to its author.
        self.counters.alive.set(self.home.alive().saturating_sub(self.roots.get()) as u64);
        self.counters.timers.set(self.timers.pending() as u64);
    }

    /// Up to `now` it has been awake.
    pub(super) fn count_busy(&self, now: Instant) {
        let since = self.awake.replace(now);
        self.counters.busy.add(now.saturating_duration_since(since).as_nanos() as u64);
    }

    pub(super) fn count_enter(&self) {
        let driver = self.driver.counters();
        self.counters.enters.set(driver.enters);
        self.counters.completions.set(driver.completions);
        self.counters.pool_bytes.set(self.driver.pool().bytes() as u64);
        self.counters.pool_found_empty.set(self.driver.pool().found_empty_count());
    }
}
