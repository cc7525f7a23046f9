//! henge: a thread-per-core io_uring runtime for Linux.
mod loom;
mod queue;
pub mod task;
pub mod time;
