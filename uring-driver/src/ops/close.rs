//! Close a descriptor, and learn what that brought to light.

use std::io;
use std::os::fd::IntoRawFd;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;
use crate::thread;

/// Closes a descriptor on the ring. Dropping an [`Fd`] closes it too, but blocks where the file
/// system does, and cannot tell of an error.
///
/// It [persists](Operation::PERSISTS): the descriptor is closed though the future be dropped. Where
/// the file system has a close wait, and the driver shuts down before it has begun, the descriptor
/// stays open for the rest of the process's life: the file's own answer may be the same.
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

    /// Whether a close that ends with `ECANCELED` was cancelled before it began, or is what a file
    /// system (FUSE) answers to the close, cannot be told afterwards; the descriptor is open in the
    /// one case, and perhaps somebody else's in the other. So nobody cancels it.
    const PERSISTS: bool = true;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        if let Some(fd) = self.fd.take() {
            self.number = fd.into_raw_fd();
        }
        Sqe::close(self.number)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        match cqe.result() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_file_that_answers_that_it_was_cancelled_is_closed_once() {
        // Whoever got the number after the kernel had closed it.
        let stranger = File::open("/dev/null").unwrap();
        let mut close = Close { fd: None, number: stranger.as_raw_fd() };
        let ended = close.complete(Cqe::new(-abi::ECANCELED, 0));
        let Next::Done(Err(error)) = ended else { panic!("{ended:?}") };
        assert_eq!(error.raw_os_error(), Some(abi::ECANCELED));
        stranger.metadata().expect("it is open");
    }
}
