//! What a thread knows of itself: the name of the driver that it has entered, the budget of the
//! poll that runs, whether it may block, and whom to tell of a descriptor that it has closed.
//!
//! One thread-local, without a destructor, so that it can be asked at any time in a thread's life.
//! It has the driver's name and nothing else of it: the driver itself is found by
//! `driver/entered`.

use std::cell::Cell;

/// In [`Local::driver`]: what is polled may be polled by another thread the next time; see
/// `current::moving`. No state that is at home anywhere is at home at a name with this flag, so
/// whoever compares the two words finds out both.
pub(crate) const MOVING: u64 = 1;

/// The budget of a poll that is not limited: nobody spends as much.
pub(crate) const UNLIMITED: i64 = i64::MAX;

pub(crate) struct Local {
    /// The id of the driver that was entered last, or 0, and [`MOVING`]: one load tells whether
    /// something is at home here.
    pub(crate) driver: Cell<u64>,
    /// What the poll that runs may still do, or how much more it has done; see `coop`.
    pub(crate) budget: Cell<i64>,
    /// Although there is a driver, this thread may block; see `current::blocking`.
    pub(crate) may_block: Cell<bool>,
    /// What to call when this thread has closed a descriptor; see `Driver::cancel_at_close`. None
    /// where nobody has ever waited for one.
    pub(crate) on_close: Cell<Option<fn()>>,
}

impl Local {
    /// The id of the driver that was entered last, or 0.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.driver.get() & !MOVING
    }

    /// Enters a driver, or none (0), and says which it was before.
    pub(crate) fn enter(&self, id: u64) -> u64 {
        let before = self.driver.get();
        self.driver.set(id | (before & MOVING));
        before & !MOVING
    }

    /// Sets or clears [`MOVING`], and says what it was.
    #[inline]
    pub(crate) fn set_moving(&self, moving: bool) -> bool {
        let before = self.driver.get();
        let flag = if moving { MOVING } else { 0 };
        self.driver.set((before & !MOVING) | flag);
        before & MOVING != 0
    }
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
            on_close: Cell::new(None),
        }
    };
}
