//! Set a file's length.

use std::io;
use std::sync::Arc;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Cuts a file to a length, or lengthens it with zeros. Before 6.9 the kernel answers EINVAL.
///
/// ```
/// use std::{fs, os::fd::OwnedFd, sync::Arc};
/// use henge_driver::{Driver, Fd, ops, submit};
///
/// # let path = std::env::temp_dir().join(format!("henge-op-cut-{}", std::process::id()));
/// const EINVAL: i32 = 22;
///
/// fs::write(&path, "one\ntwo\n")?;
/// let file = fs::OpenOptions::new().write(true).open(&path)?;
/// let file = Arc::new(Fd::from(OwnedFd::from(file)));
/// match Driver::new()?.block_on(submit(ops::Truncate::new(file, 4)))? {
///     Ok(()) => assert_eq!(fs::read_to_string(&path)?, "one\n"),
///     Err(before_6_9) => assert_eq!(before_6_9.raw_os_error(), Some(EINVAL)),
/// }
/// # fs::remove_file(path)?;
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

    const AT_LEAVE: AtLeave = AtLeave::Ends;

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
