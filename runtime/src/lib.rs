//! henge: a thread-per-core io_uring runtime for Linux.

#![deny(unsafe_code)]

mod blocking;
mod loom;
mod queue;
mod run_each;
pub mod runtime;
pub mod signal;
mod spawn;
pub mod task;
pub mod thread;
pub mod time;

pub use run_each::run_each;
pub use spawn::{spawn, spawn_on};

/// The shards of the current runtime.
pub mod shard {
    pub use crate::runtime::{ShardId, count, current, try_current};
}
