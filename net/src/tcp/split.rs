//! Halves of a stream that borrow it.

use henge_driver::pool::RecvBuf;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::BufMut;
use tokio::io::ReadBuf;

use super::stream::TcpStream;
use crate::readiness::{Interest, Ready};
use crate::stream::traits::{reads, writes};
use crate::stream::{recv, send};

/// The reading half of a stream; see [`TcpStream::split`].
///
/// # Examples
///
/// ```
/// # use henge_net::{TcpListener, TcpStream};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// # let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let mut a = TcpStream::connect(listener.local_addr()?).await?;
/// let (mut b, _) = listener.accept().await?;
/// let (mut read, _write) = b.split();
/// a.write_all(b"hello").await?;
/// assert_eq!(read.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ReadHalf<'a>(&'a TcpStream);

/// The writing half of a stream; see [`TcpStream::split`].
///
/// # Examples
///
/// ```
/// # use henge_net::{TcpListener, TcpStream};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// # let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let mut a = TcpStream::connect(listener.local_addr()?).await?;
/// let (mut b, _) = listener.accept().await?;
/// let (_read, mut write) = b.split();
/// write.write_all(b"hello").await?;
/// assert_eq!(a.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WriteHalf<'a>(&'a TcpStream);

impl TcpStream {
    /// Splits into halves that borrow the stream, for one task.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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
    /// Receives without a copy; see [`TcpStream::recv`].
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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

    /// Copies what comes next, and leaves it to be read. See [`TcpStream::peek`].
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// let (mut read, _write) = b.split();
    /// a.write_all(b"hello").await?;
    /// let mut word = [0; 5];
    /// read.peek(&mut word).await?;
    /// assert!(word.starts_with(b"h"));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        recv::peek(&self.0.core.recv, buf).await
    }

    /// As [`peek`](ReadHalf::peek), for the one task that reads: only the one that called last is
    /// woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// let (mut read, _write) = b.split();
    /// # use tokio::io::ReadBuf;
    /// a.write_all(b"hello").await?;
    /// let mut room = [0; 5];
    /// let mut word = ReadBuf::new(&mut room);
    /// std::future::poll_fn(|cx| read.poll_peek(cx, &mut word)).await?;
    /// assert!(word.filled().starts_with(b"h"));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_peek(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        recv::poll_peek(&self.0.core.recv, cx, buf)
    }

    /// Waits until the stream is ready for something of `interest`; see [`TcpStream::ready`].
    ///
    /// # Errors
    ///
    /// As [`TcpStream::ready`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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
    /// [`TcpStream::readable`].
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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

    /// Reads what there is, without waiting; see [`TcpStream::try_read`].
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// let (read, _write) = b.split();
    /// assert_eq!(read.peer_addr()?, a.local_addr()?);
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// let (read, _write) = b.split();
    /// assert_eq!(read.local_addr()?, a.peer_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl WriteHalf<'_> {
    /// Waits until the stream is ready for something of `interest`; see [`TcpStream::ready`].
    ///
    /// # Errors
    ///
    /// As [`TcpStream::ready`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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

    /// Waits until a write would take something, or fail; see [`TcpStream::writable`].
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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

    /// Sends what there is room for, without waiting; see [`TcpStream::try_write`].
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; an earlier send's error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// let (_read, write) = b.split();
    /// assert_eq!(write.peer_addr()?, a.local_addr()?);
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// let (_read, write) = b.split();
    /// assert_eq!(write.local_addr()?, a.peer_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl AsRef<TcpStream> for ReadHalf<'_> {
    fn as_ref(&self) -> &TcpStream {
        self.0
    }
}

impl AsRef<TcpStream> for WriteHalf<'_> {
    fn as_ref(&self) -> &TcpStream {
        self.0
    }
}

reads!(ReadHalf<'_>, |half| &half.0.core.recv);
writes!(WriteHalf<'_>, |half| &half.0.core.send);
