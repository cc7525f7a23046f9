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
/// of a shard are published once per turn, each by itself.
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
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    /// let metrics = runtime.metrics();
    /// let turns: u64 = (0..metrics.num_workers()).map(|shard| metrics.shard(shard).turns()).sum();
    /// println!("{turns} turns on all shards");
    /// assert_eq!(metrics.num_workers(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn num_workers(&self) -> usize {
        self.seats.len()
    }

    /// Tasks that have not ended, on all shards. Guests' are not counted.
    ///
    /// # Examples
    /// ```
    /// use std::future::pending;
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let connections = runtime.block_on(async {
    ///     [henge::spawn(pending::<()>()), henge::spawn(pending()), henge::spawn(pending())]
    /// });
    /// assert_eq!(runtime.metrics().num_alive_tasks(), 3);
    /// # drop(connections);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn num_alive_tasks(&self) -> usize {
        let pinned: usize = self.seats.iter().map(|seat| seat.counters.alive.get() as usize).sum();
        pinned + self.shared.partitions.iter().map(|partition| partition.alive()).sum::<usize>()
    }

    /// Stealable tasks that wait in the queue that all shards have in common.
    ///
    /// # Examples
    /// ```
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(1).stealing(true).build()?;
    /// let metrics = runtime.metrics();
    /// runtime.run(move || async move {
    ///     for _ in 0..1000 {
    ///         henge::steal::spawn(async {}); // more than a shard keeps to itself
    ///     }
    ///     assert!(metrics.global_queue_depth() > 0);
    /// });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn global_queue_depth(&self) -> usize {
        self.shared.partitions.first().map_or(0, |partition| partition.injected())
    }

    /// Threads of the blocking pool.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// assert_eq!(runtime.metrics().num_blocking_threads(), 0, "until one is needed");
    /// runtime.block_on(runtime.spawn_blocking(|| ()))?;
    /// assert_eq!(runtime.metrics().num_blocking_threads(), 1, "it stays for a while");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn num_blocking_threads(&self) -> usize {
        self.shared.pool.metrics().threads
    }

    /// Threads of the blocking pool that have nothing to do.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let metrics = runtime.metrics();
    /// let there = metrics.clone();
    /// let idle = runtime.spawn_blocking(move || there.num_idle_blocking_threads());
    /// assert_eq!(runtime.block_on(idle)?, 0, "the one that asks has something to do");
    /// while metrics.num_idle_blocking_threads() < 1 {
    ///     std::thread::yield_now(); // until it has found that there is nothing else
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn num_idle_blocking_threads(&self) -> usize {
        self.shared.pool.metrics().idle
    }

    /// Closures that wait for a thread of the blocking pool.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    ///
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// let runtime = builder.max_blocking_threads(1).build()?;
    /// let (let_go, held) = mpsc::channel::<()>();
    /// let first = runtime.spawn_blocking(move || drop(held.recv()));
    /// let second = runtime.spawn_blocking(|| ());
    /// assert!(runtime.metrics().blocking_queue_depth() >= 1, "the second waits for the first");
    /// drop(let_go);
    /// runtime.block_on(async { first.await.and(second.await) })?;
    /// assert_eq!(runtime.metrics().blocking_queue_depth(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn blocking_queue_depth(&self) -> usize {
        self.shared.pool.metrics().queued
    }

    /// How many closures have begun after they had waited because all threads of the blocking pool
    /// were busy and it may have no more.
    ///
    /// # Examples
    /// ```
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// let runtime = builder.max_blocking_threads(1).build()?;
    /// let tasks = [(); 3].map(|()| runtime.spawn_blocking(std::thread::yield_now));
    /// for task in tasks {
    ///     runtime.block_on(task)?;
    /// }
    /// assert!(runtime.metrics().blocking_wait_count() <= 2, "the first has a thread to itself");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn blocking_wait_count(&self) -> u64 {
        self.shared.pool.metrics().waits
    }

    /// For how long those closures have waited, in all.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// let runtime = builder.max_blocking_threads(1).build()?;
    /// let (let_go, held) = mpsc::channel::<()>();
    /// let first = runtime.spawn_blocking(move || drop(held.recv()));
    /// let second = runtime.spawn_blocking(|| ());
    /// std::thread::sleep(Duration::from_millis(5));
    /// drop(let_go);
    /// runtime.block_on(async { first.await.and(second.await) })?;
    /// assert!(runtime.metrics().blocking_total_wait_duration() >= Duration::from_millis(5));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn blocking_total_wait_duration(&self) -> Duration {
        self.shared.pool.metrics().waited
    }

    /// How often the shard has slept.
    ///
    /// # Panics
    /// If there is no such shard; so do all that take a shard's number.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    /// let metrics = runtime.metrics();
    /// while metrics.worker_park_count(0) == 0 {
    ///     std::thread::yield_now(); // it has nothing to do, and will sleep
    /// }
    /// assert_eq!(metrics.worker_park_count(0), metrics.shard(0).parks());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        self.shard(worker).parks()
    }

    /// How often the shard went to sleep and how often it woke up, together: odd while it sleeps.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    /// let metrics = runtime.metrics();
    /// let before = metrics.worker_park_unpark_count(0);
    /// let is_asleep = |count: u64| count % 2 == 1;
    /// while !is_asleep(metrics.worker_park_unpark_count(0)) {
    ///     std::thread::yield_now(); // it has nothing to do
    /// }
    /// assert!(metrics.worker_park_unpark_count(0) >= before);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        let counters = &self.seats[worker].counters;
        // In this order, so that what happens in between shows as a shard that is awake.
        let unparks = counters.unparks.get();
        unparks + counters.parks.get().clamp(unparks, unparks + 1)
    }

    /// For how long the shard has been awake, in all, until it went to sleep or left `block_on`
    /// last.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// // To the runtime, a blocked thread counts as busy.
    /// runtime.block_on(async { std::thread::sleep(Duration::from_millis(5)) });
    /// assert!(runtime.metrics().worker_total_busy_duration(0) >= Duration::from_millis(5));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        self.shard(worker).busy()
    }

    /// How often the shard has polled a task.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// runtime.block_on(async {
    ///     henge::spawn(async {
    ///         for _ in 0..9 {
    ///             henge::task::yield_now().await;
    ///         }
    ///     })
    ///     .await
    /// })?;
    /// assert!(runtime.metrics().worker_poll_count(0) >= 10, "ten of the task alone");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        self.shard(worker).polls()
    }

    /// Tasks of the shard that wait for their turn.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// runtime.block_on(async {
    ///     for _ in 0..3 {
    ///         henge::spawn(async {}); // for the next time that this thread blocks on the runtime
    ///     }
    /// });
    /// assert_eq!(runtime.metrics().worker_local_queue_depth(0), 3);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        self.shard(worker).queued()
    }

    /// How many tasks the shard has taken from others.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    ///
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(2).stealing(true).build()?;
    /// runtime.run(|| async {
    ///     let (done, all_done) = mpsc::channel::<()>();
    ///     for _ in 0..10 {
    ///         let done = done.clone();
    ///         henge::steal::spawn(async move { drop(done) });
    ///     }
    ///     drop(done);
    ///     // What nobody should do: this shard is blocked until another one has done it all.
    ///     assert!(all_done.recv().is_err());
    /// });
    /// while runtime.metrics().worker_steal_count(1) == 0 {
    ///     std::thread::yield_now(); // until it is published
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn worker_steal_count(&self, worker: usize) -> u64 {
        self.shard(worker).steals()
    }

    /// How often the shard has taken tasks from another one, several at a time.
    ///
    /// # Examples
    /// ```
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(2).stealing(true).build()?;
    /// runtime.run(|| async {
    ///     let (done, wait) = std::sync::mpsc::channel::<()>();
    ///     henge::steal::spawn(async move { drop(done) });
    ///     assert!(wait.recv().is_err()); // blocks: it is for the other shard to do
    /// });
    /// let metrics = runtime.metrics();
    /// while metrics.worker_steal_operations(1) == 0 {
    ///     std::thread::yield_now(); // until it is published
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn worker_steal_operations(&self, worker: usize) -> u64 {
        self.shard(worker).steal_operations()
    }

    /// How often the shard had more stealable tasks to queue than its ring has room for, and gave
    /// half of them to the common queue.
    ///
    /// # Examples
    /// ```
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(1).stealing(true).build()?;
    /// runtime.run(|| async {
    ///     let tasks = (0..1000).map(|_| henge::steal::spawn(async {}));
    ///     for task in tasks.collect::<Vec<_>>() {
    ///         task.await?;
    ///     }
    ///     Ok::<(), henge::task::JoinError>(())
    /// })?;
    /// assert!(runtime.metrics().worker_overflow_count(0) >= 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn worker_overflow_count(&self, worker: usize) -> u64 {
        self.shard(worker).overflows()
    }

    /// Whether polls are counted by how long they take; see [`Builder`]'s
    /// `enable_metrics_poll_time_histogram`.
    ///
    /// [`Builder`]: super::Builder::enable_metrics_poll_time_histogram
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::Builder;
    ///
    /// let plain = Builder::new_current_thread().build()?;
    /// assert!(!plain.metrics().poll_time_histogram_enabled());
    /// let timed = Builder::new_current_thread().enable_metrics_poll_time_histogram().build()?;
    /// assert!(timed.metrics().poll_time_histogram_enabled());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_time_histogram_enabled(&self) -> bool {
        self.histogram(0).is_some()
    }

    /// How many buckets that histogram has: none if it is off.
    ///
    /// # Examples
    /// ```
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// assert_eq!(builder.build()?.metrics().poll_time_histogram_num_buckets(), 0);
    /// let runtime = builder.enable_metrics_poll_time_histogram().build()?;
    /// assert_eq!(runtime.metrics().poll_time_histogram_num_buckets(), 10);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_time_histogram_num_buckets(&self) -> usize {
        self.histogram(0).map_or(0, Histogram::buckets)
    }

    /// How long the polls of a bucket took. The last bucket has no end; where the histogram is off,
    /// there is no bucket, and the range is empty.
    ///
    /// # Panics
    /// If the histogram is on, and has no such bucket.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// let metrics = builder.enable_metrics_poll_time_histogram().build()?.metrics();
    /// let micros = Duration::from_micros;
    /// assert_eq!(metrics.poll_time_histogram_bucket_range(0), micros(0)..micros(100));
    /// assert_eq!(metrics.poll_time_histogram_bucket_range(9).start, micros(900));
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// let runtime = builder.enable_metrics_poll_time_histogram().build()?;
    /// let slow = async { std::thread::sleep(Duration::from_millis(1)) };
    /// runtime.block_on(async { henge::spawn(slow).await })?;
    /// assert_eq!(runtime.metrics().poll_time_histogram_bucket_count(0, 9), 1, "900 µs or more");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn poll_time_histogram_bucket_count(&self, worker: usize, bucket: usize) -> u64 {
        self.histogram(worker).map_or(0, |histogram| histogram.get(bucket))
    }

    /// How long a poll of a shard's tasks takes on average; zero where neither the histogram nor
    /// the detector of stalls has polls timed.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// let runtime = builder.enable_metrics_poll_time_histogram().build()?;
    /// // One task, and one poll of it.
    /// let slow = async { std::thread::sleep(Duration::from_millis(2)) };
    /// runtime.block_on(async { henge::spawn(slow).await })?;
    /// assert!(runtime.metrics().worker_mean_poll_time(0) >= Duration::from_millis(2));
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
    ///
    /// # Panics
    /// If there is no such shard.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    /// let metrics = runtime.metrics();
    /// runtime.run(henge::task::yield_now);
    /// let busiest = (0..metrics.num_workers()).max_by_key(|&index| metrics.shard(index).polls());
    /// println!("most work was done by shard {busiest:?}");
    /// assert!(metrics.shard(0).polls() > 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shard(&self, index: usize) -> ShardMetrics {
        ShardMetrics::new(self.seats[index].clone(), Arc::clone(&self.shared.peers), index)
    }
}
