//! A bounded ring between two threads: one puts in, the other takes out.
//!
//! # The protocol
//!
//! Positions count up for ever; a slot is found by masking. `tail` is how far the producer has
//! got, `head` how far the consumer has.
//!
//! ```text
//!                 head           tail      staged
//!                  |              |          |
//!   ---- free -----|---- full ----|- staged -|---- free ----
//!      producer's      consumer's   producer's   producer's
//! ```
//!
//! * The producer writes a slot that is free and counts it as *staged*, in memory of its own.
//!   [`publish`](Producer::publish) moves `tail`: the slots are the consumer's from then on. So a
//!   batch is one store that the other side sees.
//! * The consumer reads a slot out and moves `head`: the slot is free, and the producer's.
//! * Each side remembers what it last read of the other's counter, and reads it again only if the
//!   ring seems full, or empty: in between it touches no line that the other one writes, but those
//!   of the slots. The producer asks for these some lines ahead, where they are free.
//!
//! Nobody else touches a slot. Which thread is the producer's and which the consumer's may change,
//! as [`Producer`] and [`Consumer`] are `Send`; they are not `Sync` and cannot be cloned, so there
//! is one of each at any time, and whoever moves one to another thread orders the two.
//!
//! What is in the ring when the last of the two goes is dropped with it.

use std::cell::Cell;
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::Ordering;

use crossbeam_utils::CachePadded;

use super::prefetch::{self, LINE};
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::Arc;
use crate::loom::sync::atomic::AtomicUsize;

/// Lines of slots that are asked for before the producer comes to them.
const LINES_AHEAD: usize = 4;

struct Ring<T> {
    /// A power of two of them, of which `capacity` are used at a time.
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    capacity: usize,
    /// Written by the consumer.
    head: CachePadded<AtomicUsize>,
    /// Written by the producer.
    tail: CachePadded<AtomicUsize>,
}

// SAFETY: values of `T` go from one thread to another through the slots, one thread at a time, as
// the protocol above says. Nobody gets a reference to one.
unsafe impl<T: Send> Send for Ring<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Ring<T> {}

/// The end that puts in.
pub(crate) struct Producer<T> {
    ring: Arc<Ring<T>>,
    /// Where the next value goes.
    staged: Cell<usize>,
    /// What `tail` is.
    tail: Cell<usize>,
    /// What `head` was, or later.
    head: Cell<usize>,
}

/// The end that takes out.
pub(crate) struct Consumer<T> {
    ring: Arc<Ring<T>>,
    /// What `head` is.
    head: Cell<usize>,
    /// What `tail` was, or later.
    tail: Cell<usize>,
}

/// Tells, to anybody, whether there is something in the ring.
pub(crate) struct Gauge<T>(Arc<Ring<T>>);

/// A ring with room for `capacity` values, at least one.
pub(crate) fn ring<T: Send>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    let capacity = capacity.max(1);
    let slots = (0..capacity.next_power_of_two()).map(|_| UnsafeCell::new(MaybeUninit::uninit()));
    let ring = Arc::new(Ring {
        slots: slots.collect(),
        capacity,
        head: CachePadded::new(AtomicUsize::new(0)),
        tail: CachePadded::new(AtomicUsize::new(0)),
    });
    let consumer = Consumer { ring: Arc::clone(&ring), head: Cell::new(0), tail: Cell::new(0) };
    (Producer { ring, staged: Cell::new(0), tail: Cell::new(0), head: Cell::new(0) }, consumer)
}

impl<T> Ring<T> {
    #[inline]
    fn slot(&self, position: usize) -> &UnsafeCell<MaybeUninit<T>> {
        // The length is a power of two; the mask keeps the index inside, and the check away.
        &self.slots[position & (self.slots.len() - 1)]
    }

    /// Slots in the lines that are asked for ahead; one, where slots are longer than that.
    const AHEAD: usize = match size_of::<T>() {
        0 => usize::MAX / 2,
        size if size > LINES_AHEAD * LINE => 1,
        size => LINES_AHEAD * LINE / size,
    };

    /// Whether a new line begins with the slot of this position, or in it.
    #[inline]
    fn begins_line(position: usize) -> bool {
        position.wrapping_mul(size_of::<T>()) % LINE < size_of::<T>()
    }
}

impl<T> Producer<T> {
    /// Puts a value in, to be seen at the next [`publish`](Self::publish).
    ///
    /// # Errors
    /// Gives the value back if there is no room.
    #[inline]
    pub(crate) fn push(&self, value: T) -> Result<(), T> {
        let at = self.staged.get();
        if at.wrapping_sub(self.head.get()) >= self.ring.capacity && !self.finds_room() {
            return Err(value);
        }
        if Ring::<T>::begins_line(at) {
            let ahead = at.wrapping_add(Ring::<T>::AHEAD);
            if ahead.wrapping_sub(self.head.get()) < self.ring.capacity {
                prefetch::to_write(ptr::from_ref(self.ring.slot(ahead)));
            }
        }
        // SAFETY: free: `at` is not behind `head`, by the check above, and lies before no `tail`,
        // which only this end moves. So it is the producer's, of which there is one.
        self.ring.slot(at).with_mut(|slot| unsafe { slot.write(MaybeUninit::new(value)) });
        self.staged.set(at.wrapping_add(1));
        Ok(())
    }

    #[cold]
    fn finds_room(&self) -> bool {
        // Acquire: pairs with the release in `pop`: the consumer has read the slots out that are
        // about to be written.
        self.head.set(self.ring.head.load(Ordering::Acquire));
        self.staged.get().wrapping_sub(self.head.get()) < self.ring.capacity
    }

    /// How many values were put in that the consumer cannot see yet.
    #[inline]
    pub(crate) fn staged(&self) -> usize {
        self.staged.get().wrapping_sub(self.tail.get())
    }

    /// Shows the consumer all that was put in.
    #[inline]
    pub(crate) fn publish(&self) {
        if self.staged.get() != self.tail.get() {
            self.tail.set(self.staged.get());
            // Release: hands the slots' contents to the consumer's acquire in `finds_more`.
            self.ring.tail.store(self.staged.get(), Ordering::Release);
        }
    }
}

impl<T> Consumer<T> {
    /// Takes the oldest value out.
    #[inline]
    pub(crate) fn pop(&self) -> Option<T> {
        let at = self.head.get();
        if at == self.tail.get() && !self.finds_more() {
            return None;
        }
        // SAFETY: full: `head..tail` was published, and is the consumer's, of which there is one.
        let value = self.ring.slot(at).with(|slot| unsafe { slot.read() });
        self.head.set(at.wrapping_add(1));
        // Release: the slot was read out before the producer's acquire lets it write there.
        self.ring.head.store(at.wrapping_add(1), Ordering::Release);
        // SAFETY: the producer wrote it before it published it, and it is read once: `head` has
        // moved past it.
        Some(unsafe { value.assume_init() })
    }

    fn finds_more(&self) -> bool {
        // Acquire: pairs with the release in `publish`, for the slots' contents.
        self.tail.set(self.ring.tail.load(Ordering::Acquire));
        self.head.get() != self.tail.get()
    }

    /// Tells anybody whether there is something in the ring.
    pub(crate) fn gauge(&self) -> Gauge<T> {
        Gauge(Arc::clone(&self.ring))
    }

    /// How many values fit.
    pub(crate) fn capacity(&self) -> usize {
        self.ring.capacity
    }
}

impl<T> Clone for Gauge<T> {
    fn clone(&self) -> Self {
        Gauge(Arc::clone(&self.0))
    }
}

impl<T> Gauge<T> {
    /// How many values were published and not taken out, at about this moment.
    pub(crate) fn len(&self) -> usize {
        // In this order: the other one may only be further by then.
        let head = self.0.head.load(Ordering::Relaxed);
        self.0.tail.load(Ordering::Relaxed).wrapping_sub(head).min(self.0.capacity)
    }

    /// Whether nothing was published that has not been taken out, at some moment.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let head = self.0.head.load(Ordering::Relaxed);
        let is_empty = head == self.0.tail.load(Ordering::Relaxed);
        if !is_empty {
            // Whoever looks will take it, after some other things.
            prefetch::to_read(ptr::from_ref(self.0.slot(head)));
        }
        is_empty
    }
}

/// A [`Gauge`], whatever the ring holds.
pub(crate) trait Glance: Send {
    /// See [`Gauge::is_empty`].
    fn is_empty(&self) -> bool;
}

impl<T: Send> Glance for Gauge<T> {
    #[inline]
    fn is_empty(&self) -> bool {
        Gauge::is_empty(self)
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        // What was staged and never published was shown at the drop of the producer. Both ends are
        // gone, and who takes the last reference finds what they did; models are told so by a
        // read-modify-write, which finds the newest value always, since an end may be inside of a
        // reference-counted thing that they do not know.
        // Acquire: the consumer's and the producer's last words.
        let at = self.head.fetch_add(0, Ordering::Acquire);
        let (mut at, tail) = (at, self.tail.fetch_add(0, Ordering::Acquire));
        while at != tail {
            // SAFETY: published and not taken out; both ends are gone, so it is read once.
            let value = self.slot(at).with(|slot| unsafe { slot.read() });
            at = at.wrapping_add(1);
            // SAFETY: published, so written.
            drop(unsafe { value.assume_init() });
        }
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.publish();
    }
}

impl<T> fmt::Debug for Gauge<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge").field("len", &self.len()).finish()
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("staged", &self.staged()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("capacity", &self.ring.capacity).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::thread;

    use super::ring;

    #[test]
    fn behaves_like_a_bounded_deque() {
        for capacity in [1, 2, 3, 5, 8] {
            let (producer, consumer) = ring(capacity);
            let (mut staged, mut shown) = (VecDeque::new(), VecDeque::new());
            let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
            for step in 0..20_000_u64 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                match seed % 8 {
                    0..4 => {
                        let fits = staged.len() + shown.len() < capacity;
                        assert_eq!(producer.push(step).is_ok(), fits);
                        if fits {
                            staged.push_back(step);
                        }
                    }
                    4 => {
                        producer.publish();
                        shown.append(&mut staged);
                    }
                    _ => assert_eq!(consumer.pop(), shown.pop_front()),
                }
                assert_eq!(producer.staged(), staged.len());
            }
        }
    }

    #[test]
    fn what_is_left_is_dropped_once() {
        let witness = Arc::new(());
        let (producer, consumer) = ring(4);
        for _ in 0..3 {
            assert!(producer.push(Arc::clone(&witness)).is_ok());
            producer.publish();
        }
        drop(consumer.pop());
        assert!(producer.push(Arc::clone(&witness)).is_ok());
        drop(consumer);
        assert_eq!(Arc::strong_count(&witness), 4);
        drop(producer);
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn keeps_the_order_between_two_threads() {
        let (producer, consumer) = ring(7);
        let sender = thread::spawn(move || {
            for n in 0..200_000_u64 {
                let mut value = n;
                while let Err(refused) = producer.push(value) {
                    value = refused;
                    producer.publish();
                    thread::yield_now();
                }
                if n % 5 == 0 {
                    producer.publish();
                }
            }
        });
        for expected in 0..200_000_u64 {
            let got = loop {
                match consumer.pop() {
                    Some(value) => break value,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(got, expected);
        }
        sender.join().expect("the sender does not panic");
    }
}

#[cfg(all(test, henge_loom))]
mod loom_tests {
    use super::ring;

    #[test]
    fn loom_a_ring_of_one_hands_over_in_order() {
        loom::model(|| {
            let (producer, consumer) = ring(1);
            let sender = loom::thread::spawn(move || {
                let mut sent = 0;
                for n in [1, 2] {
                    if producer.push(Box::new(n)).is_ok() {
                        sent += 1;
                    }
                    producer.publish();
                }
                sent
            });
            let mut got: Vec<i32> = Vec::new();
            for _ in 0..2 {
                got.extend(consumer.pop().map(|value| *value));
            }
            let sent = sender.join().expect("no panic");
            got.extend(std::iter::from_fn(|| consumer.pop()).map(|value| *value));
            assert_eq!(got.len(), sent);
            assert!(got.is_sorted());
        });
    }

    #[test]
    fn loom_a_batch_is_seen_whole_or_not_at_all() {
        loom::model(|| {
            let (producer, consumer) = ring(2);
            let sender = loom::thread::spawn(move || {
                assert!(producer.push(Box::new(1)).is_ok());
                assert!(producer.push(Box::new(2)).is_ok());
                producer.publish();
            });
            if let Some(first) = consumer.pop() {
                assert_eq!((*first, consumer.pop().map(|second| *second)), (1, Some(2)));
            }
            sender.join().expect("no panic");
        });
    }
}
