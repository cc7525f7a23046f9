//! A member's wakers: pointers to its seat, counted together.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::pool::{Seat, release};
use crate::queue::stack::Link;

/// A `static`, so that its address identifies these wakers.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

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
pub(in crate::executor) fn is_one(waker: &Waker) -> bool {
    std::ptr::eq(waker.vtable(), &raw const VTABLE)
}

/// A waker of a member in one word, whose two lowest bits are free.
#[inline]
pub(in crate::executor) fn into_data(waker: Waker) -> *mut () {
    debug_assert!(is_one(&waker));
    ManuallyDrop::new(waker).data().cast_mut()
}

/// Undoes [`into_data`].
///
/// # Safety
/// `data` came from there, and its reference becomes the waker's.
#[inline]
pub(in crate::executor) unsafe fn from_data(data: *mut ()) -> Waker {
    // SAFETY: the caller's promise. The functions of the vtable keep the contract of `RawWaker`:
    // they are callable from any thread, and count.
    unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
}

const _: () = assert!(align_of::<Seat>() >= 4);
