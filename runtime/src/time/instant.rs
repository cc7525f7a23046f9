//! A moment on the runtime's clock.

use std::fmt;
use std::ops;

use super::{Duration, clock};

/// A moment on the runtime's clock: [`std::time::Instant`], but that a test can
/// [`pause`](super::pause) the clock and move it.
///
/// All differences saturate at zero, none panics. Converts to and from the standard type for free.
///
/// # Examples
/// ```
/// use henge::time::{Duration, Instant};
///
/// let start = Instant::now();
/// let deadline = start + Duration::from_millis(20);
/// assert_eq!(deadline - start, Duration::from_millis(20));
/// assert_eq!(start - deadline, Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    std: std::time::Instant,
}

impl Instant {
    /// The time now, on the current runtime's clock; on the monotonic one outside of runtimes.
    ///
    /// # Examples
    /// ```
    /// let now = henge::time::Instant::now();
    /// assert!(henge::time::Instant::now() >= now);
    /// ```
    #[inline]
    #[must_use]
    pub fn now() -> Instant {
        clock::now()
    }

    /// The same moment from the standard library's type.
    ///
    /// # Examples
    /// ```
    /// let now = std::time::Instant::now();
    /// assert_eq!(henge::time::Instant::from_std(now).into_std(), now);
    /// ```
    #[inline]
    #[must_use]
    pub fn from_std(std: std::time::Instant) -> Instant {
        Instant { std }
    }

    /// The same moment as the standard library's type.
    ///
    /// # Examples
    /// ```
    /// let now = henge::time::Instant::now();
    /// assert_eq!(henge::time::Instant::from(now.into_std()), now);
    /// ```
    #[inline]
    #[must_use]
    pub fn into_std(self) -> std::time::Instant {
        self.std
    }

    /// The time from `earlier` to this moment, zero if that is later.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{Duration, Instant};
    ///
    /// let now = Instant::now();
    /// assert_eq!((now + Duration::from_secs(1)).duration_since(now), Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// The time from `earlier` to this moment, None if that is later.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{Duration, Instant};
    ///
    /// let now = Instant::now();
    /// let later = now + Duration::from_secs(1);
    /// assert_eq!(later.checked_duration_since(now), Some(Duration::from_secs(1)));
    /// assert_eq!(now.checked_duration_since(later), None);
    /// ```
    #[must_use]
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.std.checked_duration_since(earlier.std)
    }

    /// The time from `earlier` to this moment, zero if that is later.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{Duration, Instant};
    ///
    /// let now = Instant::now();
    /// let later = now + Duration::from_secs(1);
    /// assert_eq!(now.saturating_duration_since(later), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// The time from this moment to now, zero if it is still to come.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{Duration, Instant};
    ///
    /// let deadline = Instant::now() + Duration::from_secs(60);
    /// assert_eq!(deadline.elapsed(), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(*self)
    }

    /// The moment `duration` later, None if there is no such.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{Duration, Instant};
    ///
    /// let now = Instant::now();
    /// assert_eq!(now.checked_add(Duration::ZERO), Some(now));
    /// assert_eq!(now.checked_add(Duration::MAX), None);
    /// ```
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_add(duration).map(Instant::from_std)
    }

    /// The moment `duration` earlier, None if there is no such.
    ///
    /// # Examples
    /// ```
    /// use henge::time::{Duration, Instant};
    ///
    /// let now = Instant::now();
    /// assert_eq!(now.checked_sub(Duration::ZERO), Some(now));
    /// assert_eq!(now.checked_sub(Duration::MAX), None);
    /// ```
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_sub(duration).map(Instant::from_std)
    }
}

impl From<std::time::Instant> for Instant {
    fn from(std: std::time::Instant) -> Instant {
        Instant::from_std(std)
    }
}

impl From<Instant> for std::time::Instant {
    fn from(instant: Instant) -> std::time::Instant {
        instant.into_std()
    }
}

/// Panics if there is no such moment, as the standard library's does.
impl ops::Add<Duration> for Instant {
    type Output = Instant;

    #[inline]
    #[track_caller]
    fn add(self, duration: Duration) -> Instant {
        Instant::from_std(self.std + duration)
    }
}

impl ops::AddAssign<Duration> for Instant {
    #[track_caller]
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl ops::Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }
}

/// Panics if there is no such moment, as the standard library's does.
impl ops::Sub<Duration> for Instant {
    type Output = Instant;

    #[track_caller]
    fn sub(self, duration: Duration) -> Instant {
        Instant::from_std(self.std - duration)
    }
}

impl ops::SubAssign<Duration> for Instant {
    #[track_caller]
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std.fmt(f)
    }
}
