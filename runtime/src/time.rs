//! Timers and the clock, with tokio's names and semantics.
//!
//! - [`sleep`] waits for a time, [`sleep_until`] until a moment;
//! - [`timeout`] and [`timeout_at`] give a future a limited time;
//! - [`interval`] and [`interval_at`] tick regularly;
//! - [`DelayQueue`] keeps values until they are due;
//! - [`Instant`] is the runtime's clock, which tests [`pause`] and [`advance`].
//!
//! Every shard, and every thread inside `block_on`, has a timing wheel of its own, so that setting
//! and cancelling a timer is a matter of nanoseconds, whatever else is pending. A timer belongs to
//! the thread that polls it first. It may be dropped, reset or polled on any other; that is the
//! rare case and costs a little more.
//!
//! # Examples
//! ```
//! use henge::time::{self, Duration};
//!
//! #[henge::main(flavor = "current_thread")]
//! async fn main() {
//!     let work = async {
//!         time::sleep(Duration::from_millis(2)).await;
//!         "done"
//!     };
//!     assert_eq!(time::timeout(Duration::from_secs(5), work).await, Ok("done"));
//! }
//! ```

mod clock;
#[allow(unsafe_code, reason = "the thread's timers are found through a pointer")]
mod current;
pub mod delay_queue;
mod delegate;
pub mod error;
mod hand;
mod host;
mod instant;
mod interval;
mod moment;
mod returns;
mod sleep;
mod timeout;
mod timer;
mod timers;
mod wheel;

#[doc(no_inline)]
pub use std::time::Duration;

pub use clock::{advance, pause, resume};
#[doc(inline)]
pub use delay_queue::DelayQueue;
pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Timeout, timeout, timeout_at};

pub(crate) use clock::Clock;
pub(crate) use current::Entered;
pub(crate) use host::{Expiry, Host, find_by};
pub(crate) use timers::{Resolution, Timers};

/// 30 years.
const SAFE_DELAY: Duration = Duration::from_secs(86_400 * 365 * 30);

/// A time that can be added to any clock that counts from this machine's start.
fn safe_delay(duration: Duration) -> Duration {
    duration.min(SAFE_DELAY)
}

#[cfg(all(test, not(henge_loom)))]
mod tests;
