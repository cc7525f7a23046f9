//! Ask what is known of a file.

use std::ffi::CString;
use std::io;
use std::sync::Arc;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;
use crate::sys::file::Stat as Facts;

/// Completes with the file's size, kind, times and so on.
///
/// ```
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let folder = Arc::new(Fd::from(OwnedFd::from(std::fs::File::open(".")?)));
/// let facts = Driver::new()?.block_on(submit(ops::Stat::new(folder)))??;
/// assert!(facts.is_dir());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Stat {
    /// The file itself if the path is empty, else the folder that the path begins in; `None` is
    /// the working directory.
    fd: Option<Arc<Fd>>,
    path: CString,
    flags: i32,
    /// On the heap, because the result is not moved out of the kernel's reach before it is final.
    facts: Box<Facts>,
}

impl Stat {
    /// Asks about the file behind `fd`.
    ///
    /// ```
    /// use std::{fs::File, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let manifest = Arc::new(Fd::from(OwnedFd::from(File::open("Cargo.toml")?)));
    /// let facts = Driver::new()?.block_on(submit(ops::Stat::new(manifest)))??;
    /// assert_eq!(facts.len(), std::fs::metadata("Cargo.toml")?.len());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>) -> Stat {
        let flags = abi::AT_EMPTY_PATH;
        Stat { fd: Some(fd), path: CString::default(), flags, facts: Box::default() }
    }

    /// Asks about the file at `path`, relative to `folder` or the working directory. Without
    /// `follow` a symbolic link at the end of the path is asked about itself.
    ///
    /// ```
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// let driver = Driver::new()?;
    /// let followed = ops::Stat::at(None, c"/proc/self/exe".into(), true);
    /// let itself = ops::Stat::at(None, c"/proc/self/exe".into(), false);
    /// assert!(driver.block_on(submit(followed))??.is_file());
    /// assert!(driver.block_on(submit(itself))??.is_symlink());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn at(folder: Option<Arc<Fd>>, path: CString, follow: bool) -> Stat {
        let flags = if follow { 0 } else { abi::AT_SYMLINK_NOFOLLOW };
        Stat { fd: folder, path, flags, facts: Box::default() }
    }
}

// SAFETY: the kernel writes one `struct statx` into the box, which is laid out so, is owned, and
// does not move with the operation; nor does the path, which is on the heap and read only. The
// `Arc` keeps the descriptor open.
unsafe impl Operation for Stat {
    type Output = io::Result<Facts>;

    const AT_LEAVE: AtLeave = AtLeave::Ends;

    fn prepare(&mut self) -> Sqe {
        let to = (&raw mut *self.facts).cast();
        let path = self.path.as_c_str();
        Sqe::statx(self.fd.as_deref(), path, self.flags, Facts::MASK, to)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<Facts>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(|_| *self.facts))
    }
}
