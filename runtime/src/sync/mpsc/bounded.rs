//! The bounded channel's sending ends.

use std::fmt;
use std::sync::Arc;

use super::chan::Chan;
use super::error::{SendError, SendTimeoutError, TrySendError};
use super::futures::{Closed, Reserve, Send};
use super::permit::{OwnedPermit, Permit, PermitIterator};
use super::receiver::Receiver;
use crate::sync::Semaphore;
use crate::sync::blocking::block_on;
use crate::time::{Duration, timeout};

/// Makes a channel that holds up to `buffer` messages; then senders wait.
///
/// # Panics
///
/// If `buffer` is 0 or more than [`Semaphore::MAX_PERMITS`](crate::sync::Semaphore::MAX_PERMITS).
///
/// # Examples
///
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = henge::sync::mpsc::channel(1);
/// tx.send("hello").await.unwrap();
/// assert_eq!(rx.recv().await, Some("hello"));
/// # }
/// ```
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    assert!(buffer > 0, "mpsc bounded channel requires buffer > 0");
    let most = Semaphore::MAX_PERMITS;
    assert!(buffer <= most, "a semaphore may not have more than MAX_PERMITS permits ({most})");
    let chan = Arc::new(Chan::new(buffer));
    (Sender { chan: chan.clone() }, Receiver::new(chan))
}

/// A sending end of a bounded channel; clones send to the same receiver.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::mpsc::channel(2);
/// let other = tx.clone();
/// tx.try_send(1).unwrap();
/// other.try_send(2).unwrap();
/// assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Ok(2)));
/// ```
pub struct Sender<T> {
    pub(super) chan: Arc<Chan<T>>,
}

impl<T> Sender<T> {
    /// Sends a message, waiting for room if the channel is full.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message if the receiver is gone or closed.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped the message is not sent, and is dropped with it. Use
    /// [`reserve`](Self::reserve) to keep it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = henge::sync::mpsc::channel(1);
    /// henge::spawn(async move {
    ///     tx.send(1).await.unwrap();
    ///     tx.send(2).await.unwrap(); // waits until the first was received
    /// });
    /// assert_eq!((rx.recv().await, rx.recv().await), (Some(1), Some(2)));
    /// # }
    /// ```
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        Send::new(&self.chan, value).await
    }

    /// Sends a message, waiting for room no longer than `limit`.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError`] with the message if the time ran out, or the receiver is gone or
    /// closed.
    ///
    /// # Panics
    ///
    /// Where no timers run: outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::time::Duration;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, _rx) = henge::sync::mpsc::channel(1);
    /// tx.send_timeout(1, Duration::from_millis(1)).await.unwrap();
    /// assert!(tx.send_timeout(2, Duration::from_millis(1)).await.is_err());
    /// # }
    /// ```
    pub async fn send_timeout(&self, value: T, limit: Duration) -> Result<(), SendTimeoutError<T>> {
        match timeout(limit, self.reserve()).await {
            Ok(Ok(permit)) => {
                permit.send(value);
                Ok(())
            }
            Ok(Err(_closed)) => Err(SendTimeoutError::Closed(value)),
            Err(_elapsed) => Err(SendTimeoutError::Timeout(value)),
        }
    }

    /// Sends a message if there is room.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] with the message if the channel is full, or the receiver is gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel(1);
    /// assert!(tx.try_send(1).is_ok());
    /// assert!(tx.try_send(2).is_err());
    /// ```
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.chan.try_send(message).map_err(|(reason, value)| TrySendError::new(reason, value))
    }

    /// Sends a message from a thread that runs no tasks, waiting for room.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message if the receiver is gone or closed.
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks: it would hold all of them up.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::mpsc::channel(1);
    /// let sender = std::thread::spawn(move || tx.blocking_send(1));
    /// assert_eq!(rx.blocking_recv(), Some(1));
    /// sender.join().unwrap().unwrap();
    /// ```
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        block_on(self.send(value))
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
    /// let (tx, rx) = henge::sync::mpsc::channel::<()>(1);
    /// drop(rx);
    /// tx.closed().await;
    /// # }
    /// ```
    pub async fn closed(&self) {
        Closed::new(&self.chan).await;
    }

    /// Whether the receiver is gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::mpsc::channel::<()>(1);
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.chan.is_receiver_closed()
    }

    /// Waits for room for one message, and keeps it.
    ///
    /// # Errors
    ///
    /// [`SendError`] if the receiver is gone or closed.
    ///
    /// # Cancel safety
    ///
    /// A dropped future loses its place in line and nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = henge::sync::mpsc::channel(1);
    /// tx.reserve().await.unwrap().send(1);
    /// assert_eq!(rx.recv().await, Some(1));
    /// # }
    /// ```
    pub async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        match Reserve::new(&self.chan, 1).await {
            Ok(()) => Ok(Permit { chan: &self.chan }),
            Err(_closed) => Err(SendError(())),
        }
    }

    /// Waits for room for `n` messages, and keeps it.
    ///
    /// # Errors
    ///
    /// [`SendError`] if the receiver is gone or closed, or `n` is more than the channel holds.
    ///
    /// # Cancel safety
    ///
    /// A dropped future loses its place in line and nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, _rx) = henge::sync::mpsc::channel::<()>(2);
    /// assert_eq!(tx.reserve_many(2).await.unwrap().len(), 2);
    /// assert!(tx.reserve_many(3).await.is_err());
    /// # }
    /// ```
    pub async fn reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, SendError<()>> {
        if n > self.max_capacity() {
            return Err(SendError(()));
        }
        match Reserve::new(&self.chan, n).await {
            Ok(()) => Ok(PermitIterator { chan: &self.chan, n }),
            Err(_closed) => Err(SendError(())),
        }
    }

    /// Waits for room for one message, and keeps it together with the sender.
    ///
    /// # Errors
    ///
    /// [`SendError`] if the receiver is gone or closed.
    ///
    /// # Cancel safety
    ///
    /// A dropped future loses its place in line, and drops the sender.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = henge::sync::mpsc::channel(1);
    /// let permit = tx.reserve_owned().await.unwrap();
    /// henge::spawn(async move { permit.send(1) });
    /// assert_eq!(rx.recv().await, Some(1));
    /// # }
    /// ```
    pub async fn reserve_owned(self) -> Result<OwnedPermit<T>, SendError<()>> {
        match Reserve::new(&self.chan, 1).await {
            Ok(()) => Ok(OwnedPermit { sender: Some(self) }),
            Err(_closed) => Err(SendError(())),
        }
    }

    /// Keeps room for one message if it is there.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] if the channel is full, or the receiver is gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel::<()>(1);
    /// let permit = tx.try_reserve().unwrap();
    /// assert!(tx.try_reserve().is_err());
    /// # drop(permit);
    /// ```
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        match self.chan.try_reserve(1) {
            Ok(()) => Ok(Permit { chan: &self.chan }),
            Err(reason) => Err(TrySendError::new(reason, ())),
        }
    }

    /// Keeps room for `n` messages if it is there.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] if there is not as much room, or the receiver is gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel::<()>(2);
    /// assert_eq!(tx.try_reserve_many(2).unwrap().len(), 2);
    /// ```
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        if n > self.max_capacity() {
            return Err(TrySendError::Full(()));
        }
        match self.chan.try_reserve(n) {
            Ok(()) => Ok(PermitIterator { chan: &self.chan, n }),
            Err(reason) => Err(TrySendError::new(reason, ())),
        }
    }

    /// Keeps room for one message together with the sender, if it is there.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] with the sender if the channel is full, or the receiver is gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::mpsc::channel(1);
    /// tx.try_reserve_owned().unwrap().send(1);
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        match self.chan.try_reserve(1) {
            Ok(()) => Ok(OwnedPermit { sender: Some(self) }),
            Err(reason) => Err(TrySendError::new(reason, self)),
        }
    }

    /// Whether two senders are of one channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel::<()>(1);
    /// assert!(tx.same_channel(&tx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chan, &other.chan)
    }

    /// How many messages can be sent before senders must wait.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel(4);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(tx.capacity(), 3);
    /// ```
    pub fn capacity(&self) -> usize {
        self.chan.free()
    }

    /// The bound that the channel was made with.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel::<()>(4);
    /// assert_eq!(tx.max_capacity(), 4);
    /// ```
    pub fn max_capacity(&self) -> usize {
        self.chan.max()
    }

    /// A sender that does not keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::mpsc::channel::<()>(4);
    /// let weak = tx.downgrade();
    /// drop(tx);
    /// assert!(rx.is_closed() && weak.upgrade().is_none());
    /// ```
    #[must_use = "the sender is dropped, and the channel may close with it"]
    pub fn downgrade(&self) -> WeakSender<T> {
        self.chan.senders.add_weak();
        WeakSender { chan: self.chan.clone() }
    }

    /// How many senders keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel::<()>(4);
    /// assert_eq!(tx.strong_count(), 1);
    /// ```
    pub fn strong_count(&self) -> usize {
        self.chan.senders.strong()
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel::<()>(4);
    /// assert_eq!(tx.weak_count(), 0);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.chan.senders.weak()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.chan.senders.add();
        Self { chan: self.chan.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.chan.drop_sender();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

/// A sender that does not keep the channel open. [`upgrade`](Self::upgrade) makes one that does,
/// as long as there is another.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::mpsc::channel(4);
/// let weak = tx.downgrade();
/// weak.upgrade().unwrap().try_send(1).unwrap();
/// assert_eq!(rx.try_recv(), Ok(1));
/// ```
pub struct WeakSender<T> {
    chan: Arc<Chan<T>>,
}

impl<T> WeakSender<T> {
    /// A sender, if the channel still has one.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel::<()>(4);
    /// let weak = tx.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(tx);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.chan.senders.upgrade().then(|| Sender { chan: self.chan.clone() })
    }

    /// How many senders keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel::<()>(4);
    /// assert_eq!(tx.downgrade().strong_count(), 1);
    /// ```
    pub fn strong_count(&self) -> usize {
        self.chan.senders.strong()
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::channel::<()>(4);
    /// assert_eq!(tx.downgrade().weak_count(), 1);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.chan.senders.weak()
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        self.chan.senders.add_weak();
        Self { chan: self.chan.clone() }
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        self.chan.senders.remove_weak();
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}
