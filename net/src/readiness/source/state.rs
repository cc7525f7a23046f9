//! What is known of a descriptor, and who waits to learn more: plain values, under a lock.

use std::io;
use std::task::{Poll, Waker};

use henge_driver::sys::poll::events;
use henge_driver::sys::socket;
use henge_driver::{DriverId, Remote, Ticket, current};

use crate::readiness::interest::Interest;
use crate::readiness::ready::Ready;

#[derive(Debug)]
pub(super) struct State {
    pub(super) ready: Ready,
    /// How often something has been told.
    tick: u32,
    failed: Option<i32>,
    /// The task that called a `poll_` function for reading last, and the one for writing.
    reader: Option<Waker>,
    writer: Option<Waker>,
    line: Vec<Waiter>,
    next_key: u64,
    pub(super) polls: Vec<Watch>,
}

#[derive(Debug)]
pub(super) struct Waiter {
    key: u64,
    wants: Ready,
    waker: Waker,
}

/// A poll of a driver.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) driver: DriverId,
    pub(super) remote: Remote,
    pub(super) ticket: Ticket,
    pub(super) events: u32,
}

/// What was known at a moment: to be cleared if nothing has been told since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) ready: Ready,
    tick: u32,
}

/// Who waits: the one task that reads, the one that writes, or one of many.
#[derive(Debug)]
pub(crate) enum Who<'a> {
    Reader,
    Writer,
    Line(&'a mut Option<u64>),
}

impl State {
    /// Nothing is known, and nobody waits.
    pub(super) fn new() -> State {
        State {
            ready: Ready::EMPTY,
            tick: 0,
            failed: None,
            reader: None,
            writer: None,
            line: Vec::new(),
            next_key: 0,
            polls: Vec::new(),
        }
    }

    /// A poll of a driver's has told something.
    pub(super) fn tell(&mut self, told: io::Result<u32>) {
        match told {
            Ok(events) => {
                self.ready |= Ready::from_events(events);
                self.tick = self.tick.wrapping_add(1);
            }
            Err(error) if socket::is_cancelled(&error) => {}
            Err(error) => self.failed = error.raw_os_error(),
        }
    }

    /// What was known is no more, unless something has been told since.
    pub(super) fn clear(&mut self, event: Event) {
        if self.tick == event.tick {
            let ends = Ready::READ_CLOSED | Ready::WRITE_CLOSED;
            self.ready = self.ready - (event.ready - ends);
        }
    }

    pub(super) fn event(&self, interest: Interest) -> Option<Event> {
        let ready = self.ready & Ready::of_interest(interest);
        (!ready.is_empty()).then_some(Event { ready, tick: self.tick })
    }

    pub(super) fn is_watched(&self, interest: Interest) -> bool {
        self.polls.iter().any(|watch| watch.events & interest.events() != 0)
    }

    /// Errors are told by every poll.
    pub(super) fn watched_by(&self, driver: DriverId) -> u32 {
        let here = self.polls.iter().filter(|watch| watch.driver == driver);
        here.fold(0, |watched, watch| watched | watch.events | events::ERR)
    }

    /// What is known, or `Pending` if this waker waits for it already.
    pub(super) fn look(
        &mut self,
        who: &mut Who<'_>,
        interest: Interest,
        waker: &Waker,
    ) -> Option<Poll<io::Result<Event>>> {
        if let Some(event) = self.event(interest) {
            return Some(Poll::Ready(Ok(event)));
        }
        if let Some(failed) = self.failed.take() {
            return Some(Poll::Ready(Err(io::Error::from_raw_os_error(failed))));
        }
        let here = current::with(|driver| driver.id()).ok()?;
        let known = match who {
            Who::Reader => self.reader.as_ref(),
            Who::Writer => self.writer.as_ref(),
            Who::Line(key) => {
                let mut line = self.line.iter();
                line.find(|waiter| Some(waiter.key) == **key).map(|waiter| &waiter.waker)
            }
        };
        let watched = interest.events() & !self.watched_by(here) == 0;
        (watched && known.is_some_and(|known| known.will_wake(waker))).then_some(Poll::Pending)
    }

    /// Notes who waits; what comes back is to be dropped outside of the lock.
    pub(super) fn stand(
        &mut self,
        who: &mut Who<'_>,
        interest: Interest,
        waker: Waker,
    ) -> Option<Waker> {
        match who {
            Who::Reader => self.reader.replace(waker),
            Who::Writer => self.writer.replace(waker),
            Who::Line(key) => {
                let found = self.line.iter_mut().find(|waiter| Some(waiter.key) == **key);
                if let Some(waiter) = found {
                    return Some(std::mem::replace(&mut waiter.waker, waker));
                }
                let fresh = self.next_key;
                self.next_key += 1;
                **key = Some(fresh);
                self.line.push(Waiter { key: fresh, wants: Ready::of_interest(interest), waker });
                None
            }
        }
    }

    pub(super) fn leave(&mut self, key: u64) -> Option<Waiter> {
        let at = self.line.iter().position(|waiter| waiter.key == key)?;
        Some(self.line.remove(at))
    }

    pub(super) fn take_woken(
        &mut self,
        ready: Ready,
    ) -> (Option<Waker>, Option<Waker>, Vec<Waker>) {
        let reads = ready.is_readable() || ready.is_error();
        let writes = ready.is_writable() || ready.is_error();
        let reader = if reads { self.reader.take() } else { None };
        let writer = if writes { self.writer.take() } else { None };
        let woken = self.line.extract_if(.., |waiter| waiter.wants.has_any(ready));
        (reader, writer, woken.map(|waiter| waiter.waker).collect())
    }
}

impl Who<'_> {
    pub(super) fn again(&mut self) -> Who<'_> {
        match self {
            Who::Reader => Who::Reader,
            Who::Writer => Who::Writer,
            Who::Line(key) => Who::Line(key),
        }
    }
}
