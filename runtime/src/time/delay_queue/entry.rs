//! What goes into a delay queue's slab and comes out of it.

use super::super::{Instant, wheel};

/// Names a value in a [`DelayQueue`](super::DelayQueue); refused once that is out of the queue.
///
/// # Examples
/// ```
/// use henge::time::{DelayQueue, Duration, delay_queue::Key};
///
/// let mut queue = DelayQueue::new();
/// let key: Key = queue.insert("tea", Duration::from_secs(180));
/// assert_eq!(queue.remove(&key).into_inner(), "tea");
/// assert!(queue.try_remove(&key).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub(super) slot: wheel::Key,
    /// How often the queue had been compacted: the slot of an older key is looked up.
    pub(super) epoch: u32,
}

/// A value that is out of its [`DelayQueue`](super::DelayQueue).
///
/// # Examples
/// ```
/// use henge::time::{DelayQueue, Duration, delay_queue::Expired};
///
/// let mut queue = DelayQueue::new();
/// let key = queue.insert(String::from("tea"), Duration::from_secs(180));
/// let mut expired: Expired<String> = queue.remove(&key);
/// expired.get_mut().push_str(" time");
/// assert_eq!(expired.get_ref(), "tea time");
/// assert_eq!(expired.key(), key);
/// assert!(expired.deadline() > henge::time::Instant::now());
/// assert_eq!(expired.into_inner(), "tea time");
/// ```
#[derive(Debug)]
pub struct Expired<T> {
    pub(super) value: T,
    pub(super) deadline: Instant,
    pub(super) key: Key,
}

impl<T> Expired<T> {
    /// The value.
    ///
    /// # Examples
    /// See [`Expired`].
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The value.
    ///
    /// # Examples
    /// See [`Expired`].
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The value.
    ///
    /// # Examples
    /// See [`Expired`].
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The moment at which it was due.
    ///
    /// # Examples
    /// See [`Expired`].
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The key that it had.
    ///
    /// # Examples
    /// See [`Expired`].
    pub fn key(&self) -> Key {
        self.key
    }
}

#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) value: T,
    /// The key that was given out, if it was before the last compaction.
    pub(super) key: Option<Key>,
}
