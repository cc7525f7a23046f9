//! A connection between sockets of the Unix family.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::task::{Context, Poll};

use bytes::BufMut;
use henge_driver::buf::{IoBuf, IoBufMut};
use henge_driver::ops::Connect;
use henge_driver::pool::RecvBuf;
use henge_driver::sys::message::{self, Control};
use henge_driver::sys::unix as sys;
use henge_driver::{Fd, submit};

use super::addr::SocketAddr;
use super::owned::{self, OwnedReadHalf, OwnedWriteHalf};
use super::split::{self, ReadHalf, WriteHalf};
use super::ucred::UCred;
use crate::readiness::{Interest, Ready};
use crate::stream::core::Stream;
use crate::stream::traits::{reads, writes};
use crate::stream::{recv, send};

/// A connection between two sockets of the Unix family.
///
/// It reads and writes as a [`TcpStream`](crate::TcpStream) does: what is said there of queues,
/// errors, readiness and threads holds here too. Beside bytes it can pass descriptors.
///
/// # Examples
///
/// ```
/// # use henge_net::UnixStream;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (mut a, mut b) = UnixStream::pair()?;
/// a.write_all(b"hello").await?;
/// let mut word = [0; 5];
/// b.read_exact(&mut word).await?;
/// assert_eq!(&word, b"hello");
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixStream {
    pub(super) core: Stream,
}

impl UnixStream {
    pub(super) fn new(fd: Fd) -> UnixStream {
        UnixStream { core: Stream::new(fd) }
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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

    fn fd(&self) -> &Fd {
        self.core.fd()
    }

    /// Connects to the socket at `path`.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, `ConnectionRefused` if nobody listens; `InvalidInput` if the
    /// path is too long for a socket's name.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and closes the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixListener, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let path = std::env::temp_dir().join(format!("henge-connect-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let listener = UnixListener::bind(&path)?;
    /// let stream = UnixStream::connect(&path).await?;
    /// assert_eq!(stream.peer_addr()?.as_pathname(), Some(&*path));
    /// # drop(listener);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        UnixStream::connect_addr(&SocketAddr::from_path(path.as_ref())?).await
    }

    /// Connects to the socket of this name, which may be an abstract one.
    ///
    /// # Errors
    ///
    /// As [`connect`](UnixStream::connect).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and closes the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixListener, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use std::os::linux::net::SocketAddrExt;
    /// use std::os::unix::net::SocketAddr;
    ///
    /// let name = format!("henge-connect-{}", std::process::id());
    /// let name = SocketAddr::from_abstract_name(name)?.into();
    /// let listener = UnixListener::bind_addr(&name)?;
    /// let stream = UnixStream::connect_addr(&name).await?;
    /// assert_eq!(stream.peer_addr()?.as_abstract_name(), name.as_abstract_name());
    /// # drop(listener);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect_addr(addr: &SocketAddr) -> io::Result<UnixStream> {
        let socket = Fd::from(sys::stream()?);
        let connect = Connect::new(socket, sys::address(addr.as_std())?);
        Ok(UnixStream::new(submit(connect).await?))
    }

    /// Makes two streams that are connected to each other.
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
    /// a.write_all(b"hello").await?;
    /// let mut word = [0; 5];
    /// b.read_exact(&mut word).await?;
    /// assert_eq!(&word, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (a, b) = sys::stream_pair()?;
        Ok((UnixStream::new(Fd::from(a)), UnixStream::new(Fd::from(b))))
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
    /// let (std, _peer) = std::os::unix::net::UnixStream::pair()?;
    /// let stream = henge_net::UnixStream::from_std(std)?;
    /// assert!(stream.peer_addr()?.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_std(stream: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
        Ok(UnixStream::new(Fd::from(OwnedFd::from(stream))))
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// a.write_all(b"x").await?;
    /// a.flush().await?;
    /// let std: std::os::unix::net::UnixStream = a.into_std()?;
    /// std.set_nonblocking(false)?;
    /// assert_eq!(b.read_u8().await?, b'x');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_std(self) -> io::Result<std::os::unix::net::UnixStream> {
        Ok(self.core.into_fd()?.into())
    }

    /// Who is at the other end: the process that called `connect`, `listen` or `pair`.
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
    /// assert_eq!(a.peer_cred()?.pid(), Some(std::process::id() as i32));
    /// # let _ = (&mut a, &mut b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_cred(&self) -> io::Result<UCred> {
        UCred::of_peer(self.fd())
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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

    /// As [`write_all_owned`](UnixStream::write_all_owned), and returns how much was written: all.
    ///
    /// # Errors
    ///
    /// What the kernel answers; the buffer comes back all the same.
    ///
    /// # Cancel safety
    ///
    /// As [`write_all_owned`](UnixStream::write_all_owned).
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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

    /// Sends bytes with descriptors beside them, which the peer gets copies of with the first of
    /// these bytes: [`recv_descriptors`](UnixStream::recv_descriptors). Says how many bytes went;
    /// the descriptors went with them.
    ///
    /// It waits until what was written before has left the queue.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for more than 253 descriptors, and what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Either all descriptors and some bytes were sent, or nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// use std::os::fd::{AsFd, OwnedFd};
    ///
    /// let (reader, mut writer) = std::io::pipe()?;
    /// a.send_descriptors(b"here", &[reader.as_fd()]).await?;
    /// let (mut bytes, mut descriptors) = ([0; 8], Vec::new());
    /// assert_eq!(b.recv_descriptors(&mut bytes, &mut descriptors).await?, 4);
    /// let mut passed = std::io::PipeReader::from(descriptors.remove(0));
    /// std::io::Write::write_all(&mut writer, b"x")?;
    /// std::io::Read::read_exact(&mut passed, &mut bytes[..1])?;
    /// assert_eq!(bytes[0], b'x');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_descriptors(
        &mut self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<usize> {
        let mut control = Control::new();
        control.push_descriptors(descriptors);
        let pieces = &[IoSlice::new(bytes)];
        let send = || message::send_now(self.core.fd(), None, pieces, &control);
        self.core.async_io(Interest::WRITABLE, send).await
    }

    /// Receives bytes, and the descriptors that were sent with them, CLOEXEC. Says how many bytes
    /// came, none at the end of the stream.
    ///
    /// Descriptors that come while the stream is read in other ways are closed by the kernel. So
    /// are those that `descriptors` has no capacity for, beyond the 16 that there is always room
    /// for.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Bytes and descriptors are either returned or still in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// use std::os::fd::AsFd;
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// a.send_descriptors(b"two", &[reader.as_fd(), reader.as_fd()]).await?;
    /// let (mut bytes, mut descriptors) = ([0; 8], Vec::new());
    /// assert_eq!(b.recv_descriptors(&mut bytes, &mut descriptors).await?, 3);
    /// assert_eq!(descriptors.len(), 2);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_descriptors(
        &mut self,
        bytes: &mut [u8],
        descriptors: &mut Vec<OwnedFd>,
    ) -> io::Result<usize> {
        let mut control = Control::for_descriptors(descriptors.capacity() - descriptors.len());
        poll_fn(|cx| {
            let mut pieces = [IoSliceMut::new(bytes)];
            recv::poll_descriptors(&self.core.recv, cx, &mut pieces, &mut control, descriptors)
        })
        .await
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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
    /// the socket: [`try_read`](UnixStream::try_read) gets it, or any other read.
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

    /// As [`readable`](UnixStream::readable), for the one task that reads: only the one that called
    /// last is woken.
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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

    /// As [`try_read`](UnixStream::try_read), into several buffers, one after the other.
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

    /// As [`try_read`](UnixStream::try_read), behind what is in `buf` already, as far as it has
    /// room.
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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

    /// As [`writable`](UnixStream::writable), for the one task that writes: only the one that
    /// called last is woken.
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// assert_eq!(a.try_write(b"hello")?, 5);
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        send::try_write(&self.core.send, &[IoSlice::new(buf)])
    }

    /// As [`try_write`](UnixStream::try_write), from several buffers, one after the other.
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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

    /// Repeats [`try_io`](UnixStream::try_io), each time when the stream is ready, until it answers
    /// something else than `WouldBlock`.
    ///
    /// # Errors
    ///
    /// As [`try_io`](UnixStream::try_io), but for `WouldBlock`.
    ///
    /// # Cancel safety
    ///
    /// That of `io`: it is not interrupted, and not called again after the future is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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
        split::split(self)
    }

    /// Splits into halves that own the stream together, for two tasks or two threads. Dropping the
    /// writing half ends the stream for the peer.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
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
    /// assert!(a.local_addr()?.is_unnamed());
    /// # let _ = (&mut a, &mut b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        SocketAddr::of(self.fd())
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
    /// assert!(a.peer_addr()?.is_unnamed());
    /// # let _ = (&mut a, &mut b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        SocketAddr::of_peer(self.fd())
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// assert!(a.take_error()?.is_none());
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        henge_driver::sys::socket::take_error(self.fd())
    }
}

reads!(UnixStream, |stream| &stream.core.recv);
writes!(UnixStream, |stream| &stream.core.send);

impl AsFd for UnixStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd().as_fd()
    }
}

impl AsRawFd for UnixStream {
    fn as_raw_fd(&self) -> RawFd {
        self.fd().as_raw_fd()
    }
}

impl AsRef<Self> for UnixStream {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl TryFrom<std::os::unix::net::UnixStream> for UnixStream {
    type Error = io::Error;

    fn try_from(stream: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
        UnixStream::from_std(stream)
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixStream").field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}
