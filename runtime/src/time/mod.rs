//! Timers and the clock.

mod clock;
#[allow(unsafe_code, reason = "the thread's timers are found through a pointer")]
mod current;
mod instant;
mod returns;
mod timers;
mod wheel;

#[doc(no_inline)]
pub use std::time::Duration;

pub use clock::{advance, pause, resume};
pub use instant::Instant;

pub(crate) use clock::Clock;
pub(crate) use timers::{Resolution, Timers};
