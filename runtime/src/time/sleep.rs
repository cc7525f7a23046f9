//! Waiting until a moment, or for a time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::timer::Timer;
use super::{Duration, Instant, current};

/// Waits until `deadline`.
///
/// Deadlines are rounded up to the next millisecond of the shard's clock (to 75 µs where the
/// runtime was built with exact timers), so a sleep ends up to one late, never early. One in the
/// past ends at its first poll. The timer belongs to the thread that polls it first and costs
/// nothing before. On a thread without a runtime it is waited for by the one that it was made in.
///
/// # Panics
///
/// Outside of a runtime. The future, when it is polled there and the runtime that it was made in
/// is gone.
///
/// # Cancel safety
///
/// Dropping the future cancels the timer; there is nothing to lose. To go on waiting for the same
/// moment, pin the future and poll it by reference, or sleep until the same deadline.
///
/// # Examples
/// ```
/// use henge::time::{Duration, Instant, sleep_until};
///
/// #[henge::main(flavor = "current_thread")]
/// async fn main() {
///     let deadline = Instant::now() + Duration::from_millis(5);
///     sleep_until(deadline).await;
///     assert!(Instant::now() >= deadline);
/// }
/// ```
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::new(deadline)
}

/// Waits for `duration`, which begins now (or up to 10 µs later), not when the future is polled
/// first. More than 30 years count as 30.
///
/// As [`sleep_until`] otherwise. Use [`interval`](super::interval()) to do something regularly.
///
/// # Panics
///
/// As [`sleep_until`].
///
/// # Cancel safety
///
/// As [`sleep_until`].
///
/// # Examples
/// ```
/// use henge::time::{Duration, Instant, sleep};
///
/// #[henge::main(flavor = "current_thread")]
/// async fn main() {
///     let start = Instant::now();
///     sleep(Duration::from_millis(5)).await;
///     assert!(start.elapsed() >= Duration::from_millis(5));
/// }
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep { timer: Timer::after_at_most(duration) }
}

pin_project! {
    /// The future of [`sleep`] and [`sleep_until`].
    ///
    /// Not `Unpin`, so that code that runs on tokio's runs here and the other way round: to poll
    /// it by reference, for example in a `select!` loop, pin it first.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{Duration, Instant, sleep};
    ///
    /// #[henge::main(flavor = "current_thread")]
    /// async fn main() {
    ///     let idle = sleep(Duration::from_millis(5));
    ///     henge::pin!(idle);
    ///     for _ in 0..3 {
    ///         henge::select! {
    ///             () = &mut idle => break,
    ///             () = henge::task::yield_now() => {
    ///                 // Something happened: start again.
    ///                 idle.as_mut().reset(Instant::now() + Duration::from_millis(5));
    ///             }
    ///         }
    ///     }
    /// }
    /// ```
    #[project(!Unpin)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep {
        timer: Timer,
    }
}

impl Sleep {
    #[track_caller]
    pub(super) fn new(deadline: Instant) -> Sleep {
        current::assert_in_runtime();
        Sleep { timer: Timer::new(deadline) }
    }

    /// None if that is beyond what a clock can show.
    #[track_caller]
    #[inline]
    pub(super) fn after(duration: Duration) -> Option<Sleep> {
        // Not `map`: closures do not pass the caller's location on.
        Timer::after(duration).map(|timer| Sleep { timer })
    }

    /// The moment at which this ends.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, Instant, sleep_until};
    ///
    /// let deadline = Instant::now() + Duration::from_secs(1);
    /// assert_eq!(sleep_until(deadline).deadline(), deadline);
    /// # });
    /// ```
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.timer.deadline()
    }

    /// Whether it has ended: the timer has fired, or a poll found the deadline passed.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, sleep};
    ///
    /// let sleep = sleep(Duration::from_millis(1));
    /// henge::pin!(sleep);
    /// assert!(!sleep.is_elapsed());
    /// sleep.as_mut().await;
    /// assert!(sleep.is_elapsed());
    /// # });
    /// ```
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        self.timer.is_elapsed()
    }

    /// Sets another deadline, earlier or later, whether this has ended or not. Costs less than a
    /// new sleep. A task that waits is woken for the new deadline; it need not be polled again.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, Instant, sleep};
    ///
    /// let sleep = sleep(Duration::from_secs(3600));
    /// henge::pin!(sleep);
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// sleep.as_mut().reset(soon);
    /// sleep.await;
    /// assert!(Instant::now() >= soon);
    /// # });
    /// ```
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        self.project().timer.reset(deadline);
    }
}

impl Future for Sleep {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().timer.poll(cx)
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline()).finish_non_exhaustive()
    }
}
