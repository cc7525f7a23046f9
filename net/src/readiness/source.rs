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

use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};

use henge_driver::ops::{PollMultishot, Watcher};
use henge_driver::sys::socket;
use henge_driver::{Driver, DriverId, Fd, Link, Posted, Remote, Ticket, coop, current};

use super::interest::Interest;
use super::ready::Ready;

/// A drop waits so many turns for the kernel to let go of the file.
const TURNS: usize = 4;

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

#[derive(Debug)]
struct State {
    ready: Ready,
    /// How often something has been told.
    tick: u32,
    failed: Option<i32>,
    /// The task that called a `poll_` function for reading last, and the one for writing.
    reader: Option<Waker>,
    writer: Option<Waker>,
    line: Vec<Waiter>,
    next_key: u64,
    polls: Vec<Watch>,
}

#[derive(Debug)]
struct Waiter {
    key: u64,
    wants: Ready,
    waker: Waker,
}

/// A poll of a driver.
#[derive(Debug)]
struct Watch {
    driver: DriverId,
    remote: Remote,
    ticket: Ticket,
    events: u32,
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
        let state = State {
            ready: Ready::EMPTY,
            tick: 0,
            failed: None,
            reader: None,
            writer: None,
            line: Vec::new(),
            next_key: 0,
            polls: Vec::new(),
        };
        Arc::new(Source { descriptor, tries, state: Mutex::new(state) })
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

    /// Arms this driver's polls for `interest` now, so that what comes is known before anybody
    /// asks.
    pub(crate) fn watch(self: &Arc<Self>, interest: Interest) -> io::Result<()> {
        let watched = current::with(|driver| self.arm(driver, &mut self.state(), interest));
        watched.map_err(io::Error::from)
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

    /// Repeats a transfer until it does not answer `WouldBlock`, waiting in between.
    pub(crate) fn poll_io<R>(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        mut who: Who<'_>,
        interest: Interest,
        mut io: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let spent = ready!(coop::poll_proceed(cx));
        let mut event = {
            let state = self.state();
            match state.event(interest) {
                None if !self.tries || state.is_watched(interest) => {
                    drop(state);
                    Some(ready!(self.poll_event(cx, who.again(), interest))?)
                }
                event => event,
            }
        };
        loop {
            let done = io();
            if !is_would_block(&done) {
                spent.made_progress();
                return Poll::Ready(done);
            }
            if let Some(event) = event {
                self.clear(event);
            }
            event = Some(ready!(self.poll_event(cx, who.again(), interest))?);
        }
    }

    /// Tries a transfer once; a readiness that it finds to be none is cleared.
    pub(crate) fn try_io<R>(
        self: &Arc<Self>,
        interest: Interest,
        io: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        if !self.tries {
            return self.try_known(interest, io);
        }
        let known = self.state().event(interest);
        let done = io();
        if let (true, Some(event)) = (is_would_block(&done), known) {
            self.clear(event);
        }
        done
    }

    /// As [`try_io`](Source::try_io), only if the descriptor is known to be ready.
    pub(crate) fn try_known<R>(
        self: &Arc<Self>,
        interest: Interest,
        io: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        let Some(event) = self.known(interest) else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let done = io();
        if is_would_block(&done) {
            self.clear(event);
        }
        done
    }

    /// What was known is no more, unless something has been told since.
    pub(crate) fn clear(&self, event: Event) {
        let mut state = self.state();
        if state.tick == event.tick {
            let ends = Ready::READ_CLOSED | Ready::WRITE_CLOSED;
            state.ready = state.ready - (event.ready - ends);
        }
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

    /// Arms what this driver does not watch yet; what nobody has watched is looked at, too, since
    /// the poll tells in the driver's next turn only. Submitting runs nothing of a user's.
    fn arm(self: &Arc<Self>, driver: &Driver, state: &mut State, interest: Interest) {
        let missing = interest.events() & !state.watched_by(driver.id());
        if missing == 0 {
            return;
        }
        let told = Told { source: Arc::clone(self), driver: driver.id(), events: missing };
        let ticket = driver.submit_detached(PollMultishot::new(told, missing));
        let remote = driver.remote().clone();
        state.polls.push(Watch { driver: driver.id(), remote, ticket, events: missing });
    }

    /// Leaves the line.
    fn leave(&self, key: u64) {
        let left = self.state().leave(key);
        drop(left);
    }

    /// Nobody watches any more: ends all polls, and sees to it that those of this thread's driver
    /// have ended.
    pub(crate) fn close(self: &Arc<Self>) {
        let mut elsewhere = Vec::new();
        let here = current::with(|driver| {
            for watch in &self.state().polls {
                if watch.driver == driver.id() {
                    driver.cancel(watch.ticket);
                } else {
                    elsewhere.push(watch.remote.clone());
                }
            }
            let watched = || self.state().polls.iter().any(|watch| watch.driver == driver.id());
            for _ in 0..TURNS {
                if !watched() || !driver.is_turnable() || driver.turn().is_err() {
                    break;
                }
            }
        });
        if here.is_err() {
            elsewhere.extend(self.state().polls.iter().map(|watch| watch.remote.clone()));
        }
        for remote in elsewhere {
            let stop = Arc::new(Stop { link: Link::new(), source: Arc::clone(self) });
            // A driver that is gone has ended its polls.
            let _gone = remote.post(stop);
        }
    }

    fn stop_here(&self, driver: &Driver) {
        for watch in &self.state().polls {
            if watch.driver == driver.id() {
                driver.cancel(watch.ticket);
            }
        }
    }

    /// A driver's poll tells something.
    fn told(&self, by: &Told, told: io::Result<u32>, more: bool) {
        let mut state = self.state();
        match told {
            Ok(events) => {
                state.ready |= Ready::from_events(events);
                state.tick = state.tick.wrapping_add(1);
            }
            Err(error) if socket::is_cancelled(&error) => {}
            Err(error) => state.failed = error.raw_os_error(),
        }
        if !more {
            let ended = |watch: &Watch| watch.driver == by.driver && watch.events == by.events;
            state.polls.retain(|watch| !ended(watch));
        }
        // Those who waited for a poll that has ended arm the next one.
        let woken = if more { state.ready } else { Ready::ALL };
        let (reader, writer, line) = state.take_woken(woken);
        drop(state);
        for waker in reader.into_iter().chain(writer).chain(line) {
            waker.wake();
        }
    }
}

impl State {
    fn event(&self, interest: Interest) -> Option<Event> {
        let ready = self.ready & Ready::of_interest(interest);
        (!ready.is_empty()).then_some(Event { ready, tick: self.tick })
    }

    fn is_watched(&self, interest: Interest) -> bool {
        self.polls.iter().any(|watch| watch.events & interest.events() != 0)
    }

    fn watched_by(&self, driver: DriverId) -> u32 {
        let here = self.polls.iter().filter(|watch| watch.driver == driver);
        here.fold(0, |events, watch| events | watch.events)
    }

    /// What is known, or `Pending` if this waker waits for it already.
    fn look(
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
    fn stand(&mut self, who: &mut Who<'_>, interest: Interest, waker: Waker) -> Option<Waker> {
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

    fn leave(&mut self, key: u64) -> Option<Waiter> {
        let at = self.line.iter().position(|waiter| waiter.key == key)?;
        Some(self.line.remove(at))
    }

    fn take_woken(&mut self, ready: Ready) -> (Option<Waker>, Option<Waker>, Vec<Waker>) {
        let reads = ready.is_readable() || ready.is_error();
        let writes = ready.is_writable() || ready.is_error();
        let reader = if reads { self.reader.take() } else { None };
        let writer = if writes { self.writer.take() } else { None };
        let woken = self.line.extract_if(.., |waiter| waiter.wants.has_any(ready));
        (reader, writer, woken.map(|waiter| waiter.waker).collect())
    }
}

impl Who<'_> {
    fn again(&mut self) -> Who<'_> {
        match self {
            Who::Reader => Who::Reader,
            Who::Writer => Who::Writer,
            Who::Line(key) => Who::Line(key),
        }
    }
}

fn is_would_block<T>(done: &io::Result<T>) -> bool {
    done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Where a driver's poll tells what it sees.
struct Told {
    source: Arc<Source>,
    driver: DriverId,
    events: u32,
}

impl Watcher for Told {
    fn descriptor(&self) -> RawFd {
        self.source.number()
    }

    fn told(&mut self, events: io::Result<u32>, more: bool) {
        self.source.told(self, events, more);
    }
}

/// Asks a driver, from another thread, to end its polls.
#[derive(Debug)]
struct Stop {
    link: Link,
    source: Arc<Source>,
}

impl Posted for Stop {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, driver: &Driver) {
        self.source.stop_here(driver);
    }
}

/// A future's place in line, given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    source: &'a Arc<Source>,
    key: Option<u64>,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new(source: &'a Arc<Source>) -> Waiting<'a> {
        Waiting { source, key: None }
    }

    pub(crate) fn who(&mut self) -> Who<'_> {
        Who::Line(&mut self.key)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.source.leave(key);
        }
    }
}
