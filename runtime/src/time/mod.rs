//! Timers and the clock.

mod wheel;
