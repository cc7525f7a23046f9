//! How shards run tasks: how often they look elsewhere, for how long before they sleep, and whether
//! they take work from each other.

use std::time::Duration;

use super::Builder;
use crate::mesh::Peers;
use crate::stealing::Policy;

impl Builder {
    /// For how long an idle shard looks for the next completion before it sleeps, 50 µs by default;
    /// [`Duration::ZERO`] for never.
    ///
    /// It looks only where that has been paying, by the average of how long it waited of late, and
    /// a few times now and then to see whether it would pay (0.05 % of the time in the long run).
    /// It never does where the shards outnumber the CPUs or the process has a CPU quota; nor, where
    /// there is one CPU for all, while the blocking pool is busy.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// // On battery, say.
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// let runtime = builder.spin_before_park(Duration::ZERO).build()?;
    /// runtime.block_on(async { henge::time::sleep(Duration::from_millis(2)).await });
    /// let shard = runtime.metrics().shard(0);
    /// assert_eq!(shard.spins() + shard.spins_in_vain(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn spin_before_park(&mut self, limit: Duration) -> &mut Builder {
        self.spin = limit;
        self
    }

    /// For how long a shard that serves many peers may let what one of them sends wait for what
    /// others send, so that one wake-up serves several; [`Duration::ZERO`], the default, for never.
    /// 50 µs are a good beginning. The kernel may add the thread's timer slack to it, 50 µs unless
    /// it was changed.
    ///
    /// It saves system calls, and CPU time where each wake-up serves little. Where one program
    /// waits for the answers to all of its requests before it goes on it costs throughput: measure.
    ///
    /// A shard does so only where so many completions come in this time, from so many operations,
    /// that it will hardly have to wait to the end of it, and gives it up for a while where it has
    /// to. A lone peer never waits. Where [stealing](Builder::stealing) is on shards do not do it,
    /// for others may need their help at any time; nor do they on kernels before 6.12.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// // Many clients that do not know of each other.
    /// let runtime = henge::runtime::Builder::new_multi_thread()
    ///     .worker_threads(2)
    ///     .batch_wait(Duration::from_micros(50))
    ///     .build()?;
    /// # drop(runtime);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn batch_wait(&mut self, limit: Duration) -> &mut Builder {
        self.batch_wait = limit;
        self
    }

    /// How many tasks a shard runs, at most, before it looks at its ring again; 61 by default. Less
    /// is a lower latency under load, more is more throughput.
    ///
    /// # Panics
    /// If `tasks` is 0.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().event_interval(1).build()?;
    /// runtime.block_on(async {
    ///     for task in (0..10).map(|_| henge::spawn(async {})).collect::<Vec<_>>() {
    ///         task.await?;
    ///     }
    ///     Ok::<(), henge::task::JoinError>(())
    /// })?;
    /// let shard = runtime.metrics().shard(0);
    /// assert!(shard.turns() >= shard.polls(), "no more than one poll a turn");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn event_interval(&mut self, tasks: u32) -> &mut Builder {
        assert!(tasks > 0, "event_interval must be greater than 0");
        self.event_interval = tasks;
        self
    }

    /// How many stealable tasks a shard runs before it looks at the common queue first; 31 by
    /// default. The same as [`Policy::injector_interval`], by tokio's name.
    ///
    /// It means nothing for pinned tasks: what others send to a shard is looked at every eighth
    /// poll.
    ///
    /// # Panics
    /// If `tasks` is 0.
    ///
    /// # Examples
    /// ```
    /// use henge::steal;
    ///
    /// async fn busy() {
    ///     loop {
    ///         henge::task::yield_now().await;
    ///     }
    /// }
    ///
    /// let runtime = henge::runtime::Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .stealing(true)
    ///     .global_queue_interval(4)
    ///     .build()?;
    /// runtime.run(|| async { steal::spawn(busy()) });
    /// // What comes from elsewhere has its turn all the same.
    /// assert_eq!(runtime.block_on(async { steal::spawn(async { 6 * 7 }).await })?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn global_queue_interval(&mut self, tasks: u32) -> &mut Builder {
        assert!(tasks > 0, "global_queue_interval must be greater than 0");
        self.policy.injector_interval = tasks;
        self
    }

    /// Accepted, for programs that come from tokio, and without effect: what one look at the ring
    /// brings is for the kernel to say, some twenty completions at a time, and a shard's queue has
    /// room for all.
    ///
    /// # Panics
    /// If `events` is 0.
    ///
    /// # Examples
    /// ```
    /// // As it was written for tokio.
    /// let runtime = henge::runtime::Builder::new_current_thread()
    ///     .enable_all()
    ///     .max_io_events_per_tick(256)
    ///     .build()?;
    /// assert_eq!(runtime.block_on(async { 6 * 7 }), 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn max_io_events_per_tick(&mut self, events: usize) -> &mut Builder {
        assert!(events > 0, "max_io_events_per_tick must be non-zero");
        self
    }

    /// Accepted and without effect, as
    /// [`max_io_events_per_tick`](Builder::max_io_events_per_tick).
    ///
    /// # Panics
    /// If `events` is 0.
    ///
    /// # Examples
    /// ```
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// assert!(builder.max_io_events_per_busy_tick(64).build().is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn max_io_events_per_busy_tick(&mut self, events: usize) -> &mut Builder {
        assert!(events > 0, "max_io_events_per_busy_tick must be non-zero");
        self
    }

    /// Whether a task that is woken runs next, before those that were woken earlier (three times in
    /// a row at most). By default it is off for tasks that stay on their shard, for which it gains
    /// nothing, and on for those that may be stolen.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().lifo_slot(true).build()?;
    /// // A pair of tasks that wake each other, whatever else is queued.
    /// let sum = runtime.block_on(async {
    ///     let (send, mut receive) = henge::sync::mpsc::channel(1);
    ///     henge::spawn(async move {
    ///         for n in 1..=100 {
    ///             send.send(n).await.expect("somebody receives");
    ///         }
    ///     });
    ///     let mut sum = 0;
    ///     while let Some(n) = receive.recv().await {
    ///         sum += n;
    ///     }
    ///     sum
    /// });
    /// assert_eq!(sum, 5050);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn lifo_slot(&mut self, on: bool) -> &mut Builder {
        self.lifo_slot = on;
        self.policy.lifo_slot = on;
        self
    }

    /// Tasks run in the order in which they are woken.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().disable_lifo_slot().build()?;
    /// let order = runtime.block_on(async {
    ///     let (say, said) = std::sync::mpsc::channel();
    ///     for n in 0..3 {
    ///         let say = say.clone();
    ///         henge::spawn(async move { say.send(n) });
    ///     }
    ///     henge::task::yield_now().await;
    ///     said.try_iter().collect::<Vec<_>>()
    /// });
    /// assert_eq!(order, [0, 1, 2]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn disable_lifo_slot(&mut self) -> &mut Builder {
        self.lifo_slot(false)
    }

    /// How many places a *lane* has, the bounded queue from one shard to another: so many calls and
    /// answers are under way at most, until the other one's next turn takes them; 256 by default.
    /// What does not fit waits at its sender.
    ///
    /// A shard makes its lane to another one when it first calls it: 16 bytes per place.
    ///
    /// # Panics
    /// If `places` is 0, or more than addresses reach.
    ///
    /// # Examples
    /// ```
    /// use henge::shard::ShardId;
    ///
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(2).lane_capacity(1).build()?;
    /// // A hundred at once, of which all but one wait where they come from.
    /// let sum = runtime.run(|| async {
    ///     let calls = (0..100).map(|n| henge::spawn(ShardId::new(1).call_sync(move || n)));
    ///     let mut sum = 0;
    ///     for call in calls.collect::<Vec<_>>() {
    ///         sum += call.await??;
    ///     }
    ///     std::io::Result::Ok(sum)
    /// })?;
    /// assert_eq!(sum, 4950);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn lane_capacity(&mut self, places: usize) -> &mut Builder {
        assert!(places > 0, "lane_capacity must be greater than 0");
        assert!(Peers::may_have(places), "a lane cannot have {places} places");
        self.lane_capacity = places;
        self
    }

    /// Whether tasks that are spawned by [`steal::spawn`](crate::steal::spawn) may be taken by
    /// shards that have nothing to do. Off by default. All other tasks stay where they are.
    ///
    /// A runtime of one thread ignores it.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_multi_thread()
    ///     .worker_threads(2)
    ///     .stealing(true)
    ///     .build()?;
    /// let task = runtime.run(|| async { henge::steal::spawn(async { 6 * 7 }).await });
    /// assert_eq!(task?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stealing(&mut self, on: bool) -> &mut Builder {
        self.stealing = on;
        self
    }

    /// How stealable tasks are queued and looked for, where [stealing](Builder::stealing) is on:
    /// switches, for measurements.
    ///
    /// # Panics
    /// If the policy's `injector_interval` is 0.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::Builder;
    /// use henge::steal::{self, Policy};
    ///
    /// // What is it worth to take half of what there is?
    /// for steal_half in [true, false] {
    ///     let mut policy = Policy::default();
    ///     policy.steal_half = steal_half;
    ///     let mut builder = Builder::new_multi_thread();
    ///     let runtime = builder.worker_threads(2).stealing(true).stealing_policy(policy).build()?;
    ///     let work = runtime.run(|| async { steal::spawn(async { 6 * 7 }).await });
    ///     assert_eq!(work?, 42, "it is done either way");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stealing_policy(&mut self, policy: Policy) -> &mut Builder {
        assert!(policy.injector_interval > 0, "injector_interval must be greater than 0");
        self.policy = policy;
        self
    }
}
