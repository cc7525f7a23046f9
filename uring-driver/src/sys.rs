//! One half of the seam: every system call that is not the ring's, the clock, and thread starts.
//!
//! Nothing outside this module and its files names `libc`, `socket2`, `std::fs`, `std::thread`
//! or the clock, in any crate of henge; what stands behind it can therefore be exchanged whole.

pub(crate) mod abi;
pub mod clock;
pub mod cpu;
pub mod cycles;
pub mod datagram;
pub(crate) mod event;
pub(crate) mod fd;
pub mod file;
pub(crate) mod host;
pub mod message;
pub mod pipe;
pub mod poll;
pub mod process;
pub mod signal;
pub mod socket;
pub mod splice;
pub mod thread;
#[cfg(feature = "backtrace")]
pub mod trace;
pub mod unix;
