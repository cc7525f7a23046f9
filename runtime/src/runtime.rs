//! Making a runtime, running on it, and ending it.
//!
//! A runtime is a number of shards. A shard is a thread with a ring, a queue of tasks and a wheel
//! of timers, all its own; a task stays on the shard that it was spawned on.
//!
//! | I want | call |
//! |---|---|
//! | a program on all cores | `#[henge::main]`, which is [`Runtime::run`] |
//! | the same server on every shard | [`run_each`](crate::run_each) |
//! | to wait in a thread of my own | [`Runtime::block_on`], [`Handle::block_on`] |
//! | a runtime that lives on this thread | [`Builder::new_current_thread`] |
//! | to spawn from a thread that is no shard | [`Handle::spawn`] |
//!
//! A *guest* is a thread that is not a shard and blocks on a runtime. It has a ring, a queue and a
//! wheel of its own, which run while it is inside `block_on`, and only then.

mod batch_wait;
mod body;
mod builder;
mod config;
#[allow(unsafe_code, reason = "the current shard and runtime are found through pointers")]
pub(crate) mod context;
mod counters;
mod guest;
mod handle;
mod host;
mod id;
mod latch;
mod launch;
mod local;
mod metrics;
mod nest;
mod placement;
#[allow(unsafe_code, reason = "a task whose future lives in the frame of `block_on`")]
mod root;
mod seat;
pub(crate) mod shard;
pub(crate) mod shared;
mod spin;
mod stall;
mod unwind;
mod watch;
mod watchdog;

use std::future::Future;
use std::io;
use std::panic::{Location, RefUnwindSafe, UnwindSafe, resume_unwind};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle as Thread;
use std::time::Duration;

use henge_driver::current;
use henge_driver::sys::clock;

#[doc(hidden)]
pub use body::{Body as __Body, Here as __Here, OnShard as __OnShard};
pub use builder::Builder;
pub use handle::{EnterGuard, Handle, RuntimeFlavor, TryCurrentError};
pub use id::{Id, count, current, try_current, worker_index};
pub use local::{LocalOptions, LocalRuntime};
pub use metrics::{RuntimeMetrics, ShardMetrics};
pub use placement::Pinning;
pub use stall::Stall;

pub use crate::histogram::{
    HistogramConfiguration, InvalidHistogramConfiguration, LogHistogram, LogHistogramBuilder,
};

pub use crate::shard_id::ShardId;

use crate::executor::spawn_meta::SpawnMeta;
use crate::executor::{Home, JoinHandle};
use shared::{Seats, Shared};

/// Shards, and the pool for blocking work beside them.
///
/// Dropping it shuts it down: every shard drops its tasks, sends what was written and not sent, for
/// at most half a second, and ends; closures that run in the blocking pool are waited for.
///
/// # Panics
/// If it is dropped in async context, where nothing may block; see
/// [`shutdown_background`](Runtime::shutdown_background).
///
/// # Examples
/// ```
/// let runtime = henge::runtime::Runtime::new()?;
/// let answer = runtime.run(|| async {
///     let task = henge::spawn(async { 6 * 7 });
///     task.await
/// });
/// assert_eq!(answer?, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    /// The shards' threads; none for `new_current_thread`, and none once they were joined.
    threads: Vec<Thread<()>>,
    /// Who looks for stalls, also of those that keep the runtime from ending.
    watchdog: Option<watchdog::Watchdog>,
}

/// A panic ends in the task that it comes from: it leaves the runtime as it was.
impl UnwindSafe for Runtime {}
impl RefUnwindSafe for Runtime {}

impl Runtime {
    /// A runtime of as many shards as threads can run at once, with default settings.
    ///
    /// # Errors
    /// As [`Builder::build`].
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Runtime::new()?;
    /// assert!(runtime.metrics().num_workers() >= 1);
    /// assert_eq!(runtime.run(|| async { 6 * 7 }), 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> io::Result<Runtime> {
        Builder::new_multi_thread().build()
    }

    /// The runtime for other threads, and for when it is borrowed here.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Runtime::new()?;
    /// let handle = runtime.handle().clone();
    /// let thread = std::thread::spawn(move || handle.block_on(async { 6 * 7 }));
    /// assert_eq!(thread.join().ok(), Some(42));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Sends the closure to shard 0, makes its future there, and waits for it.
    ///
    /// Neither the future nor what it spawns need be `Send`. On a runtime of one thread that thread
    /// is this one, as in [`block_on`](Runtime::block_on). A panic of the future is resumed here.
    ///
    /// # Panics
    /// In async context, where nothing may block; and if the future does.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    ///
    /// let runtime = henge::runtime::Runtime::new()?;
    /// let answer = runtime.run(|| async {
    ///     let shared = Rc::new(21);
    ///     let there = Rc::clone(&shared);
    ///     let task = henge::spawn(async move { *there });
    ///     *shared + task.await.unwrap_or(0)
    /// });
    /// assert_eq!(answer, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn run<M, F>(&self, make: M) -> F::Output
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        guest::assert_may_block();
        let Seats::Threads(seats) = &self.handle.shared().seats else {
            return guest::block_on(self.handle.shared(), guest::Role::Owner, async {
                make().await
            });
        };
        let location = Location::caller();
        let (send, receive) = mpsc::sync_channel(1);
        let sent = seats[0].inbox.send(move |home| {
            let task = async move {
                let result = unwind::catch(async { make().await }).await;
                // Nobody receives it if the waiting thread was ended: then nobody wants it.
                drop(send.send(result));
            };
            drop(home.spawn_from(SpawnMeta::at(location), task));
        });
        drop(sent);
        match receive.recv() {
            Ok(Ok(output)) => output,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(mpsc::RecvError) => panic!("the shard ended before the future did"),
        }
    }

    /// Runs a future on this thread until it is done.
    ///
    /// On a runtime of one thread, the first thread to call this is that thread: the shard is its
    /// own from then on, and its tasks run while it is inside `block_on`. Every other thread, and
    /// every thread on a runtime of several shards, is a guest as in [`Handle::block_on`]. A task
    /// stays with the thread that it was spawned on, and waits while that is elsewhere, whoever
    /// blocks: to await it from another thread is to wait for the next `block_on` of its own.
    ///
    /// The future may borrow, and need not be `Send`.
    ///
    /// It returns when the kernel has what was written to this thread's streams, which may mean
    /// waiting for their peers. Once these take nothing for three seconds, the rest stays queued:
    /// it goes on in the next `block_on` of this thread, or, for half a second, when the runtime
    /// ends.
    ///
    /// # Panics
    /// In async context, where nothing may block; if the future does; and if this thread cannot
    /// have a ring.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let text = String::from("borrowed");
    /// assert_eq!(runtime.block_on(async { text.len() }), 8);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        guest::block_on(self.handle.shared(), guest::Role::Owner, future)
    }

    /// As [`Handle::spawn`].
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    /// // They run while this thread does something else.
    /// let (send, receive) = std::sync::mpsc::channel();
    /// for n in 1..=4 {
    ///     let send = send.clone();
    ///     runtime.spawn(async move { send.send(n * n) });
    /// }
    /// drop(send);
    /// assert_eq!(receive.iter().sum::<i32>(), 30);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// As [`Handle::spawn_blocking`].
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let text = runtime.spawn_blocking(|| std::fs::read_to_string("Cargo.toml"));
    /// assert!(runtime.block_on(text)??.contains("[package]"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, call: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.handle.spawn_blocking(call)
    }

    /// As [`Handle::enter`].
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Runtime::new()?;
    /// let task = {
    ///     let _guard = runtime.enter();
    ///     henge::task::spawn_blocking(|| 6 * 7) // which asks for the current runtime
    /// };
    /// assert_eq!(runtime.block_on(task)?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// As [`Handle::metrics`].
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let before = runtime.metrics().worker_poll_count(0);
    /// runtime.block_on(henge::task::yield_now());
    /// assert!(runtime.metrics().worker_poll_count(0) >= before + 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
    }

    /// Shuts the runtime down and waits for at most `timeout`, for closures in the blocking pool,
    /// too. What has not ended by then goes on by itself.
    ///
    /// # Panics
    /// In async context, where nothing may block, unless `timeout` is zero.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let (let_go, held) = mpsc::channel::<()>();
    /// runtime.spawn_blocking(move || held.recv());
    /// // A drop would wait for the closure for ever.
    /// runtime.shutdown_timeout(Duration::from_millis(10));
    /// drop(let_go);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown_timeout(mut self, timeout: Duration) {
        self.shut_down(Some(timeout));
    }

    /// Shuts the runtime down without waiting: the shards do it alone. Unlike a drop, this may be
    /// called in async context.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::Builder;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// // A runtime for one thing, which was made inside of another one.
    /// let inner = Builder::new_multi_thread().worker_threads(1).build()?;
    /// let answer = inner.spawn(async { 6 * 7 }).await?;
    /// inner.shutdown_background();
    /// assert_eq!(answer, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }

    /// Shuts down, once, and waits for at most `timeout`.
    fn shut_down(&mut self, timeout: Option<Duration>) {
        let shared = Arc::clone(self.handle.shared());
        if !shared.close() {
            return;
        }
        if matches!(shared.seats, Seats::Threads(_)) {
            launch::dismiss(&shared);
        }
        let threads = std::mem::take(&mut self.threads);
        if !may_wait_for(&shared) {
            // Nothing is waited for here, nor ended under the feet of the loop that runs. A second
            // panic would end the process.
            shared.pool.shutdown(Some(Duration::ZERO));
            assert!(
                timeout == Some(Duration::ZERO) || std::thread::panicking(),
                "Cannot drop a runtime in a context where blocking is not allowed. This happens \
                 when a runtime is dropped from within an asynchronous context."
            );
            return;
        }
        guest::end(&shared);
        let deadline = timeout.and_then(|timeout| clock::now().checked_add(timeout));
        launch::join(&shared, threads, deadline);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(clock::now()));
        shared.pool.shutdown(left);
        // Tasks that keep the runtime from ending have been told of until here.
        drop(self.watchdog.take());
    }
}

/// Calls `f` with the tasks of the runtime that this thread has entered, if that lives here.
///
/// # Errors
/// If it is to live here from now on, and this thread cannot have a ring.
pub(crate) fn with_entered<R>(f: impl FnOnce(&Home) -> R) -> io::Result<Option<R>> {
    match context::current() {
        Some(shared) => guest::with_own(&shared, |shard| f(shard.home())),
        None => Ok(None),
    }
}

/// Whether this thread may wait for the end of a runtime: not in async context, and not for its
/// own.
fn may_wait_for(shared: &Arc<Shared>) -> bool {
    let own = context::with_shard(|shard| Arc::ptr_eq(shard.shared(), shared));
    own.is_none_or(|own| !own && current::may_block())
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.shut_down(None);
    }
}
