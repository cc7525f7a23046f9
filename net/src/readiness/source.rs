//! A descriptor that is watched: what it is ready for, and who waits to learn that.
//!
//! # How readiness is learned
//!
//! Each driver that somebody waits at has a poll of its own armed, a multishot one. It tells of
//! each event, and not of a state, so that whoever has *cleared* a readiness (because a transfer
//! found nothing, or because it wants to wait for the next event) is not told of the old one again.
//! A one-shot poll, which tells of the state, could not give that. What the polls tell is gathered
//! in one place, so it does not matter at which driver one waits.
//!
//! ```text
//!                   first who waits at this driver
//!   (unknown) ───────────────────────────────────────▶ watched ──┐ told: ready, tick + 1,
//!       ▲                                                 │  ▲   │ wake who waits for it
//!       │  the poll ended: error, overflow, shutdown      │  └───┘
//!       └─────────────────────────────────────────────────┘
//! ```
//!
//! - A readiness is cleared by whoever saw it, and only if nothing has been told since (`tick`): an
//!   event between a transfer that found nothing and the clearing is not lost.
//! - The ends of the directions are never cleared.
//! - While nothing is watched, a socket's transfer is tried before a poll is armed for it: one that
//!   is never full is never watched for room. Who asks for readiness then gets an answer at once:
//!   the driver is turned, and the poll that it has just submitted tells what there is.
//!
//! A poll holds the file, so the drop of the handle cancels it, and turns the driver: afterwards
//! the file is as free as its other owners let it be, and an address can be bound again.

mod line;
mod polls;
mod state;
mod transfer;

use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use henge_driver::{Fd, coop, current};

pub(crate) use line::Waiting;
pub(crate) use state::{Event, Who};

use self::state::State;
use super::interest::Interest;

/// A watched descriptor.
#[derive(Debug)]
pub(crate) struct Source {
    descriptor: Descriptor,
    /// A transfer may be tried before anything is known.
    tries: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
enum Descriptor {
    Owned(Fd),
    /// It is open as long as whoever watches it sees to that.
    Borrowed(RawFd),
}

impl Source {
    /// Watches a descriptor of its own.
    pub(crate) fn new(fd: Fd) -> Arc<Source> {
        Source::of(Descriptor::Owned(fd), true)
    }

    /// As [`new`](Source::new), where a transfer that is tried too early says something else than
    /// `WouldBlock`.
    pub(crate) fn patient(fd: Fd) -> Arc<Source> {
        Source::of(Descriptor::Owned(fd), false)
    }

    /// Watches a descriptor of somebody else's.
    pub(crate) fn borrowed(number: RawFd) -> Arc<Source> {
        Source::of(Descriptor::Borrowed(number), false)
    }

    fn of(descriptor: Descriptor, tries: bool) -> Arc<Source> {
        Arc::new(Source { descriptor, tries, state: Mutex::new(State::new()) })
    }

    /// The descriptor.
    ///
    /// # Panics
    ///
    /// If it is somebody else's.
    #[inline]
    pub(crate) fn fd(&self) -> &Fd {
        match &self.descriptor {
            Descriptor::Owned(fd) => fd,
            Descriptor::Borrowed(_) => unreachable!("asked only by those who gave it"),
        }
    }

    /// Gives the descriptor back, if nobody else has the source.
    pub(crate) fn into_fd(self: Arc<Self>) -> Result<Fd, Arc<Source>> {
        match Arc::try_unwrap(self)?.descriptor {
            Descriptor::Owned(fd) => Ok(fd),
            Descriptor::Borrowed(_) => unreachable!("asked only by those who gave it"),
        }
    }

    fn number(&self) -> RawFd {
        match &self.descriptor {
            Descriptor::Owned(fd) => fd.as_raw_fd(),
            Descriptor::Borrowed(number) => *number,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing of a user's runs under the lock.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// What is known, as far as `interest` goes. If nothing is, looks whether the driver has
    /// something to tell, or, where nothing is watched, at the descriptor.
    pub(crate) fn known(self: &Arc<Self>, interest: Interest) -> Option<Event> {
        let known = self.state().event(interest);
        if known.is_some() {
            return known;
        }
        let learned = current::with(|driver| {
            self.arm(driver, &mut self.state(), interest);
            let news = driver.has_queued() || driver.completion_pending();
            if news && driver.is_turnable() && driver.turn().is_ok() {
                return self.state().event(interest);
            }
            None
        });
        learned.ok().flatten()
    }

    /// Waits until something of `interest` is known to be ready.
    pub(crate) fn poll_ready(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        who: Who<'_>,
        interest: Interest,
    ) -> Poll<io::Result<Event>> {
        // As in tokio: who asks again and again whether it is ready, and does transfers in between,
        // is not interrupted.
        if let Who::Line(_) = who {
            return self.poll_event(cx, who, interest);
        }
        let spent = ready!(coop::poll_proceed(cx));
        let event = ready!(self.poll_event(cx, who, interest))?;
        spent.made_progress();
        Poll::Ready(Ok(event))
    }

    fn poll_event(
        self: &Arc<Self>,
        cx: &Context<'_>,
        mut who: Who<'_>,
        interest: Interest,
    ) -> Poll<io::Result<Event>> {
        if let Some(known) = self.state().look(&mut who, interest, cx.waker()) {
            return known;
        }
        // Cloned outside of the lock.
        let waker = cx.waker().clone();
        let polled = current::with(|driver| {
            let mut state = self.state();
            let unwatched = !state.is_watched(interest);
            self.arm(driver, &mut state, interest);
            if unwatched && driver.is_turnable() {
                // What there is now is told in this turn.
                drop(state);
                if let Err(error) = driver.turn() {
                    return (Poll::Ready(Err(error)), None);
                }
                state = self.state();
            }
            if let Some(Poll::Ready(event)) = state.look(&mut who, interest, &waker) {
                return (Poll::Ready(event), None);
            }
            (Poll::Pending, state.stand(&mut who, interest, waker))
        });
        match polled {
            Ok((polled, _old)) => polled,
            Err(no_driver) => Poll::Ready(Err(no_driver.into())),
        }
    }

    /// What was known is no more, unless something has been told since.
    pub(crate) fn clear(&self, event: Event) {
        self.state().clear(event);
    }

    /// Leaves the line.
    fn leave(&self, key: u64) {
        let left = self.state().leave(key);
        drop(left);
    }
}
