//! A TCP connection.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BufMut;
use henge_driver::buf::{IoBuf, IoBufMut};
use henge_driver::ops::Connect;
use henge_driver::pool::RecvBuf;
use henge_driver::sys::socket as sys;
use henge_driver::{Fd, submit};
use tokio::io::ReadBuf;

use super::owned::{self, OwnedReadHalf, OwnedWriteHalf};
use super::split::{self, ReadHalf, WriteHalf};
use crate::addr::{ToSocketAddrs, none_resolved, resolve};
use crate::readiness::{Interest, Ready};
use crate::stream::core::Stream;
use crate::stream::traits::{reads, writes};
use crate::stream::{recv, send};

/// A TCP connection.
///
/// It implements tokio's [`AsyncRead`](tokio::io::AsyncRead) and
/// [`AsyncWrite`](tokio::io::AsyncWrite). Reads are served from the stream's own receive queue,
/// which a multishot receive fills; writes go to its send queue and out with the
/// next turn of the shard, several writes as one send.
///
/// # What a write means
///
/// `write` returns when the queue has taken the bytes, [`flush`] when the kernel has. An error of a
/// send is told by the next call. Dropping the stream sends what is queued, in the background, and
/// then closes; ending the process does not. When the socket is full the queue takes nothing more.
///
/// [`flush`]: tokio::io::AsyncWriteExt::flush
///
/// # Readiness
///
/// [`readable`](TcpStream::readable), [`ready`](TcpStream::ready) and the `try_` calls leave what
/// comes in the socket and take it by direct calls. They can be mixed with reads: bytes that a
/// receive has brought before come first.
///
/// # Threads
///
/// A stream is `Send` and works on whatever shard or thread it is polled. Moving it in the middle
/// of an operation costs a turn of the shard where it was.
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
/// a.write_all(b"hello").await?;
/// let mut word = [0; 5];
/// b.read_exact(&mut word).await?;
/// assert_eq!(&word, b"hello");
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpStream {
    pub(super) core: Stream,
}

impl TcpStream {
    pub(super) fn new(fd: Fd) -> TcpStream {
        TcpStream { core: Stream::new(fd) }
    }

    fn fd(&self) -> &Fd {
        self.core.fd()
    }

    /// Prepares the stream to be used on another shard or thread.
    ///
    /// It works without this, too: the first call over there then asks this shard to let go, and
    /// waits for its turn. Bytes that were received stay with the stream, and those that were
    /// written go out as they would have.
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
    /// a.write_all(b"hello").await?;
    /// assert_eq!(b.read_u8().await?, b'h');
    /// // Another thread may have it now. Here is as good as there.
    /// b.let_go();
    /// let mut rest = [0; 4];
    /// b.read_exact(&mut rest).await?;
    /// assert_eq!(&rest, b"ello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn let_go(&mut self) {
        self.core.let_go();
    }

    /// Connects to `addr`; of several addresses, to the first that answers.
    ///
    /// # Errors
    ///
    /// What the kernel answers for the last address.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and closes the socket.
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
    /// assert_eq!(a.peer_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        TcpStream::connect_within(addr, None).await
    }

    /// As [`connect`](TcpStream::connect), for so long at most for each address: the kernel ends
    /// the attempt.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the time is over; what the kernel answers for the last address.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and closes the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use henge_net::{TcpListener, TcpStream};
    /// use std::time::Duration;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let stream = TcpStream::connect_timeout(listener.local_addr()?,
    /// Duration::from_secs(5)).await?;
    /// # drop(stream);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect_timeout<A: ToSocketAddrs>(
        addr: A,
        limit: Duration,
    ) -> io::Result<TcpStream> {
        TcpStream::connect_within(addr, Some(limit)).await
    }

    async fn connect_within<A: ToSocketAddrs>(
        addr: A,
        limit: Option<Duration>,
    ) -> io::Result<TcpStream> {
        let mut failure = None;
        for address in resolve(addr).await? {
            let mut connect = Connect::new(Fd::from(sys::tcp(&address)?), address);
            if let Some(limit) = limit {
                connect = connect.with_limit(limit);
            }
            match submit(connect).await {
                Ok(connected) => return Ok(TcpStream::new(connected)),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(none_resolved))
    }

    /// Takes over a connection of std's. Whether it is non-blocking does not matter.
    ///
    /// # Errors
    ///
    /// None today; tokio's signature.
    ///
    /// # Examples
    ///
    /// ```
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let std = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// let stream = henge_net::TcpStream::from_std(std)?;
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        Ok(TcpStream::new(Fd::from(OwnedFd::from(stream))))
    }

    /// Gives the socket to std, non-blocking as tokio does. Flush and read before: what is in the
    /// stream's own queues stays behind.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, and the stream is closed, if bytes are queued or received and unread; what
    /// the kernel answers.
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
    /// a.write_all(b"x").await?;
    /// a.flush().await?;
    /// let std: std::net::TcpStream = a.into_std()?;
    /// assert_eq!(std.peer_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        Ok(self.core.into_fd()?.into())
    }

    /// Receives without a copy: the bytes stay in the buffer that the kernel has put them into.
    /// Empty at the end of the stream.
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
    /// a.write_all(b"hello").await?;
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv(&mut self) -> io::Result<RecvBuf> {
        recv::recv(&self.core.recv).await
    }

    /// Reads into `buffer`, which the kernel fills itself, from its first byte on, up to its
    /// capacity. Returns how much, 0 at the end of the stream, and the buffer.
    ///
    /// # Errors
    ///
    /// What the kernel answers; the buffer comes back all the same.
    ///
    /// # Cancel safety
    ///
    /// The buffer is lost with the future; what was received into it is not: the next read gets it.
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
    /// a.write_all(b"hello").await?;
    /// let (n, buffer) = b.read_owned(Vec::with_capacity(16)).await;
    /// assert_eq!(&buffer[..n?], b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn read_owned<B: IoBufMut>(&mut self, buffer: B) -> (io::Result<usize>, B) {
        recv::read_owned(&self.core.recv, buffer).await
    }

    /// Writes all of `buffer`, which the kernel reads itself, and returns it.
    ///
    /// # Errors
    ///
    /// What the kernel answers; the buffer comes back all the same.
    ///
    /// # Cancel safety
    ///
    /// What the kernel had begun to send is sent whole; the buffer is lost with the future.
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
    /// let (done, _buffer) = a.write_all_owned(b"hello".to_vec()).await;
    /// done?;
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_all_owned<B: IoBuf>(&mut self, buffer: B) -> (io::Result<()>, B) {
        send::write_all_owned(&self.core.send, buffer).await
    }

    /// As [`write_all_owned`](TcpStream::write_all_owned), and returns how much was written: all.
    ///
    /// # Errors
    ///
    /// What the kernel answers; the buffer comes back all the same.
    ///
    /// # Cancel safety
    ///
    /// As [`write_all_owned`](TcpStream::write_all_owned).
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
    /// let (n, buffer) = a.write_owned(b"hello".to_vec()).await;
    /// assert_eq!(n?, buffer.len());
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_owned<B: IoBuf>(&mut self, buffer: B) -> (io::Result<usize>, B) {
        let len = buffer.bytes_init();
        let (done, buffer) = send::write_all_owned(&self.core.send, buffer).await;
        (done.map(|()| len), buffer)
    }

    /// Copies what comes next, and leaves it to be read.
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
    /// a.write_all(b"hello").await?;
    /// let mut word = [0; 5];
    /// b.peek(&mut word).await?;
    /// assert!(word.starts_with(b"h"));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        recv::peek(&self.core.recv, buf).await
    }

    /// As [`peek`](TcpStream::peek), for the one task that reads: only the one that called last is
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
    /// # use tokio::io::ReadBuf;
    /// a.write_all(b"hello").await?;
    /// let mut room = [0; 5];
    /// let mut word = ReadBuf::new(&mut room);
    /// std::future::poll_fn(|cx| b.poll_peek(cx, &mut word)).await?;
    /// assert!(word.filled().starts_with(b"h"));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        recv::poll_peek(&self.core.recv, cx, buf)
    }

    /// Waits until the stream is ready for something of `interest`, and says for what: also whether
    /// a direction has ended.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an interest that is neither in reading nor in writing; what the kernel
    /// answers.
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
    /// use henge_net::readiness::Interest;
    ///
    /// a.write_all(b"hello").await?;
    /// let ready = b.ready(Interest::READABLE | Interest::WRITABLE).await?;
    /// assert!(ready.is_writable() && !ready.is_read_closed());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.core.ready(interest).await
    }

    /// Waits until a read would return something, or the stream has ended. What comes is left in
    /// the socket: [`try_read`](TcpStream::try_read) gets it, or any other read.
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
    /// a.write_all(b"hello").await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_read(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        recv::readable(&self.core.recv).await.map(drop)
    }

    /// As [`readable`](TcpStream::readable), for the one task that reads: only the one that called
    /// last is woken.
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
    /// a.write_all(b"hello").await?;
    /// std::future::poll_fn(|cx| b.poll_read_ready(cx)).await?;
    /// assert_eq!(b.try_read(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        recv::poll_ready(&self.core.recv, cx).map_ok(drop)
    }

    /// Reads what there is, without waiting.
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
    /// a.write_all(b"hello").await?;
    /// b.readable().await?;
    /// let mut buf = [0; 8];
    /// assert_eq!(b.try_read(&mut buf)?, 5);
    /// assert!(b.try_read(&mut buf).is_err());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        recv::try_read(&self.core.recv, &mut [IoSliceMut::new(buf)])
    }

    /// As [`try_read`](TcpStream::try_read), into several buffers, one after the other.
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
    /// a.write_all(b"hello").await?;
    /// b.readable().await?;
    /// let (mut h, mut ello) = ([0; 1], [0; 8]);
    /// let bufs = &mut [&mut h[..], &mut ello[..]].map(std::io::IoSliceMut::new);
    /// assert_eq!(b.try_read_vectored(bufs)?, 5);
    /// assert_eq!((&h, &ello[..4]), (b"h", &b"ello"[..]));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        recv::try_read(&self.core.recv, bufs)
    }

    /// As [`try_read`](TcpStream::try_read), behind what is in `buf` already, as far as it has
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
    /// a.write_all(b"hello").await?;
    /// b.readable().await?;
    /// let mut buf = Vec::with_capacity(8);
    /// assert_eq!(b.try_read_buf(&mut buf)?, 5);
    /// assert_eq!(buf, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        recv::try_read_buf(&self.core.recv, buf)
    }

    /// Waits until a write would take something, or fail.
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
    /// a.writable().await?;
    /// a.try_write(b"hello")?;
    /// assert_eq!(b.read_u8().await?, b'h');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        send::writable(&self.core.send).await.map(drop)
    }

    /// As [`writable`](TcpStream::writable), for the one task that writes: only the one that called
    /// last is woken.
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
    /// std::future::poll_fn(|cx| a.poll_write_ready(cx)).await?;
    /// a.try_write(b"hello")?;
    /// assert_eq!(b.read_u8().await?, b'h');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        send::poll_ready(&self.core.send, cx).map_ok(drop)
    }

    /// Sends what there is room for, without waiting: it is with the kernel when this returns.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none, or if what was written before has not left the queue; an
    /// earlier send's error.
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
    /// assert_eq!(a.try_write(b"hello")?, 5);
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        send::try_write(&self.core.send, &[IoSlice::new(buf)])
    }

    /// As [`try_write`](TcpStream::try_write), from several buffers, one after the other.
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
    /// let word = [&b"he"[..], &b"llo"[..]].map(std::io::IoSlice::new);
    /// assert_eq!(a.try_write_vectored(&word)?, 5);
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        send::try_write(&self.core.send, bufs)
    }

    /// Runs `io`, which is to transfer by calls of its own on the descriptor, if it overtakes
    /// nothing: for writing, what has been written must have left the queue; for reading, a receive
    /// in flight ends first. The descriptor is non-blocking from then on.
    ///
    /// `io` should answer `WouldBlock` only if the descriptor did.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if `io` would overtake something, in which case it is not called, or if it says
    /// so; an error of its own kind if bytes wait that a read through this stream has brought; what
    /// `io` answers.
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
    /// use henge_driver::sys::socket;
    /// use henge_net::readiness::Interest;
    ///
    /// a.write_all(b"hello").await?;
    /// b.readable().await?;
    /// let n = b.try_io(Interest::READABLE, || socket::recv_now(&b, &mut [0; 8]))?;
    /// assert_eq!(n, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        self.core.try_io(interest, f)
    }

    /// Repeats [`try_io`](TcpStream::try_io), each time when the stream is ready, until it answers
    /// something else than `WouldBlock`.
    ///
    /// # Errors
    ///
    /// As [`try_io`](TcpStream::try_io), but for `WouldBlock`.
    ///
    /// # Cancel safety
    ///
    /// That of `io`: it is not interrupted, and not called again after the future is dropped.
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
    /// use henge_driver::sys::socket;
    /// use henge_net::readiness::Interest;
    ///
    /// a.write_all(b"hello").await?;
    /// let n = b.async_io(Interest::READABLE, || socket::recv_now(&b, &mut [0; 8])).await?;
    /// assert_eq!(n, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        f: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        self.core.async_io(interest, f).await
    }

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
        split::split(self)
    }

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
        owned::split(self)
    }

    /// Whether small segments are sent at once (`TCP_NODELAY`) and not held back.
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
    /// a.set_nodelay(true)?;
    /// let now: bool = a.nodelay()?;
    /// # let _ = (now, &mut b, &mut a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn nodelay(&self) -> io::Result<bool> {
        sys::nodelay(self.fd())
    }

    /// Sets [`nodelay`](TcpStream::nodelay).
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
    /// a.set_nodelay(true)?;
    /// # let _ = (&mut b, &mut a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        sys::set_nodelay(self.fd(), nodelay)
    }

    /// Whether acknowledgements are sent at once (`TCP_QUICKACK`). The kernel
    /// turns it off by itself.
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
    /// a.set_quickack(true)?;
    /// let now: bool = a.quickack()?;
    /// # let _ = (now, &mut b, &mut a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn quickack(&self) -> io::Result<bool> {
        sys::quickack(self.fd())
    }

    /// Sets [`quickack`](TcpStream::quickack).
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
    /// a.set_quickack(true)?;
    /// # let _ = (&mut b, &mut a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        sys::set_quickack(self.fd(), quickack)
    }

    /// How many hops a packet may take (`IP_TTL`).
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
    /// a.set_ttl(64)?;
    /// let now: u32 = a.ttl()?;
    /// # let _ = (now, &mut b, &mut a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ttl(&self) -> io::Result<u32> {
        sys::ttl(self.fd())
    }

    /// Sets [`ttl`](TcpStream::ttl).
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
    /// a.set_ttl(64)?;
    /// # let _ = (&mut b, &mut a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        sys::set_ttl(self.fd(), ttl)
    }

    /// How long the kernel keeps trying to send after the close (`SO_LINGER`).
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
    /// assert_eq!(a.linger()?, None);
    /// # let _ = (&mut b, &mut a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        sys::linger(self.fd())
    }

    /// Sets [`linger`](TcpStream::linger). Zero makes the close a reset.
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
    /// a.set_linger(Some(std::time::Duration::ZERO))?;
    /// # let _ = (&mut b, &mut a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.core.recv.shared().set_resets(linger == Some(Duration::ZERO));
        sys::set_linger(self.fd(), linger)
    }

    /// Makes the close a reset.
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
    /// a.set_zero_linger()?;
    /// # let _ = (&mut b, &mut a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.set_linger(Some(Duration::ZERO))
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
    /// assert_eq!(a.local_addr()?, b.peer_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        sys::local_addr(self.fd())
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// What the kernel answers: `NotConnected` once the peer has reset the connection.
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
    /// assert_eq!(a.peer_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        sys::peer_addr(self.fd())
    }

    /// The error that the socket has noted since the last call (`SO_ERROR`).
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
    /// assert!(a.take_error()?.is_none());
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        sys::take_error(self.fd())
    }
}

reads!(TcpStream, |stream| &stream.core.recv);
writes!(TcpStream, |stream| &stream.core.send);

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd().as_fd()
    }
}

impl AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> RawFd {
        self.fd().as_raw_fd()
    }
}

impl AsRef<Self> for TcpStream {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl TryFrom<std::net::TcpStream> for TcpStream {
    type Error = io::Error;

    fn try_from(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::from_std(stream)
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream").field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}
