//! Start or await the writing of a part of a file.

use std::io;
use std::sync::Arc;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;
use crate::sys::file::RangeSync;

/// Brings the dirty pages of a range to the device, without metadata and without a barrier: not
/// a promise of durability, but a way to spread the work of one.
///
/// ```
/// use std::{fs, os::fd::OwnedFd, sync::Arc};
/// use henge_driver::{Driver, Fd, ops, submit};
///
/// # let path = std::env::temp_dir().join(format!("henge-op-range-{}", std::process::id()));
/// fs::write(&path, [1; 8192])?;
/// let file = Arc::new(Fd::from(OwnedFd::from(fs::File::open(&path)?)));
/// let start = ops::SyncRange::new(file, ops::RangeSync::Start, 0, 0);
/// Driver::new()?.block_on(submit(start))??;
/// # fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct SyncRange {
    fd: Arc<Fd>,
    how: RangeSync,
    offset: u64,
    len: u32,
}

impl SyncRange {
    /// Of `len` bytes, 0 for all, from the byte `offset` on.
    ///
    /// ```
    /// use std::{os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::ops::{RangeSync, SyncRange};
    /// use henge_driver::{Driver, Fd, submit};
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// let pipe = Arc::new(Fd::from(OwnedFd::from(reader)));
    /// let nowhere = SyncRange::new(pipe, RangeSync::Start, 0, 4096);
    /// assert!(Driver::new()?.block_on(submit(nowhere))?.is_err(), "a pipe has no ranges");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>, how: RangeSync, offset: u64, len: u32) -> SyncRange {
        SyncRange { fd, how, offset, len }
    }
}

// SAFETY: the entry points to no memory; the descriptor is kept open by the `Arc`.
unsafe impl Operation for SyncRange {
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        Sqe::sync_file_range(&self.fd, self.how.flags(), self.offset, self.len)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(drop))
    }
}
