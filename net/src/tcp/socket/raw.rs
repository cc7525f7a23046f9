//! A socket made of a mere number.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use super::TcpSocket;

impl FromRawFd for TcpSocket {
    unsafe fn from_raw_fd(fd: RawFd) -> TcpSocket {
        // SAFETY: the caller's promise, which is the same: it is open, and nobody else owns it.
        TcpSocket::from(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}
