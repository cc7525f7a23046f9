//! The receivers that wait for a message.
//!
//! A message is for all of them, so whoever sends one takes everybody out of the line at once, and
//! a new *round* begins. A seat of an earlier round is nobody's any more: who was woken gives
//! nothing back, and need not come by the mutex for it.

use std::task::Waker;

use crate::sync::wait_queue::{Removed, WaitQueue};
use crate::sync::wake_batch::WakeBatch;

/// Lives in the mutex of the channel's end.
#[derive(Debug)]
pub(super) struct Waiting {
    line: WaitQueue<()>,
    round: u64,
}

/// A receiver's place in the line, for one round.
#[derive(Debug)]
pub(super) struct Seat {
    round: u64,
    key: usize,
}

impl Waiting {
    pub(super) const fn new() -> Self {
        Self { line: WaitQueue::new(), round: 0 }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Stands at the end of the line.
    pub(super) fn join(&mut self, waker: Waker) -> Seat {
        Seat { round: self.round, key: self.line.push_back((), waker) }
    }

    /// Whether the seat's round goes on.
    pub(super) fn has(&self, seat: &Seat) -> bool {
        seat.round == self.round
    }

    /// Whether the waker in this seat, which the line [has](Self::has), would do for the task
    /// behind `waker`.
    pub(super) fn will_wake(&self, seat: &Seat, waker: &Waker) -> bool {
        self.line.will_wake(seat.key, waker)
    }

    /// Gives a seat that the line [has](Self::has) another waker.
    #[must_use = "the old waker is dropped outside the mutex"]
    pub(super) fn set_waker(&mut self, seat: &Seat, waker: Waker) -> Option<Waker> {
        self.line.set_waker(seat.key, waker)
    }

    /// Gives up a seat, if its round goes on.
    pub(super) fn leave(&mut self, seat: &Seat) -> Option<Removed<()>> {
        self.has(seat).then(|| self.line.remove(seat.key))
    }

    /// Ends the round: everybody who waits, first come first.
    pub(super) fn call(&mut self) -> Called {
        self.round += 1;
        let mut called = Called { first: WakeBatch::new(), others: Vec::new() };
        while let Some(Removed { waker, .. }) = self.line.pop_front() {
            if called.first.is_full() {
                called.others.extend(waker);
            } else {
                called.first.push(waker);
            }
        }
        called
    }
}

/// Those who waited, to be woken without the mutex. All of a round in one step, however many.
#[derive(Debug)]
#[must_use = "those who wait are to be woken"]
pub(super) struct Called {
    first: WakeBatch,
    others: Vec<Waker>,
}

impl Called {
    pub(super) fn wake(mut self) {
        self.first.wake_all_and(self.others.into_iter());
    }
}
