//! The io_uring driver under henge: a ring a thread, operations, descriptors, and nothing above.
//!
//! In a program that depends on `henge`, this crate is `henge::driver`, and a shard has made its
//! driver already; the examples here say `henge_driver`, and make their own.
//!
//! A [`Driver`] is made on the thread that uses it. Operations ([`Operation`]) are submitted to it
//! and belong to it until the kernel has finished with them; whoever waits is woken through a
//! [`Waker`](std::task::Waker). It knows no tasks, no timers, no cores and no protocols, and can
//! be driven by its own [`Driver::block_on`], by a runtime (a loop around [`Driver::turn`] and
//! [`Driver::park`]), or by an event loop that somebody else owns (its descriptor is readable
//! when a turn would find something).
//!
//! ```
//! use henge_driver::{Driver, ops, submit};
//!
//! let driver = Driver::new()?;
//! driver.block_on(submit(ops::Nop::new()))??;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What is not shown here
//!
//! The crates of henge share more of this one than a program of its own has a use for: state that
//! stays at home, the buffers of receives, system calls. What is for them alone is public and not
//! documented here; it changes with them, without notice.
//!
//! # Where the unsafe code is
//!
//! In the files that are let in below, each with its reason, and nowhere else. `cell.rs` says who
//! may touch an operation's memory when, `remote/list.rs` what other threads may do.

#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "buffers are handed over as addresses")]
pub mod buf;
#[allow(unsafe_code, reason = "cells are shared with the kernel and with futures elsewhere")]
mod cell;
#[allow(unsafe_code, reason = "pins a future inside a future")]
pub mod coop;
#[allow(unsafe_code, reason = "erased cells' functions; the thread's driver behind a pointer")]
mod driver;
#[doc(hidden)]
#[allow(unsafe_code, reason = "state that is lent to its home's thread alone")]
pub mod home;
#[allow(unsafe_code, reason = "futures share cells with the driver")]
mod op;
#[allow(unsafe_code, reason = "operations promise what their entries point to")]
mod operation;
#[allow(unsafe_code, reason = "each operation proves its memory")]
pub mod ops;
#[allow(unsafe_code, reason = "the list of posted objects is intrusive")]
mod remote;
#[allow(unsafe_code, reason = "the kernel's ring")]
mod ring;
#[doc(hidden)]
#[allow(unsafe_code, reason = "system calls")]
pub mod sys;

mod block_on;
mod capabilities;
mod contain;
mod cqe;
pub mod current;
mod driver_id;
mod fd;
mod inflight;
#[allow(unsafe_code, reason = "addresses that nobody follows")]
mod kept;
mod known_bugs;
mod listen;
mod loom;
pub mod offload;
pub mod pool;
mod refusal;
mod scratch;
mod sqe;
mod thread;

pub use capabilities::Capabilities;
#[doc(hidden)]
pub use contain::wake_each;
pub use cqe::Cqe;
pub use driver::{Config, Counters, Driver, Leaked, Ticket, Turn};
pub use driver_id::DriverId;
pub use fd::Fd;
#[doc(hidden)]
pub use listen::{ListenGroup, Membership, Role};
pub use op::{Op, submit, submit_now};
pub use operation::{AtLeave, Next, Operation};
pub use remote::list::Link;
pub use remote::{Closed, Posted, Remote};
#[doc(hidden)]
pub use scratch::Scratch;
pub use sqe::{Sqe, Timespec};
