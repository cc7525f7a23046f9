//! A file made of a mere number.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use super::File;

impl FromRawFd for File {
    unsafe fn from_raw_fd(fd: RawFd) -> File {
        // SAFETY: the caller's promise, which is the same: it is open, and nobody else owns it.
        File::from(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}
