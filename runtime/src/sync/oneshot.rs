//! A channel for one message: an answer that somebody waits for.
//!
//! [`Sender::send`] takes the sender and never waits; the [`Receiver`] is a future.
//!
//! # Examples
//!
//! ```
//! use henge::sync::oneshot;
//!
//! # #[henge::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, rx) = oneshot::channel();
//! henge::spawn(async move { tx.send(6 * 7) });
//! assert_eq!(rx.await, Ok(42));
//! # }
//! ```

// The state is small and both sides touch it once or twice, so it sits in one mutex. A waker is
// cloned before the mutex is taken, and woken or dropped after it was let go: both are foreign
// code. The value is dropped outside as well.

pub mod error;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use self::error::{RecvError, TryRecvError};
use crate::executor::coop;
use crate::loom::sync::{Mutex, MutexGuard};
use crate::sync::blocking::block_on;

/// Makes a channel for one message.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::oneshot::channel();
/// tx.send(1).unwrap();
/// assert_eq!(rx.try_recv(), Ok(1));
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared { state: Mutex::new(State::new()) });
    (Sender { shared: Some(shared.clone()) }, Receiver { shared: Some(shared) })
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    /// The sender was used or dropped.
    sender_gone: bool,
    /// The receiver was closed or dropped.
    closed: bool,
    sender_waker: Option<Waker>,
    receiver_waker: Option<Waker>,
}

impl<T> State<T> {
    fn new() -> Self {
        Self {
            value: None,
            sender_gone: false,
            closed: false,
            sender_waker: None,
            receiver_waker: None,
        }
    }
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        // No foreign code runs under this mutex, so a poisoned one is as good as any.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The sender's last act. Wakes the receiver; a value that nobody wants comes back.
    fn finish(&self, value: Option<T>) -> Result<(), Option<T>> {
        let mut state = self.state();
        state.sender_gone = true;
        if state.closed {
            drop(state);
            return Err(value);
        }
        state.value = value;
        let waker = state.receiver_waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// The receiver wants nothing any more. A value that is there stays receivable.
    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let waker = if state.sender_gone { None } else { state.sender_waker.take() };
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let mut fresh = None;
        loop {
            let mut state = self.state();
            if let Some(value) = state.value.take() {
                return Poll::Ready(Ok(value));
            }
            if state.sender_gone || state.closed {
                return Poll::Ready(Err(RecvError::new()));
            }
            if state.receiver_waker.as_ref().is_some_and(|own| own.will_wake(cx.waker())) {
                return Poll::Pending;
            }
            if let Some(waker) = fresh.take() {
                let old = state.receiver_waker.replace(waker);
                drop(state);
                drop(old);
                return Poll::Pending;
            }
            drop(state);
            fresh = Some(cx.waker().clone());
        }
    }

    fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut fresh = None;
        loop {
            let mut state = self.state();
            if state.closed {
                return Poll::Ready(());
            }
            if state.sender_waker.as_ref().is_some_and(|own| own.will_wake(cx.waker())) {
                return Poll::Pending;
            }
            if let Some(waker) = fresh.take() {
                let old = state.sender_waker.replace(waker);
                drop(state);
                drop(old);
                return Poll::Pending;
            }
            drop(state);
            fresh = Some(cx.waker().clone());
        }
    }
}

/// Sends the message.
///
/// # Examples
///
/// ```
/// let (tx, rx) = henge::sync::oneshot::channel();
/// std::thread::spawn(move || tx.send("done"));
/// assert_eq!(rx.blocking_recv(), Ok("done"));
/// ```
pub struct Sender<T> {
    /// `None` once used.
    shared: Option<Arc<Shared<T>>>,
}

impl<T> Sender<T> {
    fn shared(&self) -> &Shared<T> {
        self.shared.as_ref().expect("a sender is used by value, so once")
    }

    /// Sends the message. That does not mean that it is received: the receiver may yet be dropped.
    ///
    /// # Errors
    ///
    /// The message, if the receiver is gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::oneshot::channel();
    /// drop(rx);
    /// assert_eq!(tx.send(1), Err(1));
    /// ```
    pub fn send(mut self, value: T) -> Result<(), T> {
        let shared = self.shared.take().expect("a sender is used by value, so once");
        shared.finish(Some(value)).map_err(|value| value.expect("it was some"))
    }

    /// Waits until the receiver is gone or closed.
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
    /// let (mut tx, rx) = henge::sync::oneshot::channel::<()>();
    /// drop(rx);
    /// tx.closed().await;
    /// # }
    /// ```
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.poll_closed(cx)).await;
    }

    /// Whether the receiver is gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::oneshot::channel::<()>();
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.shared().state().closed
    }

    /// Polls for the receiver being gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (mut tx, rx) = henge::sync::oneshot::channel::<()>();
    /// drop(rx);
    /// std::future::poll_fn(|cx| tx.poll_closed(cx)).await;
    /// # }
    /// ```
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let progress = ready!(coop::poll_proceed(cx));
        ready!(self.shared().poll_closed(cx));
        progress.made_progress();
        Poll::Ready(())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            // Without a value there is none that could come back.
            drop(shared.finish(None));
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// A future of the message.
///
/// # Errors
///
/// [`RecvError`] if the sender is dropped without sending.
///
/// # Panics
///
/// When it is polled again after the message, or the error, was returned.
///
/// # Cancel safety
///
/// Polled by reference, in `select!` for example, it loses nothing. Dropped by value, the message
/// is refused or dropped.
///
/// # Examples
///
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, rx) = henge::sync::oneshot::channel::<u32>();
/// drop(tx);
/// assert!(rx.await.is_err());
/// # }
/// ```
pub struct Receiver<T> {
    /// `None` once the message, or the error, was returned.
    shared: Option<Arc<Shared<T>>>,
}

impl<T> Receiver<T> {
    /// Refuses the message. One that was sent before can still be received.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::oneshot::channel();
    /// rx.close();
    /// assert!(tx.send(1).is_err());
    /// ```
    pub fn close(&mut self) {
        if let Some(shared) = &self.shared {
            shared.close();
        }
    }

    /// Whether the message, or the error, was returned: polling again would panic.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::oneshot::channel();
    /// tx.send(1).unwrap();
    /// assert!(!rx.is_terminated());
    /// rx.try_recv().unwrap();
    /// assert!(rx.is_terminated());
    /// ```
    pub fn is_terminated(&self) -> bool {
        self.shared.is_none()
    }

    /// Whether there is no message to be received now.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::oneshot::channel();
    /// assert!(rx.is_empty());
    /// tx.send(1).unwrap();
    /// assert!(!rx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.shared.as_ref().is_none_or(|shared| shared.state().value.is_none())
    }

    /// The message, if it is there.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if it may yet come, [`TryRecvError::Closed`] if it cannot, or was
    /// received before.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::oneshot::{channel, error::TryRecvError};
    /// let (tx, mut rx) = channel();
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Some(shared) = &self.shared else { return Err(TryRecvError::Closed) };
        let mut state = shared.state();
        let result = match state.value.take() {
            Some(value) => Ok(value),
            None if state.sender_gone || state.closed => Err(TryRecvError::Closed),
            None => return Err(TryRecvError::Empty),
        };
        drop(state);
        self.shared = None;
        result
    }

    /// Waits for the message on a thread that runs no tasks.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if the sender is dropped without sending.
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks: it would hold all of them up.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::oneshot::channel();
    /// std::thread::spawn(move || tx.send(1));
    /// assert_eq!(rx.blocking_recv(), Ok(1));
    /// ```
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        block_on(self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = self.shared.as_ref().expect("called after complete");
        let progress = ready!(coop::poll_proceed(cx));
        let result = ready!(shared.poll_recv(cx));
        progress.made_progress();
        self.shared = None;
        Poll::Ready(result)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.close();
            let value = shared.state().value.take();
            drop(value);
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
