//! What a driver counts.

use std::cell::Cell;

/// What a driver has done so far; made by [`Driver::counters`](super::Driver::counters).
///
/// ```
/// use henge_driver::{Driver, ops, submit};
///
/// let driver = Driver::new()?;
/// let before = driver.counters();
/// driver.block_on(submit(ops::Nop::new()))??;
/// let after = driver.counters();
/// assert_eq!(after.submissions - before.submissions, 1);
/// assert!(after.enters > before.enters);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// System calls that entered the ring.
    pub enters: u64,
    /// Of those, the ones that were allowed to wait.
    pub waits: u64,
    /// Operations submitted, repeated ones included.
    pub submissions: u64,
    /// Completions of operations.
    pub completions: u64,
    /// Completions that belong to no operation in flight.
    pub unknown_completions: u64,
    /// Cancels asked for.
    pub cancels: u64,
    /// Entries that found the submission queue full and waited outside.
    pub overflows: u64,
    /// Enters that the kernel could not serve for the moment (EAGAIN, EBUSY).
    pub retries: u64,
    /// Wakes that came from other threads.
    pub wakes: u64,
    /// Wakes sent to other drivers by message.
    pub messages: u64,
    /// Of those, the ones that failed and were made up for by an eventfd.
    pub failed_messages: u64,
    /// Wakes sent to other drivers that slept, by message or by eventfd.
    pub wakes_sent: u64,
    /// Wakes of other drivers that did not have to be sent: they were awake, or woken already.
    pub wakes_saved: u64,
}

/// The same, while they change.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    pub(crate) waits: Count,
    pub(crate) submissions: Count,
    pub(crate) completions: Count,
    pub(crate) unknown_completions: Count,
    pub(crate) cancels: Count,
    pub(crate) overflows: Count,
    pub(crate) retries: Count,
    pub(crate) wakes: Count,
    pub(crate) messages: Count,
    pub(crate) failed_messages: Count,
    pub(crate) wakes_sent: Count,
    pub(crate) wakes_saved: Count,
}

impl Counting {
    pub(crate) fn read(&self, enters: u64) -> Counters {
        Counters {
            enters,
            waits: self.waits.get(),
            submissions: self.submissions.get(),
            completions: self.completions.get(),
            unknown_completions: self.unknown_completions.get(),
            cancels: self.cancels.get(),
            overflows: self.overflows.get(),
            retries: self.retries.get(),
            wakes: self.wakes.get(),
            messages: self.messages.get(),
            failed_messages: self.failed_messages.get(),
            wakes_sent: self.wakes_sent.get(),
            wakes_saved: self.wakes_saved.get(),
        }
    }
}

impl Counting {
    /// Wakes sent, and saved.
    #[inline]
    pub(crate) fn wakes(&self) -> (u64, u64) {
        (self.wakes_sent.get(), self.wakes_saved.get())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Count(Cell<u64>);

impl Count {
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        self.0.set(self.0.get().wrapping_add(n));
    }

    #[inline]
    fn get(&self) -> u64 {
        self.0.get()
    }
}
