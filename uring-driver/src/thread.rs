//! What a thread knows of itself: the name of the driver that it has entered, the budget of the
//! poll that runs, whether it may block, and whom to tell of a descriptor that it has closed.
//!
//! One thread-local, without a destructor, so that it can be asked at any time in a thread's life.
//! It has the driver's name and nothing else of it: the driver itself is found by
//! `driver/entered`.

use std::cell::Cell;

/// A poll that is not limited: nobody counts.
pub(crate) const UNLIMITED: u8 = u8::MAX;

pub(crate) struct Local {
    /// The id of the driver that was entered last, or 0: one load tells whether something is at
    /// home here.
    pub(crate) driver: Cell<u64>,
    /// What the poll that runs may still do; see `coop`.
    pub(crate) budget: Cell<u8>,
    /// Although there is a driver, this thread may block; see `current::blocking`.
    pub(crate) may_block: Cell<bool>,
    /// What is polled may be polled by another thread the next time; see `current::moving`.
    pub(crate) moving: Cell<bool>,
    /// What to call when this thread has closed a descriptor; see `Driver::cancel_at_close`. None
    /// where nobody has ever waited for one.
    pub(crate) on_close: Cell<Option<fn()>>,
}

/// This thread has closed a descriptor: whoever had none left may try again.
#[inline]
pub(crate) fn closed_one() {
    if let Some(tell) = LOCAL.with(|local| local.on_close.get()) {
        tell();
    }
}

thread_local! {
    pub(crate) static LOCAL: Local = const {
        Local {
            driver: Cell::new(0),
            budget: Cell::new(UNLIMITED),
            may_block: Cell::new(false),
            moving: Cell::new(false),
            on_close: Cell::new(None),
        }
    };
}
