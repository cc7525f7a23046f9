//! Take a name away.

use std::ffi::CString;
use std::io;

use crate::cqe::Cqe;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Removes a file, or an empty folder.
///
/// ```
/// use henge_driver::{Driver, ops, submit};
///
/// let remove = ops::Unlink::file(c"/proc/none".into());
/// assert!(Driver::new()?.block_on(submit(remove))?.is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Unlink {
    path: CString,
    folder: bool,
}

impl Unlink {
    /// Removes what is no folder.
    ///
    /// ```
    /// use std::{ffi::CString, fs, os::unix::ffi::OsStrExt};
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// # let path = std::env::temp_dir().join(format!("henge-unlink-{}", std::process::id()));
    /// fs::write(&path, "not for long")?;
    /// let remove = ops::Unlink::file(CString::new(path.as_os_str().as_bytes())?);
    /// Driver::new()?.block_on(submit(remove))??;
    /// assert!(!path.exists());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn file(path: CString) -> Unlink {
        Unlink { path, folder: false }
    }

    /// Removes an empty folder.
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// let driver = Driver::new()?;
    /// let none = driver.block_on(submit(ops::Unlink::folder(c"no-such-folder".into())))?;
    /// assert_eq!(none.unwrap_err().kind(), ErrorKind::NotFound);
    /// let file = driver.block_on(submit(ops::Unlink::folder(c"Cargo.toml".into())))?;
    /// assert_eq!(file.unwrap_err().kind(), ErrorKind::NotADirectory);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn folder(path: CString) -> Unlink {
        Unlink { path, folder: true }
    }
}

// SAFETY: the path is on the heap, does not move with the operation, and is read only.
unsafe impl Operation for Unlink {
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        Sqe::unlink(self.path.as_c_str(), self.folder)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(drop))
    }
}
