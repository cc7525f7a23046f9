//! Move bytes between a pipe and something else, inside of the kernel.

use std::io;
use std::sync::Arc;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Moves bytes from one descriptor to another, one of which is a pipe.
///
/// The kernel always has a worker thread do it. That costs some microseconds, so it is for what may
/// wait for a device; what cannot wait is moved by the system calls of the name.
///
/// ```
/// use std::os::fd::OwnedFd;
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
///
/// let file = Arc::new(Fd::from(OwnedFd::from(std::fs::File::open("/proc/self/exe")?)));
/// let (mut reader, writer) = std::io::pipe()?;
/// let writer = Arc::new(Fd::from(OwnedFd::from(writer)));
/// let splice = ops::Splice::new(file, writer, 4).from_offset(0);
/// assert_eq!(Driver::new()?.block_on(submit(splice))??, 4);
/// let mut magic = [0; 4];
/// std::io::Read::read_exact(&mut reader, &mut magic)?;
/// assert_eq!(&magic, b"\x7fELF");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Splice {
    from: Arc<Fd>,
    from_offset: u64,
    to: Arc<Fd>,
    to_offset: u64,
    len: u32,
}

impl Splice {
    /// Moves at most `len` bytes, at the files' own positions.
    ///
    /// ```
    /// use std::{io::Read, io::Write, os::fd::OwnedFd, os::unix::net::UnixStream, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let (mut client, server) = UnixStream::pair()?;
    /// let (mut reader, writer) = std::io::pipe()?;
    /// client.write_all(b"hello")?;
    /// let server = Arc::new(Fd::from(OwnedFd::from(server)));
    /// let writer = Arc::new(Fd::from(OwnedFd::from(writer)));
    /// assert_eq!(Driver::new()?.block_on(submit(ops::Splice::new(server, writer, 64)))??, 5);
    /// let mut text = [0; 5];
    /// reader.read_exact(&mut text)?;
    /// assert_eq!(&text, b"hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(from: Arc<Fd>, to: Arc<Fd>, len: usize) -> Splice {
        let len = len.min(abi::MOST_BYTES) as u32;
        Splice { from, from_offset: u64::MAX, to, to_offset: u64::MAX, len }
    }

    /// Takes the bytes from this place of a file.
    ///
    /// ```
    /// use std::{fs::File, io::Read, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let program = Arc::new(Fd::from(OwnedFd::from(File::open("/proc/self/exe")?)));
    /// let (mut reader, writer) = std::io::pipe()?;
    /// let writer = Arc::new(Fd::from(OwnedFd::from(writer)));
    /// let splice = ops::Splice::new(program, writer, 3).from_offset(1);
    /// assert_eq!(Driver::new()?.block_on(submit(splice))??, 3);
    /// let mut name = [0; 3];
    /// reader.read_exact(&mut name)?;
    /// assert_eq!(&name, b"ELF");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn from_offset(mut self, offset: u64) -> Splice {
        self.from_offset = offset;
        self
    }

    /// Puts the bytes to this place of a file.
    ///
    /// ```
    /// use std::{fs, io::Write, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// # let path = std::env::temp_dir().join(format!("henge-splice-{}", std::process::id()));
    /// fs::write(&path, "hello, disk")?;
    /// let file = fs::OpenOptions::new().write(true).open(&path)?;
    /// let (reader, mut writer) = std::io::pipe()?;
    /// writer.write_all(b"ring")?;
    /// let [reader, file] = [OwnedFd::from(reader), file.into()].map(|fd| Arc::new(Fd::from(fd)));
    /// let splice = ops::Splice::new(reader, file, 4).to_offset(7);
    /// assert_eq!(Driver::new()?.block_on(submit(splice))??, 4);
    /// assert_eq!(fs::read_to_string(&path)?, "hello, ring");
    /// # fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn to_offset(mut self, offset: u64) -> Splice {
        self.to_offset = offset;
        self
    }
}

// SAFETY: the entry points to no memory; both descriptors are kept open by their `Arc`s.
unsafe impl Operation for Splice {
    type Output = io::Result<usize>;

    const AT_LEAVE: AtLeave = AtLeave::Renews;

    fn prepare(&mut self) -> Sqe {
        Sqe::splice(&self.from, self.from_offset, &self.to, self.to_offset, self.len)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<usize>> {
        if cqe.is_interrupted() {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(|n| n as usize))
    }
}
