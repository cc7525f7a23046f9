//! Waking one task, or all that wait, without a message.

use std::fmt;
use std::future::Future;
use std::ops::DerefMut;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::loom::sync::Mutex;
use crate::loom::sync::atomic::AtomicUsize;
use crate::sync::notification::{self, Calls, Notification, Notifications, Notifier};
use crate::sync::place::Line;
use crate::sync::wait_queue::WaitQueue;

/// Wakes a task that waits.
///
/// [`notify_one`](Self::notify_one) wakes one that waits, or, if none does, the next one that
/// comes: a `Notify` is a semaphore that begins with no permit and holds at most one.
/// [`notify_waiters`](Self::notify_waiters) wakes all that wait now and keeps nothing.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use henge::sync::Notify;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let notify = Rc::new(Notify::new());
/// let waiting = notify.clone();
/// let task = henge::spawn(async move { waiting.notified().await });
/// notify.notify_one();
/// task.await.unwrap();
/// # }
/// ```
pub struct Notify {
    state: Mutex<Notifications>,
    calls: AtomicUsize,
}

impl Notify {
    /// A `Notify` without a permit.
    ///
    /// # Examples
    ///
    /// ```
    /// let notify = henge::sync::Notify::new();
    /// notify.notify_one();
    /// ```
    #[cfg(not(henge_loom))]
    pub const fn new() -> Self {
        Self::const_new()
    }

    /// A `Notify` without a permit, under the explorer of interleavings.
    #[cfg(henge_loom)]
    pub fn new() -> Self {
        Self { state: Mutex::new(Notifications::new()), calls: AtomicUsize::new(0) }
    }

    /// A `Notify` for a static.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::Notify;
    /// static WORK: Notify = Notify::const_new();
    /// WORK.notify_one();
    /// ```
    #[cfg(not(henge_loom))]
    pub const fn const_new() -> Self {
        Self { state: Mutex::new(Notifications::new()), calls: AtomicUsize::new(0) }
    }

    /// Waits for a notification.
    ///
    /// The future takes part in [`notify_waiters`](Self::notify_waiters) from the moment it is
    /// made, and in [`notify_one`](Self::notify_one) from its first poll, or from
    /// [`Notified::enable`].
    ///
    /// # Cancel safety
    ///
    /// A dropped future loses its place in line. A `notify_one` that had chosen it goes to the
    /// next.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = henge::sync::Notify::new();
    /// notify.notify_one();
    /// notify.notified().await;
    /// # }
    /// ```
    pub fn notified(&self) -> Notified<'_> {
        Notified { inner: notification::Notified::new(self) }
    }

    /// As [`notified`](Self::notified), with a future that keeps the `Notify` alive.
    ///
    /// # Cancel safety
    ///
    /// As [`notified`](Self::notified).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = std::sync::Arc::new(henge::sync::Notify::new());
    /// let notified = notify.clone().notified_owned();
    /// notify.notify_waiters();
    /// henge::spawn(notified).await.unwrap();
    /// # }
    /// ```
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        OwnedNotified { inner: notification::Notified::new(self) }
    }

    /// Wakes the task that has waited longest, or leaves a permit for the next one that comes.
    /// Several permits are one.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = henge::sync::Notify::new();
    /// notify.notify_one();
    /// notify.notified().await; // at once
    /// # }
    /// ```
    pub fn notify_one(&self) {
        self.notify(Notification::First);
    }

    /// Wakes the task that has waited for the shortest time, or leaves a permit for the next one
    /// that comes.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = henge::sync::Notify::new();
    /// notify.notify_last();
    /// notify.notified().await; // at once
    /// # }
    /// ```
    pub fn notify_last(&self) {
        self.notify(Notification::Last);
    }

    /// Wakes all tasks that wait, and leaves no permit.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = henge::sync::Notify::new();
    /// let (a, b) = (notify.notified(), notify.notified());
    /// notify.notify_waiters();
    /// henge::join!(a, b);
    /// # }
    /// ```
    pub fn notify_waiters(&self) {
        self.notify_all();
    }
}

impl Calls for Notify {
    #[inline]
    fn calls(&self) -> usize {
        // Acquire: pairs with the store below.
        self.calls.load(Ordering::Acquire)
    }

    fn count_call(&self) {
        let calls = self.calls.load(Ordering::Relaxed);
        // Not one step: the mutex is held. Release: who sees the count sees what the caller did.
        self.calls.store(calls.wrapping_add(1), Ordering::Release);
    }
}

impl Line for Notify {
    type State = Notifications;
    type Value = Notification;

    fn lock(&self) -> impl DerefMut<Target = Notifications> {
        // No foreign code runs under this mutex, so a poisoned one is as good as any.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn queue(state: &mut Notifications) -> &mut WaitQueue<Notification> {
        state.queue()
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl UnwindSafe for Notify {}
impl RefUnwindSafe for Notify {}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").finish_non_exhaustive()
    }
}

pin_project! {
    /// A future of a notification; see [`Notify::notified`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = henge::sync::Notify::new();
    /// let notified = notify.notified();
    /// notify.notify_waiters();
    /// notified.await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Notified<'a> {
        #[pin]
        inner: notification::Notified<&'a Notify>,
    }
}

pin_project! {
    /// A future of a notification that keeps the [`Notify`] alive; see
    /// [`Notify::notified_owned`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = std::sync::Arc::new(henge::sync::Notify::new());
    /// notify.notify_one();
    /// notify.notified_owned().await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct OwnedNotified {
        #[pin]
        inner: notification::Notified<Arc<Notify>>,
    }
}

impl Notified<'_> {
    /// Takes a place in line before the first poll, and returns whether the notification is there
    /// already.
    ///
    /// Make the future, enable it, look at the condition that you wait for, then await: a
    /// `notify_one` that comes after the look is not lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = henge::sync::Notify::new();
    /// let mut notified = std::pin::pin!(notify.notified());
    /// assert!(!notified.as_mut().enable());
    /// notify.notify_one();
    /// notified.await;
    /// # }
    /// ```
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.project().inner.enable()
    }
}

impl OwnedNotified {
    /// As [`Notified::enable`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = std::sync::Arc::new(henge::sync::Notify::new());
    /// let mut notified = std::pin::pin!(notify.clone().notified_owned());
    /// assert!(!notified.as_mut().enable());
    /// notify.notify_one();
    /// notified.await;
    /// # }
    /// ```
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.project().inner.enable()
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().inner.poll(cx)
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().inner.poll(cx)
    }
}
