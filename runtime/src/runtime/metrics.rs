//! What a runtime has done, for whoever asks.

mod prometheus;
mod shard;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::seat::Seat;
use super::shared::Shared;
use crate::histogram::Histogram;

pub use shard::ShardMetrics;

/// What a runtime has done so far; see [`Handle::metrics`](super::Handle::metrics).
///
/// tokio's names, for what tokio has a name for; then [`shard`](RuntimeMetrics::shard). The numbers
/// of a shard are published once a turn, each by itself.
///
/// # Examples
/// ```
/// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
/// runtime.run(|| henge::task::yield_now());
/// let metrics = runtime.metrics();
/// assert_eq!(metrics.num_workers(), 2);
/// assert!(metrics.shard(0).turns() > 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RuntimeMetrics {
    shared: Arc<Shared>,
    seats: Vec<Seat>,
}

impl RuntimeMetrics {
    pub(super) fn new(shared: Arc<Shared>) -> RuntimeMetrics {
        RuntimeMetrics { seats: shared.seats(), shared }
    }

    /// How many shards there are.
    pub fn num_workers(&self) -> usize {
        self.seats.len()
    }

    /// Tasks that have not ended, on all shards. Guests' are not counted.
    pub fn num_alive_tasks(&self) -> usize {
        let pinned: usize = self.seats.iter().map(|seat| seat.counters.alive.get() as usize).sum();
        pinned + self.shared.partitions.iter().map(|partition| partition.alive()).sum::<usize>()
    }

    /// Stealable tasks that wait in the queue that all shards have in common.
    pub fn global_queue_depth(&self) -> usize {
        self.shared.partitions.first().map_or(0, |partition| partition.injected())
    }

    /// Threads of the blocking pool.
    pub fn num_blocking_threads(&self) -> usize {
        self.shared.pool.metrics().threads
    }

    /// Threads of the blocking pool that have nothing to do.
    pub fn num_idle_blocking_threads(&self) -> usize {
        self.shared.pool.metrics().idle
    }

    /// Closures that wait for a thread of the blocking pool.
    pub fn blocking_queue_depth(&self) -> usize {
        self.shared.pool.metrics().queued
    }

    /// How many closures have begun after they had waited because all threads of the blocking pool
    /// were busy and it may have no more.
    pub fn blocking_wait_count(&self) -> u64 {
        self.shared.pool.metrics().waits
    }

    /// For how long those closures have waited, in all.
    pub fn blocking_total_wait_duration(&self) -> Duration {
        self.shared.pool.metrics().waited
    }

    /// How often the shard has slept.
    ///
    /// # Panics
    /// If there is no such shard; so do all that take a shard's number.
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        self.shard(worker).parks()
    }

    /// How often the shard went to sleep and how often it woke up, together: odd while it sleeps.
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        let counters = &self.seats[worker].counters;
        // In this order, so that what happens in between shows as a shard that is awake.
        let unparks = counters.unparks.get();
        unparks + counters.parks.get().clamp(unparks, unparks + 1)
    }

    /// For how long the shard has been awake, in all, until it went to sleep or left `block_on`
    /// last.
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        self.shard(worker).busy()
    }

    /// How often the shard has polled a task.
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        self.shard(worker).polls()
    }

    /// Tasks of the shard that wait for their turn.
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        self.shard(worker).queued()
    }

    /// How many tasks the shard has taken from others.
    pub fn worker_steal_count(&self, worker: usize) -> u64 {
        self.shard(worker).steals()
    }

    /// How often the shard has taken tasks from another one, several at a time.
    pub fn worker_steal_operations(&self, worker: usize) -> u64 {
        self.shard(worker).steal_operations()
    }

    /// How often the shard had more stealable tasks to queue than its ring has room for, and gave
    /// half of them to the common queue.
    pub fn worker_overflow_count(&self, worker: usize) -> u64 {
        self.shard(worker).overflows()
    }

    /// Whether polls are counted by how long they take; see [`Builder`]'s
    /// `enable_metrics_poll_time_histogram`.
    ///
    /// [`Builder`]: super::Builder::enable_metrics_poll_time_histogram
    pub fn poll_time_histogram_enabled(&self) -> bool {
        self.histogram(0).is_some()
    }

    /// How many buckets that histogram has: none if it is off.
    pub fn poll_time_histogram_num_buckets(&self) -> usize {
        self.histogram(0).map_or(0, Histogram::buckets)
    }

    /// How long the polls of a bucket took. The last bucket has no end.
    ///
    /// # Panics
    /// If there is no such bucket.
    #[track_caller]
    pub fn poll_time_histogram_bucket_range(&self, bucket: usize) -> Range<Duration> {
        match self.histogram(0) {
            Some(histogram) => histogram.range(bucket),
            None => Duration::ZERO..Duration::ZERO,
        }
    }

    /// How many polls of a shard's tasks took as long as a bucket says.
    ///
    /// # Panics
    /// If there is no such shard or no such bucket.
    #[track_caller]
    pub fn poll_time_histogram_bucket_count(&self, worker: usize, bucket: usize) -> u64 {
        self.histogram(worker).map_or(0, |histogram| histogram.get(bucket))
    }

    /// How long a poll of a shard's tasks takes on average; zero where neither the histogram nor
    /// the detector of stalls has polls timed.
    pub fn worker_mean_poll_time(&self, worker: usize) -> Duration {
        self.seats[worker].gauge.as_ref().map_or(Duration::ZERO, |gauge| gauge.mean())
    }

    /// All of this as text, in the format that Prometheus reads.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Runtime::new()?;
    /// let text = runtime.metrics().prometheus();
    /// assert!(text.contains("\nhenge_shard_polls_total{shard=\"0\"} "));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn prometheus(&self) -> String {
        prometheus::write(self)
    }

    /// How long polls of a shard's tasks took, in all, where they are timed.
    fn total_poll_time(&self, worker: usize) -> Duration {
        self.seats[worker].gauge.as_ref().map_or(Duration::ZERO, |gauge| gauge.total())
    }

    fn histogram(&self, worker: usize) -> Option<&Histogram> {
        self.seats[worker].gauge.as_ref()?.histogram()
    }

    /// What one shard has done.
    pub fn shard(&self, index: usize) -> ShardMetrics {
        ShardMetrics::new(self.seats[index].clone(), Arc::clone(&self.shared.peers), index)
    }
}
