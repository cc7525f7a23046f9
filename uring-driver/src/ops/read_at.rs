//! Read from a place in a file.

use std::io;
use std::sync::Arc;

use crate::buf::{IoBufMut, Vectored};
use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Reads into one buffer, from its first byte up to its capacity.
///
/// ```
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let zeros = Fd::from(OwnedFd::from(std::fs::File::open("/dev/zero")?));
/// let read = ops::ReadAt::new(Arc::new(zeros), vec![1; 4], 0);
/// let (result, bytes) = Driver::new()?.block_on(submit(read))?;
/// assert_eq!((result?, bytes), (4, vec![0; 4]));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ReadAt<B> {
    fd: Arc<Fd>,
    /// Here until the result is handed out.
    buf: Option<B>,
    offset: u64,
}

impl<B: IoBufMut> ReadAt<B> {
    /// Reads at the byte `offset`; `u64::MAX` means the file's own position.
    ///
    /// ```
    /// use std::{fs::File, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let program = Arc::new(Fd::from(OwnedFd::from(File::open("/proc/self/exe")?)));
    /// let read = ops::ReadAt::new(program, Vec::with_capacity(3), 1);
    /// let (result, name) = Driver::new()?.block_on(submit(read))?;
    /// assert_eq!((result?, &name[..3]), (3, &b"ELF"[..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>, buf: B, offset: u64) -> ReadAt<B> {
        ReadAt { fd, buf: Some(buf), offset }
    }
}

// SAFETY: the buffer is owned, and its memory does not move with it and is nobody else's (the
// contract of `IoBufMut`); the descriptor is kept open by the `Arc`.
unsafe impl<B: IoBufMut> Operation for ReadAt<B> {
    type Output = (io::Result<usize>, B);

    const AT_LEAVE: AtLeave = AtLeave::Renews;
    const GATHERS: bool = true;

    fn prepare(&mut self) -> Sqe {
        let buf = self.buf.as_mut().expect("prepared before the result");
        let len = buf.bytes_total().min(abi::MOST_BYTES) as u32;
        let sqe = Sqe::read(&self.fd, buf.stable_mut_ptr(), len, self.offset);
        sqe.with_registered(buf.registered())
    }

    fn complete(&mut self, cqe: Cqe) -> Next<(io::Result<usize>, B)> {
        if cqe.is_interrupted() {
            return Next::Again;
        }
        let mut buf = self.buf.take().expect("one result");
        let result = cqe.into_result().map(|n| n as usize);
        if let Ok(n) = result {
            // SAFETY: the kernel has written the first `n` bytes, of those that it was given.
            unsafe { buf.set_init(n) };
        }
        Next::Done((result, buf))
    }
}

/// Reads into several buffers, each up to its capacity before the next.
///
/// ```
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let zeros = Fd::from(OwnedFd::from(std::fs::File::open("/dev/zero")?));
/// let read = ops::ReadVectoredAt::new(Arc::new(zeros), vec![vec![1; 4], vec![1; 2]], 0);
/// let (result, bytes) = Driver::new()?.block_on(submit(read))?;
/// assert_eq!((result?, bytes), (6, vec![vec![0; 4], vec![0; 2]]));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ReadVectoredAt<B> {
    fd: Arc<Fd>,
    bufs: Option<Vectored<B>>,
    offset: u64,
}

impl<B: IoBufMut> ReadVectoredAt<B> {
    /// Reads at the byte `offset`; `u64::MAX` means the file's own position.
    ///
    /// ```
    /// use std::{fs::File, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let program = Arc::new(Fd::from(OwnedFd::from(File::open("/proc/self/exe")?)));
    /// let read = ops::ReadVectoredAt::new(program, vec![vec![0; 1], vec![0; 3]], 0);
    /// let (result, parts) = Driver::new()?.block_on(submit(read))?;
    /// assert_eq!((result?, &parts[1]), (4, &b"ELF".to_vec()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>, bufs: Vec<B>, offset: u64) -> ReadVectoredAt<B> {
        ReadVectoredAt { fd, bufs: Some(Vectored::to_read(bufs)), offset }
    }
}

// SAFETY: as for `ReadAt`, of each buffer; the list of their addresses is on the heap too.
unsafe impl<B: IoBufMut> Operation for ReadVectoredAt<B> {
    type Output = (io::Result<usize>, Vec<B>);

    const AT_LEAVE: AtLeave = AtLeave::Renews;
    const GATHERS: bool = true;

    fn prepare(&mut self) -> Sqe {
        let bufs = self.bufs.as_ref().expect("prepared before the result");
        let entries = bufs.entries();
        Sqe::readv(&self.fd, entries.as_ptr().cast(), entries.len() as u32, self.offset)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<(io::Result<usize>, Vec<B>)> {
        if cqe.is_interrupted() {
            return Next::Again;
        }
        let mut bufs = self.bufs.take().expect("one result");
        let result = cqe.into_result().map(|n| n as usize);
        if let Ok(n) = result {
            bufs.advance(n);
        }
        // SAFETY: made by `to_read`, and the kernel has written as many bytes as it says.
        Next::Done((result, unsafe { bufs.into_filled() }))
    }
}
