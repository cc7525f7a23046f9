//! The futures of the channel: waiting for capacity, and for the receiver to close.

use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::chan::{Chan, NoRoom};
use super::error::SendError;
use crate::executor::coop;

/// How far a reservation is.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// It has nothing.
    Fresh,
    /// In line, or told, under this key.
    InLine(usize),
    /// It has its permits, and the task's budget was used up: they are the caller's with the next
    /// poll. Without this stage a task that is out of budget would be overtaken.
    Held,
}

impl Stage {
    /// Goes on until the permits are there, whatever the budget says.
    fn poll<T>(
        &mut self,
        chan: &Chan<T>,
        cx: &mut Context<'_>,
        n: usize,
    ) -> Poll<Result<(), NoRoom>> {
        let mut key = match *self {
            Self::Fresh => None,
            Self::InLine(key) => Some(key),
            Self::Held if chan.is_receiver_closed() => {
                *self = Self::Fresh;
                chan.release(n);
                return Poll::Ready(Err(NoRoom::Closed));
            }
            Self::Held => {
                *self = Self::Fresh;
                return Poll::Ready(Ok(()));
            }
        };
        let reserved = chan.poll_reserve(cx, n, &mut key);
        *self = key.map_or(Self::Fresh, Self::InLine);
        reserved
    }

    /// The budget is used up, and the task has been woken for that: it takes its place in line, or
    /// its permits, and gets them with the next poll.
    fn poll_without_budget<T>(
        &mut self,
        chan: &Chan<T>,
        cx: &mut Context<'_>,
        n: usize,
    ) -> Poll<Result<(), NoRoom>> {
        ready!(self.poll(chan, cx, n))?;
        *self = Self::Held;
        Poll::Pending
    }

    /// Gives back what it has.
    fn cancel<T>(&mut self, chan: &Chan<T>, n: usize) {
        match std::mem::replace(self, Self::Fresh) {
            Self::Fresh => {}
            Self::InLine(key) => chan.cancel_reserve(n, key),
            Self::Held => chan.release(n),
        }
    }
}

pin_project! {
    /// Waits for `n` permits of a channel.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub(super) struct Reserve<'a, T> {
        chan: &'a Chan<T>,
        n: usize,
        stage: Stage,
        // tokio's futures of this kind are not `Unpin` either.
        #[pin]
        _pinned: PhantomPinned,
    }

    impl<T> PinnedDrop for Reserve<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.stage.cancel(this.chan, *this.n);
        }
    }
}

impl<'a, T> Reserve<'a, T> {
    pub(super) fn new(chan: &'a Chan<T>, n: usize) -> Self {
        Self { chan, n, stage: Stage::Fresh, _pinned: PhantomPinned }
    }
}

impl<T> Future for Reserve<'_, T> {
    type Output = Result<(), NoRoom>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Poll::Ready(progress) = coop::poll_proceed(cx) else {
            return this.stage.poll_without_budget(this.chan, cx, *this.n);
        };
        let output = ready!(this.stage.poll(this.chan, cx, *this.n));
        progress.made_progress();
        Poll::Ready(output)
    }
}

pin_project! {
    /// Sends a message, waiting for room where there is none.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub(super) struct Send<'a, T> {
        chan: &'a Chan<T>,
        // `None` once sent.
        value: Option<T>,
        stage: Stage,
        #[pin]
        _pinned: PhantomPinned,
    }

    impl<T> PinnedDrop for Send<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.stage.cancel(this.chan, 1);
        }
    }
}

impl<'a, T> Send<'a, T> {
    pub(super) fn new(chan: &'a Chan<T>, value: T) -> Self {
        Self { chan, value: Some(value), stage: Stage::Fresh, _pinned: PhantomPinned }
    }
}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let reserved = match coop::poll_proceed(cx) {
            Poll::Ready(progress) => {
                if let Stage::Fresh = this.stage {
                    // Where there is room, one lock does it all.
                    match this.chan.try_send(taken(this.value)) {
                        Ok(()) => {
                            progress.made_progress();
                            return Poll::Ready(Ok(()));
                        }
                        Err((_reason, value)) => *this.value = Some(value),
                    }
                }
                let reserved = ready!(this.stage.poll(this.chan, cx, 1));
                progress.made_progress();
                reserved
            }
            Poll::Pending => ready!(this.stage.poll_without_budget(this.chan, cx, 1)),
        };
        let value = taken(this.value);
        Poll::Ready(match reserved {
            Ok(()) => {
                this.chan.send_permitted(value);
                Ok(())
            }
            Err(_closed) => Err(SendError(value)),
        })
    }
}

fn taken<T>(value: &mut Option<T>) -> T {
    value.take().expect("polled after it was ready")
}

pin_project! {
    /// Waits for the receiver to close.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub(super) struct Closed<'a, T> {
        chan: &'a Chan<T>,
        key: Option<usize>,
        #[pin]
        _pinned: PhantomPinned,
    }

    impl<T> PinnedDrop for Closed<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(key) = this.key.take() {
                this.chan.cancel_closed(key);
            }
        }
    }
}

impl<'a, T> Closed<'a, T> {
    pub(super) fn new(chan: &'a Chan<T>) -> Self {
        Self { chan, key: None, _pinned: PhantomPinned }
    }
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.chan.poll_closed(cx, this.key)
    }
}
