//! The receiving ends of the local watch channel.

use std::cell;
use std::ops::Deref;
use std::rc::Rc;

use super::error::RecvError;
use super::shared::{Shared, Version};
use crate::executor::coop::cooperative;

/// Sees the value, and which of its changes it has seen.
///
/// # Examples
///
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = henge::sync::local::watch::channel(1);
/// tx.send(2).unwrap();
/// rx.changed().await.unwrap();
/// assert_eq!(*rx.borrow(), 2);
/// # }
/// ```
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    seen: Version,
}

impl<T> Receiver<T> {
    pub(super) fn new(shared: Rc<Shared<T>>, seen: Version) -> Self {
        shared.add_receiver();
        Self { shared, seen }
    }

    /// The value, which is not marked as seen.
    ///
    /// # Panics
    ///
    /// In a closure that changes the value.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::watch::channel(1);
    /// tx.send(2).unwrap();
    /// assert_eq!(*rx.borrow(), 2);
    /// assert!(rx.has_changed().unwrap());
    /// ```
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        let (value, version) = self.shared.read();
        Ref::new(value, version != self.seen)
    }

    /// The value, which is marked as seen.
    ///
    /// # Panics
    ///
    /// In a closure that changes the value.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::local::watch::channel(1);
    /// tx.send(2).unwrap();
    /// assert_eq!(*rx.borrow_and_update(), 2);
    /// assert!(!rx.has_changed().unwrap());
    /// ```
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let (value, version) = self.shared.read();
        let has_changed = version != self.seen;
        self.seen = version;
        Ref::new(value, has_changed)
    }

    /// Whether there is a value that was not seen.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if there is no sender any more, even if the last value was not seen.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::watch::channel(1);
    /// assert!(!rx.has_changed().unwrap());
    /// tx.send(2).unwrap();
    /// assert!(rx.has_changed().unwrap());
    /// drop(tx);
    /// assert!(rx.has_changed().is_err());
    /// ```
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        if self.is_closed() {
            return Err(RecvError::new());
        }
        Ok(self.shared.version() != self.seen)
    }

    /// Whether there is no sender any more.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::watch::channel(());
    /// drop(tx);
    /// assert!(rx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Marks the value as not seen: the next [`changed`](Self::changed) is ready at once.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, mut rx) = henge::sync::local::watch::channel(1);
    /// rx.mark_changed();
    /// assert!(rx.has_changed().unwrap());
    /// ```
    pub fn mark_changed(&mut self) {
        self.seen = self.seen.before();
    }

    /// Marks the value as seen: the next [`changed`](Self::changed) waits for another.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::local::watch::channel(1);
    /// tx.send(2).unwrap();
    /// rx.mark_unchanged();
    /// assert!(!rx.has_changed().unwrap());
    /// ```
    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.version();
    }

    /// Waits for a value that was not seen, and marks it as seen.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if the value was seen and there is no sender any more.
    ///
    /// # Cancel safety
    ///
    /// A dropped future has marked nothing as seen.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = henge::sync::local::watch::channel(1);
    /// henge::spawn(async move { tx.send(2) });
    /// rx.changed().await.unwrap();
    /// assert_eq!(*rx.borrow_and_update(), 2);
    /// assert!(rx.changed().await.is_err());
    /// # }
    /// ```
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        cooperative(self.shared.changed(&mut self.seen)).await
    }

    /// Waits for a value for which `f` is true, beginning with the one of now, and marks what it
    /// looked at as seen. `f` is called once for each value that it looks at.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if `f` was false for the last value and there is no sender any more.
    ///
    /// # Panics
    ///
    /// If `f` does. The value that it looked at is marked as seen.
    ///
    /// # Cancel safety
    ///
    /// A dropped future has marked as seen only values for which `f` was false.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = henge::sync::local::watch::channel(0);
    /// henge::spawn(async move {
    ///     for n in 1..=10 {
    ///         tx.send(n).unwrap();
    ///         henge::task::yield_now().await;
    ///     }
    /// });
    /// assert!(*rx.wait_for(|n| *n >= 5).await.unwrap() >= 5);
    /// # }
    /// ```
    pub async fn wait_for(&mut self, f: impl FnMut(&T) -> bool) -> Result<Ref<'_, T>, RecvError> {
        cooperative(self.wait_until(f)).await
    }

    async fn wait_until(&mut self, mut f: impl FnMut(&T) -> bool) -> Result<Ref<'_, T>, RecvError> {
        let mut closed = false;
        loop {
            {
                let (value, version) = self.shared.read();
                let has_changed = version != self.seen;
                self.seen = version;
                // After the end only a last value that was not looked at is worth a look.
                if (has_changed || !closed) && f(&value) {
                    return Ok(Ref::new(value, has_changed));
                }
            }
            if closed {
                return Err(RecvError::new());
            }
            closed = self.shared.changed(&mut self.seen).await.is_err();
        }
    }

    /// Whether two receivers are of one channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = henge::sync::local::watch::channel(());
    /// assert!(rx.same_channel(&rx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Receiver<T> {
    /// A receiver that has seen what this one has.
    fn clone(&self) -> Self {
        Self::new(Rc::clone(&self.shared), self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.drop_receiver();
    }
}

/// The value of a watch channel. It cannot be changed while this is held: see
/// [the module](super) for what that means.
///
/// # Examples
///
/// ```
/// let (tx, mut rx) = henge::sync::local::watch::channel(1);
/// tx.send(2).unwrap();
/// let value = rx.borrow_and_update();
/// assert!(*value == 2 && value.has_changed());
/// ```
#[derive(Debug)]
#[clippy::has_significant_drop]
pub struct Ref<'a, T> {
    inner: cell::Ref<'a, T>,
    has_changed: bool,
}

impl<'a, T> Ref<'a, T> {
    pub(super) fn new(inner: cell::Ref<'a, T>, has_changed: bool) -> Self {
        Self { inner, has_changed }
    }

    /// Whether the receiver had not seen this value when it was borrowed. For a sender, never.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::local::watch::channel(1);
    /// assert!(!rx.borrow().has_changed());
    /// tx.send(2).unwrap();
    /// assert!(rx.borrow().has_changed());
    /// ```
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}
