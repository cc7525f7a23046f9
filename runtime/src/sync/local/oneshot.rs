//! A channel for one message between two tasks of one shard; see [`sync::oneshot`].
//!
//! # Examples
//!
//! ```
//! use henge::sync::local::oneshot;
//!
//! # #[henge::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, rx) = oneshot::channel();
//! henge::spawn(async move { tx.send(6 * 7) });
//! assert_eq!(rx.await, Ok(42));
//! # }
//! ```
//!
//! [`sync::oneshot`]: crate::sync::oneshot

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use self::error::{RecvError, TryRecvError};
use crate::executor::coop;

pub use crate::sync::oneshot::error;

/// Makes a channel for one message.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::local::oneshot::channel();
/// tx.send(1).unwrap();
/// assert_eq!(rx.try_recv(), Ok(1));
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        value: Cell::new(None),
        sender_gone: Cell::new(false),
        closed: Cell::new(false),
        sender: Cell::new(None),
        receiver: Cell::new(None),
    });
    (Sender { shared: shared.clone() }, Receiver { shared: Some(shared) })
}

struct Shared<T> {
    value: Cell<Option<T>>,
    /// The sender was used or dropped.
    sender_gone: Cell<bool>,
    /// The receiver was closed or dropped.
    closed: Cell<bool>,
    /// The waker of a sender that waits for that.
    sender: Cell<Option<Waker>>,
    receiver: Cell<Option<Waker>>,
}

/// Keeps a waker in a slot for the task behind `cx`. Cloning and dropping are foreign code, so
/// the caller looks again afterwards if this says that either ran.
#[inline]
fn keep(slot: &Cell<Option<Waker>>, cx: &mut Context<'_>) -> bool {
    match slot.take() {
        Some(own) if own.will_wake(cx.waker()) => {
            slot.set(Some(own));
            false
        }
        other => {
            drop(other);
            let waker = cx.waker().clone();
            drop(slot.replace(Some(waker)));
            true
        }
    }
}

impl<T> Shared<T> {
    #[inline]
    fn look(&self) -> Option<Result<T, RecvError>> {
        match self.value.take() {
            Some(value) => Some(Ok(value)),
            None if self.sender_gone.get() || self.closed.get() => Some(Err(RecvError::new())),
            None => None,
        }
    }
}

/// Sends the message.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::local::oneshot::channel();
/// tx.send("done").unwrap();
/// assert_eq!(rx.try_recv(), Ok("done"));
/// ```
pub struct Sender<T> {
    shared: Rc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sends the message. That does not mean that it is received: the receiver may yet be dropped.
    ///
    /// # Errors
    ///
    /// The message, if the receiver is gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::oneshot::channel();
    /// drop(rx);
    /// assert_eq!(tx.send(1), Err(1));
    /// ```
    #[inline]
    pub fn send(self, value: T) -> Result<(), T> {
        if self.shared.closed.get() {
            return Err(value);
        }
        self.shared.value.set(Some(value));
        // The drop that follows says that this was all, and wakes.
        Ok(())
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
    /// let (mut tx, rx) = henge::sync::local::oneshot::channel::<()>();
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
    /// let (tx, rx) = henge::sync::local::oneshot::channel::<()>();
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.shared.closed.get()
    }

    /// Polls for the receiver being gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (mut tx, rx) = henge::sync::local::oneshot::channel::<()>();
    /// drop(rx);
    /// std::future::poll_fn(|cx| tx.poll_closed(cx)).await;
    /// # }
    /// ```
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let progress = ready!(coop::poll_proceed(cx));
        while !self.is_closed() {
            if !keep(&self.shared.sender, cx) {
                return Poll::Pending;
            }
        }
        progress.made_progress();
        Poll::Ready(())
    }
}

impl<T> Drop for Sender<T> {
    #[inline]
    fn drop(&mut self) {
        self.shared.sender_gone.set(true);
        drop(self.shared.sender.take());
        // A receiver that has closed waits for nothing.
        if !self.shared.closed.get()
            && let Some(receiver) = self.shared.receiver.take()
        {
            receiver.wake();
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
/// let (tx, rx) = henge::sync::local::oneshot::channel::<u32>();
/// drop(tx);
/// assert!(rx.await.is_err());
/// # }
/// ```
pub struct Receiver<T> {
    /// `None` once the message, or the error, was returned.
    shared: Option<Rc<Shared<T>>>,
}

impl<T> Receiver<T> {
    /// Refuses the message. One that was sent before can still be received.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::local::oneshot::channel();
    /// rx.close();
    /// assert!(tx.send(1).is_err());
    /// ```
    pub fn close(&mut self) {
        if let Some(shared) = &self.shared {
            shared.closed.set(true);
            if let Some(sender) = shared.sender.take() {
                sender.wake();
            }
        }
    }

    /// Whether the message, or the error, was returned: polling again would panic.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::local::oneshot::channel();
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
    /// let (tx, rx) = henge::sync::local::oneshot::channel();
    /// assert!(rx.is_empty());
    /// tx.send(1).unwrap();
    /// assert!(!rx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        let Some(shared) = &self.shared else { return true };
        let value = shared.value.take();
        let empty = value.is_none();
        shared.value.set(value);
        empty
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
    /// use henge::sync::local::oneshot::{channel, error::TryRecvError};
    /// let (tx, mut rx) = channel();
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Some(shared) = &self.shared else { return Err(TryRecvError::Closed) };
        let Some(result) = shared.look() else { return Err(TryRecvError::Empty) };
        self.shared = None;
        result.map_err(|_closed| TryRecvError::Closed)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = self.shared.as_ref().expect("called after complete");
        let progress = ready!(coop::poll_proceed(cx));
        let result = loop {
            if let Some(result) = shared.look() {
                break result;
            }
            if !keep(&shared.receiver, cx) {
                return Poll::Pending;
            }
        };
        progress.made_progress();
        self.shared = None;
        Poll::Ready(result)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.close();
        if let Some(shared) = self.shared.take() {
            drop(shared.receiver.take());
            drop(shared.value.take());
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
