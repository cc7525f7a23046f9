//! A timer polled where no loop of ours runs: a task of the runtime waits for it.
//!
//! The future may be polled by another executor, on a thread that has only entered the runtime.
//! That thread has no wheel. So the runtime gets a task that sleeps, and its end wakes whoever
//! polls.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::current::NO_RUNTIME;
use super::host::{self, Expiry};
use super::timer::Timer;
use crate::executor::JoinHandle;

/// Aborts its task when dropped.
#[derive(Debug)]
pub(super) struct Delegate {
    task: JoinHandle<()>,
    /// Of whoever polled last, to be woken when the deadline changes.
    waker: Waker,
}

impl Delegate {
    /// Gives `timer` to a task of the runtime that was entered.
    ///
    /// # Panics
    ///
    /// Where none was.
    pub(super) fn new(timer: Timer, waker: &Waker) -> Self {
        let task = host::current().expect(NO_RUNTIME).wait_for(Expiry::of(timer));
        Delegate { task, waker: waker.clone() }
    }

    /// Whether the task has seen the deadline pass; if not, it will wake the caller's.
    ///
    /// # Panics
    ///
    /// If its runtime was shut down before.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.clone_from(cx.waker());
        Pin::new(&mut self.task).poll(cx).map(|ended| {
            ended.expect("the runtime that this timer belonged to has been shut down");
        })
    }

    pub(super) fn is_elapsed(&self) -> bool {
        self.task.is_finished()
    }

    /// Tells whoever polled last to poll again.
    pub(super) fn abandon(self) {
        self.waker.wake_by_ref();
    }
}

impl Drop for Delegate {
    fn drop(&mut self) {
        self.task.abort();
    }
}
