//! henge: a thread-per-core io_uring runtime for Linux.
pub mod time;
