//! Halves of a stream that own it together.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::BufMut;
use henge_driver::home::Homed;
use henge_driver::pool::RecvBuf;
use henge_driver::sys::socket as sys;
use tokio::io::ReadBuf;

use super::stream::TcpStream;
use crate::readiness::{Interest, Ready};
use crate::stream::core::Stream;
use crate::stream::owned::{self, OwnedWrite};
use crate::stream::recv::{self, RecvSide};
use crate::stream::send;
use crate::stream::traits::{reads, writes};

/// The reading half of a stream; see [`TcpStream::into_split`].
///
/// The two halves have homes of their own: on two shards they do not disturb each other.
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
/// let (mut read, _write) = b.into_split();
/// a.write_all(b"hello").await?;
/// assert_eq!(read.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct OwnedReadHalf {
    recv: Homed<RecvSide>,
}

/// The writing half of a stream; see [`TcpStream::into_split`]. Dropping it sends what is queued
/// and then ends the stream for the peer.
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
/// let (_read, mut write) = b.into_split();
/// write.write_all(b"hello").await?;
/// assert_eq!(a.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct OwnedWriteHalf {
    write: OwnedWrite,
}

/// The halves are of two streams; both come back.
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
/// let (read, _write) = a.into_split();
/// let (_read, write) = b.into_split();
/// assert!(read.reunite(write).is_err());
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

impl TcpStream {
    /// Splits into halves that own the stream together, for two tasks or two threads. Dropping the
    /// writing half ends the stream for the peer.
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
    /// let (mut read, write) = b.into_split();
    /// drop(write);
    /// assert_eq!(a.read(&mut [0; 8]).await?, 0);
    /// a.write_all(b"still").await?;
    /// a.shutdown().await?;
    /// let mut rest = Vec::new();
    /// read.read_to_end(&mut rest).await?;
    /// assert_eq!(rest, b"still");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let Stream { recv, send } = self.core;
        (OwnedReadHalf { recv }, OwnedWriteHalf { write: OwnedWrite::new(send) })
    }
}

impl fmt::Display for ReuniteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tried to reunite halves that are not from the same socket")
    }
}

impl Error for ReuniteError {}

fn reunite(read: OwnedReadHalf, write: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
    match owned::reunite(read.recv, write.write) {
        Ok(core) => Ok(TcpStream { core }),
        Err((recv, write)) => Err(ReuniteError(OwnedReadHalf { recv }, OwnedWriteHalf { write })),
    }
}

impl OwnedReadHalf {
    /// Puts the halves of a stream together again.
    ///
    /// # Errors
    ///
    /// Both halves, if they are of two streams.
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
    /// let (read, write) = b.into_split();
    /// let b = read.reunite(write).unwrap();
    /// assert_eq!(a.peer_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn reunite(self, other: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        reunite(self, other)
    }

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
    /// let (mut read, _write) = b.into_split();
    /// a.write_all(b"hello").await?;
    /// assert_eq!(&*read.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv(&mut self) -> io::Result<RecvBuf> {
        recv::recv(&self.recv).await
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
    /// let (mut read, _write) = b.into_split();
    /// a.write_all(b"hello").await?;
    /// let mut word = [0; 5];
    /// read.peek(&mut word).await?;
    /// assert!(word.starts_with(b"h"));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        recv::peek(&self.recv, buf).await
    }

    /// As [`peek`](OwnedReadHalf::peek), for the one task that reads: only the one that called last
    /// is woken.
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
    /// let (mut read, _write) = b.into_split();
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
        recv::poll_peek(&self.recv, cx, buf)
    }

    /// Waits until this half is ready, and says for what; see [`TcpStream::ready`].
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `interest` is not in reading; what the kernel answers.
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
    /// let (read, _write) = b.into_split();
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
        recv::ready(&self.recv, interest).await
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
    /// let (read, _write) = b.into_split();
    /// a.write_all(b"hello").await?;
    /// read.readable().await?;
    /// assert_eq!(read.try_read(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        recv::readable(&self.recv).await.map(drop)
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
    /// let (read, _write) = b.into_split();
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
        recv::try_read(&self.recv, &mut [IoSliceMut::new(buf)])
    }

    /// As [`try_read`](OwnedReadHalf::try_read), into several buffers, one after the other.
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
    /// let (read, _write) = b.into_split();
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
        recv::try_read(&self.recv, bufs)
    }

    /// As [`try_read`](OwnedReadHalf::try_read), behind what is in `buf` already, as far as it has
    /// room.
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
    /// let (read, _write) = b.into_split();
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
        recv::try_read_buf(&self.recv, buf)
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
    /// let (read, _write) = b.into_split();
    /// assert_eq!(read.peer_addr()?, a.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        sys::peer_addr(self.recv.shared().fd())
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
    /// let (read, _write) = b.into_split();
    /// assert_eq!(read.local_addr()?, a.peer_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        sys::local_addr(self.recv.shared().fd())
    }
}

impl OwnedWriteHalf {
    /// Puts the halves of a stream together again.
    ///
    /// # Errors
    ///
    /// Both halves, if they are of two streams.
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
    /// let (read, write) = b.into_split();
    /// let b = write.reunite(read).unwrap();
    /// assert_eq!(a.peer_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn reunite(self, other: OwnedReadHalf) -> Result<TcpStream, ReuniteError> {
        reunite(other, self)
    }

    /// Gives the half up without ending the stream for the peer. What is queued is sent.
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
    /// let (mut read, write) = b.into_split();
    /// write.forget();
    /// a.write_all(b"hello").await?;
    /// assert_eq!(read.read_u8().await?, b'h');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn forget(self) {
        self.write.forget();
    }

    /// Waits until this half is ready, and says for what; see [`TcpStream::ready`].
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `interest` is not in writing; what the kernel answers.
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
    /// let (_read, write) = b.into_split();
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
        send::ready(self.write.side(), interest).await
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
    /// let (_read, write) = a.into_split();
    /// write.writable().await?;
    /// write.try_write(b"hello")?;
    /// assert_eq!(b.read_u8().await?, b'h');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        send::writable(self.write.side()).await.map(drop)
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
    /// let (_read, write) = a.into_split();
    /// assert_eq!(write.try_write(b"hello")?, 5);
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        send::try_write(self.write.side(), &[IoSlice::new(buf)])
    }

    /// As [`try_write`](OwnedWriteHalf::try_write), from several buffers, one after the other.
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
    /// let (_read, write) = a.into_split();
    /// let word = [&b"he"[..], &b"llo"[..]].map(std::io::IoSlice::new);
    /// assert_eq!(write.try_write_vectored(&word)?, 5);
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        send::try_write(self.write.side(), bufs)
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
    /// let (_read, write) = b.into_split();
    /// assert_eq!(write.peer_addr()?, a.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        sys::peer_addr(self.write.side().shared().fd())
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
    /// let (_read, write) = b.into_split();
    /// assert_eq!(write.local_addr()?, a.peer_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        sys::local_addr(self.write.side().shared().fd())
    }
}

reads!(OwnedReadHalf, |half| &half.recv);
writes!(OwnedWriteHalf, |half| half.write.side());
