//! What one shard has done.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::runtime::seat::Seat;

/// What a shard has done so far; see [`RuntimeMetrics::shard`](super::RuntimeMetrics::shard).
#[derive(Clone, Debug)]
pub struct ShardMetrics {
    seat: Seat,
}

impl ShardMetrics {
    pub(super) fn new(seat: Seat) -> ShardMetrics {
        ShardMetrics { seat }
    }

    /// Turns of its loop.
    pub fn turns(&self) -> u64 {
        self.seat.counters.turns.get()
    }

    /// Polls of tasks.
    pub fn polls(&self) -> u64 {
        self.seat.counters.polls.get()
    }

    /// System calls that entered its ring.
    pub fn enters(&self) -> u64 {
        self.seat.counters.enters.get()
    }

    /// Completions of its operations.
    pub fn completions(&self) -> u64 {
        self.seat.counters.completions.get()
    }

    /// Memory of its ring's buffers, in bytes.
    pub fn buffer_bytes(&self) -> usize {
        self.seat.counters.pool_bytes.get() as usize
    }

    /// How often the kernel had bytes for a stream and found no buffer free. Each time more buffers
    /// are given to it, up to the pool's cap.
    pub fn buffers_found_empty(&self) -> u64 {
        self.seat.counters.pool_found_empty.get()
    }

    /// How many polls took longer than the detector of stalls allows; zero where there is none. See
    /// [`Builder::detect_stalls`](crate::runtime::Builder::detect_stalls).
    pub fn stalls(&self) -> u64 {
        // Relaxed: a number that stands for itself.
        self.seat.gauge.as_ref().map_or(0, |gauge| gauge.stalls.load(Ordering::Relaxed))
    }

    /// How often it looked for work, instead of sleeping, and found some.
    pub fn spins(&self) -> u64 {
        self.seat.counters.spins.get()
    }

    /// How often it looked and found nothing, and slept after all.
    pub fn spins_in_vain(&self) -> u64 {
        self.seat.counters.spins_in_vain.get()
    }

    /// How often it slept.
    pub fn parks(&self) -> u64 {
        self.seat.counters.parks.get()
    }

    /// For how long it was awake, in all, until it went to sleep or left `block_on` last.
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.seat.counters.busy.get())
    }

    /// For how long it slept, in all.
    pub fn parked(&self) -> Duration {
        Duration::from_nanos(self.seat.counters.parked.get())
    }

    /// Tasks that wait for their turn.
    pub fn queued(&self) -> usize {
        self.seat.counters.queued.get() as usize
    }

    /// How many tasks it has taken from others.
    pub fn steals(&self) -> u64 {
        self.seat.counters.stolen.get()
    }

    /// How often it has taken tasks from another shard.
    pub fn steal_operations(&self) -> u64 {
        self.seat.counters.thefts.get()
    }

    /// How often it began to look for tasks of others.
    pub fn searches(&self) -> u64 {
        self.seat.counters.searches.get()
    }

    /// How often its ring of stealable tasks was full.
    pub fn overflows(&self) -> u64 {
        self.seat.counters.overflows.get()
    }

    /// Tasks of its own that have not ended: those that may be stolen are nobody's.
    pub fn alive(&self) -> usize {
        self.seat.counters.alive.get() as usize
    }

    /// Timers that have not fired.
    pub fn timers(&self) -> usize {
        self.seat.counters.timers.get() as usize
    }
}
