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

/// What is sent to the home: a reference to the task, and the cell that waits for it.
struct Ask {
    task: TaskPtr,
    cell: Option<Arc<JoinElsewhere>>,
}

// SAFETY: references to tasks may be used and dropped on any thread, and the cell is Sync.
unsafe impl Send for Ask {}

impl Ask {
    /// At home.
    fn arrive(mut self) {
        if let Some(cell) = self.cell.take_if(|_| !self.task.header().local.is_done()) {
            drop(self.task.header().joiner.set(Waker::from(cell)));
        }
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        // Done before this came, or the home closes and so all is done, or is about to be.
        if let Some(cell) = self.cell.take() {
            cell.notify();
        }
        waker::release(self.task);
    }
}

impl JoinElsewhere {
    /// Sees to it that `waker` is woken when the task is done. Not, and the answer is false, if
    /// it was done before, or if its home is just closing: it will be done at once.
    pub(super) fn register(cell: &mut Option<Arc<Self>>, task: TaskPtr, waker: &Waker) -> bool {
        if let Some(cell) = cell {
            return cell.set(waker);
        }
        let state = AtomicU8::new(IDLE);
        let new = Arc::new(Self { state, waker: UnsafeCell::new(Some(waker.clone())) });
        *cell = Some(new.clone());
        waker::retain(task);
        let ask = Ask { task, cell: Some(new) };
        task.place().inbox().send(move |_home| ask.arrive()).is_ok()
    }

    fn set(&self, new: &Waker) -> bool {
        // Cloned before and dropped after: both are the joiner's own code, and may panic.
        let new = new.clone();
        // Acquire: pairs with the release of the last registration's end, for `waker`.
        // Acquire on failure: pairs with the release of a wake, for the task's being done.
        let (taken, failed) = (Ordering::Acquire, Ordering::Acquire);
        if self.state.compare_exchange(IDLE, REGISTERING, taken, failed).is_err() {
            return false;
        }
        // SAFETY: REGISTERING is ours: a wake that comes now leaves the waker alone.
        let old = unsafe { &mut *self.waker.get() }.replace(new);
        // AcqRel: releases the waker to who takes it; acquires what a wake published.
        // Acquire on failure: the same.
        let (ended, woken) = (Ordering::AcqRel, Ordering::Acquire);
        let registered = self.state.compare_exchange(REGISTERING, IDLE, ended, woken).is_ok();
        if !registered {
            // SAFETY: the wake that came in between left the waker to us.
            if let Some(waker) = unsafe { &mut *self.waker.get() }.take() {
                waker.wake();
            }
        }
        drop(old);
        registered
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
