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
    /// ```
    /// use std::collections::HashMap;
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// let mut sessions = HashMap::from([("ada", 1), ("grace", 2)]);
    /// let mut expirations = DelayQueue::new();
    /// let key = expirations.insert("ada", Duration::from_secs(3600));
    /// let expired = expirations.remove(&key);
    /// assert_eq!(sessions.remove(expired.get_ref()), Some(1));
    /// ```
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The value.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// struct Retry {
    ///     request: &'static str,
    ///     tries: u32,
    /// }
    ///
    /// let mut queue = DelayQueue::new();
    /// let key = queue.insert(Retry { request: "GET /", tries: 1 }, Duration::from_secs(1));
    /// let mut retry = queue.remove(&key);
    /// retry.get_mut().tries += 1;
    /// assert_eq!((retry.get_ref().request, retry.get_ref().tries), ("GET /", 2));
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The value.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = DelayQueue::new();
    /// queue.insert(vec![1, 2, 3], Duration::from_millis(1));
    /// if let Some(expired) = poll_fn(|cx| queue.poll_expired(cx)).await {
    ///     let batch: Vec<i32> = expired.into_inner();
    ///     assert_eq!(batch, [1, 2, 3]);
    /// }
    /// # }
    /// ```
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The moment at which it was due.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = DelayQueue::new();
    /// queue.insert("sweep", Duration::from_millis(1));
    /// let expired = poll_fn(|cx| queue.poll_expired(cx)).await.unwrap();
    /// // A minute after it was due, however late it was seen.
    /// let next = expired.deadline() + Duration::from_secs(60);
    /// let key = queue.insert_at(expired.into_inner(), next);
    /// assert_eq!(queue.deadline(&key), next);
    /// # }
    /// ```
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The key that it had.
    ///
    /// # Examples
    /// ```
    /// use std::collections::HashMap;
    /// use std::future::poll_fn;
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (mut queue, mut owners) = (DelayQueue::new(), HashMap::new());
    /// owners.insert(queue.insert("tea", Duration::from_millis(1)), "ada");
    /// let expired = poll_fn(|cx| queue.poll_expired(cx)).await.unwrap();
    /// assert_eq!(owners.remove(&expired.key()), Some("ada"));
    /// # }
    /// ```
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
