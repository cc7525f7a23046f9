//! Counting tasks, to wait until all of them have gone: a [`TaskTracker`] and what it hands out.

mod count;
mod spawn;
mod tracked;
mod wait;

use std::fmt;
use std::future::Future;

use count::Count;

use crate::loom::sync::Arc;

pub use tracked::{TaskTrackerToken, TrackedFuture};
pub use wait::TaskTrackerWaitFuture;

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
    count: Arc<Count>,
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
        Self { count: Arc::new(Count::new()) }
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
        TaskTrackerWaitFuture::new(&self.count)
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
        self.count.close()
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
        self.count.reopen()
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
        self.count.is_closed()
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
        self.count.tasks()
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
        self.count.add_task();
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
        Arc::ptr_eq(&left.count, &right.count)
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
        Self { count: Arc::clone(&self.count) }
    }
}

impl fmt::Debug for TaskTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.count, f)
    }
}
