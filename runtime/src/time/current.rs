//! Which timers this thread has: what the loop enters, and what a sleep looks up.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use super::clock::Clock;
use super::host;
use super::timers::Timers;

thread_local! {
    static CURRENT: Cell<*const Timers> = const { Cell::new(ptr::null()) };
}

/// Why a timer panics where nothing could fire it.
pub(super) const NO_RUNTIME: &str = "there is no reactor running: timers must be made in the \
     context of a henge runtime, inside `block_on`, in a task, or after `Handle::enter`, and where \
     they are polled elsewhere that runtime must be there";

/// While it lives, sleeps that are polled on this thread belong to the timers that were entered.
#[derive(Debug)]
#[must_use = "the timers are left again when this is dropped"]
pub(crate) struct Entered<'a> {
    outer: *const Timers,
    timers: PhantomData<&'a Timers>,
}

impl Timers {
    /// Makes these the timers of this thread. Guards are dropped in the reverse order; they must
    /// not be forgotten, which the loops of this crate do not do.
    pub(crate) fn enter(&self) -> Entered<'_> {
        Entered { outer: CURRENT.replace(self), timers: PhantomData }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.set(self.outer);
    }
}

/// Calls `f` with this thread's timers; None where no loop of ours runs.
#[inline]
pub(super) fn with<R>(f: impl FnOnce(Option<&Timers>) -> R) -> R {
    let current = CURRENT.get();
    // SAFETY: the pointer is null or was made from a reference by `enter`, on this thread, whose
    // guard borrows the timers and puts the pointer back when it goes; it is not forgotten. `f`
    // cannot drop a guard that was entered before this call, for those live in the loops' frames.
    f(unsafe { current.as_ref() })
}

/// Calls `f` with the clock of the runtime that this thread is in.
pub(super) fn with_clock<R>(f: impl FnOnce(Option<&Clock>) -> R) -> R {
    with(|timers| match timers {
        Some(timers) => f(Some(timers.clock())),
        None => match host::current() {
            Some(host) => f(Some(host.clock())),
            None => f(None),
        },
    })
}

/// Panics, in the caller's name, where there is no runtime.
#[track_caller]
#[inline]
pub(super) fn assert_in_runtime() {
    assert!(!CURRENT.get().is_null() || host::current().is_some(), "{NO_RUNTIME}");
}
