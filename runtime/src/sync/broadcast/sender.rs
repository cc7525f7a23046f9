//! The sending ends of the broadcast channel.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use super::error::SendError;
use super::receiver::Receiver;
use super::shared::{Cursor, Senders, Shared};
use crate::sync::place::Place;

/// Makes a channel that keeps the last `capacity` messages, rounded up to a power of two. Room for
/// all of them is allocated at once.
///
/// A message is cloned by one receiver at a time, with the message locked, so a `Clone` of its own
/// must not use the channel.
///
/// # Panics
///
/// If `capacity` is 0 or more than `usize::MAX / 2`.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::broadcast::channel(4);
/// tx.send(1).unwrap();
/// assert_eq!(rx.try_recv(), Ok(1));
/// ```
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared::new(rounded(capacity), 1));
    (Sender { shared: shared.clone() }, Receiver::new(shared, Cursor::new(0)))
}

#[track_caller]
fn rounded(capacity: usize) -> usize {
    assert!(capacity > 0, "broadcast channel capacity cannot be zero");
    assert!(capacity <= usize::MAX >> 1, "broadcast channel capacity exceeded `usize::MAX / 2`");
    capacity.next_power_of_two()
}

/// Sends to all receivers.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::broadcast::channel(4);
/// assert_eq!(tx.clone().send("hello").unwrap(), 1);
/// assert_eq!(rx.try_recv(), Ok("hello"));
/// ```
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// A channel without a receiver yet.
    ///
    /// # Panics
    ///
    /// As [`channel`].
    ///
    /// # Examples
    ///
    /// ```
    /// let tx = henge::sync::broadcast::Sender::new(4);
    /// let mut rx = tx.subscribe();
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        Self { shared: Arc::new(Shared::new(rounded(capacity), 0)) }
    }

    /// Sends a message to all receivers there are, and returns how many.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message if there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::broadcast::channel(4);
    /// assert_eq!(tx.send(1).unwrap(), 1);
    /// drop(rx);
    /// assert!(tx.send(2).is_err());
    /// ```
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.shared.send(value).map_err(SendError)
    }

    /// A further receiver, of what is sent from now on.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// let mut late = tx.subscribe();
    /// tx.send(2).unwrap();
    /// assert_eq!(late.try_recv(), Ok(2));
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        let cursor = self.shared.join();
        Receiver::new(Arc::clone(&self.shared), cursor)
    }

    /// A sender that does not keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel::<()>(4);
    /// let weak = tx.downgrade();
    /// drop(tx);
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[must_use = "the sender is dropped, and the channel may close with it"]
    pub fn downgrade(&self) -> WeakSender<T> {
        self.shared.senders.add_weak();
        WeakSender { shared: Arc::clone(&self.shared) }
    }

    /// How many kept messages somebody has yet to receive.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// assert_eq!(tx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.shared.unread()
    }

    /// Whether everybody has received everything.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert!(tx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many receivers there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert_eq!(tx.receiver_count(), 1);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.shared.receivers()
    }

    /// Whether two senders are of one channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert!(tx.same_channel(&tx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Waits until there is no receiver.
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
    /// let (tx, rx) = henge::sync::broadcast::channel::<()>(4);
    /// drop(rx);
    /// tx.closed().await;
    /// # }
    /// ```
    pub async fn closed(&self) {
        let mut place = Place::new(Senders(&self.shared));
        poll_fn(|cx| place.poll(cx, |tail| if tail.receivers == 0 { Ok(()) } else { Err(()) }))
            .await;
    }

    /// How many senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert_eq!(tx.strong_count(), 1);
    /// ```
    pub fn strong_count(&self) -> usize {
        self.shared.senders.strong()
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert_eq!(tx.weak_count(), 0);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.shared.senders.weak()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.senders.add();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.drop_sender();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// A sender that does not keep the channel open.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::broadcast::channel(4);
/// let weak = tx.downgrade();
/// weak.upgrade().unwrap().send(1).unwrap();
/// assert_eq!(rx.try_recv(), Ok(1));
/// ```
pub struct WeakSender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> WeakSender<T> {
    /// A sender, if the channel still has one.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert!(tx.downgrade().upgrade().is_some());
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.shared.senders.upgrade().then(|| Sender { shared: Arc::clone(&self.shared) })
    }

    /// How many senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert_eq!(tx.downgrade().strong_count(), 1);
    /// ```
    pub fn strong_count(&self) -> usize {
        self.shared.senders.strong()
    }

    /// How many weak senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::broadcast::channel::<()>(4);
    /// assert_eq!(tx.downgrade().weak_count(), 1);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.shared.senders.weak()
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        self.shared.senders.add_weak();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        self.shared.senders.remove_weak();
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}
