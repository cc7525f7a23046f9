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
//! The loom models below run this with four slots.

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

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::{HALF, SLOTS, ring};

    fn step(seed: &mut u64) -> u64 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed >> 20
    }

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let (owner, _thief) = ring();
        assert!(owner.is_empty());
        for n in 0..SLOTS {
            assert!(owner.push(Box::new(n)).is_none());
        }
        for n in 0..SLOTS {
            assert_eq!(owner.pop(), Some(Box::new(n)));
        }
        assert_eq!(owner.pop(), None);
    }

    #[test]
    fn a_full_ring_gives_out_its_older_half_and_what_did_not_fit() {
        let (owner, _thief) = ring();
        for n in 0..SLOTS {
            assert!(owner.push(Box::new(n)).is_none());
        }
        let out: Vec<_> = owner.push(Box::new(SLOTS)).expect("full").map(|item| *item).collect();
        assert_eq!(out, (0..HALF).chain([SLOTS]).collect::<Vec<_>>());
        assert_eq!(owner.pop(), Some(Box::new(HALF)));
    }

    #[test]
    fn a_thief_takes_the_older_half() {
        let ((owner, thief), (mine, _)) = (ring(), ring());
        for n in 0..7 {
            owner.push(Box::new(n));
        }
        assert_eq!(thief.steal(&mine, HALF), Some((Box::new(0), 4)));
        assert_eq!([mine.pop(), mine.pop(), mine.pop()], [1, 2, 3].map(|n| Some(Box::new(n))));
        assert_eq!(owner.len(), 3);
        assert_eq!(thief.steal(&mine, 1), Some((Box::new(4), 1)));
        assert_eq!(mine.pop(), None);
        assert_eq!(thief.steal(&mine, HALF), Some((Box::new(5), 1)));
        assert_eq!(thief.steal(&mine, HALF), Some((Box::new(6), 1)));
        assert_eq!(thief.steal(&mine, HALF), None);
    }

    #[test]
    fn a_thief_takes_no_more_than_it_has_room_for() {
        let ((owner, thief), (mine, _)) = (ring(), ring());
        for n in 0..SLOTS {
            owner.push(Box::new(n));
            if n < SLOTS - 2 {
                mine.push(Box::new(0));
            }
        }
        assert_eq!(thief.steal(&mine, HALF), Some((Box::new(0), 3)));
        assert_eq!(mine.len(), SLOTS);
        assert_eq!(thief.steal(&mine, HALF), Some((Box::new(3), 1)));
    }

    #[test]
    fn what_is_left_is_dropped_with_the_owner() {
        let kept = std::sync::Arc::new(());
        let (owner, thief) = ring();
        for _ in 0..10 {
            owner.push(Box::new(kept.clone()));
        }
        drop(owner);
        assert!(thief.is_empty());
        assert_eq!(std::sync::Arc::strong_count(&kept), 1);
    }

    /// One thread: against a model that is plain.
    #[test]
    fn behaves_like_a_deque() {
        for start in 1..=20_u64 {
            let mut seed = start.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let ((owner, thief), (mine, _)) = (ring(), ring());
            let mut model = VecDeque::new();
            for n in 0..20_000 {
                match step(&mut seed) % 16 {
                    0..9 => {
                        model.push_back(n);
                        if let Some(out) = owner.push(Box::new(n)) {
                            model.pop_back();
                            for item in out {
                                let expected = if *item == n { n } else { model[0] };
                                assert_eq!(*item, expected);
                                if *item != n {
                                    model.pop_front();
                                }
                            }
                        }
                    }
                    9..15 => assert_eq!(owner.pop().map(|item| *item), model.pop_front()),
                    _ => {
                        let half = model.len() - model.len() / 2;
                        let stolen = thief.steal(&mine, HALF);
                        assert_eq!(stolen.as_ref().map_or(0, |(_, n)| *n), half.min(HALF));
                        let first = stolen.map(|(first, _)| first);
                        for item in first.into_iter().chain(std::iter::from_fn(|| mine.pop())) {
                            assert_eq!(Some(*item), model.pop_front());
                        }
                    }
                }
                assert_eq!(owner.len(), model.len());
            }
        }
    }

    /// Threads steal from each other while one of them pushes: everything comes out once.
    #[test]
    fn nothing_is_lost_or_taken_twice() {
        const ITEMS: usize = 200_000;
        for seed in 1..=4_u64 {
            let (owner, thief) = ring::<Box<usize>>();
            let done = AtomicBool::new(false);
            let seen: Vec<Vec<usize>> = thread::scope(|scope| {
                let thieves: Vec<_> = (0..3_u64)
                    .map(|n| {
                        let (thief, done) = (thief.clone(), &done);
                        scope.spawn(move || {
                            let mut seed = seed << 8 | (n + 1);
                            let ((mine, _), mut seen) = (ring(), Vec::new());
                            // Acquire: what was pushed before is seen by the last look.
                            while !done.load(Ordering::Acquire) || !thief.is_empty() {
                                let most = step(&mut seed) as usize % HALF + 1;
                                if let Some((first, n)) = thief.steal(&mine, most) {
                                    assert!(n <= most);
                                    seen.push(*first);
                                    seen.extend(
                                        std::iter::from_fn(|| mine.pop()).map(|item| *item),
                                    );
                                }
                            }
                            seen
                        })
                    })
                    .collect();
                let (mut seed, mut seen) = (seed, Vec::new());
                for n in 0..ITEMS {
                    if let Some(out) = owner.push(Box::new(n)) {
                        seen.extend(out.map(|item| *item));
                    }
                    if step(&mut seed) % 4 == 0 {
                        seen.extend(owner.pop().map(|item| *item));
                    }
                }
                seen.extend(std::iter::from_fn(|| owner.pop()).map(|item| *item));
                // Release: after everything that was pushed.
                done.store(true, Ordering::Release);
                thieves
                    .into_iter()
                    .map(|thief| thief.join().expect("no thief panics"))
                    .chain([seen])
                    .collect()
            });
            let mut all: Vec<usize> = seen.concat();
            all.sort_unstable();
            assert!(all.iter().copied().eq(0..ITEMS), "seed {seed}: each comes out once");
        }
    }
}

#[cfg(all(test, henge_loom))]
mod loom_tests {
    use loom::cell::UnsafeCell;
    use loom::thread;

    use super::{HALF, Owner, SLOTS, ring};

    /// A value in a cell that loom checks: reading it needs its push to happen before.
    struct Item(UnsafeCell<usize>);

    // SAFETY: written before it is pushed, read after it was taken; loom checks that.
    unsafe impl Send for Item {}

    fn item(n: usize) -> Box<Item> {
        let item = Box::new(Item(UnsafeCell::new(0)));
        // SAFETY: nobody else knows it yet.
        item.0.with_mut(|value| unsafe { *value = n });
        item
    }

    fn read(item: Box<Item>) -> usize {
        // SAFETY: taken, so it is this thread's alone.
        item.0.with(|value| unsafe { *value })
    }

    fn drain(owner: &Owner<Box<Item>>, seen: &mut Vec<usize>) {
        seen.extend(std::iter::from_fn(|| owner.pop()).map(read));
    }

    fn each_once(mut seen: Vec<usize>, n: usize) {
        seen.sort_unstable();
        assert_eq!(seen, (0..n).collect::<Vec<_>>());
    }

    #[test]
    fn loom_an_owner_and_a_thief_share_what_there_is() {
        loom::model(|| {
            let (owner, thief) = ring();
            let other = thread::spawn(move || {
                let ((mine, _), mut seen) = (ring(), Vec::new());
                for _ in 0..2 {
                    if let Some((first, _)) = thief.steal(&mine, HALF) {
                        seen.push(read(first));
                        drain(&mine, &mut seen);
                    }
                }
                seen
            });
            let mut seen = Vec::new();
            for n in 0..3 {
                assert!(owner.push(item(n)).is_none());
            }
            seen.extend(owner.pop().map(read));
            // The slots come round.
            for n in 3..5 {
                seen.extend(owner.push(item(n)).into_iter().flatten().map(read));
            }
            drain(&owner, &mut seen);
            seen.extend(other.join().unwrap());
            each_once(seen, 5);
        });
    }

    #[test]
    fn loom_two_thieves_of_one_ring() {
        loom::model(|| {
            let (owner, thief) = ring();
            for n in 0..3 {
                assert!(owner.push(item(n)).is_none());
            }
            let thieves = [0, 1].map(|_| {
                let thief = thief.clone();
                thread::spawn(move || {
                    let ((mine, _), mut seen) = (ring(), Vec::new());
                    if let Some((first, _)) = thief.steal(&mine, HALF) {
                        seen.push(read(first));
                        drain(&mine, &mut seen);
                    }
                    seen
                })
            });
            let mut seen = Vec::new();
            seen.extend(owner.pop().map(read));
            for thief in thieves {
                seen.extend(thief.join().unwrap());
            }
            drain(&owner, &mut seen);
            each_once(seen, 3);
        });
    }

    #[test]
    fn loom_a_ring_overflows_while_it_is_stolen_from() {
        loom::model(|| {
            let (owner, thief) = ring();
            for n in 0..SLOTS {
                assert!(owner.push(item(n)).is_none());
            }
            let other = thread::spawn(move || {
                let ((mine, _), mut seen) = (ring(), Vec::new());
                if let Some((first, _)) = thief.steal(&mine, HALF) {
                    seen.push(read(first));
                    drain(&mine, &mut seen);
                }
                seen
            });
            let mut seen = Vec::new();
            for n in SLOTS..SLOTS + 2 {
                seen.extend(owner.push(item(n)).into_iter().flatten().map(read));
            }
            seen.extend(other.join().unwrap());
            drain(&owner, &mut seen);
            each_once(seen, SLOTS + 2);
        });
    }

    #[test]
    fn loom_a_thief_is_robbed_in_turn() {
        loom::model(|| {
            let (owner, thief) = ring();
            for n in 0..4 {
                assert!(owner.push(item(n)).is_none());
            }
            let (mine, from_me) = ring();
            let second = thread::spawn(move || {
                let ((own, _), mut seen) = (ring(), Vec::new());
                if let Some((first, _)) = from_me.steal(&own, HALF) {
                    seen.push(read(first));
                    drain(&own, &mut seen);
                }
                seen
            });
            let first = thread::spawn(move || {
                let mut seen = Vec::new();
                if let Some((first, _)) = thief.steal(&mine, HALF) {
                    seen.push(read(first));
                    drain(&mine, &mut seen);
                }
                seen
            });
            let mut seen = Vec::new();
            seen.extend(owner.pop().map(read));
            seen.extend(first.join().unwrap());
            seen.extend(second.join().unwrap());
            drain(&owner, &mut seen);
            each_once(seen, 4);
        });
    }
}
