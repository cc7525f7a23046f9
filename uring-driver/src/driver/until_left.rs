//! What does not stay under way when a thread goes on to something else than its ring.
//!
//! - An accept that is armed on a ring that nobody turns gets connections all the same: the kernel
//!   calls one of those who wait at a listener, and goes on calling the same one. So it ends first.
//! - The future of an operation may go to another thread, where it would wait for this one to turn
//!   its ring. So operations that can be submitted anew ([`AtLeave`]) are cancelled. What the
//!   kernel has done nothing with goes back to its future, which submits it where it is polled
//!   next. What has a result, or will have one soon, is waited for: a transfer that a device has
//!   begun cannot be cancelled.

use std::cell::{Cell, RefCell};
use std::io;
use std::time::Duration;

use super::shutdown::STEP;
use super::{Driver, Ticket};
use crate::cell::Kind;
use crate::inflight::Key;
use crate::operation::AtLeave;
use crate::sys::clock;

/// What a driver knows of it.
#[derive(Default)]
pub(super) struct UntilLeft {
    /// To be cancelled when the thread leaves its loop, beside some that have ended.
    tickets: RefCell<Vec<Ticket>>,
    /// What was waited for in vain, beside some that has ended since: it is not waited for again.
    in_vain: RefCell<Vec<Key>>,
    leaving: Cell<bool>,
}

/// Says that the thread leaves, until it has, or a waker has panicked meanwhile.
struct Leaving<'a>(&'a Cell<bool>);

impl<'a> Leaving<'a> {
    fn new(leaving: &'a Cell<bool>) -> Leaving<'a> {
        leaving.set(true);
        Leaving(leaving)
    }
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Driver {
    /// Has a detached operation cancelled when this thread leaves its loop, as it may do for ever.
    #[doc(hidden)]
    pub fn cancel_at_leave(&self, ticket: Ticket) {
        let mut waiting = self.inner.until_left.tickets.borrow_mut();
        if waiting.len() == waiting.capacity() {
            waiting.retain(|ticket| self.is_in_flight(*ticket));
        }
        waiting.push(ticket);
    }

    /// The thread is about to leave its loop: what ends now is not to be begun again before it is
    /// asked for again.
    #[doc(hidden)]
    pub fn is_leaving(&self) -> bool {
        self.inner.until_left.leaving.get()
    }

    /// Ends what is to be cancelled, and waits for that: up to `stuck` for what goes back to its
    /// future or brings a result, up to `patience` for the rest.
    pub(super) fn end_before_leaving(&self, stuck: Duration, patience: Duration) -> io::Result<()> {
        let until_left = &self.inner.until_left;
        let ending = until_left.tickets.take();
        let _leaving = Leaving::new(&until_left.leaving);
        ending.iter().for_each(|ticket| self.cancel(*ticket));
        self.step_while(stuck, || self.ask_back())?;
        let in_vain = self.awaited().into_iter().map(|(key, _)| key).collect();
        until_left.in_vain.replace(in_vain);
        self.step_while(patience, || ending.iter().any(|ticket| self.is_in_flight(*ticket)))
    }

    /// Turns the driver while there is something to wait for, for as long as `limit`.
    fn step_while(&self, limit: Duration, mut goes_on: impl FnMut() -> bool) -> io::Result<()> {
        if !goes_on() {
            return Ok(());
        }
        let deadline = clock::after(limit);
        loop {
            let now = clock::now();
            if now >= deadline {
                return Ok(());
            }
            self.park(Some(deadline.min(now + STEP)), || false)?;
            if !goes_on() {
                return Ok(());
            }
        }
    }

    /// Asks for operations back that futures wait for; `false` if there is none to wait for. More
    /// than once, since the wakers of those that have ended may have submitted others.
    fn ask_back(&self) -> bool {
        let in_vain = self.inner.until_left.in_vain.borrow();
        let mut asked = self.awaited();
        asked.retain(|(key, _)| !in_vain.contains(key));
        let renewed = asked.iter().filter(|(_, at_leave)| *at_leave == AtLeave::Renews);
        renewed.for_each(|(key, _)| self.cancel_key(*key));
        !asked.is_empty()
    }

    /// The operations in flight that a future waits for, and that do not stay. They are told.
    fn awaited(&self) -> Vec<(Key, AtLeave)> {
        let slots = self.inner.slots.borrow();
        let awaited = slots.values().filter_map(|cell| {
            // SAFETY: a cell in the table is alive, and its header is the driver's.
            let header = unsafe { cell.as_ref() };
            let Kind { at_leave, ask_back, .. } = *header.kind;
            if at_leave == AtLeave::Stays {
                return None;
            }
            // SAFETY: at home, with the cell's own function, and it is in the table.
            let wanted = unsafe { ask_back(*cell) };
            wanted.then(|| (header.key.get(), at_leave))
        });
        awaited.collect()
    }
}
