//! Counting tasks, to wait until all of them have gone: a [`TaskTracker`] and what it hands out.
//
// One word holds twice the number of tasks, and in its lowest bit whether the tracker is closed.
// Whoever makes it 1, closed and empty, wakes those who wait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::LocalSet;
use crate::executor::JoinHandle;
use crate::loom::sync::Arc;
use crate::loom::sync::atomic::AtomicUsize;
use crate::runtime::Handle;
use crate::sync::Notify;
use crate::sync::futures::Notified;

const CLOSED: usize = 1;
const TASK: usize = 2;

/// Knows how many tasks there are, and lets others wait until there is none.
///
/// [`wait`](Self::wait) is ready when the tracker is [closed](Self::close) *and* empty, so it can
/// be empty for a while at the beginning. Closing keeps nobody from spawning further tasks. Unlike
/// [`JoinSet`](crate::task::JoinSet) it is shared by cloning, keeps nothing of a task that has
/// ended, and aborts nothing when it is dropped.
///
/// With a [`CancellationToken`](crate::sync::CancellationToken) that says when to stop, it makes a
/// graceful stop.
///
/// # Examples
///
/// ```
/// use henge::sync::CancellationToken;
/// use henge::task::TaskTracker;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tracker, token) = (TaskTracker::new(), CancellationToken::new());
/// for _ in 0..10 {
///     let token = token.clone();
///     tracker.spawn(async move {
///         token.cancelled().await;
///         // … and finish what was begun.
///     });
/// }
/// token.cancel();
/// tracker.close();
/// tracker.wait().await;
/// assert!(tracker.is_empty());
/// # }
/// ```
pub struct TaskTracker {
    inner: Arc<Inner>,
}

struct Inner {
    word: AtomicUsize,
    on_last_exit: Notify,
}

impl Inner {
    fn load(&self) -> usize {
        // Acquire: who sees that all are gone sees what they did (pairs with `drop_task` and
        // `close`).
        self.word.load(Ordering::Acquire)
    }

    fn is_over(&self) -> bool {
        self.load() == CLOSED
    }

    fn close(&self) -> bool {
        // AcqRel, here and in `reopen`: whoever undoes the other's call sees what it did before.
        let before = self.word.fetch_or(CLOSED, Ordering::AcqRel);
        if before == 0 {
            self.on_last_exit.notify_waiters();
        }
        before & CLOSED == 0
    }

    fn reopen(&self) -> bool {
        // AcqRel: as in `close`.
        self.word.fetch_and(!CLOSED, Ordering::AcqRel) & CLOSED != 0
    }

    fn add_task(&self) {
        self.word.fetch_add(TASK, Ordering::Relaxed);
    }

    fn drop_task(&self) {
        // AcqRel: the last one has seen what the others did, and those it wakes see it too.
        if self.word.fetch_sub(TASK, Ordering::AcqRel) == TASK | CLOSED {
            self.on_last_exit.notify_waiters();
        }
    }
}

impl TaskTracker {
    /// An open tracker without tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// let tracker = henge::task::TaskTracker::new();
    /// assert!(tracker.is_empty() && !tracker.is_closed());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { inner: Arc::new(Inner { word: AtomicUsize::new(0), on_last_exit: Notify::new() }) }
    }

    /// Waits until the tracker is closed and empty. It is ready too if that was so for a moment
    /// while it waited.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tracker = henge::task::TaskTracker::new();
    /// tracker.spawn(henge::task::yield_now());
    /// tracker.close();
    /// tracker.wait().await;
    /// # }
    /// ```
    pub fn wait(&self) -> TaskTrackerWaitFuture<'_> {
        TaskTrackerWaitFuture {
            // Made before the look, so that a last exit right after it is not missed.
            future: self.inner.on_last_exit.notified(),
            inner: if self.inner.is_over() { None } else { Some(&self.inner) },
        }
    }

    /// Lets those who wait be ready when the tracker is empty. Returns whether it was open.
    ///
    /// # Examples
    ///
    /// ```
    /// let tracker = henge::task::TaskTracker::new();
    /// assert!(tracker.close());
    /// assert!(!tracker.close());
    /// ```
    pub fn close(&self) -> bool {
        self.inner.close()
    }

    /// Undoes [`close`](Self::close). Returns whether it was closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let tracker = henge::task::TaskTracker::new();
    /// tracker.close();
    /// assert!(tracker.reopen() && !tracker.is_closed());
    /// ```
    pub fn reopen(&self) -> bool {
        self.inner.reopen()
    }

    /// Whether the tracker is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(!henge::task::TaskTracker::new().is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.load() & CLOSED != 0
    }

    /// How many tasks there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let tracker = henge::task::TaskTracker::new();
    /// let _token = tracker.token();
    /// assert_eq!(tracker.len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.load() / TASK
    }

    /// Whether there is no task.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(henge::task::TaskTracker::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

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
    /// Outside of a runtime.
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

    /// Tracks a future until it is dropped, wherever it runs.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tracker = henge::task::TaskTracker::new();
    /// let tracked = tracker.track_future(async { 1 });
    /// assert_eq!(tracker.len(), 1);
    /// assert_eq!(tracked.await, 1);
    /// assert!(tracker.is_empty());
    /// # }
    /// ```
    pub fn track_future<F: Future>(&self, future: F) -> TrackedFuture<F> {
        TrackedFuture { future, token: self.token() }
    }

    /// Counts as a task until it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let tracker = henge::task::TaskTracker::new();
    /// let token = tracker.token();
    /// assert!(!tracker.is_empty());
    /// drop(token);
    /// assert!(tracker.is_empty());
    /// ```
    pub fn token(&self) -> TaskTrackerToken {
        self.inner.add_task();
        TaskTrackerToken { task_tracker: self.clone() }
    }

    /// Whether two are clones of one tracker.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::task::TaskTracker;
    /// let tracker = TaskTracker::new();
    /// assert!(TaskTracker::ptr_eq(&tracker, &tracker.clone()));
    /// ```
    #[must_use]
    pub fn ptr_eq(left: &TaskTracker, right: &TaskTracker) -> bool {
        Arc::ptr_eq(&left.inner, &right.inner)
    }
}

impl Default for TaskTracker {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for TaskTracker {
    /// The same tracker once more.
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.load();
        f.debug_struct("TaskTracker")
            .field("len", &(word / TASK))
            .field("is_closed", &(word & CLOSED != 0))
            .field("inner", &std::ptr::from_ref(self))
            .finish()
    }
}

impl fmt::Debug for TaskTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.inner, f)
    }
}

/// Counts as a task of a [`TaskTracker`] until it is dropped. A clone counts as another.
///
/// # Examples
///
/// ```
/// let tracker = henge::task::TaskTracker::new();
/// let tokens = vec![tracker.token(); 3];
/// assert_eq!(tracker.len(), 3);
/// # drop(tokens);
/// ```
#[must_use = "the tracker forgets the token when it is dropped"]
#[derive(Debug)]
pub struct TaskTrackerToken {
    task_tracker: TaskTracker,
}

impl TaskTrackerToken {
    /// The tracker that counts it.
    ///
    /// # Examples
    ///
    /// ```
    /// let token = henge::task::TaskTracker::new().token();
    /// assert_eq!(token.task_tracker().len(), 1);
    /// ```
    #[must_use]
    pub fn task_tracker(&self) -> &TaskTracker {
        &self.task_tracker
    }
}

impl Clone for TaskTrackerToken {
    fn clone(&self) -> Self {
        self.task_tracker.token()
    }
}

impl Drop for TaskTrackerToken {
    fn drop(&mut self) {
        self.task_tracker.inner.drop_task();
    }
}

pin_project! {
    /// A future that counts as a task of a [`TaskTracker`]; see [`TaskTracker::track_future`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tracker = henge::task::TaskTracker::new();
    /// assert_eq!(tracker.track_future(std::future::ready(1)).await, 1);
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct TrackedFuture<F> {
        #[pin]
        future: F,
        // Dropped after the future: when the tracker is empty all destructors have run.
        token: TaskTrackerToken,
    }
}

impl<F: Future> Future for TrackedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

impl<F: fmt::Debug> fmt::Debug for TrackedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedFuture")
            .field("future", &self.future)
            .field("task_tracker", self.token.task_tracker())
            .finish()
    }
}

pin_project! {
    /// Waits for a [`TaskTracker`] to be closed and empty; see [`TaskTracker::wait`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tracker = henge::task::TaskTracker::new();
    /// tracker.close();
    /// tracker.wait().await;
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct TaskTrackerWaitFuture<'a> {
        #[pin]
        future: Notified<'a>,
        // `None` once it is over.
        inner: Option<&'a Inner>,
    }
}

impl Future for TaskTrackerWaitFuture<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if let Some(inner) = this.inner
            && !inner.is_over()
        {
            ready!(this.future.poll(cx));
        }
        *this.inner = None;
        Poll::Ready(())
    }
}

impl fmt::Debug for TaskTrackerWaitFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskTrackerWaitFuture")
            .field("future", &self.future)
            .field("task_tracker", &self.inner)
            .finish()
    }
}
