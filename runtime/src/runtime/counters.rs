//! What a shard counts, where any thread can read it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Written by one thread, without any read-modify-write; read by all. In one or two cache lines of
/// the writer's own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counters {
    pub(crate) turns: Counter,
    pub(crate) polls: Counter,
    pub(crate) enters: Counter,
    pub(crate) completions: Counter,
    /// Memory of the ring's buffer pool in bytes, and how often the kernel found none free.
    pub(crate) pool_bytes: Counter,
    pub(crate) pool_found_empty: Counter,
    pub(crate) spins: Counter,
    pub(crate) spins_in_vain: Counter,
    pub(crate) parks: Counter,
    pub(crate) unparks: Counter,
    /// Parks that waited for several completions.
    pub(crate) batch_waits: Counter,
    /// Nanoseconds, as the next one.
    pub(crate) parked: Counter,
    pub(crate) busy: Counter,
    pub(crate) queued: Counter,
    pub(crate) alive: Counter,
    pub(crate) timers: Counter,
    /// What stealing has come to: tasks, and how often; how often one began to look; how often the
    /// ring was full.
    pub(crate) stolen: Counter,
    pub(crate) thefts: Counter,
    pub(crate) searches: Counter,
    pub(crate) overflows: Counter,
    /// Wakes of other shards that slept, and those that were not necessary.
    pub(crate) wakes_sent: Counter,
    pub(crate) wakes_saved: Counter,
    /// One while a task blocks in place.
    pub(crate) blocked: Counter,
}

/// A number that one thread writes. Each value stands for itself: relaxed throughout.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// For the writer.
    #[inline]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// For the writer.
    pub(crate) fn replace(&self, value: u64) -> u64 {
        let before = self.get();
        self.set(value);
        before
    }

    /// For the writer.
    #[inline]
    pub(crate) fn add(&self, value: u64) {
        self.set(self.get().wrapping_add(value));
    }
}
