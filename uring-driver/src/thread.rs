//! What a thread knows of itself: the name of the driver that it has entered, the budget of the
//! poll that runs, and whether it may block.
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
}

thread_local! {
    pub(crate) static LOCAL: Local = const {
        Local {
            driver: Cell::new(0),
            budget: Cell::new(UNLIMITED),
            may_block: Cell::new(false),
            moving: Cell::new(false),
        }
    };
}
