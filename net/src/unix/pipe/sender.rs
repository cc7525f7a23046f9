//! The writing end of a pipe.

use std::fmt;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use henge_driver::Fd;
use henge_driver::sys::file::StdFile;
use henge_driver::sys::{pipe as sys, socket};
use tokio::io::AsyncWrite;

use crate::readiness::source::Who;
use crate::readiness::watched::Watched;
use crate::readiness::{Interest, Ready};

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

impl Sender {
    /// Takes over a file that is one end of a pipe. It is made non-blocking, which all holders of
    /// the end see.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is no pipe, or not open for writing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use henge_net::unix::pipe::Sender;
    ///
    /// let (_reader, writer) = std::io::pipe()?;
    /// let end = std::os::fd::OwnedFd::from(writer);
    /// let sender = Sender::from_file(std::fs::File::from(end))?;
    /// # drop(sender);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_file(file: StdFile) -> io::Result<Sender> {
        Sender::from_owned_fd(file.into())
    }

    /// As [`from_file`](Sender::from_file), from a descriptor.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is no pipe, or not open for writing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use henge_net::unix::pipe::Sender;
    ///
    /// let (_reader, writer) = std::io::pipe()?;
    /// let end = std::os::fd::OwnedFd::from(writer);
    /// let sender = Sender::from_owned_fd(end)?;
    /// # drop(sender);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_owned_fd(owned_fd: OwnedFd) -> io::Result<Sender> {
        sys::check_end(&owned_fd, sys::Access::Write)?;
        socket::set_nonblocking(&owned_fd, true)?;
        Sender::from_owned_fd_unchecked(owned_fd)
    }

    /// As [`from_file`](Sender::from_file), of a file that is known to be a pipe's end, and
    /// non-blocking.
    ///
    /// # Errors
    ///
    /// None today; tokio's signature.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use henge_net::unix::pipe::Sender;
    ///
    /// let (_reader, writer) = std::io::pipe()?;
    /// let end = std::os::fd::OwnedFd::from(writer);
    /// let sender = Sender::from_file_unchecked(std::fs::File::from(end))?;
    /// # drop(sender);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_file_unchecked(file: StdFile) -> io::Result<Sender> {
        Sender::from_owned_fd_unchecked(file.into())
    }

    /// As [`from_file_unchecked`](Sender::from_file_unchecked), from a descriptor.
    ///
    /// # Errors
    ///
    /// None today; tokio's signature.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use henge_net::unix::pipe::Sender;
    ///
    /// let (_reader, writer) = std::io::pipe()?;
    /// let end = std::os::fd::OwnedFd::from(writer);
    /// let sender = Sender::from_owned_fd_unchecked(end)?;
    /// # drop(sender);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_owned_fd_unchecked(owned_fd: OwnedFd) -> io::Result<Sender> {
        Ok(Sender { core: Watched::new(Fd::from(owned_fd)) })
    }

    /// Waits until the pipe is ready for something of `interest`, and says for what: also whether
    /// the other end is gone.
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
    /// use henge_net::readiness::Interest;
    ///
    /// let ready = sender.ready(Interest::WRITABLE).await?;
    /// assert!(ready.is_writable());
    /// # drop(receiver);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.core.ready(interest).await
    }

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

    /// Runs `f`, which is to transfer by calls of its own on the descriptor, if that is known to be
    /// ready. If it answers `WouldBlock`, the pipe is not known to be ready any more.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not known to be ready; what `f` answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// let blocked = sender.try_io(|| Err::<(), _>(std::io::ErrorKind::WouldBlock.into()));
    /// assert!(blocked.is_err());
    /// # drop(receiver);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.core.try_known(Interest::WRITABLE, f)
    }

    /// Gives the descriptor up, blocking.
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
    /// let sender = std::io::PipeWriter::from(sender.into_blocking_fd()?);
    /// # drop((sender, receiver));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_blocking_fd(self) -> io::Result<OwnedFd> {
        let fd = self.core.into_fd()?;
        socket::set_nonblocking(&fd, false)?;
        Ok(fd)
    }

    /// Gives the descriptor up, non-blocking.
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
    /// let sender = std::io::PipeWriter::from(sender.into_nonblocking_fd()?);
    /// # drop((sender, receiver));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_nonblocking_fd(self) -> io::Result<OwnedFd> {
        let fd = self.core.into_fd()?;
        socket::set_nonblocking(&fd, true)?;
        Ok(fd)
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

impl AsFd for Sender {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.core.fd().as_fd()
    }
}

impl AsRawFd for Sender {
    fn as_raw_fd(&self) -> RawFd {
        self.core.fd().as_raw_fd()
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}
