//! Reading ahead.
//!
//! Transfers of a chunk each are under way at places one behind the other; the first of them is
//! waited for, and a new one is begun behind the last as soon as its memory is free. A transfer
//! that is shorter than its chunk is either the end of the file, which nothing follows, or goes on
//! where it stopped.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use henge_driver::buf::{AlignedBuf, IoBuf, Slice};
use henge_driver::coop;
use henge_driver::{Fd, Op, ops, submit_now};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use super::{DirectFile, Window};

/// The bytes of a file, read ahead past the kernel's cache; made by [`DirectFile::reader`].
///
/// It is an [`AsyncRead`] and an [`AsyncBufRead`]. Dropping it cancels what is under way.
///
/// # Examples
///
/// ```
/// use henge_fs::{DirectFile, Window};
/// use tokio::io::AsyncBufReadExt;
///
/// # henge_driver::Driver::new()?.block_on(async {
/// # if DirectFile::open("Cargo.toml").await.is_err() { return Ok(()); }
/// let file = DirectFile::open("Cargo.toml").await?;
/// let mut lines = file.reader(0, Window::default())?.lines();
/// assert_eq!(lines.next_line().await?.as_deref(), Some("[package]"));
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct DirectReader {
    file: DirectFile,
    window: Window,
    /// Where the next transfer begins.
    next: u64,
    /// Transfers at places one behind the other.
    under_way: VecDeque<Op<ops::ReadAt<Slice<AlignedBuf>>>>,
    /// Where the first of them has begun.
    first: u64,
    /// What has come and is being taken.
    current: Option<AlignedBuf>,
    taken: usize,
    free: Vec<AlignedBuf>,
    ended: bool,
}

impl DirectReader {
    pub(super) fn new(file: DirectFile, offset: u64, window: Window) -> io::Result<DirectReader> {
        let window = file.fit(window)?;
        file.check_place(offset)?;
        Ok(DirectReader {
            file,
            window,
            next: offset,
            under_way: VecDeque::new(),
            first: offset,
            current: None,
            taken: 0,
            free: Vec::new(),
            ended: false,
        })
    }

    /// The next bytes: a whole chunk, except the last, and what is left of one that was taken in
    /// part. `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// What the system answers. The next call tries again at the same place.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Panics
    ///
    /// Never; on a thread without a driver it fails.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::{DirectFile, Window};
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # if DirectFile::open("Cargo.toml").await.is_err() { return Ok(()); }
    /// let mut bytes = DirectFile::open("Cargo.toml").await?.reader(0, Window::default())?;
    /// let mut text = Vec::new();
    /// while let Some(chunk) = bytes.next_chunk().await? {
    ///     text.extend_from_slice(chunk);
    /// }
    /// assert_eq!(text, henge_fs::read("Cargo.toml").await?);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn next_chunk(&mut self) -> io::Result<Option<&[u8]>> {
        poll_fn(|cx| self.poll_fill(cx)).await?;
        let Some(current) = &self.current else { return Ok(None) };
        let from = std::mem::replace(&mut self.taken, current.len());
        Ok(Some(&current[from..]))
    }

    /// Waits for bytes that nobody has taken, or the end of the file.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(current) = self.current.take_if(|current| current.len() == self.taken) {
            self.recycle(current);
        }
        while self.current.is_none() && !self.ended {
            self.read_ahead()?;
            let Some(first) = self.under_way.front_mut() else { break };
            let (result, part) = ready!(Pin::new(first).poll(cx));
            self.under_way.pop_front();
            let (begin, buf) = (part.begin(), part.into_inner());
            match result {
                Ok(n) => self.take_in(begin + n, n == 0, buf)?,
                Err(error) => {
                    self.restart(begin, buf);
                    // What came before it is handed out first; then it shows again.
                    if begin == 0 {
                        return Poll::Ready(Err(error));
                    }
                }
            }
        }
        ready!(coop::poll_proceed(cx).map(|spent| spent.made_progress()));
        Poll::Ready(Ok(()))
    }

    /// The first transfer has brought its buffer to `len` bytes.
    fn take_in(&mut self, len: usize, nothing: bool, mut buf: AlignedBuf) -> io::Result<()> {
        let whole = len == self.window.chunk;
        if !whole && !nothing && len % self.file.place() == 0 {
            // Short, and perhaps not the end: the rest of the chunk comes first.
            let op = read(self.file.file.fd(), buf, len, self.first + len as u64);
            self.under_way.push_front(start(op)?);
            return Ok(());
        }
        buf.truncate(len);
        self.first += len as u64;
        if !whole {
            self.ended = true;
            self.under_way.clear();
        }
        match len {
            0 => self.recycle(buf),
            _ => self.current = Some(buf),
        }
        self.taken = 0;
        Ok(())
    }

    /// Begins transfers until as many are under way as may be.
    fn read_ahead(&mut self) -> io::Result<()> {
        while self.under_way.len() < self.window.depth {
            let mut buf = match self.free.pop() {
                Some(buf) => buf,
                None => self.file.chunk(&self.window)?,
            };
            buf.clear();
            self.under_way.push_back(start(read(self.file.file.fd(), buf, 0, self.next))?);
            self.next += self.window.chunk as u64;
        }
        Ok(())
    }

    /// Forgets what is under way, to begin again behind the `begin` bytes that have come.
    fn restart(&mut self, begin: usize, mut buf: AlignedBuf) {
        self.under_way.clear();
        buf.truncate(begin);
        self.first += begin as u64;
        self.next = self.first;
        self.taken = 0;
        match begin {
            0 => self.recycle(buf),
            _ => self.current = Some(buf),
        }
    }

    /// Keeps the memory. That of cancelled transfers does not come back, so there is never more
    /// than the window and one.
    fn recycle(&mut self, buf: AlignedBuf) {
        self.free.push(buf);
    }
}

fn read(fd: &Arc<Fd>, buf: AlignedBuf, from: usize, at: u64) -> ops::ReadAt<Slice<AlignedBuf>> {
    ops::ReadAt::new(Arc::clone(fd), buf.slice(from..), at)
}

/// Starts a transfer that is not waited for yet.
fn start<O: henge_driver::Operation>(op: O) -> io::Result<Op<O>> {
    Ok(submit_now(op, &mut Context::from_waker(Waker::noop()))?)
}

impl AsyncBufRead for DirectReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let reader = self.get_mut();
        ready!(reader.poll_fill(cx))?;
        Poll::Ready(Ok(reader.current.as_deref().map_or(&[], |bytes| &bytes[reader.taken..])))
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        let len = self.current.as_ref().map_or(0, |bytes| bytes.len());
        self.taken = (self.taken + n).min(len);
    }
}

impl AsyncRead for DirectReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let n = bytes.len().min(to.remaining());
        to.put_slice(&bytes[..n]);
        self.consume(n);
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for DirectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectReader")
            .field("file", &self.file)
            .field("place", &self.first)
            .field("under_way", &self.under_way.len())
            .finish_non_exhaustive()
    }
}
