//! Make a folder.

use std::ffi::CString;
use std::io;

use crate::cqe::Cqe;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Makes a folder.
///
/// ```
/// use henge_driver::{Driver, ops, submit};
///
/// let make = ops::MakeDir::new(c"/proc/such".into(), 0o777);
/// assert!(Driver::new()?.block_on(submit(make))?.is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MakeDir {
    path: CString,
    mode: u32,
}

impl MakeDir {
    /// At `path`, with these permissions less the process's mask.
    ///
    /// ```
    /// use std::{ffi::CString, fs, os::unix::ffi::OsStrExt};
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// # let path = std::env::temp_dir().join(format!("henge-mkdir-{}", std::process::id()));
    /// let name = CString::new(path.as_os_str().as_bytes())?;
    /// Driver::new()?.block_on(submit(ops::MakeDir::new(name, 0o700)))??;
    /// assert!(path.is_dir());
    /// # fs::remove_dir(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(path: CString, mode: u32) -> MakeDir {
        MakeDir { path, mode }
    }
}

// SAFETY: the path is on the heap, does not move with the operation, and is read only.
unsafe impl Operation for MakeDir {
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        Sqe::mkdir(self.path.as_c_str(), self.mode)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(drop))
    }
}
