//! System calls on descriptors as such.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::fd::Fd;

/// A second descriptor for the same open file, CLOEXEC.
pub(crate) fn duplicate(raw: RawFd) -> io::Result<Fd> {
    // SAFETY: the call takes integers only; a number that is not open gives EBADF.
    let new = unsafe { libc::fcntl(raw, libc::F_DUPFD_CLOEXEC, 3) };
    if new < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `new` is a descriptor that nobody else owns yet.
    Ok(Fd::from(unsafe { OwnedFd::from_raw_fd(new) }))
}

/// Makes the number of `target` stand for the open file of `source`, at once and for all
/// threads: there is no moment in which the number is free and could be given to another file.
pub(crate) fn replace(target: &Fd, source: &Fd) -> io::Result<()> {
    // SAFETY: both numbers are open, because the borrows keep their owners alive. What `target`
    // owns afterwards is still one open descriptor under the same number.
    let got = unsafe { libc::dup3(source.as_raw_fd(), target.as_raw_fd(), libc::O_CLOEXEC) };
    if got < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
