//! What one shard has done.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::mesh::Peers;
use crate::runtime::seat::Seat;

/// What a shard has done so far; see [`RuntimeMetrics::shard`](super::RuntimeMetrics::shard).
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

    /// How often it slept until several completions were there. See
    /// [`Builder::batch_wait`](crate::runtime::Builder::batch_wait).
    pub fn batch_waits(&self) -> u64 {
        self.seat.counters.batch_waits.get()
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
    pub fn alive(&self) -> usize {
        self.seat.counters.alive.get() as usize
    }

    /// Timers that have not fired.
    pub fn timers(&self) -> usize {
        self.seat.counters.timers.get() as usize
    }
}
