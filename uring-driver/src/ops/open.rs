//! Open a file.

use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::file::OpenHow;

/// Opens a file by its path, CLOEXEC. A descriptor that nobody waits for any more is closed.
///
/// ```
/// use henge_driver::{Driver, ops, submit};
///
/// let how = ops::OpenHow { read: true, ..ops::OpenHow::default() };
/// let open = ops::Open::new(c"/dev/null".into(), &how)?;
/// let fd = Driver::new()?.block_on(submit(open))??;
/// # drop(fd);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Open {
    path: CString,
    flags: i32,
    mode: u32,
    waits: bool,
}

impl Open {
    /// Opens `path`, relative to the working directory.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a way of opening that makes no sense; see [`OpenHow`].
    ///
    /// ```
    /// use henge_driver::ops::{Open, OpenHow};
    /// use henge_driver::{Driver, submit};
    /// use std::io::ErrorKind;
    ///
    /// let driver = Driver::new()?;
    /// let how = OpenHow { read: true, ..OpenHow::default() };
    /// let none = driver.block_on(submit(Open::new(c"/no/such/file".into(), &how)?))?;
    /// assert_eq!(none.unwrap_err().kind(), ErrorKind::NotFound);
    /// let nothing = Open::new(c"/dev/null".into(), &OpenHow::default());
    /// assert_eq!(nothing.unwrap_err().kind(), ErrorKind::InvalidInput);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(path: CString, how: &OpenHow) -> io::Result<Open> {
        Ok(Open { path, flags: how.flags()?, mode: how.mode, waits: false })
    }

    /// Goes to a kernel worker at once, which waits where `open` waits: for the other end of a
    /// named pipe. Without it the kernel tries O_NONBLOCK first, and a named pipe opens as that
    /// flag says.
    ///
    /// ```
    /// use henge_driver::ops::{Open, OpenHow};
    /// use henge_driver::{Driver, submit};
    ///
    /// let how = OpenHow { read: true, ..OpenHow::default() };
    /// let folder = Open::new(c".".into(), &how)?.waiting(); // where a disk may be asleep
    /// assert!(Driver::new()?.block_on(submit(folder))?.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn waiting(mut self) -> Open {
        self.waits = true;
        self
    }
}

// SAFETY: the path is on the heap, does not move with the operation, and is read only.
unsafe impl Operation for Open {
    type Output = io::Result<Fd>;

    const AT_LEAVE: AtLeave = AtLeave::Renews;

    fn prepare(&mut self) -> Sqe {
        let sqe = Sqe::open(self.path.as_c_str(), self.flags, self.mode);
        if self.waits { sqe.with_async() } else { sqe }
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<Fd>> {
        if cqe.is_interrupted() {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(|number| {
            // SAFETY: the kernel has made this descriptor for this entry; nobody else owns it.
            Fd::from(unsafe { OwnedFd::from_raw_fd(number.cast_signed()) })
        }))
    }
}
