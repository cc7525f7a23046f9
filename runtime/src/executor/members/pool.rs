//! The seats of a group's members: memory that the group and all wakers of its members share.

use std::cell::{Cell, UnsafeCell};
use std::ptr::NonNull;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::Waker;

use crate::loom::sync::atomic::{AtomicBool, AtomicUsize};
use crate::loom::sync::{Mutex, MutexGuard};
use crate::queue::stack::{Link, Stack};

/// References that a group takes at once.
pub(super) const STOCK: usize = 1 << 12;
/// Seats of the first chunk; each is twice the one before, up to `LARGEST`.
const FIRST: usize = 4;
const LARGEST: usize = 512;

/// The key of a seat whose member has left while it stood on the stack.
pub(super) const GONE: usize = usize::MAX;

/// What the group and all its wakers share.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) refs: AtomicUsize,
    pub(super) woken: Stack,
    /// Who polls the group.
    pub(super) waiting: Mutex<Option<Waker>>,
    /// The group's, and in the end that of whoever frees the pool.
    chunks: UnsafeCell<Vec<NonNull<[Seat]>>>,
}

/// What a member's wakers point to.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Seat {
    /// First, so that the link's address is the seat's.
    pub(super) link: Link,
    pub(super) pool: NonNull<Pool>,
    /// The group's.
    pub(super) key: Cell<usize>,
    pub(super) queued: AtomicBool,
}

impl Pool {
    /// A pool with one stock of references, which is the group's.
    pub(super) fn new() -> NonNull<Pool> {
        let pool = Box::new(Pool {
            refs: AtomicUsize::new(STOCK),
            woken: Stack::new(),
            waiting: Mutex::new(None),
            chunks: UnsafeCell::new(Vec::new()),
        });
        // SAFETY: a box is not at address zero.
        unsafe { NonNull::new_unchecked(Box::into_raw(pool)) }
    }

    pub(super) fn waiting(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds a chunk of seats.
///
/// # Safety
/// For the pool's group, exclusively borrowed.
pub(super) unsafe fn grow(pool: NonNull<Pool>) -> NonNull<[Seat]> {
    // SAFETY: the group's stock of references keeps it.
    let chunks = unsafe { pool.as_ref() }.chunks.get();
    // SAFETY: the group's alone until its end, and the caller is the group.
    let chunks = unsafe { &mut *chunks };
    let size = chunks.last().map_or(FIRST, |last| (2 * last.len()).min(LARGEST));
    let new_seat =
        || Seat { link: Link::new(), pool, key: Cell::new(GONE), queued: AtomicBool::new(true) };
    let chunk: Box<[Seat]> = (0..size).map(|_| new_seat()).collect();
    // SAFETY: a box is not at address zero.
    let chunk = unsafe { NonNull::new_unchecked(Box::into_raw(chunk)) };
    chunks.push(chunk);
    chunk
}

/// Gives references back, and frees the pool with the last one.
///
/// # Safety
/// The caller has these references, and does not use them afterwards.
#[inline]
pub(super) unsafe fn release(pool: NonNull<Pool>, refs: usize) {
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
