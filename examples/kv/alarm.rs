//! Waking at a time that may come closer.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use henge::time::sleep;

/// One task's alarm clock. Others of its shard may set it to an earlier time, not to a later one.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// In milliseconds since 1970.
    at: Cell<u64>,
    sleeper: RefCell<Option<Waker>>,
}

impl Default for Alarm {
    fn default() -> Alarm {
        Alarm { at: Cell::new(u64::MAX), sleeper: RefCell::default() }
    }
}

impl Alarm {
    /// Rings at `at` if it would have rung later.
    pub(crate) fn sooner(&self, at: u64) {
        if at < self.at.get() {
            self.at.set(at);
            if let Some(sleeper) = self.sleeper.take() {
                sleeper.wake();
            }
        }
    }

    /// Waits until `at`, or until somebody asks for an earlier time; for ever if it is `None` and
    /// nobody does. `now` is the time, both in milliseconds since 1970.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it is as if it had not been called.
    pub(crate) async fn ring(&self, at: Option<u64>, now: u64) {
        // With nothing to wait for there is no timer: a shard that has none need not ask for the
        // time in each of its turns.
        let timer = at.map(|at| sleep(Duration::from_millis(at.saturating_sub(now))));
        let mut timer = pin!(timer);
        let at = at.unwrap_or(u64::MAX);
        self.at.set(at);
        poll_fn(|cx| {
            if self.at.get() < at {
                return Poll::Ready(());
            }
            self.sleeper.replace(Some(cx.waker().clone()));
            timer.as_mut().as_pin_mut().map_or(Poll::Pending, |timer| timer.poll(cx))
        })
        .await
    }
}
