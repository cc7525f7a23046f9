//! Tell the kernel how a file will be used.

use std::io;
use std::sync::Arc;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;
use crate::sys::file::Advice;

/// Announces how a range of a file will be used.
///
/// ```
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let file = Arc::new(Fd::from(OwnedFd::from(std::fs::File::open("/proc/self/exe")?)));
/// Driver::new()?.block_on(submit(ops::Advise::new(file, ops::Advice::Sequential, 0, 0)))??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Advise {
    fd: Arc<Fd>,
    advice: Advice,
    offset: u64,
    len: u32,
}

impl Advise {
    /// Of `len` bytes, 0 for all, from the byte `offset` on.
    ///
    /// ```
    /// use std::{fs::File, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::ops::{Advice, Advise};
    /// use henge_driver::{Driver, Fd, submit};
    ///
    /// let program = Arc::new(Fd::from(OwnedFd::from(File::open("/proc/self/exe")?)));
    /// // The first megabyte will be wanted.
    /// let advise = Advise::new(program, Advice::WillNeed, 0, 1 << 20);
    /// Driver::new()?.block_on(submit(advise))??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>, advice: Advice, offset: u64, len: u32) -> Advise {
        Advise { fd, advice, offset, len }
    }
}

// SAFETY: the entry points to no memory; the descriptor is kept open by the `Arc`.
unsafe impl Operation for Advise {
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        Sqe::fadvise(&self.fd, self.advice.number(), self.offset, self.len)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(drop))
    }
}
