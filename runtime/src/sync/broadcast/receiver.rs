//! The receiving ends of the broadcast channel.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, ready};

use super::error::{RecvError, TryRecvError};
use super::receive::Receive;
use super::shared::{Cursor, Shared};
use crate::executor::coop;
use crate::sync::blocking::block_on;

/// Receives every message that is sent while it is there.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::broadcast::channel(4);
/// tx.send("hello").unwrap();
/// assert_eq!(rx.try_recv(), Ok("hello"));
/// ```
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    cursor: Cursor,
}

impl<T> Receiver<T> {
    pub(super) fn new(shared: Arc<Shared<T>>, cursor: Cursor) -> Self {
        Self { shared, cursor }
    }

    /// How many messages wait for this receiver, missed ones included.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.shared.ahead_of(&self.cursor)
    }

    /// Whether no message waits for this receiver.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = henge::sync::broadcast::channel::<()>(4);
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
    /// let (tx, rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert!(rx.same_channel(&tx.subscribe()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// How many senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert_eq!(rx.sender_strong_count(), 1);
    /// ```
    pub fn sender_strong_count(&self) -> usize {
        self.shared.senders.strong()
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert_eq!(rx.sender_weak_count(), 0);
    /// ```
    pub fn sender_weak_count(&self) -> usize {
        self.shared.senders.weak()
    }

    /// Whether there is no sender any more. What was sent can still be received.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::broadcast::channel::<()>(4);
    /// drop(tx);
    /// assert!(rx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.shared.senders.are_gone()
    }
}

impl<T: Clone> Receiver<T> {
    /// A further receiver, of what is sent from now on.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// let mut late = rx.resubscribe();
    /// tx.send(2).unwrap();
    /// assert_eq!(late.try_recv(), Ok(2));
    /// ```
    pub fn resubscribe(&self) -> Self {
        let cursor = self.shared.join();
        Self::new(Arc::clone(&self.shared), cursor)
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
    /// let (tx, mut rx) = henge::sync::broadcast::channel(4);
    /// henge::spawn(async move { tx.send(1) });
    /// assert_eq!(rx.recv().await, Ok(1));
    /// assert!(rx.recv().await.is_err());
    /// # }
    /// ```
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let Self { shared, cursor } = self;
        let mut receive = Receive::new(shared, cursor);
        poll_fn(|cx| {
            let progress = ready!(coop::poll_proceed(cx));
            let message = ready!(receive.poll(cx));
            progress.made_progress();
            Poll::Ready(message)
        })
        .await
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
    /// let (tx, mut rx) = henge::sync::broadcast::channel(4);
    /// assert!(rx.try_recv().is_err());
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.shared.receive(&mut self.cursor)
    }

    /// Waits for the next message on a thread that runs no tasks.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks: it would hold all of them up.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::broadcast::channel(4);
    /// std::thread::spawn(move || tx.send(1));
    /// assert_eq!(rx.blocking_recv(), Ok(1));
    /// ```
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        block_on(self.recv())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.leave(self.cursor.next);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
