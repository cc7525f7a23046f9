//! Who waits for a descriptor to be closed, having found none left.
//!
//! A descriptor that goes calls what its thread was told to call, and knows no driver.

use super::{Driver, Ticket, entered};
use crate::thread::LOCAL;

impl Driver {
    /// Has a detached operation cancelled as soon as this thread closes a descriptor: for who waits
    /// because there was none left. Other threads' are not heard of, so it should be one that ends
    /// by itself.
    #[doc(hidden)]
    pub fn cancel_at_close(&self, ticket: Ticket) {
        let mut waiting = self.inner.until_close.borrow_mut();
        waiting.retain(|ticket| self.is_in_flight(*ticket));
        waiting.push(ticket);
        LOCAL.with(|local| local.on_close.set(Some(closed_one)));
    }

    fn cancel_all_until_close(&self) {
        if !self.inner.until_close.borrow().is_empty() {
            let waiting = self.inner.until_close.take();
            waiting.into_iter().for_each(|ticket| self.cancel(ticket));
        }
    }
}

/// This thread has closed a descriptor.
fn closed_one() {
    let _no_driver = entered::with(Driver::cancel_all_until_close);
}
