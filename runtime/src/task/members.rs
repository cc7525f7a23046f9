//! Which members of a group have been woken: pushed by whoever wakes them, taken by the group.
//!
//! Every member has a *seat*, and every waker of the member points to it. A wake pushes the seat on
//! the group's stack; the first push after a take wakes whoever polls the group.
//!
//! ```text
//!             add              wake                  next
//!   free ----------> armed ---------> on the stack ---------> taken
//!    ^                 |   <------------- rearm ----------------|
//!    |<--- remove -----|                   |                    |
//!    |                       remove: GONE, freed by `next`      |
//!    |<-------------------------- retire -----------------------|
//! ```
//!
//! `queued` is set in all states but *armed*, so a wake that comes too late, from a waker whose
//! member has left, does nothing or wakes the seat's next member once too often.
//!
//! # Memory
//! Seats lie in chunks of the pool, which lives until the group and the last waker are gone: `refs`
//! counts the wakers, and a stock of references that the group holds, so that it makes a waker
//! without touching the count. What stands on the stack needs no reference: the group closes the
//! stack before it gives up its stock.

use std::cell::{Cell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::loom::sync::atomic::{AtomicBool, AtomicUsize};
use crate::loom::sync::{Mutex, MutexGuard};
use crate::queue::stack::{Drain, Link, Stack};

/// References that a group takes at once.
const STOCK: usize = 1 << 12;
/// Seats of the first chunk; each is twice the one before, up to `LARGEST`.
const FIRST: usize = 4;
const LARGEST: usize = 512;

/// The key of a seat whose member has left while it stood on the stack.
const GONE: usize = usize::MAX;

/// A `static`, so that its address identifies these wakers.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// What the group and all its wakers share.
#[derive(Debug)]
struct Pool {
    refs: AtomicUsize,
    woken: Stack,
    /// Who polls the group.
    waiting: Mutex<Option<Waker>>,
    /// The group's, and in the end that of whoever frees the pool.
    chunks: UnsafeCell<Vec<NonNull<[Seat]>>>,
}

/// What a member's wakers point to.
#[derive(Debug)]
#[repr(C)]
struct Seat {
    /// First, so that the link's address is the seat's.
    link: Link,
    pool: NonNull<Pool>,
    /// The group's.
    key: Cell<usize>,
    queued: AtomicBool,
}

/// The members of a group, by keys of the group's choice.
#[derive(Debug)]
pub(super) struct Members {
    pool: NonNull<Pool>,
    /// References that were taken and not given to wakers: one at least.
    stock: usize,
    free: Vec<NonNull<Seat>>,
    /// Taken from the stack, and not yielded yet.
    woken: Drain,
}

// SAFETY: a pool is touched through its atomics and its lock by everybody, and apart from these
// only by the one group, exclusively borrowed.
unsafe impl Send for Members {}
// SAFETY: as above; a shared group gives access to the lock alone.
unsafe impl Sync for Members {}

/// A member that was woken. It is not noticed again before it was rearmed.
#[derive(Debug)]
#[must_use = "a member that is neither rearmed nor retired is never woken again"]
pub(super) struct Taken(NonNull<Seat>);

/// A member that is armed, or was woken since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Armed(NonNull<Seat>);

impl Members {
    pub(super) fn new() -> Self {
        let pool = Box::new(Pool {
            refs: AtomicUsize::new(STOCK),
            woken: Stack::new(),
            waiting: Mutex::new(None),
            chunks: UnsafeCell::new(Vec::new()),
        });
        // SAFETY: a box is not at address zero.
        let pool = unsafe { NonNull::new_unchecked(Box::into_raw(pool)) };
        Self { pool, stock: STOCK, free: Vec::new(), woken: Drain::empty() }
    }

    fn pool(&self) -> &Pool {
        // SAFETY: the group's stock of references keeps it.
        unsafe { self.pool.as_ref() }
    }

    /// A waker that wakes the group for the member of this key.
    #[inline]
    pub(super) fn add(&mut self, key: usize) -> (Armed, Waker) {
        debug_assert_ne!(key, GONE);
        let place = match self.free.pop() {
            Some(place) => place,
            None => self.grow(),
        };
        // SAFETY: seats live as long as their pool.
        let seat = unsafe { place.as_ref() };
        seat.key.set(key);
        // Release: whoever pushes the link from now on comes after its last taker.
        seat.queued.store(false, Ordering::Release);
        if self.stock == 1 {
            self.pool().refs.fetch_add(STOCK, Ordering::Relaxed);
            self.stock += STOCK;
        }
        self.stock -= 1;
        // SAFETY: the reference out of the stock is the waker's.
        (Armed(place), unsafe { from_data(place.as_ptr().cast()) })
    }

    #[cold]
    fn grow(&mut self) -> NonNull<Seat> {
        // SAFETY: the group's alone until its end, and exclusively borrowed.
        let chunks = unsafe { &mut *self.pool().chunks.get() };
        let size = chunks.last().map_or(FIRST, |last| (2 * last.len()).min(LARGEST));
        let pool = self.pool;
        let new_seat = || Seat {
            link: Link::new(),
            pool,
            key: Cell::new(GONE),
            queued: AtomicBool::new(true),
        };
        let chunk: Box<[Seat]> = (0..size).map(|_| new_seat()).collect();
        // SAFETY: a box is not at address zero.
        let chunk = unsafe { NonNull::new_unchecked(Box::into_raw(chunk)) };
        chunks.push(chunk);
        let first = chunk.cast::<Seat>();
        // SAFETY: inside of the chunk, and likewise below.
        self.free.extend((1..size).rev().map(|index| unsafe { first.add(index) }));
        first
    }

    /// The next member that was woken, by its key.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(usize, Taken)> {
        loop {
            let link = match self.woken.next() {
                Some(link) => link,
                None => {
                    self.woken = self.pool().woken.take();
                    self.woken.next()?
                }
            };
            let place = link.cast::<Seat>();
            // SAFETY: wakes push the links of seats, which live as long as the pool.
            match unsafe { place.as_ref() }.key.get() {
                GONE => self.free.push(place),
                key => return Some((key, Taken(place))),
            }
        }
    }

    /// Wakes of the member count again. What it is woken for is looked at after this.
    #[inline]
    pub(super) fn rearm(&mut self, taken: Taken) -> Armed {
        // SAFETY: seats live as long as their pool.
        let seat = unsafe { taken.0.as_ref() };
        // A read-modify-write: of a wake and this one comes first. Either the wake pushes, or this
        // sees it, and what was done before it. AcqRel: acquires that, and releases the link.
        seat.queued.swap(false, Ordering::AcqRel);
        Armed(taken.0)
    }

    /// The member has left.
    #[inline]
    pub(super) fn retire(&mut self, taken: Taken) {
        self.free.push(taken.0);
    }

    /// The member has left, and may have been woken since it was armed.
    pub(super) fn remove(&mut self, armed: Armed) {
        // SAFETY: seats live as long as their pool.
        let seat = unsafe { armed.0.as_ref() };
        // Before the swap: from then on a seat that is queued may be taken.
        seat.key.set(GONE);
        // AcqRel: as a wake's.
        if !seat.queued.swap(true, Ordering::AcqRel) {
            self.free.push(armed.0);
        }
    }

    /// Wakes `waker` when the next member is woken. The caller looks again afterwards, and drops
    /// the one that it replaces.
    #[must_use]
    pub(super) fn wait(&self, waker: &Waker) -> Option<Waker> {
        // Cloning and dropping are the waker's own code: not under the lock.
        let waker = waker.clone();
        self.pool().waiting().replace(waker)
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        // What stands on it is freed with the pool.
        self.pool().woken.close();
        let waiting = self.pool().waiting().take();
        // SAFETY: the stock, which is not used afterwards.
        unsafe { release(self.pool, self.stock) };
        drop(waiting);
    }
}

impl Pool {
    fn waiting(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives references back, and frees the pool with the last one.
///
/// # Safety
/// The caller has these references, and does not use them afterwards.
#[inline]
unsafe fn release(pool: NonNull<Pool>, refs: usize) {
    // SAFETY: the caller's references keep it.
    let count = &unsafe { pool.as_ref() }.refs;
    // AcqRel: releases what was done with the pool; the last one acquires it.
    if count.fetch_sub(refs, Ordering::AcqRel) == refs {
        // SAFETY: nobody has a reference any more.
        unsafe { free(pool) };
    }
}

/// # Safety
/// Nobody refers to the pool or to a seat of it.
#[cold]
unsafe fn free(pool: NonNull<Pool>) {
    // SAFETY: made from a box by `new`, and freed once.
    let pool = unsafe { Box::from_raw(pool.as_ptr()) };
    for chunk in pool.chunks.into_inner() {
        // SAFETY: made from a box by `grow`, and freed once.
        drop(unsafe { Box::from_raw(chunk.as_ptr()) });
    }
}

/// # Safety
/// `data` is that of a live waker of this kind.
#[inline]
unsafe fn seat_of<'a>(data: *const ()) -> &'a Seat {
    // SAFETY: its data is its seat, which lives as long as the pool, which the waker keeps.
    unsafe { &*data.cast::<Seat>() }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called by a live waker.
    let seat = unsafe { seat_of(data) };
    // SAFETY: its reference keeps the pool.
    let pool = unsafe { seat.pool.as_ref() };
    pool.refs.fetch_add(1, Ordering::Relaxed);
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: called by a live waker, whose reference becomes this one's.
    let waker = unsafe { from_data(data.cast_mut()) };
    waker.wake_by_ref();
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: called by a live waker.
    let seat = unsafe { seat_of(data) };
    // AcqRel: acquires the end of the link's last take; releases what the wake is for to a
    // `rearm` that comes later and finds that it need not push.
    if seat.queued.swap(true, Ordering::AcqRel) {
        return;
    }
    // SAFETY: the waker's reference keeps the pool. The seat may be another's once it is pushed.
    let pool = unsafe { seat.pool.as_ref() };
    // SAFETY: the data of a waker is not null.
    let link = unsafe { NonNull::new_unchecked(data.cast_mut()) }.cast::<Link>();
    // SAFETY: `queued` was not set, so the link is on no list; the seat lives as long as the pool,
    // which the group keeps until it has closed the stack.
    if let Ok(true) = unsafe { pool.woken.push(link) } {
        let waiting = pool.waiting().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: called by a live waker.
    let pool = unsafe { seat_of(data) }.pool;
    // SAFETY: the waker's reference, which is not used afterwards.
    unsafe { release(pool, 1) };
}

/// Whether a waker is that of a member.
#[inline]
pub(super) fn is_one(waker: &Waker) -> bool {
    std::ptr::eq(waker.vtable(), &raw const VTABLE)
}

/// A waker of a member in one word, whose two lowest bits are free.
#[inline]
pub(super) fn into_data(waker: Waker) -> *mut () {
    debug_assert!(is_one(&waker));
    ManuallyDrop::new(waker).data().cast_mut()
}

/// Undoes [`into_data`].
///
/// # Safety
/// `data` came from there, and its reference becomes the waker's.
#[inline]
pub(super) unsafe fn from_data(data: *mut ()) -> Waker {
    // SAFETY: the caller's promise. The functions of the vtable keep the contract of `RawWaker`:
    // they are callable from any thread, and count.
    unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
}

const _: () = assert!(align_of::<Seat>() >= 4);

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::Members;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn members_come_out_once_in_the_order_of_their_wakes_and_wake_the_group_once() {
        let count = Arc::new(Count::default());
        let mut members = Members::new();
        assert!(members.wait(&Waker::from(count.clone())).is_none());
        let wakers: Vec<_> = (0..1_000).map(|key| members.add(key).1).collect();
        for key in [7, 3, 7, 999] {
            wakers[key].wake_by_ref();
        }
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        let mut taken = Vec::new();
        while let Some((key, member)) = members.next() {
            taken.push(key);
            members.retire(member);
        }
        assert_eq!(taken, [7, 3, 999]);
        wakers.into_iter().for_each(Waker::wake);
        let mut rest = 0;
        while let Some((_key, member)) = members.next() {
            rest += 1;
            members.retire(member);
        }
        assert_eq!(rest, 997, "those that have left are not woken");
    }

    #[test]
    fn a_rearmed_member_comes_again_and_one_that_left_does_not() {
        let mut members = Members::new();
        let (_, waker) = members.add(5);
        waker.wake_by_ref();
        let (key, taken) = members.next().unwrap();
        assert_eq!(key, 5);
        waker.wake_by_ref();
        assert!(members.next().is_none(), "not before it is rearmed");
        let armed = members.rearm(taken);
        waker.wake_by_ref();
        members.remove(armed);
        assert!(members.next().is_none(), "it has left");
        // The seat is another's now.
        let (armed, other) = members.add(6);
        waker.wake();
        let (key, taken) = members.next().unwrap();
        assert_eq!(key, 6, "woken once too often");
        members.rearm(taken);
        members.remove(armed);
        other.wake();
        assert!(members.next().is_none());
    }

    #[test]
    fn wakers_outlive_the_group() {
        let mut members = Members::new();
        let wakers: Vec<_> = (0..10).map(|key| members.add(key).1).collect();
        wakers[0].wake_by_ref();
        let clone = wakers[1].clone();
        drop(members);
        wakers.into_iter().for_each(Waker::wake);
        clone.wake();
    }
}

#[cfg(all(test, henge_loom))]
mod loom_tests {
    use std::sync::Arc;
    use std::task::{Wake, Waker};

    use loom::sync::atomic::{AtomicUsize, Ordering};
    use loom::thread;

    use super::Members;

    /// Counts in a loom atomic, so that a wake that is lost shows in the model.
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What a member is woken for is seen by the group, however a wake and a rearming meet.
    #[test]
    fn loom_no_wake_is_lost_and_the_pool_goes_last() {
        loom::model(|| {
            let mut members = Members::new();
            let (_, waker) = members.add(0);
            waker.wake_by_ref();
            let value = loom::sync::Arc::new(AtomicUsize::new(0));
            let written = value.clone();
            let other = thread::spawn(move || {
                written.store(1, Ordering::Relaxed);
                waker.wake();
            });
            let (_key, taken) = members.next().unwrap();
            let armed = members.rearm(taken);
            let mut seen = value.load(Ordering::Relaxed) == 1;
            let count = Arc::new(Count(AtomicUsize::new(0)));
            drop(members.wait(&Waker::from(count.clone())));
            if !seen && let Some((_key, taken)) = members.next() {
                seen = value.load(Ordering::Relaxed) == 1;
                assert!(seen, "it was woken for that");
                members.retire(taken);
            } else if seen {
                members.remove(armed);
            }
            if seen {
                drop(members);
                other.join().unwrap();
            } else {
                other.join().unwrap();
                assert_eq!(count.0.load(Ordering::Relaxed), 1, "the group is woken");
                assert!(members.next().is_some_and(|(key, taken)| {
                    members.retire(taken);
                    key == 0
                }));
            }
        });
    }
}
