//! What counts as a task while it lives: a token, and a future that has one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::TaskTracker;

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
    pub(super) task_tracker: TaskTracker,
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
        self.task_tracker.count.drop_task();
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
        pub(super) future: F,
        // Dropped after the future: when the tracker is empty all destructors have run.
        pub(super) token: TaskTrackerToken,
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
