//! Writing behind.
//!
//! Bytes are gathered in a chunk; a full chunk is written while the next one fills, and so many are
//! under way at a time. What is left at the end is no multiple of what the device takes: it is
//! written with zeros behind it, and the file is cut to its length once everything is written. The
//! last, incomplete chunk stays in memory, because what follows it is written over those zeros.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use henge_driver::buf::{AlignedBuf, IoBuf, Slice};
use henge_driver::coop;
use henge_driver::{Op, ops, submit_now};
use tokio::io::AsyncWrite;

use super::{DirectFile, Window};
use crate::call::set_len;

type SetLen = Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>;

/// Bytes on their way to a file, past the kernel's cache; made by [`DirectFile::writer`].
///
/// A write is done when the bytes have been taken. `flush` and `shutdown` wait until the device has
/// them all, and set the file's length; neither asks the device to empty a cache of its own, which
/// is [`File::sync_data`](crate::File::sync_data) of [`file`](DirectWriter::file). A writer that is
/// dropped without them writes the whole chunks that it has begun, and loses the rest.
///
/// After an error, which the next write or flush tells, nothing more is written.
///
/// # Examples
///
/// ```
/// use henge_fs::{DirectFile, Window};
/// use tokio::io::AsyncWriteExt;
///
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-writer-{}", std::process::id()));
/// # if DirectFile::create(path).await.is_err() { return Ok(()); }
/// let mut log = DirectFile::create(path).await?.writer(0, Window::default())?;
/// log.write_all(b"no multiple of anything").await?;
/// log.flush().await?; // with zeros behind it, which are cut off
/// assert_eq!(henge_fs::read(path).await?, b"no multiple of anything");
/// # henge_fs::remove_file(path).await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct DirectWriter {
    file: DirectFile,
    window: Window,
    /// Where the chunk that fills begins.
    place: u64,
    filling: Option<AlignedBuf>,
    /// Some of the chunk that fills has not been written yet.
    dirty: bool,
    /// The file has the length that it should have.
    cut: bool,
    under_way: VecDeque<Op<ops::WriteAll<Slice<AlignedBuf>>>>,
    free: Vec<AlignedBuf>,
    flush: Flush,
    failed: Option<io::ErrorKind>,
}

enum Flush {
    Idle,
    /// What was gathered is under way, and so many bytes of it count.
    Writing(usize),
    Cutting(SetLen),
}

impl DirectWriter {
    pub(super) fn new(file: DirectFile, offset: u64, window: Window) -> io::Result<DirectWriter> {
        let window = file.fit(window)?;
        file.check_place(offset)?;
        Ok(DirectWriter {
            file,
            window,
            place: offset,
            filling: None,
            dirty: false,
            cut: false,
            under_way: VecDeque::new(),
            free: Vec::new(),
            flush: Flush::Idle,
            failed: None,
        })
    }

    /// The file that is written.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::{DirectFile, Window};
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-logged-{}", std::process::id()));
    /// # if DirectFile::create(path).await.is_err() { return Ok(()); }
    /// let mut log = DirectFile::create(path).await?.writer(0, Window::default())?;
    /// log.write_all(b"committed").await?;
    /// log.flush().await?;
    /// log.file().file().sync_data().await?; // the device's own cache too
    /// assert_eq!(log.file().file().metadata().await?.len(), 9);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn file(&self) -> &DirectFile {
        &self.file
    }

    /// Tells of a failure, for good.
    fn check(&self) -> io::Result<()> {
        self.failed.map_or(Ok(()), |kind| Err(kind.into()))
    }

    /// Waits for the first of what is under way.
    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(first) = self.under_way.front_mut() else { return Poll::Ready(Ok(())) };
        let (result, part) = ready!(Pin::new(first).poll(cx));
        self.under_way.pop_front();
        let mut buf = part.into_inner();
        buf.clear();
        self.free.push(buf);
        if let Err(error) = &result {
            self.failed = Some(error.kind());
        }
        Poll::Ready(result)
    }

    fn start(&mut self, buf: AlignedBuf) -> io::Result<()> {
        let len = buf.len();
        let op = ops::WriteAll::new(Arc::clone(self.file.file.fd()), buf.slice(..len), self.place);
        let started = submit_now(op, &mut Context::from_waker(Waker::noop()))?;
        self.under_way.push_back(started);
        Ok(())
    }

    fn empty_buffer(&mut self) -> io::Result<AlignedBuf> {
        match self.free.pop() {
            Some(buf) => Ok(buf),
            None => self.file.chunk(&self.window),
        }
    }

    /// Writes what has been gathered, with zeros up to what the device takes, and keeps a copy of
    /// it to go on with.
    fn write_tail(&mut self) -> io::Result<usize> {
        let Some(tail) = &self.filling else { return Ok(0) };
        let len = tail.len();
        if self.dirty {
            let padded = self.file.round_up(len)?;
            let mut copy = self.empty_buffer()?;
            if let Some(tail) = &self.filling {
                copy.append(tail);
            }
            copy.pad_to(padded);
            self.start(copy)?;
            self.dirty = false;
        }
        Ok(len)
    }
}

impl AsyncWrite for DirectWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        let writer = self.get_mut();
        writer.check()?;
        if !matches!(writer.flush, Flush::Idle) {
            ready!(Pin::new(&mut *writer).poll_flush(cx))?;
        }
        while writer.under_way.len() >= writer.window.depth {
            ready!(writer.poll_first(cx))?;
        }
        ready!(coop::poll_proceed(cx).map(|spent| spent.made_progress()));
        let mut buf = match writer.filling.take() {
            Some(buf) => buf,
            None => writer.empty_buffer()?,
        };
        let n = buf.append(from);
        writer.dirty |= n > 0;
        writer.cut &= n == 0;
        if buf.len() < writer.window.chunk {
            writer.filling = Some(buf);
            return Poll::Ready(Ok(n));
        }
        writer.start(buf)?;
        writer.place += writer.window.chunk as u64;
        writer.dirty = false;
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let writer = self.get_mut();
        writer.check()?;
        loop {
            match &mut writer.flush {
                Flush::Idle if writer.cut => return Poll::Ready(Ok(())),
                Flush::Idle => writer.flush = Flush::Writing(writer.write_tail()?),
                Flush::Writing(tail) => {
                    let tail = *tail;
                    while !writer.under_way.is_empty() {
                        if let Err(error) = ready!(writer.poll_first(cx)) {
                            writer.flush = Flush::Idle;
                            return Poll::Ready(Err(error));
                        }
                    }
                    let fd = Arc::clone(writer.file.file.fd());
                    let end = writer.place + tail as u64;
                    writer.flush = Flush::Cutting(Box::pin(set_len(fd, end)));
                }
                Flush::Cutting(cutting) => {
                    let result = ready!(cutting.as_mut().poll(cx));
                    writer.flush = Flush::Idle;
                    writer.cut = result.is_ok();
                    return Poll::Ready(result);
                }
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl fmt::Debug for DirectWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectWriter")
            .field("file", &self.file)
            .field("place", &self.place)
            .field("under_way", &self.under_way.len())
            .finish_non_exhaustive()
    }
}
