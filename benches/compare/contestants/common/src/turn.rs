//! A counter that one task raises and another waits for, from any thread: half of a round trip.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use atomic_waker::AtomicWaker;

/// One direction of a round trip.
#[derive(Debug, Default)]
pub struct Turn {
    count: AtomicU64,
    waker: AtomicWaker,
}

impl Turn {
    /// Raises the counter and wakes who waits for it.
    pub fn give(&self, count: u64) {
        // Release: what was done before `give` is seen by who sees the new count.
        self.count.store(count, Ordering::Release);
        self.waker.wake();
    }

    /// Waits until the counter has reached `count`.
    pub async fn take(&self, count: u64) {
        poll_fn(|cx| {
            // Acquire: pairs with the store in `give`.
            if self.count.load(Ordering::Acquire) >= count {
                return Poll::Ready(());
            }
            self.waker.register(cx.waker());
            // Acquire, again: a `give` between the load above and `register` woke nobody.
            if self.count.load(Ordering::Acquire) >= count {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await
    }
}
