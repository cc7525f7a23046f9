//! Child processes, by descriptors that become readable when they end.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use crate::fd::Fd;

pub use std::process::{
    Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio,
};

/// A descriptor of a process (`pidfd_open(2)`), readable once it has ended. CLOEXEC.
///
/// The caller has not waited for the process since it was started, or the number may be another's
/// by now.
///
/// # Errors
/// If the process or the system has no descriptor left (`EMFILE`, `ENFILE`).
///
/// ```
/// let mut child = std::process::Command::new("true").spawn()?;
/// let process = henge_driver::sys::process::open(child.id())?;
/// # drop(process);
/// child.wait()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn open(id: u32) -> io::Result<Fd> {
    // SAFETY: a system call that takes two integers and touches no memory of ours.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, id, 0) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // A descriptor is an `int`.
    let raw = raw as RawFd;
    // SAFETY: the call succeeded, so `raw` is a descriptor that nobody else owns yet.
    Ok(Fd::from(unsafe { OwnedFd::from_raw_fd(raw) }))
}
