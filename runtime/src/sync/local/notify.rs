//! Waking one task of this shard, or all that wait, without a message.

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::future::Future;
use std::marker::PhantomPinned;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

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
/// use henge::sync::local::Notify;
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
    state: RefCell<State>,
}

struct State {
    permit: bool,
    /// How often `notify_waiters` was called: a future made before a call is woken by it, polled
    /// or not.
    calls: u64,
    line: WaitQueue<Notification>,
}

/// What a waiter was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notification {
    /// Nothing yet: it stands in line.
    Waiting,
    /// By `notify_one`: handed on if the waiter goes without having seen it.
    First,
    /// By `notify_last`: likewise.
    Last,
    /// By `notify_waiters`.
    All,
}

impl Notify {
    /// A `Notify` without a permit.
    ///
    /// # Examples
    ///
    /// ```
    /// let notify = henge::sync::local::Notify::new();
    /// notify.notify_one();
    /// ```
    pub const fn new() -> Self {
        Self::const_new()
    }

    /// A `Notify` for a thread's static.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::local::Notify;
    /// thread_local! {
    ///     static WORK: Notify = const { Notify::const_new() };
    /// }
    /// WORK.with(Notify::notify_one);
    /// ```
    pub const fn const_new() -> Self {
        Self { state: RefCell::new(State { permit: false, calls: 0, line: WaitQueue::new() }) }
    }

    fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
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
    /// let notify = henge::sync::local::Notify::new();
    /// notify.notify_one();
    /// notify.notified().await;
    /// # }
    /// ```
    pub fn notified(&self) -> Notified<'_> {
        Notified { inner: Inner::new(self) }
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
    /// let notify = std::rc::Rc::new(henge::sync::local::Notify::new());
    /// let notified = notify.clone().notified_owned();
    /// notify.notify_waiters();
    /// henge::spawn(notified).await.unwrap();
    /// # }
    /// ```
    pub fn notified_owned(self: Rc<Self>) -> OwnedNotified {
        OwnedNotified { inner: Inner::new(self) }
    }

    /// Wakes the task that has waited longest, or leaves a permit for the next one that comes.
    /// Several permits are one.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = henge::sync::local::Notify::new();
    /// notify.notify_one();
    /// notify.notified().await; // at once
    /// # }
    /// ```
    pub fn notify_one(&self) {
        let waker = self.state().notify(Notification::First);
        wake(waker);
    }

    /// Wakes the task that has waited for the shortest time, or leaves a permit for the next one
    /// that comes.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = henge::sync::local::Notify::new();
    /// notify.notify_last();
    /// notify.notified().await; // at once
    /// # }
    /// ```
    pub fn notify_last(&self) {
        let waker = self.state().notify(Notification::Last);
        wake(waker);
    }

    /// Wakes all tasks that wait, and leaves no permit.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = henge::sync::local::Notify::new();
    /// let (a, b) = (notify.notified(), notify.notified());
    /// notify.notify_waiters();
    /// henge::join!(a, b);
    /// # }
    /// ```
    pub fn notify_waiters(&self) {
        let mut state = self.state();
        state.calls = state.calls.wrapping_add(1);
        // All at once: a `notify_one` that comes in between must not choose one of these.
        let mut wakers = Vec::new();
        while let Some((told, waker)) = state.line.unlink_front() {
            *told = Notification::All;
            wakers.extend(waker);
        }
        drop(state);
        for waker in wakers {
            waker.wake();
        }
    }
}

impl State {
    /// One waiter is told; without one the permit stays. The waker is to be called outside.
    fn notify(&mut self, how: Notification) -> Option<Waker> {
        let chosen = match how {
            Notification::Last => self.line.unlink_back(),
            _ => self.line.unlink_front(),
        };
        match chosen {
            Some((told, waker)) => {
                *told = how;
                waker
            }
            None => {
                self.permit = true;
                None
            }
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").finish_non_exhaustive()
    }
}

/// How far a waiting future is.
#[derive(Debug, Clone, Copy)]
enum Progress {
    /// Not polled; made when `notify_waiters` had been called so often.
    Made(u64),
    /// In line, or told, under this key.
    Waiting(usize),
    Done,
}

pin_project! {
    /// The future under both public ones, which differ in how they hold the `Notify`.
    #[derive(Debug)]
    struct Inner<N> where N: Deref<Target = Notify> {
        notify: N,
        progress: Progress,
        // tokio's futures of this kind are not `Unpin` either.
        #[pin]
        _pinned: PhantomPinned,
    }

    impl<N> PinnedDrop for Inner<N> where N: Deref<Target = Notify> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let Progress::Waiting(key) = *this.progress else { return };
            let mut state = this.notify.state();
            let removed = state.line.remove(key);
            // A single notification that this waiter has not seen goes to the next.
            let waker = match removed.value {
                how @ (Notification::First | Notification::Last) => state.notify(how),
                Notification::Waiting | Notification::All => None,
            };
            drop(state);
            drop(removed);
            wake(waker);
        }
    }
}

impl<N> Inner<N>
where
    N: Deref<Target = Notify>,
{
    fn new(notify: N) -> Self {
        let calls = notify.state().calls;
        Self { notify, progress: Progress::Made(calls), _pinned: PhantomPinned }
    }

    /// Goes on with `waker`, which is kept if it has to wait.
    fn advance(self: Pin<&mut Self>, waker: &Waker) -> Poll<()> {
        let this = self.project();
        let mut fresh = None;
        loop {
            let mut state = this.notify.state();
            match *this.progress {
                Progress::Done => return Poll::Ready(()),
                Progress::Made(calls) => {
                    if calls != state.calls || std::mem::take(&mut state.permit) {
                        *this.progress = Progress::Done;
                        return Poll::Ready(());
                    }
                    if let Some(waker) = fresh.take() {
                        let key = state.line.push_back(Notification::Waiting, waker);
                        *this.progress = Progress::Waiting(key);
                        return Poll::Pending;
                    }
                }
                Progress::Waiting(key) if !state.line.is_linked(key) => {
                    *this.progress = Progress::Done;
                    let removed = state.line.remove(key);
                    drop(state);
                    drop(removed);
                    return Poll::Ready(());
                }
                Progress::Waiting(key) => {
                    if state.line.will_wake(key, waker) {
                        return Poll::Pending;
                    }
                    if let Some(waker) = fresh.take() {
                        let old = state.line.set_waker(key, waker);
                        drop(state);
                        drop(old);
                        return Poll::Pending;
                    }
                }
            }
            // A clone is foreign code: it runs without a borrow, and we look again.
            drop(state);
            fresh = Some(waker.clone());
        }
    }

    /// Takes a place in line without a task: a no-op waker stands in for it until the first poll.
    fn enable(self: Pin<&mut Self>) -> bool {
        if let Progress::Waiting(key) = self.progress {
            // A look must not take the real waker's place.
            let state = self.notify.state();
            if state.line.is_linked(key) {
                return false;
            }
        }
        self.advance(Waker::noop()).is_ready()
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
    /// let notify = henge::sync::local::Notify::new();
    /// let notified = notify.notified();
    /// notify.notify_waiters();
    /// notified.await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Notified<'a> {
        #[pin]
        inner: Inner<&'a Notify>,
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
    /// let notify = std::rc::Rc::new(henge::sync::local::Notify::new());
    /// notify.notify_one();
    /// notify.notified_owned().await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct OwnedNotified {
        #[pin]
        inner: Inner<Rc<Notify>>,
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
    /// let notify = henge::sync::local::Notify::new();
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
    /// let notify = std::rc::Rc::new(henge::sync::local::Notify::new());
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
        self.project().inner.advance(cx.waker())
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().inner.advance(cx.waker())
    }
}
