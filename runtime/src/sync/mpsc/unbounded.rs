//! The unbounded channel's sending ends.

use std::fmt;
use std::sync::Arc;

use super::chan::Chan;
use super::error::SendError;
use super::futures::Closed;
use super::receiver::UnboundedReceiver;

/// Makes a channel without a bound: sending never waits, and the sum of what is sent and not yet
/// received is limited by memory alone.
///
/// # Examples
///
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = henge::sync::mpsc::unbounded_channel();
/// tx.send("hello").unwrap();
/// assert_eq!(rx.recv().await, Some("hello"));
/// # }
/// ```
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let chan = Arc::new(Chan::new(Chan::<T>::UNBOUNDED));
    (UnboundedSender { chan: chan.clone() }, UnboundedReceiver::new(chan))
}

/// A sending end of an unbounded channel; clones send to the same receiver.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::mpsc::unbounded_channel();
/// tx.clone().send(1).unwrap();
/// assert_eq!(rx.try_recv(), Ok(1));
/// ```
pub struct UnboundedSender<T> {
    pub(super) chan: Arc<Chan<T>>,
}

impl<T> UnboundedSender<T> {
    /// Sends a message.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message if the receiver is gone or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::mpsc::unbounded_channel();
    /// tx.send(1).unwrap();
    /// drop(rx);
    /// assert!(tx.send(2).is_err());
    /// ```
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.chan.try_send(message).map_err(|(_closed, message)| SendError(message))
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
    /// let (tx, rx) = henge::sync::mpsc::unbounded_channel::<()>();
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
    /// let (tx, rx) = henge::sync::mpsc::unbounded_channel::<()>();
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.chan.is_receiver_closed()
    }

    /// Whether two senders are of one channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::unbounded_channel::<()>();
    /// assert!(tx.same_channel(&tx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chan, &other.chan)
    }

    /// A sender that does not keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::mpsc::unbounded_channel::<()>();
    /// let weak = tx.downgrade();
    /// drop(tx);
    /// assert!(rx.is_closed() && weak.upgrade().is_none());
    /// ```
    #[must_use = "the sender is dropped, and the channel may close with it"]
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        self.chan.senders.add_weak();
        WeakUnboundedSender { chan: self.chan.clone() }
    }

    /// How many senders keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::unbounded_channel::<()>();
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
    /// let (tx, _rx) = henge::sync::mpsc::unbounded_channel::<()>();
    /// assert_eq!(tx.weak_count(), 0);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.chan.senders.weak()
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        self.chan.senders.add();
        Self { chan: self.chan.clone() }
    }
}

impl<T> Drop for UnboundedSender<T> {
    fn drop(&mut self) {
        self.chan.drop_sender();
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedSender").finish_non_exhaustive()
    }
}

/// A sender that does not keep the channel open. [`upgrade`](Self::upgrade) makes one that does,
/// as long as there is another.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::mpsc::unbounded_channel();
/// let weak = tx.downgrade();
/// weak.upgrade().unwrap().send(1).unwrap();
/// assert_eq!(rx.try_recv(), Ok(1));
/// ```
pub struct WeakUnboundedSender<T> {
    chan: Arc<Chan<T>>,
}

impl<T> WeakUnboundedSender<T> {
    /// A sender, if the channel still has one.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::unbounded_channel::<()>();
    /// let weak = tx.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(tx);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn upgrade(&self) -> Option<UnboundedSender<T>> {
        self.chan.senders.upgrade().then(|| UnboundedSender { chan: self.chan.clone() })
    }

    /// How many senders keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::mpsc::unbounded_channel::<()>();
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
    /// let (tx, _rx) = henge::sync::mpsc::unbounded_channel::<()>();
    /// assert_eq!(tx.downgrade().weak_count(), 1);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.chan.senders.weak()
    }
}

impl<T> Clone for WeakUnboundedSender<T> {
    fn clone(&self) -> Self {
        self.chan.senders.add_weak();
        Self { chan: self.chan.clone() }
    }
}

impl<T> Drop for WeakUnboundedSender<T> {
    fn drop(&mut self) {
        self.chan.senders.remove_weak();
    }
}

impl<T> fmt::Debug for WeakUnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakUnboundedSender").finish_non_exhaustive()
    }
}
