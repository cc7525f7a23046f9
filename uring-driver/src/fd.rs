//! Descriptors: opaque, owned, closed on exec.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

use crate::thread;

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
pub struct Fd {
    file: OwnedFd,
    /// Dropped after the file, hence when it has been closed.
    told: Told,
}

/// Tells this thread, when it goes, that there is a descriptor less.
struct Told;

impl Drop for Told {
    #[inline]
    fn drop(&mut self) {
        thread::closed_one();
    }
}

impl Fd {
    /// The number, for an entry of the ring.
    #[inline]
    pub(crate) fn number(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// It lives on, in somebody else's hands.
    fn give_up(self) -> OwnedFd {
        std::mem::forget(self.told);
        self.file
    }
}

impl From<OwnedFd> for Fd {
    fn from(fd: OwnedFd) -> Fd {
        Fd { file: fd, told: Told }
    }
}

impl From<Fd> for OwnedFd {
    fn from(fd: Fd) -> OwnedFd {
        fd.give_up()
    }
}

impl AsRef<Fd> for Fd {
    fn as_ref(&self) -> &Fd {
        self
    }
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl AsRawFd for Fd {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl IntoRawFd for Fd {
    fn into_raw_fd(self) -> RawFd {
        self.give_up().into_raw_fd()
    }
}

impl fmt::Debug for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fd").field(&self.file.as_raw_fd()).finish()
    }
}
