//! The ring of one shard's stealable tasks: its owner pushes and pops, thieves take half.
//!
//! 256 slots, first in, first out. A slot is an atomic pointer, and `head` and `tail` count up for
//! ever, in 64 bits, so that no value of either comes twice.
//!
//! ```text
//!               head                      tail
//!   stale  ...  | item | item | item | item |  ...  free
//!               '--- a thief: half of it ---'
//! ```
//!
//! | who | may | how |
//! |---|---|---|
//! | owner | put items behind `tail` | a store to the slot, then `tail` (release) |
//! | owner, thief | take items at `head` | reads slots, then moves `head` by compare-exchange |
//!
//! # Each item is taken once
//! Whoever moves `head` from `h` to `h + n` has the items at `h .. h + n`: nobody else moves it
//! from `h`, and it never comes back to `h`. What was read from the slots before that must be the
//! items of just these positions:
//!
//! - *Not older.* The taker has read a `tail` behind these positions with acquire (the owner: its
//!   own), and the slots were stored before that `tail` was (release).
//! - *Not newer.* The owner stores position `i + 256` to the slot of `i` only after it has read a
//!   `head` above `i` with acquire. That value was written after the taker's own exchange, which
//!   moved `head` from `i` or below, and every later write of `head` is an exchange too, so it
//!   continues the release sequence of the taker's (release). Hence the taker's reads of the slots
//!   happen before the owner's store and cannot see it.
//!
//! A taker whose exchange fails has read slots that may be anything, and forgets them.
//!
//! # A thief's own ring
//! The thief copies what it wants to behind its own `tail`, where nobody looks, and publishes that
//! only after its exchange has succeeded. It has room there: positions behind its `tail` and less
//! than 256 from its `head`, which only grows.
//!
//! The loom models (`deque/loom_tests.rs`) run this with four slots.

#[cfg(all(test, henge_loom))]
mod loom_tests;
#[cfg(all(test, not(henge_loom)))]
mod tests;

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use crossbeam_utils::CachePadded;

use crate::executor::stealable::Entry;
use crate::loom::sync::Arc;
use crate::loom::sync::atomic::{AtomicPtr, AtomicU64};

/// Slots of a ring. A power of two.
const SLOTS: usize = if cfg!(henge_loom) { 4 } else { 256 };
/// The most that moves at once.
pub(super) const HALF: usize = SLOTS / 2;

/// What can stand in a ring: an owned value that is one pointer.
pub(crate) trait Token: Send + Sized {
    /// Gives the value up to a pointer, which is not null.
    fn into_raw(self) -> *mut ();

    /// Undoes [`into_raw`](Token::into_raw).
    ///
    /// # Safety
    /// `raw` came from there, and is given up to this call.
    unsafe fn from_raw(raw: *mut ()) -> Self;
}

impl Token for Entry {
    #[inline]
    fn into_raw(self) -> *mut () {
        Entry::into_raw(self).as_ptr()
    }

    #[inline]
    unsafe fn from_raw(raw: *mut ()) -> Self {
        // SAFETY: what `into_raw` gave, which is not null.
        let raw = unsafe { NonNull::new_unchecked(raw) };
        // SAFETY: the caller's promise.
        unsafe { Entry::from_raw(raw) }
    }
}

struct Ring {
    head: CachePadded<AtomicU64>,
    tail: CachePadded<AtomicU64>,
    slots: Box<[AtomicPtr<()>]>,
}

impl Ring {
    #[inline]
    fn slot(&self, position: u64) -> &AtomicPtr<()> {
        &self.slots[position as usize & (SLOTS - 1)]
    }

    #[inline]
    fn len(&self) -> usize {
        // Acquire: pairs with the release of `head`'s exchanges, so that the `tail` read below is
        // not one from before that `head`.
        let head = self.head.load(Ordering::Acquire);
        let tail = self.tail.load(Ordering::Relaxed);
        (tail.wrapping_sub(head) as usize).min(SLOTS)
    }

    /// Takes the `n` items at `head`, whose slots were read before. False if others were faster.
    #[inline]
    fn take(&self, head: u64, n: usize) -> bool {
        // Release: this thread's reads of the slots come before whatever the owner stores there
        // after having seen the new `head`. Acquire, when it fails as well: the next look at `tail`
        // is not older than the `head` that was seen.
        let (taken, missed) = (Ordering::AcqRel, Ordering::Acquire);
        self.head.compare_exchange(head, head + n as u64, taken, missed).is_ok()
    }
}

/// The end of a ring that its shard has. There is one.
pub(crate) struct Owner<T: Token> {
    ring: Arc<Ring>,
    /// Not Sync: one thread at a time pushes.
    only: PhantomData<(Cell<()>, T)>,
}

/// The end that everybody may have.
pub(crate) struct Thief<T: Token> {
    ring: Arc<Ring>,
    items: PhantomData<fn() -> T>,
}

/// An empty ring.
pub(crate) fn ring<T: Token>() -> (Owner<T>, Thief<T>) {
    let ring = Arc::new(Ring {
        head: CachePadded::new(AtomicU64::new(0)),
        tail: CachePadded::new(AtomicU64::new(0)),
        slots: (0..SLOTS).map(|_| AtomicPtr::new(ptr::null_mut())).collect(),
    });
    (Owner { ring: ring.clone(), only: PhantomData }, Thief { ring, items: PhantomData })
}

impl<T: Token> Owner<T> {
    /// Items in the ring: exact but for thieves that are at work.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position behind the last item: only this end changes it.
    #[inline]
    fn tail(&self) -> u64 {
        self.ring.tail.load(Ordering::Relaxed)
    }

    /// How many items there is room for, at least: it only becomes more until something is pushed.
    #[inline]
    pub(super) fn room(&self) -> usize {
        self.room_behind(self.tail())
    }

    #[inline]
    fn room_behind(&self, tail: u64) -> usize {
        // Acquire: pairs with the exchange of whoever took the items whose slots are to be reused.
        SLOTS - (tail - self.ring.head.load(Ordering::Acquire)) as usize
    }

    /// Puts an item at the end. Where there is no room it comes out again, behind the older half of
    /// what stands in the ring.
    #[inline]
    pub(crate) fn push(&self, item: T) -> Option<Overflow<T>> {
        let tail = self.tail();
        if self.room_behind(tail) > 0 {
            self.put(tail, item);
            return None;
        }
        self.overflow(item)
    }

    #[inline]
    fn put(&self, tail: u64, item: T) {
        self.ring.slot(tail).store(item.into_raw(), Ordering::Relaxed);
        // Release: the item, and the slot, come before the tail by which a thief finds them.
        self.ring.tail.store(tail + 1, Ordering::Release);
    }

    #[cold]
    fn overflow(&self, item: T) -> Option<Overflow<T>> {
        let mut items = [ptr::null_mut(); HALF + 1];
        let tail = self.tail();
        // Acquire: as in `room_behind`.
        let head = self.ring.head.load(Ordering::Acquire);
        if (tail - head) as usize == SLOTS {
            for (position, place) in (head..).zip(&mut items[..HALF]) {
                *place = self.ring.slot(position).load(Ordering::Relaxed);
            }
            if self.ring.take(head, HALF) {
                items[HALF] = item.into_raw();
                return Some(Overflow { items, at: 0, owned: PhantomData });
            }
        }
        // Thieves were here meanwhile: there is room now, and they never make it less.
        self.put(tail, item);
        None
    }

    /// Takes the oldest item.
    #[inline]
    pub(crate) fn pop(&self) -> Option<T> {
        let tail = self.tail();
        // Acquire is not needed: what this thread reads here it has stored itself.
        let mut head = self.ring.head.load(Ordering::Relaxed);
        while head != tail {
            let item = self.ring.slot(head).load(Ordering::Relaxed);
            if self.ring.take(head, 1) {
                // SAFETY: `push` or a theft stored it, and the exchange made it this thread's (see
                // the top of the file).
                return Some(unsafe { T::from_raw(item) });
            }
            head = self.ring.head.load(Ordering::Relaxed);
        }
        None
    }
}

impl<T: Token> Thief<T> {
    /// Whether there is something to steal, or was a moment ago.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.ring.len() == 0
    }

    /// How many items there are, or were a moment ago.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    /// Takes items from the front, half of them or `most` if that is less. The first is returned,
    /// with how many they are; the others go to `into`, which is another ring.
    pub(crate) fn steal(&self, into: &Owner<T>, most: usize) -> Option<(T, usize)> {
        let tail = into.tail();
        let most = most.min(HALF).min(into.room_behind(tail) + 1);
        loop {
            // Acquire: as in `len`, so that what is read next is not an older `tail`.
            let head = self.ring.head.load(Ordering::Acquire);
            // Acquire: pairs with the owner's release of the slots before it.
            let len = self.ring.tail.load(Ordering::Acquire).wrapping_sub(head) as usize;
            if len == 0 {
                return None;
            }
            if len > SLOTS {
                // The head has moved since it was read.
                continue;
            }
            let n = (len - len / 2).min(most);
            let first = self.ring.slot(head).load(Ordering::Relaxed);
            for (from, to) in (head + 1..head + n as u64).zip(tail..) {
                let item = self.ring.slot(from).load(Ordering::Relaxed);
                into.ring.slot(to).store(item, Ordering::Relaxed);
            }
            if self.ring.take(head, n) {
                if n > 1 {
                    // Release: as in `put`.
                    into.ring.tail.store(tail + n as u64 - 1, Ordering::Release);
                }
                // SAFETY: its owner or an earlier theft stored it, and the exchange made it this
                // thread's (see the top of the file).
                return Some((unsafe { T::from_raw(first) }, n));
            }
        }
    }
}

impl<T: Token> Clone for Thief<T> {
    fn clone(&self) -> Self {
        Self { ring: self.ring.clone(), items: PhantomData }
    }
}

impl<T: Token> Drop for Owner<T> {
    fn drop(&mut self) {
        // Thieves find nothing from here on: nobody pushes any more.
        while let Some(item) = self.pop() {
            drop(item);
        }
    }
}

impl<T: Token> fmt::Debug for Owner<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T: Token> fmt::Debug for Thief<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thief").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// What a full ring gave out, oldest first.
pub(crate) struct Overflow<T: Token> {
    items: [*mut (); HALF + 1],
    /// What lies before it was taken.
    at: usize,
    owned: PhantomData<T>,
}

impl<T: Token> Iterator for Overflow<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let item = *self.items.get(self.at)?;
        self.at += 1;
        // SAFETY: the pointers are those of owned items, and each is taken once.
        Some(unsafe { T::from_raw(item) })
    }
}

impl<T: Token> Drop for Overflow<T> {
    fn drop(&mut self) {
        for item in self {
            drop(item);
        }
    }
}

#[cfg(test)]
impl<T: Send> Token for Box<T> {
    fn into_raw(self) -> *mut () {
        Box::into_raw(self).cast()
    }

    unsafe fn from_raw(raw: *mut ()) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Box::from_raw(raw.cast()) }
    }
}
