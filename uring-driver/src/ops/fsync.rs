//! Bring a file to the device.

use std::io;
use std::sync::Arc;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Completes when what was written before is on the device.
///
/// ```
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let folder = Arc::new(Fd::from(OwnedFd::from(std::fs::File::open(".")?)));
/// Driver::new()?.block_on(submit(ops::Fsync::new(folder, true)))??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Fsync {
    fd: Arc<Fd>,
    data_only: bool,
}

impl Fsync {
    /// With `data_only`, only as much metadata as is needed to read the data back.
    ///
    /// ```
    /// use std::{fs::File, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// let pipe = Arc::new(Fd::from(OwnedFd::from(reader)));
    /// let nowhere = Driver::new()?.block_on(submit(ops::Fsync::new(pipe, false)))?;
    /// assert!(nowhere.is_err(), "a pipe is on no device");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>, data_only: bool) -> Fsync {
        Fsync { fd, data_only }
    }
}

// SAFETY: the entry points to no memory; the descriptor is kept open by the `Arc`.
unsafe impl Operation for Fsync {
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        Sqe::fsync(&self.fd, self.data_only)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(drop))
    }
}
