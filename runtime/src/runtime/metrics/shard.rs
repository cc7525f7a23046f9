//! What one shard has done.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::mesh::Peers;
use crate::runtime::seat::Seat;

/// What a shard has done so far; see [`RuntimeMetrics::shard`](super::RuntimeMetrics::shard).
///
/// # Examples
/// ```
/// let runtime = henge::runtime::Builder::new_current_thread().build()?;
/// let shard = runtime.metrics().shard(0);
/// let before = shard.polls();
/// runtime.block_on(async { henge::spawn(async {}).await })?;
/// // Each number is read when it is asked for: the same value shows what has happened since.
/// assert!(shard.polls() > before);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ShardMetrics {
    seat: Seat,
    peers: Arc<Peers>,
    index: usize,
}

impl ShardMetrics {
    pub(super) fn new(seat: Seat, peers: Arc<Peers>, index: usize) -> ShardMetrics {
        ShardMetrics { seat, peers, index }
    }

    /// Turns of its loop.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let shard = runtime.metrics().shard(0);
    /// assert_eq!(shard.turns(), 0, "it runs while a thread blocks on the runtime");
    /// runtime.block_on(async {});
    /// assert!(shard.turns() >= 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn turns(&self) -> u64 {
        self.seat.counters.turns.get()
    }

    /// Polls of tasks.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// runtime.block_on(async {
    ///     for task in [henge::spawn(async {}), henge::spawn(async {})] {
    ///         task.await?;
    ///     }
    ///     Ok::<(), henge::task::JoinError>(())
    /// })?;
    /// // Each task's one, and those of the future that waited.
    /// assert!(runtime.metrics().shard(0).polls() >= 3);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn polls(&self) -> u64 {
        self.seat.counters.polls.get()
    }

    /// System calls that entered its ring.
    ///
    /// # Examples
    /// ```
    /// use henge::driver::{ops, submit};
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// runtime.block_on(async {
    ///     let all = (0..100).map(|_| henge::spawn(submit(ops::Nop::new())));
    ///     for one in all.collect::<Vec<_>>() {
    ///         one.await??;
    ///     }
    ///     std::io::Result::Ok(())
    /// })?;
    /// // One enter takes what a whole turn has submitted.
    /// let shard = runtime.metrics().shard(0);
    /// assert!((1..shard.completions()).contains(&shard.enters()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn enters(&self) -> u64 {
        self.seat.counters.enters.get()
    }

    /// Completions of its operations.
    ///
    /// # Examples
    /// ```
    /// use henge::driver::{ops, submit};
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// runtime.block_on(submit(ops::Nop::new()))?;
    /// assert!(runtime.metrics().shard(0).completions() >= 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn completions(&self) -> u64 {
        self.seat.counters.completions.get()
    }

    /// Memory of its ring's buffers, in bytes.
    ///
    /// # Examples
    /// ```
    /// use henge::io::{AsyncReadExt, AsyncWriteExt};
    /// use henge::net::UnixStream;
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// runtime.block_on(async {
    ///     let (mut client, mut server) = UnixStream::pair()?;
    ///     client.write_all(b"hello").await?;
    ///     server.read_exact(&mut [0; 5]).await
    /// })?;
    /// assert!(runtime.metrics().shard(0).buffer_bytes() >= 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn buffer_bytes(&self) -> usize {
        self.seat.counters.pool_bytes.get() as usize
    }

    /// How often the kernel had bytes for a stream and found no buffer free. Each time more buffers
    /// are given to it, up to the pool's cap.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let shard = runtime.metrics().shard(0);
    /// runtime.block_on(async { /* serve */ });
    /// if shard.buffers_found_empty() > 0 {
    ///     println!("bursts have needed more than {} bytes at a time", shard.buffer_bytes());
    /// }
    /// # assert_eq!(shard.buffers_found_empty(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn buffers_found_empty(&self) -> u64 {
        self.seat.counters.pool_found_empty.get()
    }

    /// How many polls took longer than the detector of stalls allows; zero where there is none. See
    /// [`Builder::detect_stalls`](crate::runtime::Builder::detect_stalls).
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(1).detect_stalls(Duration::from_millis(10)).build()?;
    /// let shard = runtime.metrics().shard(0);
    /// let watched = shard.clone();
    /// runtime.run(|| async move {
    ///     while watched.stalls() == 0 {
    ///         std::thread::yield_now(); // which is no `await`
    ///     }
    /// });
    /// assert!(shard.stalls() >= 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stalls(&self) -> u64 {
        // Relaxed: a number that stands for itself.
        self.seat.gauge.as_ref().map_or(0, |gauge| gauge.stalls.load(Ordering::Relaxed))
    }

    /// How often it looked for work, instead of sleeping, and found some.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// let runtime = builder.spin_before_park(Duration::ZERO).build()?;
    /// runtime.block_on(async { henge::time::sleep(Duration::from_millis(1)).await });
    /// assert_eq!(runtime.metrics().shard(0).spins(), 0, "it was told not to");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn spins(&self) -> u64 {
        self.seat.counters.spins.get()
    }

    /// How often it looked and found nothing, and slept after all.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// runtime.block_on(async { henge::time::sleep(Duration::from_millis(1)).await });
    /// let shard = runtime.metrics().shard(0);
    /// let looks = shard.spins() + shard.spins_in_vain();
    /// println!("{} of {looks} looks have spared a sleep", shard.spins());
    /// assert!(shard.spins_in_vain() <= shard.parks(), "after each of the others it slept");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn spins_in_vain(&self) -> u64 {
        self.seat.counters.spins_in_vain.get()
    }

    /// How often it slept.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    /// let shard = runtime.metrics().shard(0);
    /// while shard.parks() == 0 {
    ///     std::thread::sleep(Duration::from_millis(1)); // it has nothing to do
    /// }
    /// let before = shard.parks();
    /// runtime.run(|| async {});
    /// assert!(shard.parks() >= before);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn parks(&self) -> u64 {
        self.seat.counters.parks.get()
    }

    /// How often it slept until several completions were there. See
    /// [`Builder::batch_wait`](crate::runtime::Builder::batch_wait).
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// runtime.block_on(async { henge::time::sleep(std::time::Duration::from_millis(1)).await });
    /// assert_eq!(runtime.metrics().shard(0).batch_waits(), 0, "off unless asked for");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn batch_waits(&self) -> u64 {
        self.seat.counters.batch_waits.get()
    }

    /// For how long it was awake, in all, until it went to sleep or left `block_on` last.
    ///
    /// # Examples
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let begun = Instant::now();
    /// runtime.block_on(async {
    ///     std::thread::sleep(Duration::from_millis(2)); // computes, say
    ///     henge::time::sleep(Duration::from_millis(2)).await;
    /// });
    /// let shard = runtime.metrics().shard(0);
    /// let load = shard.busy().as_secs_f64() / begun.elapsed().as_secs_f64();
    /// assert!(shard.busy() >= Duration::from_millis(2) && load <= 1.0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.seat.counters.busy.get())
    }

    /// For how long it slept, in all.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    /// let shard = runtime.metrics().shard(0);
    /// while shard.parks() == 0 {
    ///     std::thread::yield_now(); // it has nothing to do
    /// }
    /// runtime.run(|| async {}); // a sleep is counted when it is over
    /// assert!(!shard.parked().is_zero());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn parked(&self) -> Duration {
        Duration::from_nanos(self.seat.counters.parked.get())
    }

    /// Tasks that wait for their turn.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let shard = runtime.metrics().shard(0);
    /// runtime.block_on(async { henge::spawn(async {}) });
    /// assert_eq!(shard.queued(), 1, "nobody has blocked on the runtime since");
    /// runtime.block_on(henge::task::yield_now());
    /// assert_eq!(shard.queued(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn queued(&self) -> usize {
        self.seat.counters.queued.get() as usize
    }

    /// How many tasks it has taken from others.
    ///
    /// # Examples
    /// ```
    /// use henge::steal;
    ///
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(2).stealing(true).build()?;
    /// runtime.run(|| async {
    ///     let (done, wait) = std::sync::mpsc::channel::<()>();
    ///     steal::spawn(async move { drop(done) });
    ///     assert!(wait.recv().is_err()); // blocks: it is for the other shard to do
    /// });
    /// let other = runtime.metrics().shard(1);
    /// while other.steals() == 0 {
    ///     std::thread::yield_now(); // until it is published
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn steals(&self) -> u64 {
        self.seat.counters.stolen.get()
    }

    /// How often it has taken tasks from another shard.
    ///
    /// # Examples
    /// ```
    /// use henge::steal;
    ///
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(2).stealing(true).build()?;
    /// runtime.run(|| async {
    ///     let (done, wait) = std::sync::mpsc::channel::<()>();
    ///     for done in vec![done; 100] {
    ///         steal::spawn(async move { drop(done) });
    ///     }
    ///     assert!(wait.recv().is_err()); // blocks: it is for the other shard to do
    /// });
    /// let other = runtime.metrics().shard(1);
    /// while other.steals() < 100 {
    ///     std::thread::yield_now(); // until it is published
    /// }
    /// // Half of what there is, each time: on average several.
    /// assert!(other.steal_operations() <= 100);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn steal_operations(&self) -> u64 {
        self.seat.counters.thefts.get()
    }

    /// How often it began to look for tasks of others.
    ///
    /// # Examples
    /// ```
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(2).stealing(true).build()?;
    /// let shard = runtime.metrics().shard(0);
    /// while shard.searches() == 0 {
    ///     // Between two of these it has nothing to do, and looks whether the other has too much.
    ///     runtime.run(henge::task::yield_now);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn searches(&self) -> u64 {
        self.seat.counters.searches.get()
    }

    /// How often its ring of stealable tasks was full.
    ///
    /// # Examples
    /// ```
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(1).stealing(true).build()?;
    /// runtime.run(|| async {
    ///     for _ in 0..257 {
    ///         henge::steal::spawn(async {}); // one more than the ring has room for
    ///     }
    ///     henge::task::yield_now().await; // a turn, with which the numbers are published
    /// });
    /// assert_eq!(runtime.metrics().shard(0).overflows(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn overflows(&self) -> u64 {
        self.seat.counters.overflows.get()
    }

    /// Calls and answers from another shard that stand in the lane to this one: sent, and not taken
    /// by it yet. 0 where none was ever sent. Messages of a [`mesh::channel`] have lanes of their
    /// own, and what found the lane full waits at its source; neither is counted.
    ///
    /// It is read at the moment of the call, not published with the turn: a depth that stays near
    /// [`Builder::lane_capacity`](crate::runtime::Builder::lane_capacity) says that the shard does
    /// not come to what others ask of it.
    ///
    /// # Examples
    /// ```
    /// use henge::shard::ShardId;
    ///
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    /// let answer = runtime.run(|| ShardId::new(1).call_sync(|| 7));
    /// assert!(matches!(answer, Ok(7)));
    /// assert_eq!(runtime.metrics().shard(1).lane_depth(0), 0, "it was taken");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// [`mesh::channel`]: crate::mesh::channel()
    pub fn lane_depth(&self, from: usize) -> usize {
        self.peers.depth(from, self.index)
    }

    /// How often it woke another shard, or a guest, that slept.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use henge::shard::ShardId;
    ///
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(2).spin_before_park(Duration::ZERO).build()?;
    /// runtime.run(|| async {
    ///     henge::time::sleep(Duration::from_millis(20)).await; // the other one sleeps
    ///     assert!(ShardId::new(1).call_sync(|| ()).await.is_ok());
    ///     henge::task::yield_now().await; // a turn, with which the numbers are published
    /// });
    /// println!("{} wakes", runtime.metrics().shard(0).wakes_sent());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wakes_sent(&self) -> u64 {
        self.seat.counters.wakes_sent.get()
    }

    /// How often it had something for another shard or a guest that was awake, or woken already: a
    /// task to be woken, or a batch of calls or messages. On a busy runtime it is large beside
    /// [`wakes_sent`](Self::wakes_sent).
    ///
    /// # Examples
    /// ```
    /// use henge::shard::ShardId;
    ///
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    /// runtime.run(|| async {
    ///     let calls = (0..1000).map(|_| henge::spawn(ShardId::new(1).call_sync(|| ())));
    ///     for call in calls.collect::<Vec<_>>() {
    ///         assert!(matches!(call.await, Ok(Ok(()))));
    ///     }
    ///     henge::task::yield_now().await; // a turn, with which the numbers are published
    /// });
    /// let shard = runtime.metrics().shard(0);
    /// assert!(shard.wakes_sent() + shard.wakes_saved() > 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wakes_saved(&self) -> u64 {
        self.seat.counters.wakes_saved.get()
    }

    /// Tasks of its own that have not ended: those that may be stolen are nobody's.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let shard = runtime.metrics().shard(0);
    /// let task = runtime.block_on(async { henge::spawn(std::future::pending::<()>()) });
    /// assert_eq!(shard.alive(), 1);
    /// task.abort();
    /// assert!(runtime.block_on(task).is_err_and(|error| error.is_cancelled()));
    /// assert_eq!(shard.alive(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn alive(&self) -> usize {
        self.seat.counters.alive.get() as usize
    }

    /// Timers that have not fired.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// runtime.block_on(async {
    ///     henge::spawn(henge::time::sleep(Duration::from_secs(3600)));
    ///     henge::task::yield_now().await; // it is set when the task is first polled
    /// });
    /// assert_eq!(runtime.metrics().shard(0).timers(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn timers(&self) -> usize {
        self.seat.counters.timers.get() as usize
    }
}
