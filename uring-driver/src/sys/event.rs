//! An eventfd: the descriptor by which one thread makes another thread's wait end.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::fd::Fd;

/// A counter in the kernel that is readable while it is not zero. Never blocks, CLOEXEC.
#[derive(Debug)]
pub(crate) struct EventFd(Fd);

impl EventFd {
    pub(crate) fn new() -> io::Result<EventFd> {
        // SAFETY: a system call that takes two integers and touches no memory of ours.
        let raw = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so `raw` is a descriptor that nobody else owns yet.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        Ok(EventFd(Fd::from(fd)))
    }

    /// Adds one. A counter that is full is readable already, which is all that a caller wants.
    pub(crate) fn signal(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: the pointer and the length describe `one`, which outlives the call. The only
        // failure of a non-blocking eventfd that we own is EAGAIN: the counter is full.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Sets the counter back to zero; says whether it was above it.
    pub(crate) fn clear(&self) -> bool {
        let mut count = [0u8; 8];
        // SAFETY: the pointer and the length describe `count`, which is exclusively ours.
        let read =
            unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
        read == count.len() as isize
    }

    pub(crate) fn fd(&self) -> &Fd {
        &self.0
    }
}

impl AsRawFd for EventFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::EventFd;

    #[test]
    fn counts_and_clears() {
        let event = EventFd::new().unwrap();
        assert!(!event.clear());
        event.signal();
        event.signal();
        assert!(event.clear());
        assert!(!event.clear());
    }
}
