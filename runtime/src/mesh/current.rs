//! What this thread keeps for the mesh of the runtime whose loop it runs: the one thread-local of
//! this layer.
//!
//! Constant and without a destructor, so that it can be asked at any time, in the destructors of
//! other thread-locals too.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

use super::local::Local;
use super::peers::Peers;

#[cfg(not(henge_loom))]
thread_local! {
    static LOCAL: Cell<*const Local> = const { Cell::new(ptr::null()) };
}

// loom's threads share one thread of the system, so it brings its own.
#[cfg(henge_loom)]
loom::thread_local! {
    static LOCAL: Cell<*const Local> = Cell::new(ptr::null());
}

/// Calls `f` with what this thread keeps, if a loop of ours runs on it.
#[inline]
pub(super) fn with<R>(f: impl FnOnce(Option<&Local>) -> R) -> R {
    let local = LOCAL.with(Cell::get);
    // SAFETY: not null only while `Entered` exists, which borrows it; what `f` gets ends with this
    // call, inside of the frame that has the guard.
    f(unsafe { local.as_ref() })
}

/// Makes it this thread's, until it is dropped.
#[must_use]
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    before: *const Local,
    _local: PhantomData<&'a Local>,
}

impl<'a> Entered<'a> {
    pub(super) fn new(local: &'a Local) -> Entered<'a> {
        Entered { before: LOCAL.with(|cell| cell.replace(local)), _local: PhantomData }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        LOCAL.with(|cell| cell.set(self.before));
    }
}

/// The shards of the runtime whose loop runs on this thread.
///
/// # Panics
/// If none does, with `what` in the message.
#[track_caller]
pub(super) fn peers(what: &str) -> Arc<Peers> {
    match with(|local| local.map(|local| Arc::clone(local.peers()))) {
        Some(peers) => peers,
        None => panic!("{what} inside of a henge runtime: no loop of one runs on this thread"),
    }
}
