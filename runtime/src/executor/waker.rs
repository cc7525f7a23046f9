//! Wakers: one pointer to the task, and a thread check that tells home from elsewhere.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::current;
use super::header::TaskPtr;
use super::home::Home;
use super::id::Id;
use super::raw::swallow;
use super::slab;
use super::span::{self, Step};
use super::state::{Kind, MERGED, Owes, RUNNING, YIELDED};
use super::stealable;
use crate::prefetch;

/// A `static`, so that its address identifies our wakers.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// The home of a task, if it is the one that this thread has entered.
#[inline]
pub(super) fn home_of<'a>(task: TaskPtr) -> Option<&'a Home> {
    let home = match task.header().local.kind.get() {
        Kind::Stealable => return None,
        _ => task.place().home(),
    };
    if home != current::home() {
        return None;
    }
    // SAFETY: this thread's current home is live until it is left, which happens in frames
    // outside of all that run now; a place that names no home equals no thread's.
    Some(unsafe { &*home })
}

/// One more reference. The caller has one.
#[inline]
pub(super) fn retain(task: TaskPtr) {
    let header = task.header();
    if home_of(task).is_none() || header.local.flags() & MERGED != 0 {
        header.shared.retain();
        return;
    }
    let refs = header.local.refs();
    header.local.set_refs(refs + 1);
    if refs == i32::MAX - 1 {
        spill(task);
    }
}

/// Two billion references are counted here, or so many fewer than none: the shared word has room
/// for a million times more. Says how many are left here.
#[cold]
pub(super) fn spill(task: TaskPtr) -> i32 {
    let header = task.header();
    let refs = header.local.refs() / 2;
    header.shared.spill(refs);
    let left = header.local.refs() - refs;
    header.local.set_refs(left);
    left
}

/// One reference less: the caller's.
#[inline]
pub(super) fn release(task: TaskPtr) {
    match home_of(task) {
        Some(home) => home.release(task),
        None if task.is_stealable() => stealable::release(task),
        None => release_elsewhere(task),
    }
}

#[cold]
pub(super) fn release_elsewhere(task: TaskPtr) {
    if task.header().shared.release() == Owes::Push {
        push_unreferenced(task);
    }
}

/// Asks the home for what was just set in the shared word. The caller holds a reference.
pub(super) fn push(task: TaskPtr) {
    let link = task.as_ptr().cast();
    // SAFETY: whoever owes the push has set LINKED, so the link is on no list, and the task
    // stays until it was taken. The caller's reference keeps the inbox until this returns.
    if unsafe { task.place().inbox().push_link(link) }.is_err() {
        refused(task);
    }
}

/// As [`push`], without a reference: the inbox is kept by one of its own.
///
/// The home is woken although nothing waits for this. A wake that comes while the link stands in
/// the inbox rings no bell, since it relies on the one that the link's pusher has rung.
pub(super) fn push_unreferenced(task: TaskPtr) {
    let link = task.as_ptr().cast();
    // The link under way keeps the task, and so the inbox, until it is pushed.
    let inbox = Arc::clone(task.place().inbox());
    // SAFETY: as in `push`.
    if unsafe { inbox.push_link(link) }.is_err() {
        refused(task);
    }
}

/// The home has closed: this thread does with the link what the home would have done.
pub(super) fn refused(task: TaskPtr) {
    let header = task.header();
    // SAFETY: all tasks of a closed home are done. The handle that asked is gone, and it was
    // dropped on another thread than the home's, so the result is Send: on the home's own thread
    // the task would have been seen to be done.
    let drop_output = || unsafe { (header.vtable.drop_output)(task) };
    if header.shared.refuse(drop_output) {
        // SAFETY: no reference is left, and the home has closed.
        unsafe { slab::free_orphan(task) };
    }
}

#[cold]
fn wake_elsewhere(task: TaskPtr) {
    let header = task.header();
    if !header.local.is_done() && header.shared.wake() == Owes::Push {
        push(task);
    }
}

/// # Safety
/// `data` is that of a live waker of ours.
#[inline]
unsafe fn task_of(data: *const ()) -> TaskPtr {
    // SAFETY: the data of our wakers is a task's header, which is not null.
    let header = unsafe { std::ptr::NonNull::new_unchecked(data.cast_mut().cast()) };
    // SAFETY: it was made from a `TaskPtr`, and the waker's reference keeps the task.
    unsafe { TaskPtr::new(header) }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called by a waker of ours, which is live.
    let task = unsafe { task_of(data) };
    span::tell(task, Step::Clone);
    retain(task);
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: called by a waker of ours, whose reference this function takes over.
    let task = unsafe { task_of(data) };
    span::tell(task, Step::Wake);
    // Where the line is another core's it is not fetched twice, to look and to change it.
    prefetch::to_write(task.as_ptr().as_ptr());
    match home_of(task) {
        Some(home) => {
            home.wake(task);
            home.release(task);
        }
        None if task.is_stealable() => {
            // Two steps: the reference keeps the scheduler until it was called.
            stealable::wake(task);
            stealable::release(task);
        }
        None => {
            // The home's as a rule, like the task's own line, and comes together with it.
            task.place().inbox().expect_push();
            // One step: the home, which has to count what was made there and dropped here, would
            // be woken a second time for the reference.
            if task.header().local.is_done() {
                release_elsewhere(task);
            } else if task.header().shared.wake_and_release() == Owes::Push {
                push_unreferenced(task);
            }
        }
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: called by a waker of ours, which is live.
    let task = unsafe { task_of(data) };
    span::tell(task, Step::WakeByRef);
    match home_of(task) {
        Some(home) => home.wake(task),
        None => wake_by_ref_elsewhere(task),
    }
}

/// Out of line, so that a wake at home saves no registers for it.
#[inline(never)]
fn wake_by_ref_elsewhere(task: TaskPtr) {
    if task.is_stealable() {
        stealable::wake(task);
    } else {
        wake_elsewhere(task);
    }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: called by a waker of ours, whose reference this function takes over.
    let task = unsafe { task_of(data) };
    span::tell(task, Step::Drop);
    release(task);
}

/// The waker to poll a task with. It holds no reference: cloning it makes one.
#[inline]
pub(super) fn borrowed(task: TaskPtr) -> ManuallyDrop<Waker> {
    let data = task.as_ptr().as_ptr().cast_const().cast();
    // SAFETY: the functions of the vtable keep the contract of `RawWaker`: they are callable
    // from any thread, and count. The reference that this one lacks is the task's own: while it
    // is polled it is not done, and only a task that is done is freed.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) })
}

/// Whether a waker is one of a task of ours.
#[inline]
pub(super) fn is_ours(waker: &Waker) -> bool {
    std::ptr::eq(waker.vtable(), &raw const VTABLE)
}

/// Has the task of this waker give way to all others and to the ring, if this thread is polling it.
#[inline]
pub(super) fn give_way(waker: &Waker) -> bool {
    if !is_ours(waker) {
        return false;
    }
    // SAFETY: ours, and live for as long as this uses the task.
    let task = unsafe { task_of(waker.data()) };
    let local = &task.header().local;
    let flags = local.flags();
    // RUNNING is never set in a stealable task. The future of `block_on` runs as no task.
    let here = current::task() == Some(Id::of(task)) || home_of(task).is_some();
    if !here || flags & RUNNING == 0 {
        return false;
    }
    local.set_flags(flags | YIELDED);
    true
}

/// Whether a waker is that of the task at `data`.
#[inline]
pub(super) fn is_of(waker: &Waker, data: *const ()) -> bool {
    waker.data() == data && is_ours(waker)
}

/// The task of a waker of ours, and the waker's reference.
#[inline]
pub(super) fn into_data(waker: Waker) -> *mut () {
    debug_assert!(is_ours(&waker));
    ManuallyDrop::new(waker).data().cast_mut()
}

/// Undoes [`into_data`].
///
/// # Safety
/// `data` came from there, and its reference becomes the waker's.
#[inline]
pub(super) unsafe fn from_data(data: *mut ()) -> Waker {
    // SAFETY: the caller's promise; the vtable's functions are as in `borrowed`.
    unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
}

/// Wakes a waker that may be a stranger's, whose panics are nobody's.
#[inline]
pub(super) fn wake_any(waker: Waker) {
    if is_ours(&waker) {
        waker.wake();
    } else {
        swallow(|| waker.wake());
    }
}
