//! Reserved capacity of a local channel: room for one message that nobody else can take.

use std::fmt;
use std::iter::FusedIterator;
use std::rc::Rc;

use super::bounded::Sender;
use super::chan::Chan;

/// Room for one message. Sending through it cannot fail or wait; dropped unused, it goes back.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::local::mpsc::channel(1);
/// let permit = tx.try_reserve().unwrap();
/// assert!(tx.try_send(1).is_err());
/// permit.send(2);
/// assert_eq!(rx.try_recv(), Ok(2));
/// ```
#[must_use = "the capacity goes back at once when the permit is not held"]
pub struct Permit<'a, T> {
    pub(super) chan: &'a Chan<T>,
}

impl<T> Permit<'_, T> {
    /// Sends a message in the reserved room.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::local::mpsc::channel(1);
    /// tx.try_reserve().unwrap().send(5);
    /// assert_eq!(rx.try_recv(), Ok(5));
    /// ```
    pub fn send(self, value: T) {
        let chan = self.chan;
        std::mem::forget(self);
        chan.send_permitted(value);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.chan.release(1);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// Room for several messages, a permit each. What is not taken out goes back.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::local::mpsc::channel(4);
/// for (n, permit) in tx.try_reserve_many(2).unwrap().enumerate() {
///     permit.send(n);
/// }
/// assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(0), Ok(1)));
/// ```
#[must_use = "the capacity goes back at once when the permits are not held"]
pub struct PermitIterator<'a, T> {
    pub(super) chan: &'a Chan<T>,
    pub(super) n: usize,
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.n = self.n.checked_sub(1)?;
        Some(Permit { chan: self.chan })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.n, Some(self.n))
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        self.chan.release(self.n);
    }
}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitIterator").field("capacity", &self.n).finish_non_exhaustive()
    }
}

/// Room for one message, with the sender in it.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::local::mpsc::channel(1);
/// let tx = tx.try_reserve_owned().unwrap().send(1);
/// assert_eq!(rx.try_recv(), Ok(1));
/// # drop(tx);
/// ```
#[must_use = "the capacity goes back at once when the permit is not held"]
pub struct OwnedPermit<T> {
    /// `None` once used.
    sender: Option<Sender<T>>,
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(sender: Sender<T>) -> Self {
        Self { sender: Some(sender) }
    }

    /// Sends a message in the reserved room and gives the sender back.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::local::mpsc::channel(1);
    /// let tx = tx.try_reserve_owned().unwrap().send(5);
    /// assert_eq!(rx.try_recv(), Ok(5));
    /// # drop(tx);
    /// ```
    pub fn send(mut self, value: T) -> Sender<T> {
        let sender = self.take();
        sender.chan.send_permitted(value);
        sender
    }

    /// Gives the room and the sender back.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::local::mpsc::channel::<()>(1);
    /// let tx = tx.try_reserve_owned().unwrap().release();
    /// assert_eq!(tx.capacity(), 1);
    /// ```
    pub fn release(mut self) -> Sender<T> {
        let sender = self.take();
        sender.chan.release(1);
        sender
    }

    fn take(&mut self) -> Sender<T> {
        self.sender.take().expect("a permit is used by value, so once")
    }

    /// Whether two permits are of one channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::local::mpsc::channel::<()>(2);
    /// let a = tx.clone().try_reserve_owned().unwrap();
    /// let b = tx.try_reserve_owned().unwrap();
    /// assert!(a.same_channel(&b));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        other.sender.as_ref().is_some_and(|other| self.same_channel_as_sender(other))
    }

    /// Whether the permit is of `sender`'s channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::local::mpsc::channel::<()>(2);
    /// assert!(tx.clone().try_reserve_owned().unwrap().same_channel_as_sender(&tx));
    /// ```
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.sender.as_ref().is_some_and(|own| Rc::ptr_eq(&own.chan, &sender.chan))
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.chan.release(1);
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").finish_non_exhaustive()
    }
}
