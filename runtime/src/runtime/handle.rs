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
use crate::executor::spawn_meta::{Details, SpawnMeta};

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
///
/// # Examples
/// ```
/// use henge::runtime::{Handle, RuntimeFlavor};
///
/// # #[henge::main(worker_threads = 2)]
/// # async fn main() -> std::io::Result<()> {
/// let waits_alone = match Handle::current().runtime_flavor() {
///     RuntimeFlavor::MultiThread => true, // other shards go on while this one blocks
///     _ => false,
/// };
/// assert!(waits_alone);
/// # Ok(())
/// # }
/// ```
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
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::Handle;
    ///
    /// # #[henge::main(worker_threads = 2)]
    /// # async fn main() -> std::io::Result<()> {
    /// // For a thread that is no shard, to spawn on this runtime.
    /// let handle = Handle::current();
    /// let thread = henge::thread::spawn(move || handle.spawn(async { henge::shard::count() }))?;
    /// let task = thread.join().expect("it does not panic");
    /// assert_eq!(task.await?, 2);
    /// # Ok(())
    /// # }
    /// ```
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
    /// On a runtime of one thread it goes to the thread that is inside `block_on`: to the one that
    /// the runtime belongs to or, where that is away, to the caller if it is a guest, else to the
    /// guest that came first by [`Runtime::block_on`](super::Runtime::block_on). If nobody is, what
    /// the one that the runtime belongs to spawns waits for it, and what others spawn goes to the
    /// guest that came first by [`block_on`](Handle::block_on). If there is none, it waits for the
    /// one that the runtime belongs to, or will. Once the runtime is shut down the task is
    /// cancelled at once.
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
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// // From a thread that is in no runtime.
    /// let task = runtime.handle().spawn_blocking(|| (1..=20).product::<u64>());
    /// assert_eq!(runtime.block_on(task)?, 2_432_902_008_176_640_000);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, call: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match self.shared.spawn_blocking(SpawnMeta::new().with(Details::BLOCKING), call) {
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
    /// `block_on`; [`Handle::spawn`] spawns on the shards, and here where the one shard is of a
    /// thread that is not inside `block_on`.
    ///
    /// # Panics
    /// In async context, where nothing may block; if the future does; and if this thread cannot
    /// have a ring.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::Handle;
    ///
    /// # #[henge::main(worker_threads = 2)]
    /// # async fn main() -> std::io::Result<()> {
    /// let handle = Handle::current();
    /// // A closure that may block can wait for what is asynchronous.
    /// let length = henge::task::spawn_blocking(move || {
    ///     let text = String::from("borrowed");
    ///     handle.block_on(async {
    ///         henge::time::sleep(std::time::Duration::from_millis(1)).await;
    ///         text.len()
    ///     })
    /// });
    /// assert_eq!(length.await?, 8);
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::Builder;
    ///
    /// assert_eq!(Builder::new_current_thread().build()?.handle().name(), None);
    /// let named = Builder::new_current_thread().name("background").build()?;
    /// assert_eq!(named.handle().name(), Some("background"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.shared.config.name.as_deref()
    }

    /// Which kind of runtime this is.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::{Handle, RuntimeFlavor};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::CurrentThread);
    /// # Ok(())
    /// # }
    /// ```
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        match self.shared.seats {
            Seats::Threads(_) => RuntimeFlavor::MultiThread,
            Seats::Lone(_) => RuntimeFlavor::CurrentThread,
        }
    }

    /// What the runtime has done so far.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::Handle;
    ///
    /// # #[henge::main(worker_threads = 2)]
    /// # async fn main() -> std::io::Result<()> {
    /// let metrics = Handle::current().metrics();
    /// assert_eq!(metrics.num_workers(), 2);
    /// assert!(metrics.num_alive_tasks() >= 1, "this one");
    /// # Ok(())
    /// # }
    /// ```
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics::new(Arc::clone(&self.shared))
    }
}

/// Keeps a runtime the current one of this thread; see [`Handle::enter`].
///
/// # Examples
/// ```
/// use henge::runtime::{Builder, Handle};
///
/// let outer = Builder::new_current_thread().build()?;
/// let inner = Builder::new_current_thread().build()?;
/// let _outer = outer.enter();
/// {
///     let _inner = inner.enter();
///     assert_eq!(Handle::current().id(), inner.handle().id());
/// }
/// assert_eq!(Handle::current().id(), outer.handle().id());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "the runtime is left again when this is dropped"]
pub struct EnterGuard<'a> {
    _guard: SharedGuard,
    _handle: PhantomData<&'a Handle>,
}

/// There is no current runtime; see [`Handle::try_current`].
///
/// # Examples
/// ```
/// use henge::runtime::{Handle, TryCurrentError};
///
/// // For a library that is used with and without a runtime.
/// fn shards() -> Result<usize, TryCurrentError> {
///     Ok(Handle::try_current()?.metrics().num_workers())
/// }
///
/// let error = shards().expect_err("there is no runtime here");
/// assert!(error.to_string().contains("henge runtime"));
/// ```
pub struct TryCurrentError(());

impl TryCurrentError {
    /// Whether it is because the thread is outside of every runtime: the only reason there is.
    ///
    /// # Examples
    /// ```
    /// let error = henge::runtime::Handle::try_current().expect_err("there is no runtime here");
    /// assert!(error.is_missing_context());
    /// ```
    pub fn is_missing_context(&self) -> bool {
        true
    }

    /// Never: what says which runtime is current has no destructor that could have run.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::Handle;
    ///
    /// struct Last;
    /// impl Drop for Last {
    ///     fn drop(&mut self) {
    ///         // Also where thread-locals are destroyed.
    ///         let error = Handle::try_current().expect_err("there is no runtime here");
    ///         assert!(!error.is_thread_local_destroyed());
    ///     }
    /// }
    ///
    /// thread_local!(static LAST: Last = const { Last });
    /// assert!(std::thread::spawn(|| LAST.with(|_| ())).join().is_ok());
    /// ```
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
