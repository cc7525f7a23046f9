//! Ticking at regular times.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use super::timer::Timer;
use super::{Duration, Instant, current, safe_delay};

/// How late a tick may be taken without counting as missed. Ticks are rounded to milliseconds and
/// tasks wait their turn, and neither should shift the rhythm.
const TOLERANCE: Duration = Duration::from_millis(5);

/// Ticks every `period`, the first time at once.
///
/// Ticks are at fixed times, whatever is done between them takes: sleeping in a loop would add
/// that up. If it takes longer than a period, [`MissedTickBehavior`] says what happens.
///
/// # Panics
///
/// If `period` is zero. Outside of a runtime.
///
/// # Examples
/// ```
/// use henge::time::{self, Duration};
///
/// #[henge::main(flavor = "current_thread")]
/// async fn main() {
///     let mut interval = time::interval(Duration::from_millis(2));
///     let first = interval.tick().await; // at once
///     let second = interval.tick().await;
///     assert_eq!(second - first, Duration::from_millis(2));
/// }
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    assert!(period > Duration::ZERO, "`period` must be non-zero.");
    Interval::new(Instant::now(), period)
}

/// Ticks every `period`, the first time at `start`.
///
/// # Panics
///
/// If `period` is zero. Outside of a runtime.
///
/// # Examples
/// ```
/// use henge::time::{Duration, Instant, interval_at};
///
/// #[henge::main(flavor = "current_thread")]
/// async fn main() {
///     let start = Instant::now() + Duration::from_millis(3);
///     let mut interval = interval_at(start, Duration::from_millis(2));
///     assert_eq!(interval.tick().await, start);
///     assert_eq!(interval.tick().await, start + Duration::from_millis(2));
/// }
/// ```
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(period > Duration::ZERO, "`period` must be non-zero.");
    Interval::new(start, period)
}

/// What an [`Interval`] does when a tick was taken more than 5 ms late.
///
/// With a period of 50 ms and ticks 1, 2, … of which the second is taken 80 ms late:
///
/// ```text
/// expected   1         2         3         4         5         6
/// Burst      1         │      2  3         4         5         6     (3 at once, then in rhythm)
/// Delay      1         │      2         3         4         5        (50 ms after each other)
/// Skip       1         │      2  │         4         5         6     (3 is left out)
/// ```
///
/// # Examples
/// ```
/// use henge::time::{self, Duration, MissedTickBehavior};
///
/// #[henge::main(flavor = "current_thread", start_paused = true)]
/// async fn main() {
///     let mut interval = time::interval(Duration::from_millis(50));
///     interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
///     let first = interval.tick().await;
///     time::advance(Duration::from_millis(130)).await; // two ticks go by
///     assert_eq!(interval.tick().await - first, Duration::from_millis(50));
///     assert_eq!(interval.tick().await - first, Duration::from_millis(150));
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// Ticks as fast as possible until it has caught up. The default.
    #[default]
    Burst,
    /// Ticks a whole period after the late tick, and keeps that rhythm from then on.
    Delay,
    /// Leaves out what was missed, and ticks next at the next multiple of the period.
    Skip,
}

impl MissedTickBehavior {
    /// The tick after one that was due at `due` and taken, late, at `now`.
    fn next(self, due: Instant, now: Instant, period: Duration) -> Instant {
        match self {
            MissedTickBehavior::Burst => due + period,
            MissedTickBehavior::Delay => now + period,
            MissedTickBehavior::Skip => {
                let since = (now - due).as_nanos() % period.as_nanos();
                let since = u64::try_from(since)
                    .expect("too much time has elapsed since the interval was supposed to tick");
                now + (period - Duration::from_nanos(since))
            }
        }
    }
}

/// Ticks at regular times; made by [`interval`] and [`interval_at`].
///
/// # Examples
/// ```
/// use henge::time::{Duration, Interval, interval};
///
/// #[henge::main(flavor = "current_thread")]
/// async fn main() {
///     let mut heartbeat: Interval = interval(Duration::from_millis(1));
///     for _ in 0..3 {
///         heartbeat.tick().await;
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Interval {
    timer: Timer,
    period: Duration,
    missed_tick_behavior: MissedTickBehavior,
}

impl Interval {
    #[track_caller]
    fn new(start: Instant, period: Duration) -> Self {
        current::assert_in_runtime();
        Interval {
            timer: Timer::new(start),
            period: safe_delay(period),
            missed_tick_behavior: MissedTickBehavior::default(),
        }
    }

    /// Waits for the next tick and returns the moment at which it was due.
    ///
    /// # Cancel safety
    ///
    /// A tick is taken only when this returns. Dropped before, the next call waits for the same
    /// tick.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, interval};
    ///
    /// let mut interval = interval(Duration::from_millis(1));
    /// let first = interval.tick().await;
    /// assert_eq!(interval.tick().await - first, Duration::from_millis(1));
    /// # });
    /// ```
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Takes the next tick if it is due, and returns the moment at which it was; otherwise the
    /// task is woken when it is.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, interval};
    ///
    /// let mut interval = interval(Duration::from_millis(1));
    /// std::future::poll_fn(|cx| interval.poll_tick(cx)).await;
    /// # });
    /// ```
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(self.timer.poll(cx));
        let due = self.timer.deadline();
        let now = Instant::now();
        let next = if now > due + TOLERANCE {
            self.missed_tick_behavior.next(due, now, self.period)
        } else {
            due + self.period
        };
        // Armed by the next poll, not here: it may be long until then.
        self.timer.reset(next);
        Poll::Ready(due)
    }

    /// Ticks next one period from now, and goes on from there.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, Instant, interval};
    ///
    /// let mut interval = interval(Duration::from_millis(3));
    /// let start = Instant::now();
    /// interval.reset(); // no tick at once
    /// assert!(interval.tick().await - start >= Duration::from_millis(3));
    /// # });
    /// ```
    pub fn reset(&mut self) {
        self.timer.reset(Instant::now() + self.period);
    }

    /// Ticks next at once, and goes on from there.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, interval};
    ///
    /// let mut interval = interval(Duration::from_secs(3600));
    /// interval.tick().await;
    /// interval.reset_immediately();
    /// interval.tick().await; // not an hour later
    /// # });
    /// ```
    pub fn reset_immediately(&mut self) {
        self.timer.reset(Instant::now());
    }

    /// Ticks next `after` from now, and goes on from there.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, Instant, interval};
    ///
    /// let mut interval = interval(Duration::from_secs(3600));
    /// let start = Instant::now();
    /// interval.reset_after(Duration::from_millis(1));
    /// assert!(interval.tick().await - start >= Duration::from_millis(1));
    /// # });
    /// ```
    pub fn reset_after(&mut self, after: Duration) {
        self.timer.reset(Instant::now() + safe_delay(after));
    }

    /// Ticks next at `deadline`, and goes on from there.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, Instant, interval};
    ///
    /// let mut interval = interval(Duration::from_secs(3600));
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// interval.reset_at(soon);
    /// assert_eq!(interval.tick().await, soon);
    /// # });
    /// ```
    pub fn reset_at(&mut self, deadline: Instant) {
        self.timer.reset(deadline);
    }

    /// What happens when ticks are missed.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, MissedTickBehavior, interval};
    ///
    /// let interval = interval(Duration::from_secs(1));
    /// assert_eq!(interval.missed_tick_behavior(), MissedTickBehavior::Burst);
    /// # });
    /// ```
    #[must_use]
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed_tick_behavior
    }

    /// Says what is to happen when ticks are missed.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, MissedTickBehavior, interval};
    ///
    /// let mut interval = interval(Duration::from_secs(1));
    /// interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    /// assert_eq!(interval.missed_tick_behavior(), MissedTickBehavior::Delay);
    /// # });
    /// ```
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed_tick_behavior = behavior;
    }

    /// The time between ticks.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, interval};
    ///
    /// assert_eq!(interval(Duration::from_secs(1)).period(), Duration::from_secs(1));
    /// # });
    /// ```
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }
}
