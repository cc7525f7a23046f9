//! The futures of the channel: waiting for capacity, and for the receiver to close.

use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::chan::{Chan, NoRoom};
use super::error::SendError;
use crate::task::coop;

pin_project! {
    /// Waits for `n` permits of a channel.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub(super) struct Reserve<'a, T> {
        chan: &'a Chan<T>,
        n: usize,
        key: Option<usize>,
        // tokio's futures of this kind are not `Unpin` either.
        #[pin]
        _pinned: PhantomPinned,
    }

    impl<T> PinnedDrop for Reserve<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(key) = this.key.take() {
                this.chan.cancel_reserve(*this.n, key);
            }
        }
    }
}

impl<'a, T> Reserve<'a, T> {
    pub(super) fn new(chan: &'a Chan<T>, n: usize) -> Self {
        Self { chan, n, key: None, _pinned: PhantomPinned }
    }
}

impl<T> Future for Reserve<'_, T> {
    type Output = Result<(), NoRoom>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let progress = ready!(coop::poll_proceed(cx));
        let this = self.project();
        let output = ready!(this.chan.poll_reserve(cx, *this.n, this.key));
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
        key: Option<usize>,
        #[pin]
        _pinned: PhantomPinned,
    }

    impl<T> PinnedDrop for Send<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(key) = this.key.take() {
                this.chan.cancel_reserve(1, key);
            }
        }
    }
}

impl<'a, T> Send<'a, T> {
    pub(super) fn new(chan: &'a Chan<T>, value: T) -> Self {
        Self { chan, value: Some(value), key: None, _pinned: PhantomPinned }
    }
}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let progress = ready!(coop::poll_proceed(cx));
        let this = self.project();
        let value = this.value.take().expect("polled after it was ready");
        // Where there is room, one lock does it all.
        let (reason, value) = match *this.key {
            None => match this.chan.try_send(value) {
                Ok(()) => {
                    progress.made_progress();
                    return Poll::Ready(Ok(()));
                }
                Err(refused) => refused,
            },
            Some(_) => (NoRoom::Full, value),
        };
        let reserved = match reason {
            NoRoom::Closed => Poll::Ready(Err(NoRoom::Closed)),
            NoRoom::Full => this.chan.poll_reserve(cx, 1, this.key),
        };
        let Poll::Ready(reserved) = reserved else {
            *this.value = Some(value);
            return Poll::Pending;
        };
        progress.made_progress();
        Poll::Ready(match reserved {
            Ok(()) => {
                this.chan.send_permitted(value);
                Ok(())
            }
            Err(_closed) => Err(SendError(value)),
        })
    }
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
