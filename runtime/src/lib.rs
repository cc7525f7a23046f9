//! henge: a thread-per-core io_uring runtime for Linux.
mod time;
