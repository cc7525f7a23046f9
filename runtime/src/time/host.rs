//! A runtime, as timers see it where no loop of ours runs: who has the clock, and who waits.
//!
//! `time` stands below the runtimes, which fire its timers, and knows none of them. A thread that
//! has only entered one has no wheel, so runtimes say how that of a thread is found.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use super::clock::Clock;
use super::timer::Timer;
use crate::executor::JoinHandle;

/// What timers need of the runtime that a thread has entered, or that they were made in.
pub(crate) trait Host: Send + Sync {
    /// The time that it goes by.
    fn clock(&self) -> &Clock;

    /// Has a task of the runtime wait for a timer.
    fn wait_for(&self, expiry: Expiry) -> JoinHandle<()>;
}

/// Ready when a timer has elapsed.
#[derive(Debug)]
pub(crate) struct Expiry(Timer);

impl Expiry {
    pub(super) fn of(timer: Timer) -> Self {
        Expiry(timer)
    }
}

impl Future for Expiry {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll(cx)
    }
}

/// Finds the runtime that the calling thread belongs to or has entered.
type Find = fn() -> Option<Arc<dyn Host>>;

static FIND: OnceLock<Find> = OnceLock::new();

/// From now on hosts are found by `find`, which every runtime says, and which is always the same.
pub(crate) fn find_by(find: Find) {
    FIND.get_or_init(|| find);
}

/// The runtime that this thread belongs to or has entered.
pub(super) fn current() -> Option<Arc<dyn Host>> {
    FIND.get().and_then(|find| find())
}
