//! The clock that deadlines are measured against.

use std::time::{Duration, Instant};

/// The monotonic time now.
///
/// Every other part of henge asks here, so that one place decides what time it is.
///
/// ```
/// let before = henge_driver::sys::clock::now();
/// assert!(henge_driver::sys::clock::now() >= before);
/// ```
#[inline]
pub fn now() -> Instant {
    Instant::now()
}

/// A hundred years, which nobody waits for and every clock can count.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The moment that is so far away. What is longer than the clock can count is a hundred years.
///
/// ```
/// use henge_driver::sys::clock;
/// use std::time::Duration;
///
/// assert!(clock::after(Duration::MAX) > clock::after(Duration::from_secs(3600)));
/// ```
pub fn after(wait: Duration) -> Instant {
    now() + wait.min(FAR)
}
