//! The io_uring driver under henge.

#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "buffers are handed over as addresses")]
pub mod buf;
#[allow(unsafe_code, reason = "system calls")]
pub mod sys;
