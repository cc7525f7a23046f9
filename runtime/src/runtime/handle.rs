//! A runtime from elsewhere: spawn on it, wait on it, enter it.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use super::context::{self, SharedGuard};
use super::guest;
use super::id::Id;
use super::metrics::RuntimeMetrics;
use super::shared::{Seats, Shared};
use crate::executor::JoinHandle;

/// A runtime, for as many threads as want it. It owns no task and keeps nothing running.
///
/// # Examples
/// ```
/// use henge::runtime::Handle;
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() {
///     let handle = Handle::current();
///     let thread = std::thread::spawn(move || handle.block_on(async { 6 * 7 }));
///     assert_eq!(thread.join().ok(), Some(42));
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
}

/// As of [`Runtime`](super::Runtime).
impl UnwindSafe for Handle {}
impl RefUnwindSafe for Handle {}

/// Which kind of runtime it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    /// One shard, on the thread that blocks on the runtime.
    CurrentThread,
    /// Shards on threads of their own.
    MultiThread,
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Handle {
        Handle { shared }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The runtime that this thread belongs to or has entered.
    ///
    /// # Panics
    /// Outside of a runtime. [`try_current`](Handle::try_current) does not.
    #[track_caller]
    pub fn current() -> Handle {
        match Handle::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        }
    }

    /// The runtime that this thread belongs to or has entered.
    ///
    /// # Errors
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// assert!(henge::runtime::Handle::try_current().is_err());
    /// ```
    pub fn try_current() -> Result<Handle, TryCurrentError> {
        context::current().map(Handle::new).ok_or(TryCurrentError(()))
    }

    /// Makes this the current runtime of this thread, until the guard is dropped.
    ///
    /// [`Handle::current`] and [`task::spawn_blocking`](crate::task::spawn_blocking) work then.
    /// Tasks are spawned by [`Handle::spawn`]: [`henge::spawn`](crate::spawn) spawns on this
    /// thread, which runs no tasks unless it is the one of a runtime of one thread.
    ///
    /// # Panics
    /// If guards are not dropped in the reverse order in which they were made, the drop panics.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Runtime::new()?;
    /// let guard = runtime.handle().enter();
    /// assert!(henge::runtime::Handle::try_current().is_ok());
    /// drop(guard);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard { _guard: SharedGuard::new(Arc::clone(&self.shared)), _handle: PhantomData }
    }

    /// Spawns a task on a shard of the runtime: on this one if the caller runs on one, else on the
    /// less loaded of two that are drawn. It stays there.
    ///
    /// A runtime of one thread runs it when that thread blocks on the runtime. Once the runtime is
    /// shut down the task is cancelled at once.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Runtime::new()?;
    /// let task = runtime.handle().spawn(async { 6 * 7 });
    /// assert_eq!(runtime.block_on(task)?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(future)
    }

    /// Runs a closure that may block on a thread of the runtime's pool; see
    /// [`task::spawn_blocking`](crate::task::spawn_blocking).
    ///
    /// # Panics
    /// If the pool has no thread, and the system refuses to start one.
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, call: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match self.shared.spawn_blocking(call) {
            Ok(task) => task,
            Err(error) => panic!("OS can't spawn worker thread: {error}"),
        }
    }

    /// Runs a future on this thread, as a guest of the runtime, until it is done. On the thread
    /// that a runtime of one thread lives on, or was built on if it lives nowhere yet, it is
    /// [`Runtime::block_on`](super::Runtime::block_on).
    ///
    /// The future may borrow and need not be `Send`. Its I/O and its timers go by a ring and a
    /// wheel that this thread makes the first time, and keeps. What it spawns by
    /// [`henge::spawn`](crate::spawn) stays on this thread, and runs only while it is inside
    /// `block_on`; [`Handle::spawn`] spawns on the shards.
    ///
    /// # Panics
    /// In async context, where nothing may block; if the future does; and if this thread cannot
    /// have a ring.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        guest::block_on(&self.shared, guest::Role::Guest, future)
    }

    /// Which runtime this is, among those that there are.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Runtime::new()?;
    /// let handle = runtime.handle();
    /// assert_eq!(handle.id(), handle.clone().id());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn id(&self) -> Id {
        Id::of(&self.shared)
    }

    /// What the runtime is called, if [`Builder::name`](super::Builder::name) said.
    pub fn name(&self) -> Option<&str> {
        self.shared.config.name.as_deref()
    }

    /// Which kind of runtime this is.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        match self.shared.seats {
            Seats::Threads(_) => RuntimeFlavor::MultiThread,
            Seats::Lone(_) => RuntimeFlavor::CurrentThread,
        }
    }

    /// What the runtime has done so far.
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics::new(Arc::clone(&self.shared))
    }
}

/// Keeps a runtime the current one of this thread; see [`Handle::enter`].
#[derive(Debug)]
#[must_use = "the runtime is left again when this is dropped"]
pub struct EnterGuard<'a> {
    _guard: SharedGuard,
    _handle: PhantomData<&'a Handle>,
}

/// There is no current runtime; see [`Handle::try_current`].
pub struct TryCurrentError(());

impl TryCurrentError {
    /// Whether it is because the thread is outside of every runtime: the only reason there is.
    pub fn is_missing_context(&self) -> bool {
        true
    }

    /// Never: what says which runtime is current has no destructor that could have run.
    pub fn is_thread_local_destroyed(&self) -> bool {
        false
    }
}

impl fmt::Debug for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TryCurrentError(MissingContext)")
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "there is no reactor running, must be called from the context of a henge runtime",
        )
    }
}

impl Error for TryCurrentError {}
