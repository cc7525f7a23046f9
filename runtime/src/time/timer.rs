//! One deadline and its entry in a wheel: what sleeps, intervals and delay queues are made of.

use std::mem;
use std::task::{Context, Poll, ready};

use henge_driver::coop;

use super::delegate::Delegate;
use super::returns::{Origin, Returns};
use super::timers::Timers;
use super::wheel::Key;
use super::{Duration, Instant, current, host, moment};

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
    Fresh(Option<Origin>),
    Armed(Armed),
    /// Made or polled where there is no wheel.
    Delegated(Box<Delegate>),
    /// Was found elapsed by a poll.
    Elapsed(Option<Origin>),
}

impl State {
    /// That of a timer which is made on this thread.
    #[inline]
    fn fresh() -> Self {
        match current::with(|timers| timers.map(Timers::origin)) {
            Some(origin) => State::Fresh(origin),
            None => State::fresh_elsewhere(),
        }
    }

    /// The same on a thread that has no timers.
    #[cold]
    fn fresh_elsewhere() -> Self {
        match host::current() {
            Some(host) => State::Delegated(Box::new(Delegate::new(host))),
            None => State::Fresh(None),
        }
    }
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
        Timer { deadline: moment::number(deadline.into_std()), state: State::fresh() }
    }

    /// One that no runtime is known of, for where a loop polls it.
    pub(super) fn at(deadline: u64) -> Self {
        Timer { deadline, state: State::Fresh(None) }
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
        let Some((now, origin)) = Timer::here() else { return Timer::elsewhere(duration) };
        let deadline = now.checked_add(moment::nanos(duration))?;
        Some(Timer { deadline, state: State::Fresh(origin) })
    }

    /// The same; after a [`safe_delay`](super::safe_delay) if that is shorter.
    #[track_caller]
    #[inline]
    pub(super) fn after_at_most(duration: Duration) -> Self {
        let nanos = moment::nanos(duration).min(SAFE_NANOS);
        let Some((now, origin)) = Timer::here() else {
            return Timer::elsewhere(Duration::from_nanos(nanos)).expect("safe to add");
        };
        Timer { deadline: now.saturating_add(nanos), state: State::Fresh(origin) }
    }

    /// The time, or a little later, and the wheel, of this thread.
    #[inline]
    fn here() -> Option<(u64, Option<Origin>)> {
        current::with(|timers| timers.map(|timers| (timers.now_or_later(), timers.origin())))
    }

    /// A timer for `duration` from now that is made on a thread that has no wheel.
    #[track_caller]
    #[cold]
    fn elsewhere(duration: Duration) -> Option<Self> {
        current::assert_in_runtime();
        let now = moment::number(Instant::now().into_std());
        let deadline = now.checked_add(moment::nanos(duration))?;
        Some(Timer { deadline, state: State::fresh_elsewhere() })
    }

    pub(super) fn deadline(&self) -> Instant {
        Instant::from_std(moment::instant(self.deadline))
    }

    pub(super) fn is_elapsed(&self) -> bool {
        match &self.state {
            State::Fresh(_) => false,
            State::Elapsed(_) => true,
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
        self.state = match mem::replace(&mut self.state, State::Fresh(None)) {
            State::Fresh(origin) | State::Elapsed(origin) => State::Fresh(origin),
            State::Delegated(mut delegate) => {
                delegate.abandon();
                State::Delegated(delegate)
            }
            State::Armed(armed) => current::with(|timers| match armed.at_home(timers) {
                Some(timers) => match timers.reset(armed.key, self.deadline) {
                    true => State::Armed(armed),
                    false => State::Fresh(timers.origin()),
                },
                None => {
                    let origin = armed.home.origin();
                    armed.abandon();
                    State::Fresh(origin)
                }
            }),
        };
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
            State::Elapsed(_) => true,
            _ => current::with(|timers| match timers {
                Some(timers) => {
                    let elapsed = self.poll_at(timers, cx);
                    if elapsed {
                        self.state = State::Elapsed(timers.origin());
                    }
                    elapsed
                }
                None => self.poll_elsewhere(cx),
            }),
        };
        if elapsed {
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
            State::Fresh(_) => mem::forget(mem::replace(&mut self.state, armed)),
            _ => self.state = armed,
        }
        false
    }

    /// The same on a thread that has no timers. The runtime that it has entered waits, or that
    /// in which the timer was made.
    #[cold]
    fn poll_elsewhere(&mut self, cx: &mut Context<'_>) -> bool {
        if !matches!(self.state, State::Delegated(_)) {
            let origin = self.origin();
            let Some(host) = host::current().or_else(|| origin?.host()) else {
                assert!(Instant::now() >= self.deadline(), "{}", current::NO_RUNTIME);
                self.state = State::Elapsed(origin);
                return true;
            };
            self.state = State::Delegated(Box::new(Delegate::new(host)));
        }
        match &mut self.state {
            State::Delegated(delegate) => delegate.poll(self.deadline, cx).is_ready(),
            _ => false,
        }
    }

    /// The wheel that it is from, unless another runtime waits for it.
    fn origin(&self) -> Option<Origin> {
        match &self.state {
            State::Fresh(origin) | State::Elapsed(origin) => *origin,
            State::Armed(armed) => armed.home.origin(),
            State::Delegated(_) => None,
        }
    }
}
