//! The receiving ends of the local broadcast channel.

use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, ready};

use super::error::{RecvError, TryRecvError};
use super::shared::{Receivers, Shared};
use crate::executor::coop;
use crate::sync::place::Place;

/// Receives every message that is sent while it is there.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::local::broadcast::channel(4);
/// tx.send("hello").unwrap();
/// assert_eq!(rx.try_recv(), Ok("hello"));
/// ```
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    /// The position of the message to be read next.
    next: u64,
}

impl<T> Receiver<T> {
    pub(super) fn new(shared: Rc<Shared<T>>, next: u64) -> Self {
        Self { shared, next }
    }

    /// How many messages wait for this receiver, missed ones included.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        usize::try_from(self.shared.state().tail - self.next).unwrap_or(usize::MAX)
    }

    /// Whether no message waits for this receiver.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = henge::sync::local::broadcast::channel::<()>(4);
    /// assert!(rx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether two receivers are of one channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::broadcast::channel::<()>(4);
    /// assert!(rx.same_channel(&tx.subscribe()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }

    /// How many senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = henge::sync::local::broadcast::channel::<()>(4);
    /// assert_eq!(rx.sender_strong_count(), 1);
    /// ```
    pub fn sender_strong_count(&self) -> usize {
        self.shared.state().senders
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = henge::sync::local::broadcast::channel::<()>(4);
    /// assert_eq!(rx.sender_weak_count(), 0);
    /// ```
    pub fn sender_weak_count(&self) -> usize {
        self.shared.state().weak_senders
    }

    /// Whether there is no sender any more. What was sent can still be received.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::broadcast::channel::<()>(4);
    /// drop(tx);
    /// assert!(rx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.shared.state().senders == 0
    }
}

impl<T: Clone> Receiver<T> {
    /// A further receiver, of what is sent from now on.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// let mut late = rx.resubscribe();
    /// tx.send(2).unwrap();
    /// assert_eq!(late.try_recv(), Ok(2));
    /// ```
    pub fn resubscribe(&self) -> Self {
        let next = {
            let mut state = self.shared.state();
            state.receivers += 1;
            state.tail
        };
        Self::new(Rc::clone(&self.shared), next)
    }

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// [`RecvError::Lagged`] if messages were missed: the next call returns the oldest that is
    /// kept. [`RecvError::Closed`] if all were received and there is no sender.
    ///
    /// # Cancel safety
    ///
    /// A message is either returned or still to be received.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = henge::sync::local::broadcast::channel(4);
    /// henge::spawn(async move { tx.send(1) });
    /// assert_eq!(rx.recv().await, Ok(1));
    /// assert!(rx.recv().await.is_err());
    /// # }
    /// ```
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let Self { shared, next } = self;
        let mut place = Place::new(Receivers(shared));
        let message = poll_fn(|cx| {
            let progress = ready!(coop::poll_proceed(cx));
            let message = ready!(place.poll(cx, |state| match state.receive(next) {
                Err(TryRecvError::Empty) => Err(()),
                done => Ok(done),
            }));
            progress.made_progress();
            Poll::Ready(message)
        })
        .await;
        match message {
            Ok(message) => Ok(unwrapped(message)),
            Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
            Err(TryRecvError::Closed | TryRecvError::Empty) => Err(RecvError::Closed),
        }
    }

    /// The next message, if it is there.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`TryRecvError::Empty`] if it is not there.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::local::broadcast::channel(4);
    /// assert!(rx.try_recv().is_err());
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let message = self.shared.state().receive(&mut self.next)?;
        Ok(unwrapped(message))
    }
}

/// The last reader gets the message itself, the others a clone.
fn unwrapped<T: Clone>(message: Rc<T>) -> T {
    Rc::try_unwrap(message).unwrap_or_else(|shared| T::clone(&shared))
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.leave(self.next);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
