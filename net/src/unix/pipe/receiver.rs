//! The reading end of a pipe.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use henge_driver::Fd;
use henge_driver::sys::file::StdFile;
use henge_driver::sys::{pipe as sys, socket};
use tokio::io::{AsyncRead, ReadBuf};

use crate::buf;
use crate::readiness::source::Who;
use crate::readiness::watched::Watched;
use crate::readiness::{Interest, Ready};

/// So much at most is read at once: memory that has never been written is zeroed first.
const LARGEST: usize = 64 << 10;

/// The reading end of a pipe.
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
pub struct Receiver {
    pub(crate) core: Watched,
}

impl Receiver {
    /// Takes over a file that is one end of a pipe. It is made non-blocking, which all holders of
    /// the end see.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is no pipe, or not open for reading; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use henge_net::unix::pipe::Receiver;
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// let end = std::os::fd::OwnedFd::from(reader);
    /// let receiver = Receiver::from_file(std::fs::File::from(end))?;
    /// # drop(receiver);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_file(file: StdFile) -> io::Result<Receiver> {
        Receiver::from_owned_fd(file.into())
    }

    /// As [`from_file`](Receiver::from_file), from a descriptor.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is no pipe, or not open for reading; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use henge_net::unix::pipe::Receiver;
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// let end = std::os::fd::OwnedFd::from(reader);
    /// let receiver = Receiver::from_owned_fd(end)?;
    /// # drop(receiver);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_owned_fd(owned_fd: OwnedFd) -> io::Result<Receiver> {
        sys::check_end(&owned_fd, sys::Access::Read)?;
        socket::set_nonblocking(&owned_fd, true)?;
        Receiver::from_owned_fd_unchecked(owned_fd)
    }

    /// As [`from_file`](Receiver::from_file), of a file that is known to be a pipe's end, and
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
    /// use henge_net::unix::pipe::Receiver;
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// let end = std::os::fd::OwnedFd::from(reader);
    /// let receiver = Receiver::from_file_unchecked(std::fs::File::from(end))?;
    /// # drop(receiver);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_file_unchecked(file: StdFile) -> io::Result<Receiver> {
        Receiver::from_owned_fd_unchecked(file.into())
    }

    /// As [`from_file_unchecked`](Receiver::from_file_unchecked), from a descriptor.
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
    /// use henge_net::unix::pipe::Receiver;
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// let end = std::os::fd::OwnedFd::from(reader);
    /// let receiver = Receiver::from_owned_fd_unchecked(end)?;
    /// # drop(receiver);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_owned_fd_unchecked(owned_fd: OwnedFd) -> io::Result<Receiver> {
        // Before the first writer there is no end, which a read would tell all the same.
        Ok(Receiver { core: Watched::patient(Fd::from(owned_fd)) })
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
    /// sender.write_all(b"hello").await?;
    /// let ready = receiver.ready(Interest::READABLE).await?;
    /// assert!(ready.is_readable());
    /// # drop(sender);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.core.ready(interest).await
    }

    /// Waits until there is something to read, or no writer any more.
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
    /// sender.write_all(b"hello").await?;
    /// receiver.readable().await?;
    /// assert_eq!(receiver.try_read(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// As [`readable`](Receiver::readable), for the one task that reads: only the one that called
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
    /// sender.write_all(b"hello").await?;
    /// std::future::poll_fn(|cx| receiver.poll_read_ready(cx)).await?;
    /// # drop(sender);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.core.poll_ready(cx, Who::Reader, Interest::READABLE)
    }

    /// Reads what there is, without waiting; nothing if there is no writer any more.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// assert!(receiver.try_read(&mut [0; 8]).is_err());
    /// sender.write_all(b"hello").await?;
    /// receiver.readable().await?;
    /// assert_eq!(receiver.try_read(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| sys::read_now(fd, &mut [IoSliceMut::new(buf)]))
    }

    /// As [`try_read`](Receiver::try_read), into several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
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
    /// receiver.readable().await?;
    /// let (mut head, mut tail) = ([0; 2], [0; 8]);
    /// let bufs = &mut [&mut head[..], &mut tail[..]].map(std::io::IoSliceMut::new);
    /// assert_eq!(receiver.try_read_vectored(bufs)?, 5);
    /// assert_eq!(&head, b"he");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| sys::read_now(fd, bufs))
    }

    /// As [`try_read`](Receiver::try_read), behind what is in `buf` already, as far as it has room
    /// without growing.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
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
    /// receiver.readable().await?;
    /// let mut word = Vec::with_capacity(8);
    /// assert_eq!(receiver.try_read_buf(&mut word)?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| {
            buf::fill(buf, LARGEST, |room| sys::read_now(fd, &mut [IoSliceMut::new(room)]))
        })
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
    /// let blocked = receiver.try_io(|| Err::<(), _>(std::io::ErrorKind::WouldBlock.into()));
    /// assert!(blocked.is_err());
    /// # drop(sender);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.core.try_known(Interest::READABLE, f)
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
    /// let receiver = std::io::PipeReader::from(receiver.into_blocking_fd()?);
    /// # drop((receiver, sender));
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
    /// let receiver = std::io::PipeReader::from(receiver.into_nonblocking_fd()?);
    /// # drop((receiver, sender));
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

impl AsyncRead for Receiver {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.core.poll_read(cx, |fd| {
            let room = buf.initialize_unfilled_to(buf.remaining().min(LARGEST));
            sys::read_now(fd, &mut [IoSliceMut::new(room)])
        });
        let n = ready!(read)?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.core.fd().as_fd()
    }
}

impl AsRawFd for Receiver {
    fn as_raw_fd(&self) -> RawFd {
        self.core.fd().as_raw_fd()
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}
