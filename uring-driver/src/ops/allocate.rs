//! Give a part of a file room on the device, or take it away.

use std::io;
use std::sync::Arc;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;
use crate::sys::file::Allocation;

/// Changes how a range of a file is allocated.
///
/// ```
/// use std::{fs, io::ErrorKind, os::fd::OwnedFd, sync::Arc};
/// use henge_driver::{Driver, Fd, ops, submit};
///
/// # let path = std::env::temp_dir().join(format!("henge-op-room-{}", std::process::id()));
/// let file = fs::File::create(&path)?;
/// let owned = Arc::new(Fd::from(OwnedFd::from(file.try_clone()?)));
/// let room = ops::Allocate::new(owned, ops::Allocation::Reserve, 0, 1 << 20);
/// match Driver::new()?.block_on(submit(room))? {
///     Ok(()) => assert_eq!(file.metadata()?.len(), 1 << 20),
///     Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported),
/// }
/// # fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Allocate {
    fd: Arc<Fd>,
    how: Allocation,
    offset: u64,
    len: u64,
}

impl Allocate {
    /// Of `len` bytes from the byte `offset` on.
    ///
    /// ```
    /// use std::{fs::File, io::ErrorKind, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::ops::{Allocate, Allocation};
    /// use henge_driver::{Driver, Fd, submit};
    ///
    /// let reading = Arc::new(Fd::from(OwnedFd::from(File::open("Cargo.toml")?)));
    /// let room = Allocate::new(reading, Allocation::ReserveKeepSize, 0, 1 << 20);
    /// assert!(Driver::new()?.block_on(submit(room))?.is_err(), "it is not open for that");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>, how: Allocation, offset: u64, len: u64) -> Allocate {
        Allocate { fd, how, offset, len }
    }
}

// SAFETY: the entry points to no memory; the descriptor is kept open by the `Arc`.
unsafe impl Operation for Allocate {
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        Sqe::fallocate(&self.fd, self.how.mode(), self.offset, self.len)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(drop))
    }
}
