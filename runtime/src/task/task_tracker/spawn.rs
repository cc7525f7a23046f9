//! Spawning tasks that are tracked from the start.

use std::future::Future;

use super::TaskTracker;
use crate::executor::JoinHandle;
use crate::runtime::Handle;
use crate::task::LocalSet;

impl TaskTracker {
    /// Spawns a task on this shard, and tracks it.
    ///
    /// # Panics
    ///
    /// Where [`henge::spawn`](crate::spawn) does.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tracker = henge::task::TaskTracker::new();
    /// assert_eq!(tracker.spawn(async { 1 }).await.unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        crate::spawn(self.track_future(task))
    }

    /// Spawns a task on a runtime, and tracks it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tracker = henge::task::TaskTracker::new();
    /// let here = henge::runtime::Handle::current();
    /// assert_eq!(tracker.spawn_on(async { 1 }, &here).await.unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_on<F>(&self, task: F, handle: &Handle) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        handle.spawn(self.track_future(task))
    }

    /// Spawns a task on the current [`LocalSet`], or on this shard if there is none, and tracks it.
    ///
    /// # Panics
    ///
    /// Outside of both.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tracker = henge::task::TaskTracker::new();
    /// assert_eq!(tracker.spawn_local(async { 1 }).await.unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        crate::task::spawn_local(self.track_future(task))
    }

    /// Spawns a task on a [`LocalSet`], and tracks it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tracker, set) = (henge::task::TaskTracker::new(), henge::task::LocalSet::new());
    /// let task = tracker.spawn_local_on(async { 1 }, &set);
    /// assert_eq!(set.run_until(task).await.unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local_on<F>(&self, task: F, local_set: &LocalSet) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        local_set.spawn_local(self.track_future(task))
    }

    /// Runs a closure on the pool for blocking work, and tracks it.
    ///
    /// # Panics
    ///
    /// Where [`task::spawn_blocking`](crate::task::spawn_blocking) does.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tracker = henge::task::TaskTracker::new();
    /// assert_eq!(tracker.spawn_blocking(|| 1).await.unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, task: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        crate::task::spawn_blocking(self.track_call(task))
    }

    /// Runs a closure on a runtime's pool for blocking work, and tracks it.
    ///
    /// # Panics
    ///
    /// If the pool has no thread, and the system refuses to start one.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tracker = henge::task::TaskTracker::new();
    /// let here = henge::runtime::Handle::current();
    /// assert_eq!(tracker.spawn_blocking_on(|| 1, &here).await.unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking_on<F, T>(&self, task: F, handle: &Handle) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        handle.spawn_blocking(self.track_call(task))
    }

    fn track_call<F, T>(&self, call: F) -> impl FnOnce() -> T + use<F, T>
    where
        F: FnOnce() -> T,
    {
        let token = self.token();
        move || {
            let value = call();
            drop(token);
            value
        }
    }
}
