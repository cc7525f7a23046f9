//! Give a file another name.

use std::ffi::CString;
use std::io;

use crate::cqe::Cqe;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Renames a file or folder; what had the new name before is replaced.
///
/// ```
/// use henge_driver::{Driver, ops, submit};
///
/// let rename = ops::Rename::new(c"/proc/none".into(), c"/proc/such".into());
/// assert!(Driver::new()?.block_on(submit(rename))?.is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Rename {
    from: CString,
    to: CString,
}

impl Rename {
    /// From one path to another, both relative to the working directory.
    ///
    /// ```
    /// use std::{ffi::CString, fs, os::unix::ffi::OsStrExt, path::Path};
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// # let new = std::env::temp_dir().join(format!("henge-rename-{}", std::process::id()));
    /// # let log = new.with_extension("log");
    /// fs::write(&new, "made aside, and complete")?;
    /// let name = |path: &Path| CString::new(path.as_os_str().as_bytes());
    /// Driver::new()?.block_on(submit(ops::Rename::new(name(&new)?, name(&log)?)))??;
    /// assert_eq!(fs::read_to_string(&log)?, "made aside, and complete");
    /// # fs::remove_file(log)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(from: CString, to: CString) -> Rename {
        Rename { from, to }
    }
}

// SAFETY: both paths are on the heap, do not move with the operation, and are read only.
unsafe impl Operation for Rename {
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        Sqe::rename(self.from.as_c_str(), self.to.as_c_str())
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(drop))
    }
}
