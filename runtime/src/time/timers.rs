//! The timers of one shard or guest: a wheel, what its ticks mean, and who may touch it.
//!
//! A `Timers` is made, used and dropped by one thread, its *home*. The loop of that thread calls,
//! every turn,
//!
//! - [`fire`](Timers::fire) with the time, which wakes what is due;
//! - [`next_deadline`](Timers::next_deadline) for how long it may sleep;
//! - [`auto_advance`](Timers::auto_advance) when it has nothing to do at all and would sleep: on a
//!   paused clock this brings the next timer about instead.
//!
//! Tasks come here through [`Sleep`](super::Sleep), by `current`. Entries that other threads give
//! back come by the list in `returns`. The wheel is borrowed for a few instructions at a time,
//! and no waker is cloned, woken or dropped meanwhile: those are code of others, and may come back
//! here.

use std::cell::{Cell, RefCell};
use std::mem;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use henge_driver::sys::clock::now as monotonic;

use super::clock::{self, Clock};
use super::hand::Hand;
use super::host::Host;
use super::moment;
use super::returns::{Origin, Returns};
use super::wheel::{Key, Wheel};

/// How finely a shard tells deadlines apart. Deadlines are rounded up to it, so that no timer is
/// ever early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// Ticks of a millisecond: a loaded shard wakes at most 1,000 times a second for its timers.
    Millisecond,
    /// Ticks of 75 µs: timers are below 100 µs late where the kernel wakes a thread within 25 µs,
    /// and those due within a tick still share one wake of the shard.
    Exact,
}

const EXACT_TICK: u64 = 75_000;

impl Resolution {
    /// The first tick at or after this many nanoseconds.
    #[inline]
    fn ceil(self, nanos: u64) -> u64 {
        match self {
            Resolution::Millisecond => nanos.saturating_add(999_999) / 1_000_000,
            Resolution::Exact => nanos.saturating_add(EXACT_TICK - 1) / EXACT_TICK,
        }
    }

    /// The last tick at or before this many nanoseconds.
    #[inline]
    fn floor(self, nanos: u64) -> u64 {
        match self {
            Resolution::Millisecond => nanos / 1_000_000,
            Resolution::Exact => nanos / EXACT_TICK,
        }
    }

    /// The nanoseconds at which the tick begins.
    fn nanos(self, tick: u64) -> u64 {
        match self {
            Resolution::Millisecond => tick.saturating_mul(1_000_000),
            Resolution::Exact => tick.saturating_mul(EXACT_TICK),
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Timers {
    /// The value is the waker of whoever polled last, and is taken when it is woken.
    wheel: RefCell<Wheel<Waker>>,
    returns: &'static Returns,
    origin: Option<Origin>,
    /// Entries from this index on have no link yet.
    links: Cell<u32>,
    clock: Arc<Clock>,
    hand: Hand,
    /// Tick 0.
    start: u64,
    resolution: Resolution,
    /// Whether an idle loop may move the clock, and so whether it is the shard's own: a guest
    /// only follows it.
    leads: bool,
}

impl Timers {
    /// The timers of the shard that `clock` belongs to.
    pub(crate) fn new(clock: Arc<Clock>, resolution: Resolution) -> Self {
        Timers::with(clock, resolution, true)
    }

    /// The timers of a guest of the runtime that `clock` belongs to.
    pub(crate) fn guest(clock: Arc<Clock>, resolution: Resolution) -> Self {
        Timers::with(clock, resolution, false)
    }

    fn with(clock: Arc<Clock>, resolution: Resolution, leads: bool) -> Self {
        let start = moment::number(clock.at(monotonic()));
        let returns = Returns::acquire();
        Timers {
            wheel: RefCell::new(Wheel::new()),
            returns,
            origin: returns.origin(),
            links: Cell::new(0),
            clock,
            hand: Hand::new(),
            start,
            resolution,
            leads,
        }
    }

    /// How another thread wakes this loop, for the rare timer that is reset from there.
    pub(crate) fn set_home(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.returns.set_home(Box::new(wake));
    }

    /// Which runtime waits for the timers that are made here and polled where there is none.
    pub(crate) fn set_host(&self, host: Weak<dyn Host>) {
        self.returns.set_host(host);
    }

    /// Where timers are from that are made here.
    #[inline]
    pub(super) fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// The clock that these timers go by.
    pub(crate) fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// Timers that have not fired.
    pub(crate) fn pending(&self) -> usize {
        self.wheel.borrow().pending()
    }

    /// Whether [`fire`](Self::fire) has anything to do, or may have once it knows the time: the
    /// loop need not read the clock otherwise.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.returns.is_empty() && self.wheel.borrow().pending() == 0
    }

    /// Whether an entry came back from another thread: a source of work that a loop looks at once
    /// more after it has published that it sleeps.
    #[inline]
    pub(crate) fn has_returned(&self) -> bool {
        !self.returns.is_empty()
    }

    /// Wakes all that is due when the monotonic clock shows `now`, and returns how many that were.
    ///
    /// A waker that panics ends this; what it kept from firing fires the next time.
    pub(crate) fn fire(&self, now: Instant) -> usize {
        if !self.returns.is_empty() {
            self.take_returned();
        }
        let now = moment::number(self.clock.at(now));
        let now = self.resolution.floor(now.saturating_sub(self.start));
        let mut wheel = self.wheel.borrow_mut();
        // What wakers set, however early, waits for the next turn.
        let most = wheel.pending();
        let mut fired = 0;
        while let Some(key) = wheel.pop(now) {
            let waker = wheel.take(key);
            drop(wheel);
            if let Some(waker) = waker {
                waker.wake();
            }
            fired += 1;
            wheel = self.wheel.borrow_mut();
            if fired == most && wheel.pending() > 0 {
                break;
            }
        }
        fired
    }

    /// Until when, by the monotonic clock, the loop may sleep; None is for ever. A timer never
    /// fires before its deadline, but this may lie before the next one.
    ///
    /// On a paused clock nothing is due by itself: call [`auto_advance`](Self::auto_advance) first.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let deadline = self.next()?;
        match self.clock.real(deadline) {
            Some(real) => Some(real),
            None if self.leads => None,
            // Somebody else moves the clock, and tells nobody.
            None => Some(monotonic() + Duration::from_millis(1)),
        }
    }

    /// On a paused clock, moves it to the next deadline, and returns true: there is something to
    /// fire. For a loop that has looked everywhere else and found nothing to do.
    pub(crate) fn auto_advance(&self) -> bool {
        if !self.leads || !self.clock.may_auto_advance() {
            return false;
        }
        let Some(deadline) = self.next() else { return false };
        self.clock.set(deadline);
        true
    }

    /// Moves a clock that was just stopped to the next tick of this wheel.
    pub(super) fn align_clock(&self) {
        let tick = self.tick(moment::number(self.clock.at(monotonic())));
        self.clock.set(self.instant_of(tick));
    }

    fn instant_of(&self, tick: u64) -> Instant {
        moment::instant(self.start.saturating_add(self.resolution.nanos(tick)))
    }

    fn next(&self) -> Option<Instant> {
        let tick = self.wheel.borrow().next_deadline()?;
        Some(self.instant_of(tick))
    }

    #[inline]
    fn tick(&self, deadline: u64) -> u64 {
        self.resolution.ceil(deadline.saturating_sub(self.start))
    }

    /// The number of this moment, or of one a little later: what a duration is added to.
    #[inline]
    pub(super) fn now_or_later(&self) -> u64 {
        match clock::ever_paused() {
            false => self.hand.now_or_later(),
            true => moment::number(super::Instant::now().into_std()),
        }
    }

    /// Whether this is the home of the wheel that gave an entry out with `returns`.
    #[inline]
    pub(super) fn is_home(&self, returns: &'static Returns) -> bool {
        std::ptr::eq(self.returns, returns)
    }

    /// Sets a timer for whoever `waker` stands for. None if the deadline has passed.
    #[inline]
    pub(super) fn arm(&self, deadline: u64, waker: &Waker) -> Option<(&'static Returns, Key)> {
        let when = self.tick(deadline);
        let waker = waker.clone();
        let mut wheel = self.wheel.borrow_mut();
        if when <= wheel.now() {
            drop(wheel);
            return None;
        }
        let key = wheel.insert(when, waker);
        drop(wheel);
        if key.index() >= self.links.get() {
            self.links.set(self.returns.reserve(key.index()));
        }
        Some((self.returns, key))
    }

    /// Whether the timer has fired; if not, it will wake `waker`.
    #[inline]
    pub(super) fn poll(&self, key: Key, waker: &Waker) -> bool {
        {
            let wheel = self.wheel.borrow();
            match wheel.get(key) {
                Some(current) if current.will_wake(waker) => return false,
                Some(_) => {}
                None => return true,
            }
        }
        let waker = waker.clone();
        let before =
            self.wheel.borrow_mut().get_mut(key).map(|current| mem::replace(current, waker));
        drop(before);
        false
    }

    /// Whether the timer has fired.
    pub(super) fn has_fired(&self, key: Key) -> bool {
        self.wheel.borrow().is_pending(key) != Some(true)
    }

    /// Gives a timer another deadline; fires it if that has passed. False if it fired before.
    pub(super) fn reset(&self, key: Key, deadline: u64) -> bool {
        let when = self.tick(deadline);
        let mut wheel = self.wheel.borrow_mut();
        if wheel.is_pending(key) != Some(true) {
            return false;
        }
        if when > wheel.now() {
            return wheel.reset(key, when);
        }
        wheel.suspend(key);
        let waker = wheel.take(key);
        drop(wheel);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Removes a timer, fired or not.
    #[inline]
    pub(super) fn disarm(&self, key: Key) {
        let mut wheel = self.wheel.borrow_mut();
        debug_assert!(wheel.is_pending(key).is_some(), "a timer is removed once, by its owner");
        let waker = wheel.remove(key);
        drop(wheel);
        drop(waker);
    }

    /// Frees what other threads gave back.
    #[cold]
    fn take_returned(&self) {
        for returned in self.returns.take() {
            let removed = self.wheel.borrow_mut().remove_at(returned.index);
            if let Some(waker) = removed
                && returned.wake
            {
                waker.wake();
            }
        }
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        // Whoever still holds a sleep is woken, and finds, when it polls, that it must arm it
        // elsewhere or that there is nowhere to.
        self.take_returned();
        let wheel = self.wheel.replace(Wheel::new());
        self.returns.close(wheel.len());
        for waker in wheel.into_values() {
            waker.wake();
        }
    }
}
