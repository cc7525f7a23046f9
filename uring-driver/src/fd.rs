//! Descriptors: opaque, owned, closed on exec.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

/// A descriptor that operations are made on; dropping it closes it.
///
/// Operations hold what owns their descriptor (an `Arc` of it, usually) until the kernel has
/// finished with them, so the number cannot be closed and given to another file in between.
///
/// ```
/// use henge_driver::Fd;
/// use std::os::fd::{AsFd, OwnedFd};
///
/// let (reader, _writer) = std::io::pipe()?;
/// let fd = Fd::from(OwnedFd::from(reader));
/// let again: OwnedFd = fd.into();
/// # drop(again);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Fd(OwnedFd);

impl Fd {
    /// The number, for an entry of the ring.
    #[inline]
    pub(crate) fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl From<OwnedFd> for Fd {
    fn from(fd: OwnedFd) -> Fd {
        Fd(fd)
    }
}

impl From<Fd> for OwnedFd {
    fn from(fd: Fd) -> OwnedFd {
        fd.0
    }
}

impl AsRef<Fd> for Fd {
    fn as_ref(&self) -> &Fd {
        self
    }
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Fd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl IntoRawFd for Fd {
    fn into_raw_fd(self) -> RawFd {
        self.0.into_raw_fd()
    }
}

impl fmt::Debug for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fd").field(&self.0.as_raw_fd()).finish()
    }
}
