//! Set a file's length.

use std::io;
use std::sync::Arc;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Cuts a file to a length, or lengthens it with zeros. Before 6.9 the kernel answers EINVAL.
///
/// ```no_run
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let file = Arc::new(Fd::from(OwnedFd::from(std::fs::File::create("lines")?)));
/// Driver::new()?.block_on(submit(ops::Truncate::new(file, 0)))??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Truncate {
    fd: Arc<Fd>,
    len: u64,
}

impl Truncate {
    /// To `len` bytes.
    ///
    /// ```
    /// use std::{os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// let pipe = Arc::new(Fd::from(OwnedFd::from(reader)));
    /// let endless = Driver::new()?.block_on(submit(ops::Truncate::new(pipe, 0)))?;
    /// assert!(endless.is_err(), "a pipe has no length");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>, len: u64) -> Truncate {
        Truncate { fd, len }
    }
}

// SAFETY: the entry points to no memory; the descriptor is kept open by the `Arc`.
unsafe impl Operation for Truncate {
    type Output = io::Result<()>;

    fn prepare(&mut self) -> Sqe {
        Sqe::ftruncate(&self.fd, self.len)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(drop))
    }
}
