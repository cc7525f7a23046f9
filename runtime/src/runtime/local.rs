//! A runtime of one thread that does not leave it.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use super::{Builder, EnterGuard, Handle, Runtime, RuntimeMetrics, guest};
use crate::executor::JoinHandle;

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
        let location = Location::caller();
        let shared = self.handle().shared();
        match guest::with_own(shared, |shard| shard.home().spawn_from(location, future)) {
            Ok(Some(task)) => task,
            Ok(None) => panic!("this thread is ending, and runs no tasks any more"),
            Err(error) => panic!("this thread cannot spawn on the runtime: {error}"),
        }
    }

    /// As [`Handle::spawn_blocking`].
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
    pub fn metrics(&self) -> RuntimeMetrics {
        self.runtime.metrics()
    }

    /// As [`Runtime::shutdown_timeout`].
    pub fn shutdown_timeout(self, timeout: Duration) {
        self.runtime.shutdown_timeout(timeout);
    }

    /// As [`Runtime::shutdown_background`].
    pub fn shutdown_background(self) {
        self.runtime.shutdown_background();
    }
}
