//! The sending ends of the local watch channel.

use super::error::SendError;
use super::receiver::{Receiver, Ref};
use super::shared::Shared;
use crate::executor::coop::cooperative;
use std::rc::Rc;

/// Makes a channel with its first value, which the receiver has seen.
///
/// # Examples
///
/// ```
/// let (tx, rx) = henge::sync::local::watch::channel(1);
/// tx.send(2).unwrap();
/// assert_eq!(*rx.borrow(), 2);
/// ```
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let tx = Sender::new(init);
    let rx = tx.subscribe();
    (tx, rx)
}

/// Changes the value. Clones change the same one.
///
/// # Examples
///
/// ```
/// let tx = henge::sync::local::watch::Sender::new(vec![1]);
/// tx.send_modify(|list| list.push(2));
/// assert_eq!(*tx.borrow(), [1, 2]);
/// ```
#[derive(Debug)]
pub struct Sender<T> {
    shared: Rc<Shared<T>>,
}

impl<T> Sender<T> {
    /// A channel without a receiver yet.
    ///
    /// # Examples
    ///
    /// ```
    /// let tx = henge::sync::local::watch::Sender::new(1);
    /// let rx = tx.subscribe();
    /// assert_eq!(*rx.borrow(), 1);
    /// ```
    pub fn new(init: T) -> Self {
        Self { shared: Rc::new(Shared::new(init)) }
    }

    /// Replaces the value and tells the receivers, if there are any.
    ///
    /// # Panics
    ///
    /// While somebody holds a [`Ref`].
    ///
    /// # Errors
    ///
    /// [`SendError`] with the value if there is no receiver. The value in the channel stays;
    /// [`send_replace`](Self::send_replace) changes it all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::watch::channel(1);
    /// tx.send(2).unwrap();
    /// assert_eq!(*rx.borrow(), 2);
    /// drop(rx);
    /// assert!(tx.send(3).is_err());
    /// ```
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        self.send_replace(value);
        Ok(())
    }

    /// Changes the value in place and tells the receivers. Works without receivers too.
    ///
    /// # Panics
    ///
    /// While somebody holds a [`Ref`], and if `modify` does or touches the channel itself. What it
    /// did to the value stays, and nobody is told.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::watch::channel(1);
    /// tx.send_modify(|n| *n += 1);
    /// assert_eq!(*rx.borrow(), 2);
    /// assert!(rx.has_changed().unwrap());
    /// ```
    #[track_caller]
    pub fn send_modify<F>(&self, modify: F)
    where
        F: FnOnce(&mut T),
    {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Changes the value in place, and tells the receivers only if `modify` says that it did.
    /// Returns what it said.
    ///
    /// # Panics
    ///
    /// While somebody holds a [`Ref`], and if `modify` does or touches the channel itself. What it
    /// did to the value stays, and nobody is told.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::watch::channel(1);
    /// let even = |n: &mut i32| {
    ///     let odd = *n % 2 != 0;
    ///     *n += i32::from(odd);
    ///     odd
    /// };
    /// assert!(tx.send_if_modified(even));
    /// assert!(!tx.send_if_modified(even));
    /// assert_eq!(*rx.borrow(), 2);
    /// ```
    #[track_caller]
    pub fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        self.shared.modify(modify)
    }

    /// Replaces the value, tells the receivers, and returns the old value. Works without receivers
    /// too.
    ///
    /// # Panics
    ///
    /// While somebody holds a [`Ref`].
    ///
    /// # Examples
    ///
    /// ```
    /// let tx = henge::sync::local::watch::Sender::new(1);
    /// assert_eq!(tx.send_replace(2), 1);
    /// assert_eq!(tx.send_replace(3), 2);
    /// ```
    #[track_caller]
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|old| std::mem::swap(old, &mut value));
        value
    }

    /// The value. Holding the [`Ref`] keeps it from being changed.
    ///
    /// # Panics
    ///
    /// In a closure that changes the value.
    ///
    /// # Examples
    ///
    /// ```
    /// let tx = henge::sync::local::watch::Sender::new(1);
    /// assert_eq!(*tx.borrow(), 1);
    /// ```
    pub fn borrow(&self) -> Ref<'_, T> {
        let (value, _version) = self.shared.read();
        // A sender has seen what is sent.
        Ref::new(value, false)
    }

    /// Whether there is no receiver. [`subscribe`](Self::subscribe) opens the channel again.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::watch::channel(());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
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
    /// let (tx, rx) = henge::sync::local::watch::channel(());
    /// henge::spawn(async move { drop(rx) });
    /// tx.closed().await;
    /// # }
    /// ```
    pub async fn closed(&self) {
        cooperative(self.shared.closed()).await;
    }

    /// A further receiver, which has seen the value of now.
    ///
    /// # Examples
    ///
    /// ```
    /// let tx = henge::sync::local::watch::Sender::new(1);
    /// let rx = tx.subscribe();
    /// assert!(!rx.has_changed().unwrap());
    /// assert_eq!(*rx.borrow(), 1);
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        let seen = self.shared.version();
        Receiver::new(Rc::clone(&self.shared), seen)
    }

    /// How many receivers there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::local::watch::channel(());
    /// assert_eq!(tx.receiver_count(), 1);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.shared.receivers()
    }

    /// How many senders there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::local::watch::channel(());
    /// assert_eq!(tx.clone().sender_count(), 2);
    /// ```
    pub fn sender_count(&self) -> usize {
        self.shared.senders()
    }

    /// Whether two senders are of one channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = henge::sync::local::watch::channel(());
    /// assert!(tx.same_channel(&tx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.add_sender();
        Self { shared: Rc::clone(&self.shared) }
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.drop_sender();
    }
}
