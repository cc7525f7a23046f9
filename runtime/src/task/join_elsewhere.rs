//! A join from a thread that is not the task's home: where its waker waits.
//!
//! The home must not be raced for the place of the joiner's waker, so it is asked, once: it puts
//! a waker of this cell there, and the joiner changes what that one wakes whenever it is polled.
//!
//! ```text
//!            register                     wake
//!   IDLE ------------> REGISTERING    IDLE ------> WAKING (for good)
//!     ^-- not woken -------|           takes the waker and wakes it
//!                          |
//!   REGISTERING --- wake ---> REGISTERING | WAKING: who registers finds this at its end and
//!                                                   wakes what it has just put there
//! ```

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Wake, Waker};

use super::header::TaskPtr;
use super::waker;
use crate::loom::sync::atomic::AtomicU8;

const IDLE: u8 = 0;
/// The joiner writes the waker.
const REGISTERING: u8 = 1;
/// The task is done. Whoever sets it first has the waker.
const WAKING: u8 = 2;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct JoinElsewhere {
    state: AtomicU8,
    waker: UnsafeCell<Option<Waker>>,
}

// SAFETY: `waker` is touched only by the one that took `state` from IDLE (or found, on leaving
// REGISTERING, that it must wake), and the changes of `state` order those after each other.
unsafe impl Sync for JoinElsewhere {}

/// A message's reference to a task.
struct Referred(TaskPtr);

// SAFETY: references may be dropped on any thread.
unsafe impl Send for Referred {}

impl Drop for Referred {
    fn drop(&mut self) {
        waker::release(self.0);
    }
}

impl JoinElsewhere {
    /// Sees to it that `waker` is woken when the task is done. If it was done before this
    /// returns, perhaps not: the caller looks again.
    pub(super) fn register(cell: &mut Option<Arc<Self>>, task: TaskPtr, waker: &Waker) {
        if let Some(cell) = cell {
            cell.set(waker);
            return;
        }
        let new = Arc::new(Self {
            state: AtomicU8::new(IDLE),
            waker: UnsafeCell::new(Some(waker.clone())),
        });
        *cell = Some(new.clone());
        waker::retain(task);
        let referred = Referred(task);
        let asked = task.place().inbox().send(move |_home| {
            let Referred(task) = &referred;
            if task.header().local.is_done() {
                new.notify();
            } else {
                drop(task.header().joiner.set(Waker::from(new)));
            }
        });
        // Refused: the home has closed, so the task is done, as the caller will see.
        drop(asked);
    }

    fn set(&self, new: &Waker) {
        // Cloned before and dropped after: both are the joiner's own code, and may panic.
        let new = new.clone();
        // Acquire: pairs with the release of the last registration's end, for `waker`.
        // Acquire on failure: pairs with the release of a wake, for the task's being done.
        let (taken, failed) = (Ordering::Acquire, Ordering::Acquire);
        if self.state.compare_exchange(IDLE, REGISTERING, taken, failed).is_err() {
            return;
        }
        // SAFETY: REGISTERING is ours: a wake that comes now leaves the waker alone.
        let old = unsafe { &mut *self.waker.get() }.replace(new);
        // AcqRel: releases the waker to who takes it; acquires what a wake published.
        // Acquire on failure: the same.
        let (ended, woken) = (Ordering::AcqRel, Ordering::Acquire);
        if self.state.compare_exchange(REGISTERING, IDLE, ended, woken).is_err() {
            // SAFETY: the wake that came in between left the waker to us.
            if let Some(waker) = unsafe { &mut *self.waker.get() }.take() {
                waker.wake();
            }
        }
        drop(old);
    }

    fn notify(&self) {
        // AcqRel: acquires the waker; releases that the task is done to a registration.
        if self.state.fetch_or(WAKING, Ordering::AcqRel) == IDLE {
            // SAFETY: taken from IDLE, for good: nobody registers any more.
            if let Some(waker) = unsafe { &mut *self.waker.get() }.take() {
                waker.wake();
            }
        }
    }
}

impl Wake for JoinElsewhere {
    fn wake(self: Arc<Self>) {
        self.notify();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.notify();
    }
}
