//! The writing end of a pipe.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use henge_driver::sys::pipe as sys;
use tokio::io::AsyncWrite;

use super::end::end;
use crate::descriptor::descriptor;
use crate::readiness::Interest;
use crate::readiness::source::Who;
use crate::readiness::watched::Watched;

/// The writing end of a pipe. Dropping it is the end for the reader, if it is the last one.
///
/// # Examples
///
/// ```
/// # use henge_net::unix::pipe;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (mut sender, mut receiver) = pipe::pipe()?;
/// sender.write_all(b"hello").await?;
/// assert_eq!(receiver.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Sender {
    pub(crate) core: Watched,
}

end!(Sender, Write, WRITABLE, |fd| Watched::new(fd));
descriptor!(Sender, |end| end.core.fd());

impl Sender {
    /// Waits until there is room to write, or no reader any more.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// sender.writable().await?;
    /// assert_eq!(sender.try_write(b"hello")?, 5);
    /// # drop(receiver);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// As [`writable`](Sender::writable), for the one task that writes: only the one that called
    /// last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// std::future::poll_fn(|cx| sender.poll_write_ready(cx)).await?;
    /// # drop(receiver);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.core.poll_ready(cx, Who::Writer, Interest::WRITABLE)
    }

    /// Writes what there is room for, without waiting. Up to 4 KiB (`PIPE_BUF`) go whole, or not at
    /// all.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; `BrokenPipe` if there is no reader any more.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// assert_eq!(sender.try_write(b"hello")?, 5);
    /// assert_eq!(receiver.read_u8().await?, b'h');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.core.try_io(Interest::WRITABLE, |fd| sys::write_now(fd, &[IoSlice::new(buf)]))
    }

    /// As [`try_write`](Sender::try_write), from several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; `BrokenPipe` if there is no reader any more.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// let word = [&b"he"[..], b"llo"].map(std::io::IoSlice::new);
    /// assert_eq!(sender.try_write_vectored(&word)?, 5);
    /// assert_eq!(receiver.read_u8().await?, b'h');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write_vectored(&self, buf: &[IoSlice<'_>]) -> io::Result<usize> {
        self.core.try_io(Interest::WRITABLE, |fd| sys::write_now(fd, buf))
    }
}

impl AsyncWrite for Sender {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.core.poll_write(cx, |fd| sys::write_now(fd, &[IoSlice::new(buf)]))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.core.poll_write(cx, |fd| sys::write_now(fd, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // As in tokio: the end comes with the drop.
        Poll::Ready(Ok(()))
    }
}
