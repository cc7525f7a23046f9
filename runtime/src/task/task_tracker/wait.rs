//! Waiting for a tracker to be closed and empty.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::count::Count;
use crate::sync::futures::Notified;

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
        count: Option<&'a Count>,
    }
}

impl<'a> TaskTrackerWaitFuture<'a> {
    pub(super) fn new(count: &'a Count) -> Self {
        TaskTrackerWaitFuture {
            // Made before the look, so that a last exit right after it is not missed.
            future: count.last_exit(),
            count: if count.is_over() { None } else { Some(count) },
        }
    }
}

impl Future for TaskTrackerWaitFuture<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if let Some(count) = this.count
            && !count.is_over()
        {
            ready!(this.future.poll(cx));
        }
        *this.count = None;
        Poll::Ready(())
    }
}

impl fmt::Debug for TaskTrackerWaitFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskTrackerWaitFuture")
            .field("future", &self.future)
            .field("task_tracker", &self.count)
            .finish()
    }
}
