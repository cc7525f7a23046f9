//! Tasks.

#[allow(unsafe_code, reason = "counted references of one type to tasks of any")]
mod abort;
pub mod coop;
mod current;
mod error;
#[allow(unsafe_code, reason = "tasks by their addresses")]
mod header;
#[allow(unsafe_code, reason = "polls, cancels and frees tasks whose type is erased")]
mod home;
mod id;
#[allow(unsafe_code, reason = "takes the result out of a task whose type is erased")]
mod join;
#[allow(unsafe_code, reason = "a waker that two threads hand to each other")]
mod join_elsewhere;
#[allow(unsafe_code, reason = "the memory that holds first a future, then its result")]
mod raw;
#[allow(unsafe_code, reason = "the allocator of tasks")]
mod slab;
mod state;
#[cfg(all(test, not(henge_loom)))]
#[allow(unsafe_code, reason = "wakers and counts that only a test makes")]
mod tests;
#[allow(unsafe_code, reason = "wakers are made of a pointer and four unsafe functions")]
mod waker;
mod yield_now;

pub use abort::AbortHandle;
pub use coop::{consume_budget, unconstrained};
pub use error::JoinError;
pub use id::{Id, id, try_id};
pub use join::JoinHandle;
pub use yield_now::yield_now;

// Signposts: `task` itself knows nothing of runtimes.
pub use crate::blocking::spawn_blocking;
pub use crate::spawn::spawn;

pub(crate) use current::unnamed;
pub(crate) use home::{Entered, Home};
