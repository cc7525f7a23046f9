//! A timer polled where no loop of ours runs: a task of the runtime waits for it.
//!
//! The future may be polled by another executor, on a thread that has only entered the runtime, or
//! not even that. That thread has no wheel. So the runtime gets a task that sleeps, and its end
//! wakes whoever polls.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use henge_driver::sys::clock::now as monotonic;

use super::host::{Expiry, Host};
use super::moment;
use super::timer::Timer;
use crate::executor::JoinHandle;

/// Aborts its task when dropped.
pub(super) struct Delegate {
    host: Arc<dyn Host>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Not polled since the deadline was set.
    Fresh,
    Waiting(JoinHandle<()>, Waker),
    /// Was found elapsed by a poll.
    Elapsed,
}

impl Delegate {
    /// Nobody waits before it is polled; then a task of `host`.
    pub(super) fn new(host: Arc<dyn Host>) -> Self {
        Delegate { host, state: State::Fresh }
    }

    /// Whether the deadline has passed; if not, whoever polls is woken then.
    ///
    /// # Panics
    ///
    /// If the runtime was shut down before.
    pub(super) fn poll(&mut self, deadline: u64, cx: &mut Context<'_>) -> Poll<()> {
        if let State::Fresh = self.state {
            self.state = if moment::number(self.host.clock().at(monotonic())) >= deadline {
                State::Elapsed
            } else {
                let task = self.host.wait_for(Expiry::of(Timer::at(deadline)));
                State::Waiting(task, cx.waker().clone())
            };
        }
        if let State::Waiting(task, waker) = &mut self.state {
            waker.clone_from(cx.waker());
            let Poll::Ready(ended) = Pin::new(task).poll(cx) else { return Poll::Pending };
            ended.expect("the runtime that this timer belonged to has been shut down");
            self.state = State::Elapsed;
        }
        Poll::Ready(())
    }

    pub(super) fn is_elapsed(&self) -> bool {
        match &self.state {
            State::Fresh => false,
            State::Waiting(task, _) => task.is_finished(),
            State::Elapsed => true,
        }
    }

    /// Forgets its deadline, and tells whoever waits for it to poll again.
    pub(super) fn abandon(&mut self) {
        if let State::Waiting(task, waker) = mem::replace(&mut self.state, State::Fresh) {
            task.abort();
            waker.wake();
        }
    }
}

impl Drop for Delegate {
    fn drop(&mut self) {
        if let State::Waiting(task, _) = &self.state {
            task.abort();
        }
    }
}

impl fmt::Debug for Delegate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delegate").field("state", &self.state).finish_non_exhaustive()
    }
}
