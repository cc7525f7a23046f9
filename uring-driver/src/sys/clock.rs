//! The clock that deadlines are measured against.

use std::time::Instant;

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
