//! One deadline and its entry in a wheel: what sleeps, intervals and delay queues are made of.

use std::mem;
use std::task::{Context, Poll, ready};

use henge_driver::coop;

use super::delegate::Delegate;
use super::returns::Returns;
use super::timers::Timers;
use super::wheel::Key;
use super::{Duration, Instant, current, moment};

/// A delay that can be added to any time.
const SAFE_NANOS: u64 = moment::nanos(super::SAFE_DELAY);

/// Waits for a deadline. Needs no pinning: the wheel knows its waker, never the timer itself.
#[derive(Debug)]
pub(super) struct Timer {
    /// In the numbers of `moment`.
    deadline: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Not polled since the deadline was set: no wheel knows of it.
    Fresh,
    Armed(Armed),
    /// Polled where there is no wheel.
    Delegated(Box<Delegate>),
    /// Was found elapsed by a poll.
    Elapsed,
}

/// An entry in the wheel of one thread, owned. Gives it back when dropped, from wherever.
#[derive(Debug)]
struct Armed {
    home: &'static Returns,
    key: Key,
}

impl Armed {
    /// These timers, if the entry is theirs.
    #[inline]
    fn at_home<'a>(&self, timers: Option<&'a Timers>) -> Option<&'a Timers> {
        timers.filter(|timers| timers.is_home(self.home))
    }

    /// Leaves the entry to its home, elsewhere, which wakes whoever polled last.
    fn abandon(self) {
        let (home, key) = (self.home, self.key);
        mem::forget(self);
        home.give_back(key.index(), true);
    }
}

impl Drop for Armed {
    #[inline]
    fn drop(&mut self) {
        current::with(|timers| match self.at_home(timers) {
            Some(timers) => timers.disarm(self.key),
            None => self.home.give_back(self.key.index(), false),
        });
    }
}

impl Timer {
    pub(super) fn new(deadline: Instant) -> Self {
        Timer::at(moment::number(deadline.into_std()))
    }

    #[inline]
    fn at(deadline: u64) -> Self {
        Timer { deadline, state: State::Fresh }
    }

    /// A timer for `duration` from now, or at most 10 µs more: cheaper than to ask for the time.
    /// None if that is beyond what a clock can show.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    #[inline]
    pub(super) fn after(duration: Duration) -> Option<Self> {
        Timer::now_or_later().checked_add(moment::nanos(duration)).map(Timer::at)
    }

    /// The same; after a [`safe_delay`](super::safe_delay) if that is shorter.
    #[track_caller]
    #[inline]
    pub(super) fn after_at_most(duration: Duration) -> Self {
        let nanos = moment::nanos(duration).min(SAFE_NANOS);
        Timer::at(Timer::now_or_later().saturating_add(nanos))
    }

    #[track_caller]
    #[inline]
    fn now_or_later() -> u64 {
        match current::with(|timers| timers.map(Timers::now_or_later)) {
            Some(now) => now,
            None => Timer::now_elsewhere(),
        }
    }

    /// The time on a thread that has no timers.
    #[track_caller]
    #[cold]
    fn now_elsewhere() -> u64 {
        current::assert_in_runtime();
        moment::number(Instant::now().into_std())
    }

    pub(super) fn deadline(&self) -> Instant {
        Instant::from_std(moment::instant(self.deadline))
    }

    pub(super) fn is_elapsed(&self) -> bool {
        match &self.state {
            State::Fresh => false,
            State::Elapsed => true,
            State::Armed(armed) => current::with(|timers| match armed.at_home(timers) {
                Some(timers) => timers.has_fired(armed.key),
                // What `poll` would go by here, too.
                None => Instant::now() >= self.deadline(),
            }),
            State::Delegated(delegate) => delegate.is_elapsed(),
        }
    }

    /// Sets another deadline. Whoever polled last is woken for it, not for the old one.
    pub(super) fn reset(&mut self, deadline: Instant) {
        self.deadline = moment::number(deadline.into_std());
        match mem::replace(&mut self.state, State::Fresh) {
            State::Fresh | State::Elapsed => {}
            State::Delegated(delegate) => delegate.abandon(),
            State::Armed(armed) => current::with(|timers| match armed.at_home(timers) {
                Some(timers) => {
                    if timers.reset(armed.key, self.deadline) {
                        self.state = State::Armed(armed);
                    }
                }
                None => armed.abandon(),
            }),
        }
    }

    /// Sets another deadline of which nothing is known until the next poll.
    pub(super) fn replace(&mut self, deadline: Instant) {
        *self = Timer::new(deadline);
    }

    /// Ready once the deadline has passed, and from then on; costs a unit of the task's budget.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let unit = ready!(coop::poll_proceed(cx));
        let elapsed = match &self.state {
            State::Elapsed => true,
            _ => current::with(|timers| match timers {
                Some(timers) => self.poll_at(timers, cx),
                None => self.poll_elsewhere(cx),
            }),
        };
        if elapsed {
            self.state = State::Elapsed;
            unit.made_progress();
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Whether it has elapsed; if not, it is armed in `timers`.
    #[inline]
    fn poll_at(&mut self, timers: &Timers, cx: &mut Context<'_>) -> bool {
        match &self.state {
            State::Armed(armed) if timers.is_home(armed.home) => {
                return timers.poll(armed.key, cx.waker());
            }
            // It was armed elsewhere, and this is where it is awaited now.
            State::Armed(_) | State::Delegated(_) if Instant::now() >= self.deadline() => {
                return true;
            }
            _ => {}
        }
        let Some((home, key)) = timers.arm(self.deadline, cx.waker()) else { return true };
        let armed = State::Armed(Armed { home, key });
        match &mut self.state {
            // Nothing to drop: without this the usual way would ask.
            State::Fresh => mem::forget(mem::replace(&mut self.state, armed)),
            _ => self.state = armed,
        }
        false
    }

    /// The same on a thread that has no timers.
    #[cold]
    fn poll_elsewhere(&mut self, cx: &mut Context<'_>) -> bool {
        if !matches!(self.state, State::Delegated(_)) {
            if Instant::now() >= self.deadline() {
                return true;
            }
            let delegate = Delegate::new(Timer::at(self.deadline), cx.waker());
            self.state = State::Delegated(Box::new(delegate));
        }
        match &mut self.state {
            State::Delegated(delegate) => delegate.poll(cx).is_ready(),
            _ => false,
        }
    }
}
