//! A door that is open or shut, and the tasks of this shard that wait in front of it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::ops::DerefMut;
use std::task::{Poll, ready};

use crate::executor::coop;
use crate::sync::place::{Line, Place};
use crate::sync::wait_queue::WaitQueue;

/// Something that has happened, or not yet: everybody can wait for it, before and after.
///
/// Unlike a [`Notify`](super::Notify) it stays [set](Self::set) until it is
/// [reset](Self::reset), so nobody is too late.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use henge::sync::local::Event;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let ready = Rc::new(Event::new());
/// let tasks: Vec<_> = (0..3)
///     .map(|_| {
///         let ready = ready.clone();
///         henge::spawn(async move { ready.wait().await })
///     })
///     .collect();
/// ready.set();
/// for task in tasks {
///     task.await.unwrap();
/// }
/// ready.wait().await; // at once
/// # }
/// ```
pub struct Event {
    set: Cell<bool>,
    /// How often it was set: who waits is told by the first time, even if a reset follows at once.
    times: Cell<u64>,
    line: RefCell<WaitQueue<u64>>,
}

impl Event {
    /// An event that has not happened.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(!henge::sync::local::Event::new().is_set());
    /// ```
    pub const fn new() -> Self {
        Self { set: Cell::new(false), times: Cell::new(0), line: RefCell::new(WaitQueue::new()) }
    }

    /// It has happened: all who wait are woken, and who comes does not wait. Returns whether it
    /// was not set before.
    ///
    /// # Examples
    ///
    /// ```
    /// let event = henge::sync::local::Event::new();
    /// assert!(event.set());
    /// assert!(!event.set());
    /// ```
    pub fn set(&self) -> bool {
        if self.set.replace(true) {
            return false;
        }
        let time = self.times.get() + 1;
        self.times.set(time);
        // Who comes back in the meantime, after a reset, waits for another time.
        self.wake_while(|since| *since < time, |_line| ());
        true
    }

    /// From now on one has to wait. Whoever waits already when it is set is woken even if it is
    /// reset before it runs. Returns whether it was set.
    ///
    /// # Examples
    ///
    /// ```
    /// let event = henge::sync::local::Event::new();
    /// event.set();
    /// assert!(event.reset());
    /// assert!(!event.is_set());
    /// ```
    pub fn reset(&self) -> bool {
        self.set.replace(false)
    }

    /// Whether it has happened.
    ///
    /// # Examples
    ///
    /// ```
    /// let event = henge::sync::local::Event::new();
    /// event.set();
    /// assert!(event.is_set());
    /// ```
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Waits until it happens.
    ///
    /// # Cancel safety
    ///
    /// A dropped future forgets that it was told: if the event was [reset](Self::reset) since, the
    /// next call waits for another time.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let event = std::rc::Rc::new(henge::sync::local::Event::new());
    /// let other = event.clone();
    /// henge::spawn(async move { other.set() });
    /// event.wait().await;
    /// # }
    /// ```
    pub async fn wait(&self) {
        let mut place = Place::new(self);
        let mut since = None;
        poll_fn(|cx| {
            let progress = ready!(coop::poll_proceed(cx));
            let since = *since.get_or_insert(self.times.get());
            ready!(place.poll(cx, |_line| {
                if self.is_set() || self.times.get() > since { Ok(()) } else { Err(since) }
            }));
            progress.made_progress();
            Poll::Ready(())
        })
        .await;
    }
}

impl Line for Event {
    type State = WaitQueue<u64>;
    type Value = u64;

    fn lock(&self) -> impl DerefMut<Target = WaitQueue<u64>> {
        self.line.borrow_mut()
    }

    fn queue(state: &mut WaitQueue<u64>) -> &mut WaitQueue<u64> {
        state
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("is_set", &self.is_set()).finish()
    }
}
