//! A queue whose values come out when they are due.

mod entry;
#[cfg(all(test, not(henge_loom)))]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;

use super::timer::Timer;
use super::wheel::{self, Wheel};
use super::{Duration, Instant};
use entry::Entry;

pub use entry::{Expired, Key};

const MAX_ENTRIES: usize = (1 << 30) - 1;

/// A queue whose values come out when they are due, each with a deadline of its own.
///
/// [`insert`](Self::insert) gives a [`Key`] by which a value can be removed or given another
/// deadline. [`poll_expired`](Self::poll_expired), or the queue as a `Stream`, gives out what is
/// due, the earliest first, and ends when the queue is empty; it goes on when something is
/// inserted later. Deadlines are rounded up to milliseconds and may be as far away as one likes.
///
/// The queue is a timing wheel of its own and uses one timer of the shard, however many values it
/// holds: inserting and removing are O(1). Not cancelled by a dropped `poll`: whatever is due and
/// was not given out is so next time.
///
/// # Examples
/// A cache whose entries expire:
/// ```
/// use std::collections::HashMap;
/// use std::future::poll_fn;
/// use henge::time::{DelayQueue, Duration, delay_queue};
///
/// #[derive(Default)]
/// struct Cache {
///     values: HashMap<String, (u32, delay_queue::Key)>,
///     expirations: DelayQueue<String>,
/// }
///
/// impl Cache {
///     fn insert(&mut self, name: &str, value: u32, ttl: Duration) {
///         let key = self.expirations.insert(name.to_owned(), ttl);
///         if let Some((_, old)) = self.values.insert(name.to_owned(), (value, key)) {
///             self.expirations.remove(&old);
///         }
///     }
///
///     /// Waits until something expires, and removes it; None if there is nothing.
///     async fn expire(&mut self) -> Option<String> {
///         let expired = poll_fn(|cx| self.expirations.poll_expired(cx)).await?;
///         self.values.remove(expired.get_ref());
///         Some(expired.into_inner())
///     }
/// }
///
/// #[henge::main(flavor = "current_thread")]
/// async fn main() {
///     let mut cache = Cache::default();
///     cache.insert("long", 1, Duration::from_millis(4));
///     cache.insert("short", 2, Duration::from_millis(2));
///     assert_eq!(cache.expire().await.as_deref(), Some("short"));
///     assert_eq!(cache.expire().await.as_deref(), Some("long"));
///     assert_eq!(cache.expire().await, None);
/// }
/// ```
pub struct DelayQueue<T> {
    /// In milliseconds from `start`. Entries that are popped are removed at once.
    wheel: Box<Wheel<Entry<T>>>,
    /// Where the entries are whose keys are of an earlier epoch.
    moved: HashMap<Key, wheel::Key>,
    epoch: u32,
    start: Instant,
    /// For the wheel's next deadline, as of the last poll.
    timer: Option<Timer>,
    /// Of whoever polled last.
    waker: Option<Waker>,
}

impl<T> DelayQueue<T> {
    /// An empty queue.
    ///
    /// # Examples
    /// ```
    /// let queue = henge::time::DelayQueue::<u32>::new();
    /// assert!(queue.is_empty());
    /// ```
    #[must_use]
    pub fn new() -> DelayQueue<T> {
        DelayQueue::with_capacity(0)
    }

    /// An empty queue with room for `capacity` values.
    ///
    /// # Examples
    /// ```
    /// let queue = henge::time::DelayQueue::<u32>::with_capacity(10);
    /// assert_eq!(queue.capacity(), 10);
    /// ```
    #[must_use]
    pub fn with_capacity(capacity: usize) -> DelayQueue<T> {
        DelayQueue {
            wheel: Box::new(Wheel::starting_at(0, capacity)),
            moved: HashMap::new(),
            epoch: 0,
            start: Instant::now(),
            timer: None,
            waker: None,
        }
    }

    /// Puts a value in that is due at `when`; at once if that has passed.
    ///
    /// # Panics
    ///
    /// With 2³⁰ − 1 values already there.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration, Instant};
    ///
    /// let mut queue = DelayQueue::new();
    /// let key = queue.insert_at("tea", Instant::now() + Duration::from_secs(180));
    /// assert_eq!(queue.peek(), Some(key));
    /// ```
    #[track_caller]
    pub fn insert_at(&mut self, value: T, when: Instant) -> Key {
        assert!(self.len() < MAX_ENTRIES, "max entries exceeded");
        let before = self.wheel.next_deadline();
        let slot = self.wheel.insert(self.tick(when), Entry { value, key: None });
        let next = self.wheel.next_deadline();
        if before.is_none() || next < before {
            self.wake();
        }
        Key { slot, epoch: self.epoch }
    }

    /// Puts a value in that is due `timeout` from now.
    ///
    /// # Panics
    ///
    /// With 2³⁰ − 1 values already there, or if there is no such moment.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// let mut queue = DelayQueue::new();
    /// let key = queue.insert("tea", Duration::from_secs(180));
    /// assert_eq!(queue.remove(&key).into_inner(), "tea");
    /// ```
    #[track_caller]
    pub fn insert(&mut self, value: T, timeout: Duration) -> Key {
        self.insert_at(value, Instant::now() + timeout)
    }

    /// Takes out the next value that is due; None if the queue is empty. With nothing due the task
    /// is woken when something is.
    ///
    /// # Panics
    ///
    /// Where it would have to wait, outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// #[henge::main(flavor = "current_thread")]
    /// async fn main() {
    ///     let mut queue = DelayQueue::new();
    ///     queue.insert("tea", Duration::from_millis(1));
    ///     let expired = poll_fn(|cx| queue.poll_expired(cx)).await;
    ///     assert_eq!(expired.unwrap().into_inner(), "tea");
    ///     assert!(poll_fn(|cx| queue.poll_expired(cx)).await.is_none());
    /// }
    /// ```
    pub fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Option<Expired<T>>> {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
        loop {
            if let Some(slot) = self.wheel.pop(self.wheel.now()) {
                return Poll::Ready(self.take(slot));
            }
            let Some(next) = self.wheel.next_deadline() else {
                self.timer = None;
                return Poll::Ready(None);
            };
            let deadline = self.instant(next);
            let timer = self.timer.get_or_insert_with(|| Timer::new(deadline));
            if timer.deadline() != deadline {
                timer.reset(deadline);
            }
            ready!(timer.poll(cx));
            // At least what the timer was for: it may have rounded less than we do.
            let passed = self.start.elapsed().as_millis();
            let now = u64::try_from(passed).unwrap_or(u64::MAX).max(next);
            if let Some(slot) = self.wheel.pop(now) {
                return Poll::Ready(self.take(slot));
            }
        }
    }

    /// When the value is due, rounded up to a millisecond of the queue's life.
    ///
    /// # Panics
    ///
    /// If the key's value is not in the queue.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration, Instant};
    ///
    /// let mut queue = DelayQueue::new();
    /// let when = Instant::now() + Duration::from_secs(180);
    /// let key = queue.insert_at("tea", when);
    /// assert!(queue.deadline(&key) - when < Duration::from_millis(1));
    /// ```
    #[track_caller]
    pub fn deadline(&self, key: &Key) -> Instant {
        let slot = self.slot(key).expect("invalid key");
        self.instant(self.wheel.when(slot).expect("invalid key"))
    }

    /// Takes a value out, due or not.
    ///
    /// # Panics
    ///
    /// If the key's value is not in the queue.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// let mut queue = DelayQueue::new();
    /// let key = queue.insert("tea", Duration::from_secs(180));
    /// assert_eq!(queue.remove(&key).into_inner(), "tea");
    /// ```
    #[track_caller]
    pub fn remove(&mut self, key: &Key) -> Expired<T> {
        self.try_remove(key).expect("invalid key")
    }

    /// Takes a value out, due or not; None if it is not in the queue.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// let mut queue = DelayQueue::new();
    /// let key = queue.insert("tea", Duration::from_secs(180));
    /// assert!(queue.try_remove(&key).is_some());
    /// assert!(queue.try_remove(&key).is_none());
    /// ```
    pub fn try_remove(&mut self, key: &Key) -> Option<Expired<T>> {
        let slot = self.slot(key)?;
        let removed = self.take(slot)?;
        match self.wheel.next_deadline() {
            // Whoever waits, waits for what is next now, or for nothing any more.
            Some(next) => self.retarget(next),
            None => self.wake(),
        }
        Some(removed)
    }

    /// Gives a value another deadline; if that has passed it is due at once.
    ///
    /// # Panics
    ///
    /// If the key's value is not in the queue.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration, Instant};
    ///
    /// let mut queue = DelayQueue::new();
    /// let key = queue.insert("tea", Duration::from_secs(180));
    /// queue.reset_at(&key, Instant::now() + Duration::from_secs(240));
    /// assert!(queue.deadline(&key) > Instant::now() + Duration::from_secs(200));
    /// ```
    #[track_caller]
    pub fn reset_at(&mut self, key: &Key, when: Instant) {
        let slot = self.slot(key).expect("invalid key");
        let when = self.tick(when);
        assert!(self.wheel.reset(slot, when), "invalid key");
        // It polls again, and sets its timer to what is next now.
        self.wake();
    }

    /// Gives a value another deadline, `timeout` from now.
    ///
    /// # Panics
    ///
    /// If the key's value is not in the queue, or if there is no such moment.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration, Instant};
    ///
    /// let mut queue = DelayQueue::new();
    /// let key = queue.insert("tea", Duration::from_secs(180));
    /// queue.reset(&key, Duration::from_secs(240));
    /// assert!(queue.deadline(&key) > Instant::now() + Duration::from_secs(200));
    /// ```
    #[track_caller]
    pub fn reset(&mut self, key: &Key, timeout: Duration) {
        self.reset_at(key, Instant::now() + timeout);
    }

    /// The key of the value that comes out next.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// let mut queue = DelayQueue::new();
    /// queue.insert("roast", Duration::from_secs(3600));
    /// let tea = queue.insert("tea", Duration::from_secs(180));
    /// assert_eq!(queue.peek(), Some(tea));
    /// ```
    pub fn peek(&self) -> Option<Key> {
        let slot = self.wheel.peek()?;
        Some(self.key(slot, self.wheel.get(slot)?))
    }

    /// Removes all values. The memory stays.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// let mut queue = DelayQueue::new();
    /// queue.insert("tea", Duration::from_secs(180));
    /// queue.clear();
    /// assert!(queue.is_empty());
    /// ```
    pub fn clear(&mut self) {
        let capacity = self.capacity();
        let wheel = Wheel::starting_at(self.wheel.now(), capacity);
        let values = std::mem::replace(&mut *self.wheel, wheel);
        self.moved.clear();
        self.epoch += 1;
        self.timer = None;
        if values.len() > 0 {
            self.wake();
        }
    }

    /// How many values there is room for.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(henge::time::DelayQueue::<u32>::with_capacity(10).capacity(), 10);
    /// ```
    pub fn capacity(&self) -> usize {
        self.wheel.capacity()
    }

    /// How many values there are.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// let mut queue = DelayQueue::new();
    /// queue.insert("tea", Duration::from_secs(180));
    /// assert_eq!(queue.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.wheel.len()
    }

    /// Whether there are no values. What is not due counts.
    ///
    /// # Examples
    /// ```
    /// assert!(henge::time::DelayQueue::<u32>::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for `additional` more values.
    ///
    /// # Panics
    ///
    /// If that would be more than 2³⁰ − 1.
    ///
    /// # Examples
    /// ```
    /// let mut queue = henge::time::DelayQueue::<u32>::new();
    /// queue.reserve(10);
    /// assert!(queue.capacity() >= 10);
    /// ```
    #[track_caller]
    pub fn reserve(&mut self, additional: usize) {
        let total = self.capacity().checked_add(additional);
        assert!(total.is_some_and(|total| total <= MAX_ENTRIES), "max queue capacity exceeded");
        self.wheel.reserve(additional);
    }

    /// Gives back memory that was never used. To give back that of values that are gone, too,
    /// [`compact`](Self::compact).
    ///
    /// # Examples
    /// ```
    /// let mut queue = henge::time::DelayQueue::<u32>::with_capacity(10);
    /// queue.shrink_to_fit();
    /// assert_eq!(queue.capacity(), 0);
    /// ```
    pub fn shrink_to_fit(&mut self) {
        self.wheel.shrink_to_fit();
        self.moved.shrink_to_fit();
    }

    /// Gives back all memory that the values do not need. Moves all of them; keys stay what they
    /// are, and those given out before cost a look-up from then on.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{DelayQueue, Duration};
    ///
    /// let mut queue = DelayQueue::with_capacity(10);
    /// let roast = queue.insert("roast", Duration::from_secs(3600));
    /// let tea = queue.insert("tea", Duration::from_secs(180));
    /// queue.remove(&roast);
    /// queue.compact();
    /// assert_eq!(queue.capacity(), 1);
    /// assert_eq!(queue.remove(&tea).into_inner(), "tea");
    /// ```
    pub fn compact(&mut self) {
        let now = self.wheel.now();
        let mut wheel = Wheel::starting_at(now, self.len());
        let mut moved = HashMap::with_capacity(self.len());
        while let Some(slot) = self.wheel.pop(u64::MAX) {
            let when = self.wheel.when(slot);
            let (Some(when), Some(mut entry)) = (when, self.wheel.remove(slot)) else { continue };
            let key = self.key(slot, &entry);
            entry.key = Some(key);
            moved.insert(key, wheel.insert(when, entry));
        }
        *self.wheel = wheel;
        self.moved = moved;
        self.epoch += 1;
    }

    /// Takes the entry out of the slab.
    fn take(&mut self, slot: wheel::Key) -> Option<Expired<T>> {
        let deadline = self.instant(self.wheel.when(slot)?);
        let entry = self.wheel.remove(slot)?;
        let key = self.key(slot, &entry);
        if key.epoch != self.epoch {
            self.moved.remove(&key);
        }
        Some(Expired { value: entry.value, deadline, key })
    }

    /// The key by which the user knows the entry in `slot`.
    fn key(&self, slot: wheel::Key, entry: &Entry<T>) -> Key {
        entry.key.unwrap_or(Key { slot, epoch: self.epoch })
    }

    fn slot(&self, key: &Key) -> Option<wheel::Key> {
        match key.epoch == self.epoch {
            true => Some(key.slot),
            false => self.moved.get(key).copied(),
        }
    }

    /// Has whoever waits wait for tick `next`, without polling.
    fn retarget(&mut self, next: u64) {
        let deadline = self.instant(next);
        if let Some(timer) = &mut self.timer
            && timer.deadline() != deadline
        {
            timer.reset(deadline);
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn tick(&self, when: Instant) -> u64 {
        let after = when.saturating_duration_since(self.start);
        let millis = after.as_secs().saturating_mul(1_000);
        millis.saturating_add(u64::from(after.subsec_nanos().div_ceil(1_000_000)))
    }

    fn instant(&self, tick: u64) -> Instant {
        self.start + Duration::from_millis(tick)
    }
}

/// Values are moved out of their slots: nothing here pins them.
impl<T> Unpin for DelayQueue<T> {}

impl<T> Default for DelayQueue<T> {
    fn default() -> DelayQueue<T> {
        DelayQueue::new()
    }
}

impl<T> Stream for DelayQueue<T> {
    type Item = Expired<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Expired<T>>> {
        self.get_mut().poll_expired(cx)
    }
}

impl<T> fmt::Debug for DelayQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = self.wheel.next_deadline().map(|tick| self.instant(tick));
        f.debug_struct("DelayQueue").field("len", &self.len()).field("next", &next).finish()
    }
}
