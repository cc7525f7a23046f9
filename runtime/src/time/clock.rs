//! The clock of a runtime: the monotonic one, until a test pauses it.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Instant as StdInstant;

use henge_driver::sys::clock::now as monotonic;

use super::{Duration, Instant, Timers, current};

/// Whether any clock of this process was ever paused: until then nobody needs to look for one.
static DIVERGED: AtomicBool = AtomicBool::new(false);

/// One runtime's time.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Whether `pause` may be called: only where one thread alone sees the time.
    pausable: bool,
    /// Whether this clock was ever paused, and may differ from the monotonic one.
    diverged: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What the clock showed when it was last stopped, started or set.
    base: StdInstant,
    /// The real time of that moment, while the clock runs.
    running_since: Option<StdInstant>,
    /// How many closures run in the blocking pool, during which time stands still.
    inhibited: usize,
}

impl State {
    fn now(&self) -> StdInstant {
        match self.running_since {
            Some(since) => self.base + monotonic().saturating_duration_since(since),
            None => self.base,
        }
    }
}

impl Clock {
    /// A clock that runs, or that is paused from the start.
    ///
    /// # Panics
    ///
    /// If it is to be paused and is not `pausable`.
    #[track_caller]
    pub(crate) fn new(pausable: bool, paused: bool) -> Arc<Clock> {
        let now = monotonic();
        let state = State { base: now, running_since: Some(now), inhibited: 0 };
        let clock = Clock { pausable, diverged: AtomicBool::new(false), state: Mutex::new(state) };
        if paused && let Err(message) = clock.pause() {
            panic!("{message}");
        }
        Arc::new(clock)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this clock shows when the monotonic one shows `real`, now.
    #[inline]
    pub(super) fn at(&self, real: StdInstant) -> StdInstant {
        // Relaxed: pausing, and what happens after it, is ordered by whatever tells others of it.
        if self.diverged.load(Ordering::Relaxed) { self.lock().now() } else { real }
    }

    /// The monotonic clock's time at which this one will show `deadline`; None if it stands.
    pub(super) fn real(&self, deadline: StdInstant) -> Option<StdInstant> {
        if !self.diverged.load(Ordering::Relaxed) {
            return Some(deadline);
        }
        let state = self.lock();
        let since = state.running_since?;
        since.checked_add(deadline.saturating_duration_since(state.base))
    }

    /// Whether time stands and an idle shard may move it.
    pub(crate) fn may_auto_advance(&self) -> bool {
        if !self.diverged.load(Ordering::Relaxed) {
            return false;
        }
        let state = self.lock();
        state.running_since.is_none() && state.inhibited == 0
    }

    /// Moves a paused clock ahead to `deadline`.
    pub(super) fn set(&self, deadline: StdInstant) {
        let mut state = self.lock();
        state.base = state.base.max(deadline);
    }

    /// Keeps an idle shard from moving a paused clock while the guard lives: some work that it
    /// waits for is done elsewhere.
    pub(crate) fn inhibit(self: &Arc<Clock>) -> Inhibit {
        self.lock().inhibited += 1;
        Inhibit(self.clone())
    }

    fn pause(&self) -> Result<(), &'static str> {
        if !self.pausable {
            return Err("`time::pause()` requires a current-thread runtime: \
                        `Builder::new_current_thread`, or the default of `#[henge::test]`");
        }
        let mut state = self.lock();
        if state.running_since.is_none() {
            return Err("time is already frozen");
        }
        state.base = state.now();
        state.running_since = None;
        // Relaxed: see `at`.
        self.diverged.store(true, Ordering::Relaxed);
        DIVERGED.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn resume(&self) -> Result<(), &'static str> {
        let mut state = self.lock();
        if state.running_since.is_some() {
            return Err("time is not frozen");
        }
        state.running_since = Some(monotonic());
        Ok(())
    }

    fn advance(&self, by: Duration) -> Result<(), &'static str> {
        let mut state = self.lock();
        if state.running_since.is_some() {
            return Err("time is not frozen");
        }
        state.base += by;
        Ok(())
    }
}

/// See [`Clock::inhibit`].
#[derive(Debug)]
pub(crate) struct Inhibit(Arc<Clock>);

impl Drop for Inhibit {
    fn drop(&mut self) {
        self.0.lock().inhibited -= 1;
    }
}

/// Whether any clock of the process differs from the monotonic one.
#[inline]
pub(super) fn ever_paused() -> bool {
    // Relaxed: see `Clock::at`.
    DIVERGED.load(Ordering::Relaxed)
}

/// The time on the current runtime's clock; the monotonic one outside of runtimes.
#[inline]
pub(super) fn now() -> Instant {
    if ever_paused() {
        return now_of_runtime();
    }
    Instant::from_std(monotonic())
}

#[cold]
fn now_of_runtime() -> Instant {
    let real = monotonic();
    Instant::from_std(current::with_clock(|clock| clock.map_or(real, |clock| clock.at(real))))
}

#[track_caller]
fn with_clock(f: impl FnOnce(&Clock) -> Result<(), &'static str>) {
    let done = current::with_clock(|clock| match clock {
        Some(clock) => f(clock),
        None => Err("time cannot be frozen from outside a henge runtime"),
    });
    if let Err(message) = done {
        panic!("{message}");
    }
}

/// Stops the clock of the current runtime.
///
/// [`Instant::now`] then returns the same value until [`advance`] or the runtime itself moves it;
/// `std::time::Instant` goes on. Made for tests: time passes only when they say so, and a test of
/// an hour takes no time.
///
/// # Auto-advance
///
/// When the clock is stopped and the runtime has nothing to do, it sets the clock to the deadline
/// of the next timer. So a [`sleep`](super::sleep) ends at once, and timers fire in order. While a
/// closure runs in the blocking pool the runtime does not do this.
///
/// # Precision
///
/// The clock stops at a whole tick (a millisecond, unless timers are exact), up to one later than
/// it would have shown. Whoever sleeps for whole milliseconds is then due as soon as
/// [`advance`] has moved the clock as far, and not at the next tick.
///
/// # Panics
///
/// If the clock is stopped already, if the runtime is not a current-thread one (there is no way to
/// stop time for several threads at one moment), or outside of a runtime.
///
/// # Examples
/// ```
/// use henge::time::{self, Duration, Instant};
///
/// #[henge::main(flavor = "current_thread")]
/// async fn main() {
///     time::pause();
///     let start = Instant::now();
///     time::sleep(Duration::from_secs(3600)).await;
///     assert!(start.elapsed() >= Duration::from_secs(3600)); // in no time
/// }
/// ```
#[track_caller]
pub fn pause() {
    with_clock(Clock::pause);
    current::with(|timers| timers.map(Timers::align_clock));
}

/// Lets a stopped clock go on from what it shows.
///
/// # Panics
///
/// If the clock is not stopped, or outside of a runtime.
///
/// # Examples
/// ```
/// use henge::time::{self, Duration, Instant};
///
/// #[henge::main(flavor = "current_thread", start_paused = true)]
/// async fn main() {
///     let start = Instant::now();
///     time::resume();
///     time::sleep(Duration::from_millis(2)).await; // two real milliseconds
///     assert!(start.elapsed() >= Duration::from_millis(2));
/// }
/// ```
#[track_caller]
pub fn resume() {
    with_clock(Clock::resume);
}

/// Moves a stopped clock ahead by `duration`, in one jump.
///
/// All timers up to there are due at once, and their tasks run in any order; `advance` waits for
/// one turn of the runtime, not for them. To have timers fire one after another, `sleep` and let
/// the runtime advance the clock (see [`pause`]).
///
/// # Panics
///
/// If the clock is not stopped, if the sum is beyond what an [`Instant`] can hold, or outside of a
/// runtime.
///
/// # Cancel safety
///
/// The clock is moved at the first poll. Dropping the future later does not move it back.
///
/// # Examples
/// ```
/// use henge::time::{self, Duration, Instant};
///
/// #[henge::main(flavor = "current_thread", start_paused = true)]
/// async fn main() {
///     let start = Instant::now();
///     time::advance(Duration::from_millis(1500)).await;
///     assert_eq!(start.elapsed(), Duration::from_millis(1500));
/// }
/// ```
pub async fn advance(duration: Duration) {
    with_clock(|clock| clock.advance(duration));
    // Fired here and now, so that whoever is due is behind this task in the queue, not ahead of
    // the turn that would find out.
    current::with(|timers| timers.map(|timers| timers.fire(monotonic())));
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
