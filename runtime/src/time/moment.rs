//! Deadlines as the wheels count them: nanoseconds in one word.
//!
//! Arithmetic on the standard library's instants is a call each and takes as long as setting the
//! timer; on a word it is an instruction. The epoch lies 30 years before the first use, so that
//! every moment that a program can have seen, and the 550 years to come, have a number, and
//! converting there and back loses nothing. What lies outside counts as the nearest end.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use henge_driver::sys::clock::now as monotonic;

static EPOCH: OnceLock<Instant> = OnceLock::new();

fn epoch() -> Instant {
    *EPOCH.get_or_init(|| {
        let now = monotonic();
        now.checked_sub(Duration::from_secs(30 * 365 * 86_400)).unwrap_or(now)
    })
}

/// The number of this moment.
pub(super) fn number(instant: Instant) -> u64 {
    nanos(instant.saturating_duration_since(epoch()))
}

/// The moment of this number.
pub(super) fn instant(number: u64) -> Instant {
    epoch() + Duration::from_nanos(number)
}

/// This many nanoseconds, at most 584 years.
#[inline]
pub(super) const fn nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(duration.subsec_nanos() as u64)
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let now = monotonic();
        for seconds in [0, 1, 86_400 * 365 * 29] {
            let by = Duration::new(seconds, 7);
            assert_eq!(instant(number(now + by)), now + by);
            assert_eq!(instant(number(now - by)), now - by);
            assert_eq!(number(now + by) - number(now), nanos(by));
        }
        let far = now + Duration::from_secs(86_400 * 365 * 10_000);
        assert_eq!(number(far), u64::MAX);
        assert!(instant(u64::MAX) < far);
    }
}
