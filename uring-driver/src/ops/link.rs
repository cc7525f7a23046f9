//! Give a file one more name.

use std::ffi::CString;
use std::io;

use crate::cqe::Cqe;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Makes a hard link.
///
/// ```
/// use henge_driver::{Driver, ops, submit};
///
/// let link = ops::Link::new(c"/proc/none".into(), c"/proc/such".into());
/// assert!(Driver::new()?.block_on(submit(link))?.is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Link {
    original: CString,
    link: CString,
}

impl Link {
    /// The file at `original` is `link` as well. A symbolic link is linked itself, not followed.
    ///
    /// ```
    /// use std::{ffi::CString, fs, os::unix::ffi::OsStrExt, path::Path};
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// # let one = std::env::temp_dir().join(format!("henge-link-{}", std::process::id()));
    /// # let two = one.with_extension("two");
    /// fs::write(&one, "of two names")?;
    /// let name = |path: &Path| CString::new(path.as_os_str().as_bytes());
    /// Driver::new()?.block_on(submit(ops::Link::new(name(&one)?, name(&two)?)))??;
    /// assert_eq!(fs::read_to_string(&two)?, "of two names");
    /// # fs::remove_file(one)?;
    /// # fs::remove_file(two)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(original: CString, link: CString) -> Link {
        Link { original, link }
    }
}

// SAFETY: both paths are on the heap, do not move with the operation, and are read only.
unsafe impl Operation for Link {
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        Sqe::link(self.original.as_c_str(), self.link.as_c_str())
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(drop))
    }
}
