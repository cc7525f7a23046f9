//! The blocking pool: threads for what has no operation on the ring.
//!
//! Name resolution, a few calls on files, and users' closures that compute or block. One pool
//! serves all drivers of a runtime. It grows on demand to a cap, its threads end when they have
//! been idle for a while, and a job that finds all of them busy waits in [a queue](queue), which
//! has no bound but a length that can be seen.
//!
//! The parts: [`queue`] and [`crew`] are plain data and decide everything; [`pool`] holds both
//! behind one lock, starts the threads and is their loop; [`job`] is the cell that closure,
//! result and waker share. Nothing here is unsafe, and no code of a user runs under a lock.

mod config;
mod crew;
mod job;
mod pool;
mod queue;
mod sync;
#[cfg(test)]
mod tests;

pub use config::Config;
pub use job::{AbortJob, Job, JobError};
#[doc(hidden)]
pub use pool::Telling;
pub use pool::{Metrics, Pool};
pub use queue::Class;
