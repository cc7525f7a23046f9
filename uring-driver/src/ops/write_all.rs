//! Write all of a buffer, however many rounds that takes, whether or not anybody waits.

use std::io;
use std::sync::Arc;

use crate::buf::IoBuf;
use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Writes one buffer's initialised bytes, all of them.
///
/// It [persists](Operation::PERSISTS): whoever starts it may go, and what was promised to be
/// written is. A driver that shuts down waits for it, up to its first deadline.
///
/// ```
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
/// let write = ops::WriteAll::new(Arc::new(Fd::from(OwnedFd::from(null))), "bytes", u64::MAX);
/// let (result, _bytes) = Driver::new()?.block_on(submit(write))?;
/// result?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WriteAll<B> {
    fd: Arc<Fd>,
    /// Here until the result is handed out.
    buf: Option<B>,
    done: usize,
    offset: u64,
}

impl<B: IoBuf> WriteAll<B> {
    /// Writes from the byte `offset` on; `u64::MAX` means the file's own position.
    ///
    /// ```
    /// use std::{io::Read, os::fd::OwnedFd, sync::Arc, thread};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let (mut reader, writer) = std::io::pipe()?;
    /// let writer = Arc::new(Fd::from(OwnedFd::from(writer)));
    /// // More than a pipe holds, so that it takes several rounds.
    /// let write = ops::WriteAll::new(writer, vec![7; 1 << 20], u64::MAX);
    /// let there = thread::spawn(move || reader.read_exact(&mut vec![0; 1 << 20]));
    /// Driver::new()?.block_on(submit(write))?.0?;
    /// there.join().expect("no panic")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: Arc<Fd>, buf: B, offset: u64) -> WriteAll<B> {
        WriteAll { fd, buf: Some(buf), done: 0, offset }
    }

    fn left(&self) -> usize {
        self.buf.as_ref().map_or(0, |buf| buf.bytes_init().saturating_sub(self.done))
    }

    fn end(&mut self, result: io::Result<()>) -> Next<(io::Result<()>, B)> {
        Next::Done((result, self.buf.take().expect("one result")))
    }
}

// SAFETY: the entry points to bytes of `buf` behind `done`, at most `bytes_init` of them; the
// buffer is owned, and its memory does not move with it and is written by nobody (the contract of
// `IoBuf`). The descriptor is kept open by the `Arc`.
unsafe impl<B: IoBuf> Operation for WriteAll<B> {
    type Output = (io::Result<()>, B);

    const AT_LEAVE: AtLeave = AtLeave::Renews;
    const PERSISTS: bool = true;

    fn prepare(&mut self) -> Sqe {
        let len = self.left().min(abi::MOST_BYTES) as u32;
        let buf = self.buf.as_ref().expect("prepared before the result");
        let offset = match self.offset {
            u64::MAX => u64::MAX,
            offset => offset.saturating_add(self.done as u64),
        };
        let sqe = Sqe::write(&self.fd, buf.stable_ptr().wrapping_add(self.done), len, offset);
        sqe.with_registered(buf.registered())
    }

    fn complete(&mut self, cqe: Cqe) -> Next<(io::Result<()>, B)> {
        match cqe.into_result() {
            Ok(n) => {
                self.done += n as usize;
                match (self.left(), n) {
                    (0, _) => self.end(Ok(())),
                    (_, 0) => self.end(Err(io::ErrorKind::WriteZero.into())),
                    _ => Next::Again,
                }
            }
            Err(_) if cqe.is_interrupted() => Next::Again,
            Err(error) => self.end(Err(error)),
        }
    }

    fn unsent(&self) -> u64 {
        self.left() as u64
    }
}
