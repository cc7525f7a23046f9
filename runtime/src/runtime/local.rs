//! A runtime of one thread that does not leave it.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

use super::{Builder, EnterGuard, Handle, Runtime, RuntimeMetrics, guest};
use crate::executor::JoinHandle;
use crate::executor::spawn_meta::{Details, SpawnMeta};

/// A runtime of one thread that stays on the thread that made it.
///
/// Every runtime has local tasks: what [`henge::spawn`](crate::spawn) puts on a shard stays there.
/// Since this one cannot be moved to another thread, it takes such tasks from outside of
/// [`block_on`](LocalRuntime::block_on) as well. They run while its thread is inside.
///
/// # Examples
/// ```
/// use std::rc::Rc;
///
/// let runtime = henge::runtime::LocalRuntime::new()?;
/// let shared = Rc::new(6);
/// let there = Rc::clone(&shared);
/// let task = runtime.spawn_local(async move { *there * 7 });
/// assert_eq!(runtime.block_on(task)?, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LocalRuntime {
    runtime: Runtime,
    /// It stays where it was made, and so does its shard.
    _here: PhantomData<*mut ()>,
}

/// How a [`LocalRuntime`] is made; there is nothing to choose.
///
/// # Examples
/// ```
/// use henge::runtime::{Builder, LocalOptions};
///
/// let runtime = Builder::new_current_thread().build_local(LocalOptions::default())?;
/// assert_eq!(runtime.block_on(async { 6 * 7 }), 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct LocalOptions {
    _here: PhantomData<*mut ()>,
}

impl LocalRuntime {
    /// A runtime on this thread, with default settings.
    ///
    /// # Errors
    /// As [`Builder::build`].
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    /// use henge::runtime::LocalRuntime;
    ///
    /// let runtime = LocalRuntime::new()?;
    /// let cache = Rc::new(vec![1, 2, 3]);
    /// let task = runtime.spawn_local({
    ///     let cache = Rc::clone(&cache);
    ///     async move { cache.len() }
    /// });
    /// assert_eq!(runtime.block_on(task)?, cache.len());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> io::Result<LocalRuntime> {
        Builder::new_current_thread().build_local(LocalOptions::default())
    }

    /// This thread built the runtime, and makes its shard now: the error is for whoever builds.
    pub(super) fn here(runtime: Runtime) -> io::Result<LocalRuntime> {
        guest::with_own(runtime.handle().shared(), |_shard| ())?;
        Ok(LocalRuntime { runtime, _here: PhantomData })
    }

    /// The runtime for other threads, and for when it is borrowed here. What is spawned by it is
    /// `Send`, and runs on this thread.
    ///
    /// # Examples
    /// ```
    /// use std::thread;
    ///
    /// let runtime = henge::runtime::LocalRuntime::new()?;
    /// let handle = runtime.handle().clone();
    /// let elsewhere = thread::spawn(move || handle.spawn(async { thread::current().id() }));
    /// let task = elsewhere.join().expect("it does not panic");
    /// assert_eq!(runtime.block_on(task)?, thread::current().id(), "it runs here");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Spawns a task on this thread. It need not be `Send`, and runs while this thread is inside
    /// [`block_on`](LocalRuntime::block_on).
    ///
    /// # Panics
    /// Where the thread is ending, and destroys its thread-locals.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::LocalRuntime::new()?;
    /// let task = runtime.spawn_local(async { 6 * 7 });
    /// assert_eq!(runtime.block_on(task)?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let meta = SpawnMeta::new().with(Details::LOCAL);
        let shared = self.handle().shared();
        match guest::with_own(shared, |shard| shard.home().spawn_from(meta, future)) {
            Ok(Some(task)) => task,
            Ok(None) => panic!("this thread is ending, and runs no tasks any more"),
            Err(error) => panic!("this thread cannot spawn on the runtime: {error}"),
        }
    }

    /// As [`Handle::spawn_blocking`].
    ///
    /// # Examples
    /// ```
    /// use std::thread;
    ///
    /// let runtime = henge::runtime::LocalRuntime::new()?;
    /// // All else stays on this thread.
    /// let task = runtime.spawn_blocking(|| thread::current().id());
    /// assert_ne!(runtime.block_on(task)?, thread::current().id());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, call: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.runtime.spawn_blocking(call)
    }

    /// Runs a future on this thread until it is done, and the runtime's tasks beside it.
    ///
    /// # Panics
    /// As [`Runtime::block_on`].
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::LocalRuntime::new()?;
    /// let mut log = Vec::new();
    /// runtime.block_on(async {
    ///     log.push("it may borrow");
    ///     henge::task::yield_now().await;
    ///     log.push("from the caller");
    /// });
    /// assert_eq!(log.len(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// As [`Handle::enter`]. [`henge::spawn`](crate::spawn) and
    /// [`spawn_local`](crate::task::spawn_local) spawn here then.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::LocalRuntime::new()?;
    /// let guard = runtime.enter();
    /// let task = henge::spawn(async { 6 * 7 });
    /// assert_eq!(runtime.block_on(task)?, 42);
    /// # drop(guard);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// As [`Handle::metrics`].
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::LocalRuntime::new()?;
    /// let task = runtime.spawn_local(async {});
    /// runtime.block_on(task)?;
    /// assert!(runtime.metrics().worker_poll_count(0) >= 1);
    /// assert_eq!(runtime.metrics().num_workers(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn metrics(&self) -> RuntimeMetrics {
        self.runtime.metrics()
    }

    /// As [`Runtime::shutdown_timeout`].
    ///
    /// # Examples
    /// ```
    /// use std::future::pending;
    /// use std::rc::Rc;
    /// use std::time::Duration;
    ///
    /// let runtime = henge::runtime::LocalRuntime::new()?;
    /// let shared = Rc::new(());
    /// let there = Rc::clone(&shared);
    /// drop(runtime.spawn_local(async move {
    ///     pending::<()>().await;
    ///     drop(there);
    /// }));
    /// runtime.shutdown_timeout(Duration::from_secs(1));
    /// assert_eq!(Rc::strong_count(&shared), 1, "its tasks are dropped, here");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown_timeout(self, timeout: Duration) {
        self.runtime.shutdown_timeout(timeout);
    }

    /// As [`Runtime::shutdown_background`].
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    ///
    /// let runtime = henge::runtime::LocalRuntime::new()?;
    /// let (let_go, held) = mpsc::channel::<()>();
    /// runtime.spawn_blocking(move || held.recv());
    /// runtime.shutdown_background(); // a drop would wait for the closure
    /// drop(let_go);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown_background(self) {
        self.runtime.shutdown_background();
    }
}
