//! Make a symbolic link.

use std::ffi::CString;
use std::io;

use crate::cqe::Cqe;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Makes a symbolic link.
///
/// ```
/// use henge_driver::{Driver, ops, submit};
///
/// let link = ops::Symlink::new(c"anything".into(), c"/proc/such".into());
/// assert!(Driver::new()?.block_on(submit(link))?.is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Symlink {
    target: CString,
    link: CString,
}

impl Symlink {
    /// `link` points to `target`, which need not exist.
    ///
    /// ```
    /// use std::{ffi::CString, fs, os::unix::ffi::OsStrExt, path::Path};
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// # let path = std::env::temp_dir().join(format!("henge-symlink-{}", std::process::id()));
    /// let link = CString::new(path.as_os_str().as_bytes())?;
    /// Driver::new()?.block_on(submit(ops::Symlink::new(c"log.7".into(), link)))??;
    /// assert_eq!(fs::read_link(&path)?, Path::new("log.7"));
    /// # fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(target: CString, link: CString) -> Symlink {
        Symlink { target, link }
    }
}

// SAFETY: both paths are on the heap, do not move with the operation, and are read only.
unsafe impl Operation for Symlink {
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        Sqe::symlink(self.target.as_c_str(), self.link.as_c_str())
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(drop))
    }
}
