//! What both kinds of `Notify` keep, and the future of those who wait for a notification.
//!
//! A notification for one is handed over under the mutex: from then on it belongs to the waiter,
//! who stands in line no more, and who hands it on if it goes without having seen it. So none is
//! lost, and none counts twice.

use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Poll, Waker};

use pin_project_lite::pin_project;

use crate::sync::place::Line;
use crate::sync::wait_queue::WaitQueue;
use crate::sync::wake_batch::wake_each;

/// A permit, and who waits for one.
pub(crate) struct Notifications {
    permit: bool,
    /// How often all were notified: a future made before such a call is woken by it, polled or
    /// not.
    calls: u64,
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

/// Where notifications are kept: in a mutex, or, on one shard, in a `RefCell`.
pub(crate) trait Notifier: Line<State = Notifications, Value = Notification> {
    /// Tells one waiter, who has waited longest or, if that is how, for the shortest time. Without
    /// one the permit stays.
    fn notify(&self, how: Notification) {
        let waker = self.lock().choose(how);
        wake(waker);
    }

    /// Tells all who wait.
    fn notify_all(&self) {
        let mut state = self.lock();
        state.calls = state.calls.wrapping_add(1);
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

impl<L: Line<State = Notifications, Value = Notification>> Notifier for L {}

impl Notifications {
    pub(crate) const fn new() -> Self {
        Self { permit: false, calls: 0, line: WaitQueue::new() }
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
    Made(u64),
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
        let calls = notifier.lock().calls;
        Self { notifier, progress: Progress::Made(calls), _pinned: PhantomPinned }
    }

    /// Goes on with `waker`, which is kept if it has to wait.
    pub(crate) fn advance(self: Pin<&mut Self>, waker: &Waker) -> Poll<()> {
        let this = self.project();
        let mut fresh = None;
        loop {
            let mut state = this.notifier.lock();
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
