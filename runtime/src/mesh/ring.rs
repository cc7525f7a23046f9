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
//! * Each side knows how far it may go without a second thought, and compares its position with
//!   that alone: the producer's *limit* is the end of some lines of slots, or of the room; the
//!   consumer's *run* ends with what it has seen, or sooner if that is asked for. Who has more to
//!   do once in a while than to put in or take out does it where such a stretch ends.
//!
//! The two counters are those of Lamport's queue (1983); that each side remembers the other's, and
//! shows its own in batches, is from MCRingBuffer (Lee, Bu and Chandranmenon, 2010). To keep the
//! state beside the slots, as FastForward and B-Queue do, was measured, and gains a lane nothing.
//!
//! Nobody else touches a slot. Which thread is the producer's and which the consumer's may change,
//! as [`Producer`] and [`Consumer`] are `Send`; they are not `Sync` and cannot be cloned, so there
//! is one of each at any time, and whoever moves one to another thread orders the two.
//!
//! What is in the ring when the last of the two goes is dropped with it.

#[cfg(all(test, henge_loom))]
mod loom_tests;
#[cfg(all(test, not(henge_loom)))]
mod tests;

use std::alloc::Layout;
use std::cell::Cell;
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use crossbeam_utils::CachePadded;

use crate::loom::cell::UnsafeCell;
use crate::loom::sync::Arc;
use crate::loom::sync::atomic::AtomicUsize;
use crate::prefetch::{self, LINE};

/// Lines of slots that are asked for before the producer comes to them.
const LINES_AHEAD: usize = 8;

/// Lines of slots from one thought of the producer's to the next, at most.
const LINES_AT_ONCE: usize = 4;

type Slot<T> = UnsafeCell<MaybeUninit<T>>;

struct Ring<T> {
    /// A power of two of them, of which `capacity` are used at a time.
    slots: Box<[Slot<T>]>,
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

/// Where the slots of a ring are: a note that each end keeps beside its positions.
struct Slots<T> {
    first: NonNull<Slot<T>>,
    /// One less than there are.
    mask: usize,
}

// SAFETY: a note of an address. What is done there is done by one end, under the protocol, which
// hands values of `T` from thread to thread.
unsafe impl<T: Send> Send for Slots<T> {}

/// The end that puts in.
pub(crate) struct Producer<T> {
    ring: Arc<Ring<T>>,
    slots: Slots<T>,
    /// Where the next value goes.
    staged: Cell<usize>,
    /// Up to where values go without a second thought: from `staged` to the end of the room that is
    /// known of.
    limit: Cell<usize>,
    /// Positions from one thought to the next: a power of two.
    stride: usize,
    /// What `tail` is.
    tail: Cell<usize>,
    /// What `head` was, or later.
    head: Cell<usize>,
}

/// The end that takes out.
pub(crate) struct Consumer<T> {
    ring: Arc<Ring<T>>,
    slots: Slots<T>,
    /// What `head` is.
    head: Cell<usize>,
    /// The end of the run: from `head` to `tail`.
    until: Cell<usize>,
    /// What `tail` was.
    tail: Cell<usize>,
}

/// Tells, to anybody, whether there is something in the ring.
pub(crate) struct Gauge<T>(Arc<Ring<T>>);

/// How many slots a ring of `capacity` values has. None if no memory has so many.
fn slots_for<T>(capacity: usize) -> Option<usize> {
    let slots = capacity.max(1).checked_next_power_of_two()?;
    Layout::array::<Slot<T>>(slots).is_ok().then_some(slots)
}

/// Whether a ring may have room for so many values, as far as addresses go.
pub(crate) fn may_have<T>(capacity: usize) -> bool {
    slots_for::<T>(capacity).is_some()
}

/// A ring with room for `capacity` values, at least one.
///
/// # Panics
/// If it [may not have](may_have) room for so many.
pub(crate) fn ring<T: Send>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    let Some(slots) = slots_for::<T>(capacity) else {
        panic!("a ring cannot have room for {capacity} values");
    };
    let capacity = capacity.max(1);
    let slots = (0..slots).map(|_| UnsafeCell::new(MaybeUninit::uninit()));
    let ring = Arc::new(Ring {
        slots: slots.collect(),
        capacity,
        head: CachePadded::new(AtomicUsize::new(0)),
        tail: CachePadded::new(AtomicUsize::new(0)),
    });
    let zero = || Cell::new(0);
    let slots = Slots::of(&ring);
    let (head, until, tail) = (zero(), zero(), zero());
    let consumer = Consumer { ring: Arc::clone(&ring), slots, head, until, tail };
    let (slots, stride) = (Slots::of(&ring), Ring::<T>::IN_LINE * LINES_AT_ONCE);
    let (staged, limit, tail, head) = (zero(), zero(), zero(), zero());
    (Producer { ring, slots, staged, limit, stride, tail, head }, consumer)
}

impl<T> Slots<T> {
    fn of(ring: &Ring<T>) -> Slots<T> {
        Slots { first: NonNull::from(&*ring.slots).cast(), mask: ring.slots.len() - 1 }
    }

    /// # Safety
    /// The ring is there for as long as the reference is used.
    #[inline]
    unsafe fn get(&self, position: usize) -> &Slot<T> {
        // SAFETY: there is a power of two of them, so a masked position is one of theirs.
        let slot = unsafe { self.first.add(position & self.mask) };
        // SAFETY: the ring is there, by the caller's promise, and its slots never move.
        unsafe { slot.as_ref() }
    }
}

impl<T> Ring<T> {
    #[inline]
    fn slot(&self, position: usize) -> &UnsafeCell<MaybeUninit<T>> {
        // The length is a power of two; the mask keeps the index inside, and the check away.
        &self.slots[position & (self.slots.len() - 1)]
    }

    /// Slots in a line, or so: a power of two. One, where slots are as long as a line.
    const IN_LINE: usize = match size_of::<T>() {
        0 => LINE,
        size if size >= LINE => 1,
        size => 1 << (LINE / size).ilog2(),
    };
}

impl<T> Producer<T> {
    /// Has the producer think once more at every so many positions, a power of two, or oftener:
    /// [`push_quickly`](Self::push_quickly) does nothing there.
    pub(crate) fn think_every(&mut self, positions: usize) {
        self.stride = self.stride.min(positions);
    }

    /// Puts a value in, to be seen at the next [`publish`](Self::publish).
    ///
    /// # Errors
    /// Gives the value back if there is no room.
    #[inline]
    pub(crate) fn push(&self, value: T) -> Result<(), T> {
        if self.staged.get() == self.limit.get() && !self.goes_on() {
            return Err(value);
        }
        self.push_quickly(value)
    }

    /// The same, where nothing else is to be done. Gives the value back where there is.
    #[inline]
    pub(crate) fn push_quickly(&self, value: T) -> Result<(), T> {
        let at = self.staged.get();
        if at == self.limit.get() {
            return Err(value);
        }
        // SAFETY: this end keeps the ring.
        let slot = unsafe { self.slots.get(at) };
        // SAFETY: free: `at` lies before the limit, which is not behind the end of the room, and
        // before no `tail`, which only this end moves. So it is the producer's, of which there is
        // one.
        slot.with_mut(|slot| unsafe { slot.write(MaybeUninit::new(value)) });
        self.staged.set(at.wrapping_add(1));
        Ok(())
    }

    /// Has the next [`push_quickly`](Self::push_quickly) do nothing.
    #[inline]
    pub(crate) fn pause(&self) {
        self.limit.set(self.staged.get());
    }

    /// Sets the limit anew, and asks for lines ahead. False if there is no room.
    #[inline(never)]
    fn goes_on(&self) -> bool {
        let at = self.staged.get();
        if at.wrapping_sub(self.head.get()) >= self.ring.capacity && !self.finds_room() {
            return false;
        }
        let within = at & (self.stride - 1);
        if within == 0 && size_of::<T>() > 0 {
            for line in LINES_AHEAD..LINES_AHEAD + self.stride.div_ceil(Ring::<T>::IN_LINE) {
                let ahead = at.wrapping_add(Ring::<T>::IN_LINE * line);
                if ahead.wrapping_sub(self.head.get()) < self.ring.capacity {
                    // SAFETY: this end keeps the ring.
                    prefetch::to_write(ptr::from_ref(unsafe { self.slots.get(ahead) }));
                }
            }
        }
        let room = self.head.get().wrapping_add(self.ring.capacity).wrapping_sub(at);
        self.limit.set(at.wrapping_add(room.min(self.stride - within)));
        true
    }

    #[cold]
    fn finds_room(&self) -> bool {
        // Acquire: pairs with the release in `take`: the consumer has read the slots out that are
        // about to be written.
        self.head.set(self.ring.head.load(Ordering::Acquire));
        self.staged.get().wrapping_sub(self.head.get()) < self.ring.capacity
    }

    /// Positions from one thought to the next at most.
    #[inline]
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// How many values were put in, modulo 2 to the power of the bits of a word.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.staged.get()
    }

    /// How many values were put in that the consumer cannot see yet.
    #[inline]
    pub(crate) fn staged(&self) -> usize {
        self.staged.get().wrapping_sub(self.tail.get())
    }

    /// One value will be put in and shown at once: asks for all that changes by that. Else the two
    /// lines would come one after the other, as stores leave in order.
    #[inline]
    pub(crate) fn expect_publish(&self) {
        prefetch::to_write(&raw const *self.ring.tail);
        // SAFETY: this end keeps the ring.
        prefetch::to_write(ptr::from_ref(unsafe { self.slots.get(self.staged.get()) }));
    }

    /// Shows the consumer all that was put in.
    #[inline]
    pub(crate) fn publish(&self) {
        if self.staged.get() != self.tail.get() {
            self.tail.set(self.staged.get());
            // Release: hands the slots' contents to the consumer's acquire in `begin_run`.
            self.ring.tail.store(self.staged.get(), Ordering::Release);
        }
    }
}

impl<T> Consumer<T> {
    /// Takes the oldest value out.
    #[inline]
    pub(crate) fn pop(&self) -> Option<T> {
        if self.run() == 0 && self.begin_run(usize::MAX) == 0 {
            return None;
        }
        self.pop_quickly()
    }

    /// The same, of the run alone.
    #[inline]
    pub(crate) fn pop_quickly(&self) -> Option<T> {
        let at = self.head.get();
        if at == self.until.get() {
            return None;
        }
        // SAFETY: this end keeps the ring.
        let slot = unsafe { self.slots.get(at) };
        // SAFETY: full: `head..until` was published, and is the consumer's, of which there is one.
        let value = slot.with(|slot| unsafe { slot.read() });
        self.head.set(at.wrapping_add(1));
        // Release: the slot was read out before the producer's acquire lets it write there.
        self.ring.head.store(at.wrapping_add(1), Ordering::Release);
        // SAFETY: the producer wrote it before it published it, and it is read once: `head` has
        // moved past it.
        Some(unsafe { value.assume_init() })
    }

    /// Has `look` see the value so many places behind the oldest, if there is one, as far as is
    /// known. It keeps nothing, so that it cannot take out what it sees.
    #[inline]
    pub(crate) fn peek(&self, behind: usize, look: fn(&T)) {
        let at = self.head.get();
        if behind < self.tail.get().wrapping_sub(at) {
            // SAFETY: this end keeps the ring.
            let slot = unsafe { self.slots.get(at.wrapping_add(behind)) };
            slot.with(|slot| {
                // SAFETY: full, as `head..tail` is, and the consumer's, of which there is one.
                let value = unsafe { &*slot };
                // SAFETY: the producer wrote it before it published it.
                look(unsafe { value.assume_init_ref() });
            });
        }
    }

    /// How many values are left in the run.
    #[inline]
    pub(crate) fn run(&self) -> usize {
        self.until.get().wrapping_sub(self.head.get())
    }

    /// Begins a run of at most so many values, where the last one has ended, and says of how many.
    #[inline]
    pub(crate) fn begin_run(&self, most: usize) -> usize {
        let at = self.until.get();
        if at == self.tail.get() {
            // Acquire: pairs with the release in `publish`, for the slots' contents.
            self.tail.set(self.ring.tail.load(Ordering::Acquire));
        }
        let values = self.tail.get().wrapping_sub(at).min(most);
        self.until.set(at.wrapping_add(values));
        values
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
