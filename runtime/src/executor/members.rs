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

mod pool;
mod waker;

#[cfg(all(test, henge_loom))]
mod loom_tests;
#[cfg(all(test, not(henge_loom)))]
mod tests;

use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use std::task::Waker;

use crate::queue::stack::Drain;
use pool::{GONE, Pool, STOCK, Seat, release};

pub(super) use waker::{from_data, into_data, is_one};

/// The members of a group, by keys of the group's choice.
#[derive(Debug)]
pub(crate) struct Members {
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
pub(crate) struct Taken(NonNull<Seat>);

/// A member that is armed, or was woken since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Armed(NonNull<Seat>);

impl Members {
    pub(crate) fn new() -> Self {
        Self { pool: Pool::new(), stock: STOCK, free: Vec::new(), woken: Drain::empty() }
    }

    fn pool(&self) -> &Pool {
        // SAFETY: the group's stock of references keeps it.
        unsafe { self.pool.as_ref() }
    }

    /// A waker that wakes the group for the member of this key.
    #[inline]
    pub(crate) fn add(&mut self, key: usize) -> (Armed, Waker) {
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
        // SAFETY: the group asks, exclusively borrowed, and its stock keeps the pool.
        let chunk = unsafe { pool::grow(self.pool) };
        let first = chunk.cast::<Seat>();
        // SAFETY: inside of the chunk.
        self.free.extend((1..chunk.len()).rev().map(|index| unsafe { first.add(index) }));
        first
    }

    /// The next member that was woken, by its key.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<(usize, Taken)> {
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
    pub(crate) fn rearm(&mut self, taken: Taken) -> Armed {
        // SAFETY: seats live as long as their pool.
        let seat = unsafe { taken.0.as_ref() };
        // A read-modify-write: of a wake and this one comes first. Either the wake pushes, or this
        // sees it, and what was done before it. AcqRel: acquires that, and releases the link.
        seat.queued.swap(false, Ordering::AcqRel);
        Armed(taken.0)
    }

    /// The member has left.
    #[inline]
    pub(crate) fn retire(&mut self, taken: Taken) {
        self.free.push(taken.0);
    }

    /// The member has left, and may have been woken since it was armed.
    pub(crate) fn remove(&mut self, armed: Armed) {
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
    pub(crate) fn wait(&self, waker: &Waker) -> Option<Waker> {
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
