//! What does not stay under way when a thread goes on to something else than its ring.
//!
//! An accept that is armed on a ring that nobody turns gets connections all the same: the kernel
//! calls one of those who wait at a listener, and goes on calling the same one. So it ends before.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use super::shutdown::STEP;
use super::{Driver, Ticket};
use crate::sys::clock;

/// Says that the thread leaves, until it has, or a waker has panicked meanwhile.
struct Leaving<'a>(&'a Cell<bool>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Driver {
    /// Has a detached operation cancelled when this thread leaves its loop, as it may do for ever.
    #[doc(hidden)]
    pub fn cancel_at_leave(&self, ticket: Ticket) {
        let mut waiting = self.inner.until_left.borrow_mut();
        if waiting.len() == waiting.capacity() {
            waiting.retain(|ticket| self.is_in_flight(*ticket));
        }
        waiting.push(ticket);
    }

    /// The thread is about to leave its loop: what ends now is not to be begun again before it is
    /// asked for again.
    #[doc(hidden)]
    pub fn is_leaving(&self) -> bool {
        self.inner.leaving.get()
    }

    /// Ends what is to be cancelled, and waits for that.
    pub(super) fn cancel_all_until_left(&self, patience: Duration) -> io::Result<()> {
        let ending = self.inner.until_left.take();
        if ending.is_empty() {
            return Ok(());
        }
        self.inner.leaving.set(true);
        let _leaving = Leaving(&self.inner.leaving);
        ending.iter().for_each(|ticket| self.cancel(*ticket));
        let deadline = clock::after(patience);
        while ending.iter().any(|ticket| self.is_in_flight(*ticket)) {
            let now = clock::now();
            if now >= deadline {
                break;
            }
            self.park(Some(deadline.min(now + STEP)), || false)?;
        }
        Ok(())
    }
}
