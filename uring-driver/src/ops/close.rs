//! Close a descriptor, and learn what that brought to light.

use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;
use crate::thread;

/// Closes a descriptor on the ring. Dropping an [`Fd`] closes it too, but blocks where the file
/// system does, and cannot tell of an error.
///
/// ```
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let folder = Fd::from(OwnedFd::from(std::fs::File::open(".")?));
/// Driver::new()?.block_on(submit(ops::Close::new(folder)))??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Close {
    /// Ours until the entry is prepared, then the kernel's under this number.
    fd: Option<Fd>,
    number: i32,
}

impl Close {
    /// Closes `fd`.
    ///
    /// ```
    /// use std::{io::Read, os::fd::OwnedFd};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let (mut reader, writer) = std::io::pipe()?;
    /// let close = ops::Close::new(Fd::from(OwnedFd::from(writer)));
    /// Driver::new()?.block_on(submit(close))??;
    /// assert_eq!(reader.read(&mut [0])?, 0, "nobody writes any more");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Fd) -> Close {
        Close { fd: Some(fd), number: -1 }
    }
}

// SAFETY: the entry points to no memory; the descriptor is given up to the kernel, and nobody else
// has owned it.
unsafe impl Operation for Close {
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        if let Some(fd) = self.fd.take() {
            self.number = fd.into_raw_fd();
        }
        Sqe::close(self.number)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        match cqe.result() {
            // Cancelled before it began: the descriptor is as open as before.
            result if result == -abi::ECANCELED => {
                // SAFETY: `prepare` took this number from its owner, and the kernel has not
                // closed it.
                drop(unsafe { OwnedFd::from_raw_fd(self.number) });
                Next::Done(Ok(()))
            }
            // As for the system call: the descriptor is gone, and trying again might close
            // somebody else's.
            result if result == -abi::EINTR => Next::Done(Ok(())),
            _ => {
                thread::closed_one();
                Next::Done(cqe.into_result().map(drop))
            }
        }
    }
}
