//! What both kinds of `Notify` keep, and the future of those who wait for a notification.
//!
//! A notification for one is handed over under the mutex: from then on it belongs to the waiter,
//! who stands in line no more, and who hands it on if it goes without having seen it. So none is
//! lost, and none counts twice.
//!
//! How often all were notified is counted beside the mutex, and raised with it held: a future that
//! is made notes the count without taking it.

use std::marker::PhantomPinned;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use crate::executor::coop;
use crate::sync::place::Line;
use crate::sync::wait_queue::WaitQueue;
use crate::sync::wake_batch::wake_each;

/// A permit, and who waits for one.
pub(crate) struct Notifications {
    permit: bool,
    line: WaitQueue<Notification>,
}

/// What a waiter was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notification {
    /// Nothing yet: it stands in line.
    Waiting,
    /// That it has waited longest: handed on if the waiter goes without having seen it.
    First,
    /// That it has waited for the shortest time: likewise.
    Last,
    /// What all were told.
    All,
}

/// How often all were notified: a future made before such a call is woken by it, polled or not.
pub(crate) trait Calls {
    /// Who reads a count sees what was done before it was raised.
    fn calls(&self) -> usize;

    /// Needs the notifications locked.
    fn count_call(&self);
}

/// Whatever points to such a count: a reference, or a count of an `Arc` or an `Rc`.
impl<P: Deref<Target: Calls>> Calls for P {
    #[inline]
    fn calls(&self) -> usize {
        (**self).calls()
    }

    fn count_call(&self) {
        (**self).count_call();
    }
}

/// Where notifications are kept: in a mutex, or, on one shard, in a `RefCell`.
pub(crate) trait Notifier:
    Line<State = Notifications, Value = Notification> + Calls
{
    /// Tells one waiter, who has waited longest or, if that is how, for the shortest time. Without
    /// one the permit stays.
    fn notify(&self, how: Notification) {
        let waker = self.lock().choose(how);
        wake(waker);
    }

    /// Tells all who wait.
    fn notify_all(&self) {
        let mut state = self.lock();
        self.count_call();
        // All at once: who is told alone in between must not be one of these.
        let mut wakers = Vec::new();
        while let Some((told, waker)) = state.line.unlink_front() {
            *told = Notification::All;
            wakers.extend(waker);
        }
        drop(state);
        wake_each(wakers.into_iter());
    }
}

impl<L: Line<State = Notifications, Value = Notification> + Calls> Notifier for L {}

impl Notifications {
    pub(crate) const fn new() -> Self {
        Self { permit: false, line: WaitQueue::new() }
    }

    pub(crate) fn queue(&mut self) -> &mut WaitQueue<Notification> {
        &mut self.line
    }

    /// One waiter is told; without one the permit stays. The waker is to be called outside.
    fn choose(&mut self, how: Notification) -> Option<Waker> {
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

/// How far a waiting future is.
#[derive(Debug, Clone, Copy)]
enum Progress {
    /// Not polled; made when all had been notified so often.
    Made(usize),
    /// In line, or told, under this key.
    Waiting(usize),
    Done,
}

pin_project! {
    /// The future of a notification; the public ones differ in how they hold the notifier.
    #[derive(Debug)]
    pub(crate) struct Notified<N> where N: Notifier {
        notifier: N,
        progress: Progress,
        // tokio's futures of this kind are not `Unpin` either.
        #[pin]
        _pinned: PhantomPinned,
    }

    impl<N> PinnedDrop for Notified<N> where N: Notifier {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let Progress::Waiting(key) = *this.progress else { return };
            let mut state = this.notifier.lock();
            let removed = state.line.remove(key);
            // A single notification that this waiter has not seen goes to the next.
            let waker = match removed.value {
                how @ (Notification::First | Notification::Last) => state.choose(how),
                Notification::Waiting | Notification::All => None,
            };
            drop(state);
            drop(removed);
            wake(waker);
        }
    }
}

impl<N: Notifier> Notified<N> {
    pub(crate) fn new(notifier: N) -> Self {
        let progress = Progress::Made(notifier.calls());
        Self { notifier, progress, _pinned: PhantomPinned }
    }

    /// Goes on, and spends a unit of the task's budget when it is told. That is asked for first: a
    /// notification that was had is the caller's.
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let unit = ready!(coop::poll_proceed(cx));
        ready!(self.advance(cx.waker()));
        unit.made_progress();
        Poll::Ready(())
    }

    /// Goes on with `waker`, which is kept if it has to wait.
    fn advance(self: Pin<&mut Self>, waker: &Waker) -> Poll<()> {
        let this = self.project();
        let mut fresh = match *this.progress {
            Progress::Done => return Poll::Ready(()),
            Progress::Made(calls) if calls != this.notifier.calls() => {
                *this.progress = Progress::Done;
                return Poll::Ready(());
            }
            // Most have to wait.
            Progress::Made(_) => Some(waker.clone()),
            Progress::Waiting(_) => None,
        };
        loop {
            let mut state = this.notifier.lock();
            match *this.progress {
                Progress::Done => return Poll::Ready(()),
                Progress::Made(calls) => {
                    if calls != this.notifier.calls() || std::mem::take(&mut state.permit) {
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
            // A clone is foreign code: it runs without the mutex, and we look again.
            drop(state);
            fresh = Some(waker.clone());
        }
    }

    /// Takes a place in line without a task: a no-op waker stands in for it until the first poll.
    pub(crate) fn enable(self: Pin<&mut Self>) -> bool {
        if let Progress::Waiting(key) = self.progress {
            // A look must not take the real waker's place.
            let state = self.notifier.lock();
            if state.line.is_linked(key) {
                return false;
            }
        }
        self.advance(Waker::noop()).is_ready()
    }
}
