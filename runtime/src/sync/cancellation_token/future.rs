//! Waiting for a token, alone or beside another future.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::CancellationToken;
use super::node::State;
use crate::sync::place::{Line, Place};

pin_project! {
    /// Waits until a token is cancelled; see [`CancellationToken::cancelled`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = henge::sync::CancellationToken::new();
    /// let mut cancelled = std::pin::pin!(token.cancelled());
    /// token.cancel();
    /// cancelled.as_mut().await;
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct WaitForCancellationFuture<'a> {
        place: Place<&'a CancellationToken>,
        // tokio's futures of this kind are not `Unpin` either.
        #[pin]
        _pinned: PhantomPinned,
    }
}

pin_project! {
    /// Waits until the token that it holds is cancelled; see
    /// [`CancellationToken::cancelled_owned`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = henge::sync::CancellationToken::new();
    /// let cancelled = token.child_token().cancelled_owned();
    /// token.cancel();
    /// cancelled.await;
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct WaitForCancellationFutureOwned {
        place: Place<CancellationToken>,
        #[pin]
        _pinned: PhantomPinned,
    }
}

impl<'a> WaitForCancellationFuture<'a> {
    pub(super) fn new(token: &'a CancellationToken) -> Self {
        Self { place: Place::new(token), _pinned: PhantomPinned }
    }
}

impl WaitForCancellationFutureOwned {
    pub(super) fn new(token: CancellationToken) -> Self {
        Self { place: Place::new(token), _pinned: PhantomPinned }
    }
}

impl<T: Line<State = State, Value = ()> + Borrow<CancellationToken>> Place<T> {
    fn poll_cancelled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What has happened already needs no mutex.
        if self.token().is_cancelled() {
            return Poll::Ready(());
        }
        self.poll(cx, |state| if state.is_cancelled() { Ok(()) } else { Err(()) })
    }

    fn token(&self) -> &CancellationToken {
        self.line().borrow()
    }
}

impl Future for WaitForCancellationFuture<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().place.poll_cancelled(cx)
    }
}

impl Future for WaitForCancellationFutureOwned {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().place.poll_cancelled(cx)
    }
}

impl fmt::Debug for WaitForCancellationFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForCancellationFuture").finish()
    }
}

impl fmt::Debug for WaitForCancellationFutureOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForCancellationFutureOwned").finish()
    }
}

pin_project! {
    /// A future beside a token that it may be cancelled by. Written by hand, as an async function
    /// keeps its arguments beside what it moves out of them, and would be twice the size.
    pub(super) struct RunUntilCancelled<T, F>
    where
        T: Line<State = State, Value = ()>,
        T: Borrow<CancellationToken>,
    {
        place: Place<T>,
        polled: bool,
        // Dropped as soon as it is over, as the end of an async function would.
        #[pin]
        future: Option<F>,
        #[pin]
        _pinned: PhantomPinned,
    }
}

impl<T, F> RunUntilCancelled<T, F>
where
    T: Line<State = State, Value = ()> + Borrow<CancellationToken>,
{
    pub(super) fn new(token: T, future: F) -> Self {
        Self {
            place: Place::new(token),
            polled: false,
            future: Some(future),
            _pinned: PhantomPinned,
        }
    }
}

impl<T, F> Future for RunUntilCancelled<T, F>
where
    T: Line<State = State, Value = ()> + Borrow<CancellationToken>,
    F: Future,
{
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let mut this = self.project();
        let first = !std::mem::replace(this.polled, true);
        let output = if first && this.place.token().is_cancelled() {
            None
        } else {
            let future = this.future.as_mut().as_pin_mut().expect("polled after it was ready");
            match future.poll(cx) {
                Poll::Ready(output) => Some(output),
                Poll::Pending if this.place.poll_cancelled(cx).is_ready() => None,
                Poll::Pending => return Poll::Pending,
            }
        };
        this.future.set(None);
        Poll::Ready(output)
    }
}
