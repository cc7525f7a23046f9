//! Wakes between drivers: by the eventfd of each, and by messages from ring to ring.

use std::sync::Arc;

use super::{Driver, Phase, tag};
use crate::remote::Shared;
use crate::sqe::Sqe;
use crate::sys::abi;

impl Driver {
    /// Polls the eventfd by which other threads wake this one. A write is one completion; the
    /// counter is never read, since the poll reports events and not the state.
    pub(super) fn arm_event(&self) {
        let event = self.inner.remote.shared().event.fd();
        let sqe = Sqe::poll_multishot(event, abi::POLLIN).with_user_data(tag::EVENT);
        self.push(&sqe);
    }

    /// Sends a wake to another driver, to ride on the next enter. `false` if this driver does not
    /// do that.
    pub(crate) fn send_wake(&self, to: &Arc<Shared>) -> bool {
        let inner = &*self.inner;
        if !inner.config.wake_by_message || inner.phase.get() == Phase::Closed {
            return false;
        }
        if Arc::ptr_eq(to, inner.remote.shared()) {
            return false;
        }
        let peer = inner.peers.borrow_mut().index_of(to);
        let sqe = Sqe::message(to.ring(), tag::WAKE)
            .with_user_data(tag::MESSAGE | peer)
            .with_skip_success();
        inner.counting.messages.add(1);
        self.push(&sqe);
        true
    }

    /// This thread has woken another driver that slept.
    #[inline]
    pub(crate) fn count_sent_wake(&self) {
        self.inner.counting.wakes_sent.add(1);
    }

    /// This thread would have woken another driver, but that was awake.
    #[inline]
    pub(crate) fn count_saved_wake(&self) {
        self.inner.counting.wakes_saved.add(1);
    }
}
