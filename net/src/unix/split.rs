//! Halves of a stream that borrow it.

use henge_driver::pool::RecvBuf;
use std::io::{self, IoSlice, IoSliceMut};

use bytes::BufMut;

use super::addr::SocketAddr;
use super::stream::UnixStream;
use crate::readiness::{Interest, Ready};
use crate::stream::traits::{reads, writes};
use crate::stream::{recv, send};

/// The reading half of a stream; see [`UnixStream::split`].
///
/// # Examples
///
/// ```
/// # use henge_net::UnixStream;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (mut a, mut b) = UnixStream::pair()?;
/// let (mut read, _write) = b.split();
/// a.write_all(b"hello").await?;
/// assert_eq!(read.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ReadHalf<'a>(&'a UnixStream);

/// The writing half of a stream; see [`UnixStream::split`].
///
/// # Examples
///
/// ```
/// # use henge_net::UnixStream;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (mut a, mut b) = UnixStream::pair()?;
/// let (_read, mut write) = b.split();
/// write.write_all(b"hello").await?;
/// assert_eq!(a.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WriteHalf<'a>(&'a UnixStream);

impl UnixStream {
    /// Splits into halves that borrow the stream, for one task.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (mut read, mut write) = b.split();
    /// a.write_all(b"hello").await?;
    /// let mut word = [0; 5];
    /// read.read_exact(&mut word).await?;
    /// write.write_all(&word).await?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf(self), WriteHalf(self))
    }
}

impl ReadHalf<'_> {
    /// Receives without a copy; see [`UnixStream::recv`].
    ///
    /// # Errors
    ///
    /// What the kernel answers: a reset, for example.
    ///
    /// # Cancel safety
    ///
    /// Bytes are either returned or still in the stream's queue.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (mut read, _write) = b.split();
    /// a.write_all(b"hello").await?;
    /// assert_eq!(&*read.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv(&mut self) -> io::Result<RecvBuf> {
        recv::recv(&self.0.core.recv).await
    }

    /// Waits until the stream is ready for something of `interest`; see [`UnixStream::ready`].
    ///
    /// # Errors
    ///
    /// As [`UnixStream::ready`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (read, _write) = b.split();
    /// use henge_net::readiness::Interest;
    ///
    /// a.write_all(b"hello").await?;
    /// let ready = read.ready(Interest::READABLE).await?;
    /// assert!(ready.is_readable());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.0.ready(interest).await
    }

    /// Waits until a read would return something, or the stream has ended; see
    /// [`UnixStream::readable`].
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (read, _write) = b.split();
    /// a.write_all(b"hello").await?;
    /// read.readable().await?;
    /// assert_eq!(read.try_read(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        recv::readable(&self.0.core.recv).await.map(drop)
    }

    /// Reads what there is, without waiting; see [`UnixStream::try_read`].
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (read, _write) = b.split();
    /// a.write_all(b"hello").await?;
    /// read.readable().await?;
    /// let mut buf = [0; 8];
    /// assert_eq!(read.try_read(&mut buf)?, 5);
    /// assert!(read.try_read(&mut buf).is_err());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        recv::try_read(&self.0.core.recv, &mut [IoSliceMut::new(buf)])
    }

    /// As [`try_read`](ReadHalf::try_read), into several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (read, _write) = b.split();
    /// a.write_all(b"hello").await?;
    /// read.readable().await?;
    /// let (mut h, mut ello) = ([0; 1], [0; 8]);
    /// let bufs = &mut [&mut h[..], &mut ello[..]].map(std::io::IoSliceMut::new);
    /// assert_eq!(read.try_read_vectored(bufs)?, 5);
    /// assert_eq!((&h, &ello[..4]), (b"h", &b"ello"[..]));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        recv::try_read(&self.0.core.recv, bufs)
    }

    /// As [`try_read`](ReadHalf::try_read), behind what is in `buf` already, as far as it has room.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (read, _write) = b.split();
    /// a.write_all(b"hello").await?;
    /// read.readable().await?;
    /// let mut buf = Vec::with_capacity(8);
    /// assert_eq!(read.try_read_buf(&mut buf)?, 5);
    /// assert_eq!(buf, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        recv::try_read_buf(&self.0.core.recv, buf)
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (read, _write) = b.split();
    /// assert!(read.peer_addr()?.is_unnamed());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (read, _write) = b.split();
    /// assert!(read.local_addr()?.is_unnamed());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl WriteHalf<'_> {
    /// Waits until the stream is ready for something of `interest`; see [`UnixStream::ready`].
    ///
    /// # Errors
    ///
    /// As [`UnixStream::ready`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (_read, write) = b.split();
    /// use henge_net::readiness::Interest;
    ///
    /// a.write_all(b"hello").await?;
    /// let ready = write.ready(Interest::WRITABLE).await?;
    /// assert!(ready.is_writable());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.0.ready(interest).await
    }

    /// Waits until a write would take something, or fail; see [`UnixStream::writable`].
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (_read, write) = a.split();
    /// write.writable().await?;
    /// write.try_write(b"hello")?;
    /// assert_eq!(b.read_u8().await?, b'h');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        send::writable(&self.0.core.send).await.map(drop)
    }

    /// Sends what there is room for, without waiting; see [`UnixStream::try_write`].
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; an earlier send's error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (_read, write) = a.split();
    /// assert_eq!(write.try_write(b"hello")?, 5);
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        send::try_write(&self.0.core.send, &[IoSlice::new(buf)])
    }

    /// As [`try_write`](WriteHalf::try_write), from several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; an earlier send's error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (_read, write) = a.split();
    /// let word = [&b"he"[..], &b"llo"[..]].map(std::io::IoSlice::new);
    /// assert_eq!(write.try_write_vectored(&word)?, 5);
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        send::try_write(&self.0.core.send, bufs)
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (_read, write) = b.split();
    /// assert!(write.peer_addr()?.is_unnamed());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (_read, write) = b.split();
    /// assert!(write.local_addr()?.is_unnamed());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl AsRef<UnixStream> for ReadHalf<'_> {
    fn as_ref(&self) -> &UnixStream {
        self.0
    }
}

impl AsRef<UnixStream> for WriteHalf<'_> {
    fn as_ref(&self) -> &UnixStream {
        self.0
    }
}

reads!(ReadHalf<'_>, |half| &half.0.core.recv);
writes!(WriteHalf<'_>, |half| &half.0.core.send);
