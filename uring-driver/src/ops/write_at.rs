//! Write at a place in a file.

use std::io;
use std::sync::Arc;

use crate::buf::{IoBuf, Vectored};
use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Writes one buffer's initialised bytes.
///
/// ```
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
/// let write = ops::WriteAt::new(Arc::new(Fd::from(OwnedFd::from(null))), "bytes", 0);
/// let (result, _bytes) = Driver::new()?.block_on(submit(write))?;
/// assert_eq!(result?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WriteAt<B> {
    fd: Arc<Fd>,
    /// Here until the result is handed out.
    buf: Option<B>,
    offset: u64,
}

impl<B: IoBuf> WriteAt<B> {
    /// Writes at the byte `offset`; `u64::MAX` means the file's own position.
    ///
    /// ```
    /// use std::{fs, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// # let path = std::env::temp_dir().join(format!("henge-write-at-{}", std::process::id()));
    /// let file = Arc::new(Fd::from(OwnedFd::from(fs::File::create(&path)?)));
    /// let write = ops::WriteAt::new(file, b"ring".to_vec(), 3);
    /// let (result, _buffer) = Driver::new()?.block_on(submit(write))?;
    /// assert_eq!((result?, fs::read(&path)?), (4, b"\0\0\0ring".to_vec()));
    /// # fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>, buf: B, offset: u64) -> WriteAt<B> {
        WriteAt { fd, buf: Some(buf), offset }
    }
}

// SAFETY: the buffer is owned, and its memory does not move with it and is written by nobody (the
// contract of `IoBuf`); the descriptor is kept open by the `Arc`.
unsafe impl<B: IoBuf> Operation for WriteAt<B> {
    type Output = (io::Result<usize>, B);

    const AT_LEAVE: AtLeave = AtLeave::Renews;
    const GATHERS: bool = true;

    fn prepare(&mut self) -> Sqe {
        let buf = self.buf.as_ref().expect("prepared before the result");
        let len = buf.bytes_init().min(abi::MOST_BYTES) as u32;
        let sqe = Sqe::write(&self.fd, buf.stable_ptr(), len, self.offset);
        sqe.with_registered(buf.registered())
    }

    fn complete(&mut self, cqe: Cqe) -> Next<(io::Result<usize>, B)> {
        if cqe.is_interrupted() {
            return Next::Again;
        }
        let buf = self.buf.take().expect("one result");
        Next::Done((cqe.into_result().map(|n| n as usize), buf))
    }
}

/// Writes several buffers, one behind the other.
///
/// ```
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
/// let fd = Arc::new(Fd::from(OwnedFd::from(null)));
/// let write = ops::WriteVectoredAt::new(fd, vec!["by", "tes"], 0);
/// let (result, _bytes) = Driver::new()?.block_on(submit(write))?;
/// assert_eq!(result?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WriteVectoredAt<B> {
    fd: Arc<Fd>,
    bufs: Option<Vectored<B>>,
    offset: u64,
}

impl<B: IoBuf> WriteVectoredAt<B> {
    /// Writes at the byte `offset`; `u64::MAX` means the file's own position.
    ///
    /// ```
    /// use std::{io::Read, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let (mut reader, writer) = std::io::pipe()?;
    /// let writer = Arc::new(Fd::from(OwnedFd::from(writer)));
    /// let write = ops::WriteVectoredAt::new(writer, vec!["hello, ", "ring"], u64::MAX);
    /// let (result, _buffers) = Driver::new()?.block_on(submit(write))?;
    /// let mut text = [0; 11];
    /// reader.read_exact(&mut text)?;
    /// assert_eq!((result?, &text), (11, b"hello, ring"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>, bufs: Vec<B>, offset: u64) -> WriteVectoredAt<B> {
        WriteVectoredAt { fd, bufs: Some(Vectored::to_write(bufs)), offset }
    }
}

// SAFETY: as for `WriteAt`, of each buffer; the list of their addresses is on the heap too.
unsafe impl<B: IoBuf> Operation for WriteVectoredAt<B> {
    type Output = (io::Result<usize>, Vec<B>);

    const AT_LEAVE: AtLeave = AtLeave::Renews;
    const GATHERS: bool = true;

    fn prepare(&mut self) -> Sqe {
        let bufs = self.bufs.as_ref().expect("prepared before the result");
        let entries = bufs.entries();
        Sqe::writev(&self.fd, entries.as_ptr().cast(), entries.len() as u32, self.offset)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<(io::Result<usize>, Vec<B>)> {
        if cqe.is_interrupted() {
            return Next::Again;
        }
        let bufs = self.bufs.take().expect("one result");
        Next::Done((cqe.into_result().map(|n| n as usize), bufs.into_inner()))
    }
}
