//! A flag that one task of a thread sets and another waits for.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// One direction of a round trip between two tasks of a thread.
#[derive(Debug, Default)]
pub struct Slot {
    full: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    /// Sets the flag and wakes who waits for it.
    pub fn put(&self) {
        self.full.set(true);
        // Taken out first: `wake` is foreign code and must not run inside the borrow.
        let waker = self.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits for the flag and clears it.
    pub async fn take(&self) {
        poll_fn(|cx| {
            if self.full.replace(false) {
                return Poll::Ready(());
            }
            *self.waker.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}
