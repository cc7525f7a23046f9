//! How a runtime is configured, and what is refused.

mod threads;
mod turns;
mod watching;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use henge_driver::offload::{self, Pool};

use super::Runtime;
use super::config::{Config, Hooks};
use super::guest;
use super::launch::{Start, launch};
use super::local::{LocalOptions, LocalRuntime};
use super::placement::{self, Cpus, Pinning};
use super::seat::Seat;
use super::shared::{Lone, Seats, Shared};
use crate::stealing::Policy;
use crate::time::{Clock, Resolution};
use watching::Watching;

/// Names the threads of a runtime, one call a thread.
pub(super) type Namer = Arc<dyn Fn() -> String + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    CurrentThread,
    MultiThread,
}

/// Builds a [`Runtime`] with other than the default settings.
///
/// # Examples
/// ```
/// use henge::runtime::Builder;
///
/// let runtime = Builder::new_multi_thread()
///     .worker_threads(2)
///     .thread_name("app")
///     .enable_all()
///     .build()?;
/// assert_eq!(runtime.run(|| async { 6 * 7 }), 42);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Builder {
    kind: Kind,
    name: Option<String>,
    shards: Option<usize>,
    pinning: Option<Pinning>,
    spin: Duration,
    batch_wait: Duration,
    event_interval: u32,
    lifo_slot: bool,
    lane_capacity: usize,
    stealing: bool,
    policy: Policy,
    resolution: Resolution,
    start_paused: bool,
    stack_bytes: usize,
    namer: Option<Namer>,
    hooks: Hooks,
    driver: henge_driver::Config,
    watching: Watching,
    max_blocking_threads: usize,
    keep_alive: Duration,
}

impl Builder {
    /// A runtime of one shard that lives on the thread that calls
    /// [`block_on`](Runtime::block_on) first, and runs only then.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// assert_eq!(runtime.block_on(async { 1 + 1 }), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new_current_thread() -> Builder {
        Builder::new(Kind::CurrentThread)
    }

    /// A runtime of several shards, each a thread of its own with its own ring, that run from
    /// [`build`](Builder::build) until the runtime is shut down.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    /// assert_eq!(runtime.run(|| async { henge::shard::count() }), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new_multi_thread() -> Builder {
        Builder::new(Kind::MultiThread)
    }

    fn new(kind: Kind) -> Builder {
        Builder {
            kind,
            name: None,
            shards: None,
            pinning: None,
            spin: Duration::from_micros(50),
            batch_wait: Duration::ZERO,
            event_interval: 61,
            lifo_slot: false,
            lane_capacity: 256,
            stealing: false,
            policy: Policy::default(),
            resolution: Resolution::Millisecond,
            start_paused: false,
            // What the main thread has: what a program does in `main` works on shard 0, too.
            stack_bytes: 8 << 20,
            namer: None,
            hooks: Hooks::default(),
            driver: henge_driver::Config::default(),
            watching: Watching::default(),
            max_blocking_threads: 512,
            keep_alive: Duration::from_secs(10),
        }
    }

    /// How many shards there are. By default, as many as threads can run at once: the CPUs that
    /// the process may use, fewer under a CPU quota. A runtime of one thread ignores it, as tokio's
    /// does.
    ///
    /// # Panics
    /// If `shards` is 0.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::Builder;
    ///
    /// let several = Builder::new_multi_thread().worker_threads(3).build()?;
    /// assert_eq!(several.metrics().num_workers(), 3);
    /// let one = Builder::new_current_thread().worker_threads(3).build()?;
    /// assert_eq!(one.metrics().num_workers(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn worker_threads(&mut self, shards: usize) -> &mut Builder {
        assert!(shards > 0, "Worker threads cannot be set to 0");
        self.shards = Some(shards);
        self
    }

    /// Which CPUs the shards are pinned to; see [`Pinning`] for what happens unless this is called.
    ///
    /// A thread that you start on a pinned shard inherits its one CPU, unless it is started by
    /// [`henge::thread::spawn`](crate::thread::spawn).
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::{Builder, Pinning};
    ///
    /// let mut builder = Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(1).pinning(Pinning::Compact).build()?;
    /// // What the kernel says of the shard's thread.
    /// let status = runtime.run(|| async { std::fs::read_to_string("/proc/thread-self/status") })?;
    /// let cpus = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    /// assert!(cpus.is_some_and(|cpus| cpus.trim().parse::<usize>().is_ok()), "one, and no list");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pinning(&mut self, pinning: Pinning) -> &mut Builder {
        self.pinning = Some(pinning);
        self
    }

    /// How many entries each shard's submission ring has, 256 by default. The kernel rounds it up
    /// to a power of two. More than fit are kept and submitted in pieces, so this is no limit. A
    /// program that has a thousand file operations or more at once saves a few system calls with
    /// more; a ring of 1,024 entries takes twice as long to make.
    ///
    /// # Examples
    /// ```
    /// use henge::driver::{ops, submit};
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().ring_entries(8).build()?;
    /// runtime.block_on(async {
    ///     let operations = (0..100).map(|_| henge::spawn(submit(ops::Nop::new())));
    ///     for operation in operations.collect::<Vec<_>>() {
    ///         operation.await??;
    ///     }
    ///     std::io::Result::Ok(())
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ring_entries(&mut self, entries: u32) -> &mut Builder {
        self.driver = self.driver.clone().ring_entries(entries);
        self
    }

    /// Timers that are less than 100 µs late, instead of slightly more than a millisecond; off by
    /// default. A shard then wakes more often for its timers.
    ///
    /// # Examples
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().exact_timers(true).build()?;
    /// let begun = Instant::now();
    /// runtime.block_on(async { henge::time::sleep(Duration::from_micros(300)).await });
    /// // Not too early, as ever; and on an idle machine not half a millisecond late either.
    /// assert!(begun.elapsed() >= Duration::from_micros(300));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn exact_timers(&mut self, exact: bool) -> &mut Builder {
        self.resolution = if exact { Resolution::Exact } else { Resolution::Millisecond };
        self
    }

    /// The clock stands still from the start, as after [`time::pause`](crate::time::pause). For
    /// tests; only a current-thread runtime can do it.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use henge::time::{Instant, sleep};
    ///
    /// const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    /// let runtime = henge::runtime::Builder::new_current_thread().start_paused(true).build()?;
    /// runtime.block_on(async {
    ///     let begun = Instant::now();
    ///     sleep(DAY).await; // it passes as soon as there is nothing else to do
    ///     assert!(begun.elapsed() >= DAY);
    /// });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn start_paused(&mut self, paused: bool) -> &mut Builder {
        self.start_paused = paused;
        self
    }

    /// Everything is always on; for programs that come from tokio.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use henge::net::TcpListener;
    /// use henge::runtime::Builder;
    ///
    /// let new = Builder::new_current_thread;
    /// for builder in [new().enable_all(), &mut new()] {
    ///     builder.build()?.block_on(async {
    ///         henge::time::sleep(Duration::from_millis(1)).await;
    ///         TcpListener::bind("127.0.0.1:0").await
    ///     })?;
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn enable_all(&mut self) -> &mut Builder {
        self
    }

    /// I/O is always on; for programs that come from tokio.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().enable_io().build()?;
    /// // There are timers, too.
    /// runtime.block_on(async { henge::time::sleep(Duration::from_millis(1)).await });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn enable_io(&mut self) -> &mut Builder {
        self
    }

    /// Time is always on; for programs that come from tokio.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().enable_time().build()?;
    /// // There is I/O, too.
    /// let listener = runtime.block_on(henge::net::TcpListener::bind("127.0.0.1:0"))?;
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn enable_time(&mut self) -> &mut Builder {
        self
    }

    /// Makes the runtime, and starts its shards if they are threads of its own.
    ///
    /// # Errors
    /// If io_uring cannot be had here (the error names the cause and the cure), a thread cannot be
    /// started, [`Pinning::Cpus`] does not name one CPU per shard that the process may use, or a
    /// paused clock is asked for in other than a current-thread runtime.
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use henge::runtime::{Builder, Pinning};
    ///
    /// let mut builder = Builder::new_multi_thread();
    /// builder.worker_threads(2);
    /// let (one, other) = (builder.build()?, builder.build()?);
    /// assert_ne!(one.handle().id(), other.handle().id());
    /// // One CPU for two shards.
    /// let refused = builder.pinning(Pinning::Cpus(vec![0])).build();
    /// assert!(refused.is_err_and(|error| error.kind() == ErrorKind::InvalidInput));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn build(&mut self) -> io::Result<Runtime> {
        let cpus = Cpus::allowed()?;
        let shards = match (self.kind, self.shards, &self.pinning) {
            (Kind::CurrentThread, ..) => 1,
            (Kind::MultiThread, Some(shards), _) => shards,
            (Kind::MultiThread, None, Some(Pinning::Cpus(cpus))) => cpus.len().max(1),
            (Kind::MultiThread, None, _) => cpus.default_shards(),
        };
        // With shards of their own, guests see the time as well: there is no one moment to stop it
        // at.
        let pausable = self.kind == Kind::CurrentThread;
        if self.start_paused && !pausable {
            let text = "only a current-thread runtime can start with its clock paused";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let pool = self.pool();
        let config = Config {
            name: self.name.clone(),
            hooks: self.hooks.clone(),
            event_interval: self.event_interval,
            lifo_slot: self.lifo_slot,
            lane_capacity: self.lane_capacity,
            stealing: (self.stealing && self.kind == Kind::MultiThread).then_some(self.policy),
            resolution: self.resolution,
            watch: self.watch(),
            spin: if cpus.have_room_for(shards) { self.spin } else { Duration::ZERO },
            batch_wait: self.batch_wait,
            one_cpu: placement::one_cpu(),
            // One pool for all, and addresses that only these shards share.
            driver: self
                .driver
                .clone()
                .blocking_pool(Arc::clone(&pool))
                .listen_group(Arc::default())
                // A lone shard wakes only those of others, who may be what its thread is about to
                // block for: nobody there knows of the turn that a message would ride on.
                .wake_by_message(self.kind == Kind::MultiThread),
        };
        let clock = Clock::new(pausable, self.start_paused);
        let places = match self.kind {
            // The thread of this runtime is not ours to pin.
            Kind::CurrentThread => vec![None],
            Kind::MultiThread => cpus.place(self.pinning.as_ref(), shards)?,
        };
        let seats: Box<[Seat]> = (0..shards).map(|_| Seat::new(&config.watch)).collect();
        match self.kind {
            Kind::CurrentThread => {
                // Whether there is a ring to be had is for this call to say. If another thread
                // will run the runtime it makes one of its own.
                guest::prepare(&config.driver)?;
                let builder = std::thread::current().id();
                let lone = Lone {
                    seat: Seat::new(&config.watch),
                    taken: false,
                    builder,
                    owner: None,
                    guests: Vec::new(),
                };
                let seats = Seats::Lone(Mutex::new(lone));
                let shared = Shared::new(seats, Arc::clone(&pool), config, cpus, clock);
                self.watched(shared, Vec::new())
            }
            Kind::MultiThread => {
                let starts = places.into_iter().enumerate().map(|(index, cpu)| Start {
                    name: self.name_of_thread(|| format!("henge-{index}")),
                    stack_bytes: self.stack_bytes,
                    cpu,
                });
                let seats = Seats::Threads(seats);
                let shared = Shared::new(seats, Arc::clone(&pool), config, cpus, clock);
                let threads = launch(&shared, starts.collect())?;
                self.watched(shared, threads)
            }
        }
    }

    /// Makes a runtime of one thread that stays on this one, and takes tasks for it which need not
    /// be `Send` before it runs, too.
    ///
    /// # Errors
    /// As [`build`](Builder::build).
    ///
    /// # Panics
    /// If it is a builder of several shards.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::{Builder, LocalOptions};
    ///
    /// let runtime = Builder::new_current_thread().build_local(LocalOptions::default())?;
    /// let task = runtime.spawn_local(async { 6 * 7 });
    /// assert_eq!(runtime.block_on(task)?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn build_local(&mut self, _options: LocalOptions) -> io::Result<LocalRuntime> {
        assert!(self.kind == Kind::CurrentThread, "multi_thread is not supported for LocalRuntime");
        LocalRuntime::here(self.build()?)
    }

    fn pool(&self) -> Arc<Pool> {
        let namer = self.namer.clone();
        Arc::new(Pool::new(offload::Config {
            max_threads: self.max_blocking_threads,
            keep_alive: self.keep_alive,
            thread_name: namer.unwrap_or_else(|| Arc::new(|| String::from("henge-blocking"))),
            stack_size: Some(self.stack_bytes),
            on_start: self.hooks.start.clone(),
            on_stop: self.hooks.stop.clone(),
        }))
    }

    fn name_of_thread(&self, default: impl FnOnce() -> String) -> String {
        self.namer.as_ref().map_or_else(default, |name| name())
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("kind", &self.kind)
            .field("worker_threads", &self.shards)
            .field("pinning", &self.pinning)
            .field("spin_before_park", &self.spin)
            .field("batch_wait", &self.batch_wait)
            .field("event_interval", &self.event_interval)
            .field("lifo_slot", &self.lifo_slot)
            .field("lane_capacity", &self.lane_capacity)
            .field("stealing", &self.stealing)
            .field("max_blocking_threads", &self.max_blocking_threads)
            .field("thread_keep_alive", &self.keep_alive)
            .field("thread_stack_size", &self.stack_bytes)
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}
