//! Round trips between two tasks of one thread over a cell that is the same for every contestant:
//! what is measured is the runtime's waker and queue, not somebody's channel.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use contestant::{Meter, Row};

use crate::peer;

#[derive(Default)]
struct Slot {
    full: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    fn put(&self) {
        self.full.set(true);
        // Taken out first: `wake` is foreign code and must not run inside the borrow.
        let waker = self.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn take(&self) {
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

/// There and back again, one task waking the other.
pub fn wake_round_trip() -> Row {
    const TRIPS: u64 = 300_000;
    const WARM: u64 = 10_000;
    peer::run_local(|| async {
        let there = Rc::new(Slot::default());
        let back = Rc::new(Slot::default());
        let other = {
            let (there, back) = (there.clone(), back.clone());
            peer::spawn_local(async move {
                for _ in 0..WARM + TRIPS {
                    there.take().await;
                    back.put();
                }
            })
        };
        let mut meter = Meter::start();
        for trip in 0..WARM + TRIPS {
            if trip == WARM {
                meter = Meter::start();
            }
            there.put();
            back.take().await;
        }
        let row = meter.stop(TRIPS);
        _ = other.await;
        row
    })
}
