//! The driver under somebody else's event loop: a descriptor that is readable when a turn would
//! find something.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use super::Driver;
use crate::sys::event::EventFd;

impl Driver {
    /// The descriptor has done its work; from here to the end of the turn nobody need signal it.
    pub(super) fn begin_foreign_turn(&self) {
        if let Some(notifier) = self.inner.notifier.get() {
            self.inner.remote.shared().sleep.retract();
            notifier.clear();
        }
    }

    /// The thread may go to sleep in its own loop now: other threads must wake it. What came up
    /// meanwhile makes the descriptor readable at once.
    pub(super) fn end_foreign_turn(&self) {
        if let Some(notifier) = self.inner.notifier.get() {
            let shared = self.inner.remote.shared();
            shared.sleep.publish();
            if self.has_queued() || self.completion_expected() || !shared.list.is_empty() {
                notifier.signal();
            }
        }
    }

    /// What was queued outside a turn needs one.
    #[inline]
    pub(super) fn notify_queued(&self) {
        if let Some(notifier) = self.inner.notifier.get() {
            notifier.signal();
        }
    }
}

impl AsRawFd for Driver {
    /// An eventfd that is readable when a turn would find something to do; made when it is first
    /// asked for. A turn clears it.
    ///
    /// # Panics
    ///
    /// If the process has no descriptor left, the first time.
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl AsFd for Driver {
    /// As [`as_raw_fd`](AsRawFd::as_raw_fd).
    ///
    /// # Panics
    ///
    /// As [`as_raw_fd`](AsRawFd::as_raw_fd).
    fn as_fd(&self) -> BorrowedFd<'_> {
        let notifier = self.inner.notifier.get_or_init(|| {
            let made = EventFd::new().and_then(|notifier| {
                self.inner.ring.register_eventfd(notifier.as_raw_fd())?;
                Ok(notifier)
            });
            match made {
                Ok(notifier) => notifier,
                Err(error) => panic!("no eventfd for the driver's descriptor: {error}"),
            }
        });
        self.end_foreign_turn();
        notifier.fd().as_fd()
    }
}
