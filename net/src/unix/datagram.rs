//! Datagram sockets of the Unix family.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use henge_driver::Fd;
use henge_driver::sys::message::{self, Control};
use henge_driver::sys::socket::{self as sys, Address};
use henge_driver::sys::{datagram, unix};
use tokio::io::ReadBuf;

use super::addr::SocketAddr;
use crate::addr::OfSocket as _;
use crate::buf;
use crate::readiness::source::Who;
use crate::readiness::watched::Watched;
use crate::readiness::{Interest, Ready};

/// A datagram socket of the Unix family.
///
/// Datagrams arrive whole and in order, or the send waits. It needs no splitting: all calls take
/// `&self`, so share it by an `Arc`.
///
/// # Examples
///
/// ```
/// # use henge_net::UnixDatagram;
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (a, b) = UnixDatagram::pair()?;
/// a.send(b"hello").await?;
/// let mut word = [0; 8];
/// let n = b.recv(&mut word).await?;
/// assert_eq!(&word[..n], b"hello");
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixDatagram {
    core: Watched,
}

impl UnixDatagram {
    pub(super) fn new(fd: Fd) -> UnixDatagram {
        UnixDatagram { core: Watched::new(fd) }
    }

    /// Makes a socket at `path`, which must not exist yet, and which stays when the socket is gone.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if there is something at `path`; `InvalidInput` if it is too long for a socket's
    /// name; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-dgram-bind-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.send_to(b"hello", &path).await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        let fd = datagram::unix()?;
        unix::bind(&fd, SocketAddr::from_path(path.as_ref())?.as_std())?;
        Ok(UnixDatagram::new(Fd::from(fd)))
    }

    /// Makes two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// let mut word = [0; 8];
    /// let n = b.recv(&mut word).await?;
    /// assert_eq!(&word[..n], b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (a, b) = datagram::unix_pair()?;
        Ok((UnixDatagram::new(Fd::from(a)), UnixDatagram::new(Fd::from(b))))
    }

    /// Makes a socket without a name.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-unbound-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// assert!(client.local_addr()?.is_unnamed());
    /// client.send_to(b"hello", &path).await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn unbound() -> io::Result<UnixDatagram> {
        Ok(UnixDatagram::new(Fd::from(datagram::unix()?)))
    }

    /// Takes over a socket of std's. Whether it is non-blocking does not matter for calls of this
    /// type.
    ///
    /// # Errors
    ///
    /// None today; tokio's signature.
    ///
    /// # Examples
    ///
    /// ```
    /// let (std, _peer) = std::os::unix::net::UnixDatagram::pair()?;
    /// let socket = henge_net::UnixDatagram::from_std(std)?;
    /// assert!(socket.local_addr()?.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_std(datagram: std::os::unix::net::UnixDatagram) -> io::Result<UnixDatagram> {
        Ok(UnixDatagram::new(Fd::from(OwnedFd::from(datagram))))
    }

    /// Gives the socket to std, non-blocking as tokio does.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// let std: std::os::unix::net::UnixDatagram = a.into_std()?;
    /// std.send(b"hello")?;
    /// assert_eq!(b.recv(&mut [0; 8]).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_std(self) -> io::Result<std::os::unix::net::UnixDatagram> {
        let fd = self.core.into_fd()?;
        sys::set_nonblocking(&fd, true)?;
        Ok(fd.into())
    }

    /// Connects the socket: datagrams of others are not received any more, and
    /// [`send`](UnixDatagram::send) sends to `path`.
    ///
    /// # Errors
    ///
    /// `NotFound` or `ConnectionRefused` if there is no socket at `path`; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-connect-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.connect(&path)?;
    /// client.send(b"hello").await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        datagram::connect(self.core.fd(), &encoded(path.as_ref())?)
    }

    /// Waits until the socket is ready for something of `interest`, and says for what.
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
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// use henge_net::readiness::Interest;
    ///
    /// let ready = a.ready(Interest::READABLE | Interest::WRITABLE).await?;
    /// assert!(ready.is_writable());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.core.ready(interest).await
    }

    /// Waits until there is room to send.
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
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.writable().await?;
    /// assert_eq!(a.try_send(b"hello")?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// As [`writable`](UnixDatagram::writable), for the one task that sends: only the one that
    /// called last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// std::future::poll_fn(|cx| a.poll_send_ready(cx)).await?;
    /// assert_eq!(a.try_send(b"hello")?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.core.poll_ready(cx, Who::Writer, Interest::WRITABLE)
    }

    /// Sends a datagram to the one whom the socket is connected to.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either sent or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// assert_eq!(a.send(b"hello").await?, 5);
    /// let mut word = [0; 8];
    /// assert_eq!(b.recv(&mut word).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.core.io(Interest::WRITABLE, |fd| sys::send_now(fd, buf)).await
    }

    /// As [`send`](UnixDatagram::send), for the one task that sends: only the one that called last
    /// is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// assert_eq!(std::future::poll_fn(|cx| a.poll_send(cx, b"hello")).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.core.poll_write(cx, |fd| sys::send_now(fd, buf))
    }

    /// As [`send`](UnixDatagram::send), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// assert_eq!(a.try_send(b"hello")?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.core.try_io(Interest::WRITABLE, |fd| sys::send_now(fd, buf))
    }

    /// Sends a datagram to the socket at `target`.
    ///
    /// # Errors
    ///
    /// `NotFound` or `ConnectionRefused` if there is no socket at `target`; what the kernel
    /// answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either sent or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-send-to-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.send_to(b"hello", &path).await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let to = encoded(target.as_ref())?;
        self.core.io(Interest::WRITABLE, |fd| datagram::send_to_now(fd, buf, &to)).await
    }

    /// As [`send_to`](UnixDatagram::send_to), to a name that may be an abstract one.
    ///
    /// # Errors
    ///
    /// As [`send_to`](UnixDatagram::send_to).
    ///
    /// # Cancel safety
    ///
    /// A datagram is either sent or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-send-to-addr-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.send_to_addr(b"hello", &server.local_addr()?).await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_to_addr(&self, buf: &[u8], target: &SocketAddr) -> io::Result<usize> {
        let to = unix::address(target.as_std())?;
        self.core.io(Interest::WRITABLE, |fd| datagram::send_to_now(fd, buf, &to)).await
    }

    /// As [`send_to`](UnixDatagram::send_to), for the one task that sends: only the one that called
    /// last is woken.
    ///
    /// # Errors
    ///
    /// As [`send_to`](UnixDatagram::send_to).
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-poll-send-to-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// let sent = std::future::poll_fn(|cx| client.poll_send_to(cx, b"hello", &path)).await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, sent);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: P,
    ) -> Poll<io::Result<usize>> {
        let to = encoded(target.as_ref())?;
        self.core.poll_write(cx, |fd| datagram::send_to_now(fd, buf, &to))
    }

    /// As [`send_to`](UnixDatagram::send_to), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-try-send-to-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// assert_eq!(client.try_send_to(b"hello", &path)?, 5);
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let to = encoded(target.as_ref())?;
        self.core.try_io(Interest::WRITABLE, |fd| datagram::send_to_now(fd, buf, &to))
    }

    /// Waits until there is something to receive.
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
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_recv(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// As [`readable`](UnixDatagram::readable), for the one task that receives: only the one that
    /// called last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// std::future::poll_fn(|cx| b.poll_recv_ready(cx)).await?;
    /// assert_eq!(b.try_recv(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.core.poll_ready(cx, Who::Reader, Interest::READABLE)
    }

    /// Receives a datagram into `buf`, and says how long it is. What it does not have room for is
    /// lost.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either received or still in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// let mut word = [0; 8];
    /// let n = b.recv(&mut word).await?;
    /// assert_eq!(&word[..n], b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.core.io(Interest::READABLE, |fd| sys::recv_now(fd, buf)).await
    }

    /// As [`recv`](UnixDatagram::recv), for the one task that receives: only the one that called
    /// last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// use tokio::io::ReadBuf;
    ///
    /// a.send(b"hello").await?;
    /// let mut room = [0; 8];
    /// let mut word = ReadBuf::new(&mut room);
    /// std::future::poll_fn(|cx| b.poll_recv(cx, &mut word)).await?;
    /// assert_eq!(word.filled(), b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let n = ready!(self.core.poll_read(cx, |fd| sys::recv_now(fd, buf.initialize_unfilled())))?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }

    /// As [`recv`](UnixDatagram::recv), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// assert!(b.try_recv(&mut [0; 8]).is_err());
    /// a.send(b"hello").await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_recv(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| sys::recv_now(fd, buf))
    }

    /// As [`recv_buf`](UnixDatagram::recv_buf), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// b.readable().await?;
    /// let mut word = Vec::with_capacity(8);
    /// assert_eq!(b.try_recv_buf(&mut word)?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| recv_buf(fd, buf))
    }

    /// As [`recv`](UnixDatagram::recv), behind what is in `buf` already, as far as it has room
    /// without growing.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either received or still in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// let mut word = Vec::with_capacity(8);
    /// b.recv_buf(&mut word).await?;
    /// assert_eq!(word, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.core.io(Interest::READABLE, |fd| recv_buf(fd, buf)).await
    }

    /// Receives a datagram into `buf`, and says how long it is, and whom it is from. What it does
    /// not have room for is lost.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either received or still in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// let (n, from) = b.recv_from(&mut [0; 8]).await?;
    /// assert!(n == 5 && from.is_unnamed());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let receive = |fd: &Fd| datagram::recv_from_now(fd, buf, false);
        named(self.core.io(Interest::READABLE, receive).await)
    }

    /// As [`recv_from`](UnixDatagram::recv_from), for the one task that receives: only the one that
    /// called last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// use tokio::io::ReadBuf;
    ///
    /// a.send(b"hello").await?;
    /// let mut room = [0; 8];
    /// let mut word = ReadBuf::new(&mut room);
    /// std::future::poll_fn(|cx| b.poll_recv_from(cx, &mut word)).await?;
    /// assert_eq!(word.filled(), b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let receive = |fd: &Fd| datagram::recv_from_now(fd, buf.initialize_unfilled(), false);
        let (n, from) = ready!(self.core.poll_read(cx, receive))?;
        buf.advance(n);
        Poll::Ready(SocketAddr::from_kernel(&from))
    }

    /// As [`recv_from`](UnixDatagram::recv_from), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_recv_from(&mut [0; 8])?.0, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let receive = |fd: &Fd| datagram::recv_from_now(fd, buf, false);
        named(self.core.try_io(Interest::READABLE, receive))
    }

    /// As [`recv_buf_from`](UnixDatagram::recv_buf_from), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// b.readable().await?;
    /// let mut word = Vec::with_capacity(8);
    /// assert_eq!(b.try_recv_buf_from(&mut word)?.0, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        named(self.core.try_io(Interest::READABLE, |fd| recv_buf_from(fd, buf)))
    }

    /// As [`recv_from`](UnixDatagram::recv_from), behind what is in `buf` already, as far as it has
    /// room without growing.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either received or still in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello").await?;
    /// let mut word = Vec::with_capacity(8);
    /// assert_eq!(b.recv_buf_from(&mut word).await?.0, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        named(self.core.io(Interest::READABLE, |fd| recv_buf_from(fd, buf)).await)
    }

    /// Sends a datagram with descriptors beside it, to the one whom the socket is connected to, who
    /// gets copies of them.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for more than 253 descriptors; what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either sent or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// use std::os::fd::AsFd;
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// a.send_descriptors(b"here", &[reader.as_fd()]).await?;
    /// let mut descriptors = Vec::new();
    /// b.recv_descriptors(&mut [0; 8], &mut descriptors).await?;
    /// assert_eq!(descriptors.len(), 1);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_descriptors(
        &self,
        buf: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<usize> {
        let mut control = Control::new();
        control.push_descriptors(descriptors);
        let pieces = &[IoSlice::new(buf)];
        let send = |fd: &Fd| message::send_now(fd, None, pieces, &control);
        self.core.io(Interest::WRITABLE, send).await
    }

    /// Receives a datagram, and the descriptors that were sent with it, CLOEXEC.
    ///
    /// Descriptors of datagrams that are received in other ways are closed by the kernel. So are
    /// those that `descriptors` has no capacity for, beyond the 16 that there is always room for.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Datagram and descriptors are either returned or still in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// use std::os::fd::AsFd;
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// a.send_descriptors(b"here", &[reader.as_fd()]).await?;
    /// let mut descriptors = Vec::new();
    /// assert_eq!(b.recv_descriptors(&mut [0; 8], &mut descriptors).await?, 4);
    /// assert_eq!(descriptors.len(), 1);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_descriptors(
        &self,
        buf: &mut [u8],
        descriptors: &mut Vec<OwnedFd>,
    ) -> io::Result<usize> {
        let mut control = Control::for_descriptors(descriptors.capacity() - descriptors.len());
        let pieces = &mut [IoSliceMut::new(buf)];
        let receive = |fd: &Fd| message::recv_now(fd, None, pieces, &mut control, false);
        let received = self.core.io(Interest::READABLE, receive).await?;
        descriptors.extend(received.descriptors);
        Ok(received.bytes)
    }

    /// Runs `f`, which is to transfer by calls of its own on the descriptor, if that is known to be
    /// ready. If it answers `WouldBlock`, the socket is not known to be ready any more.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not known to be ready; what `f` answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// use henge_driver::sys::socket;
    /// use henge_net::readiness::Interest;
    ///
    /// a.send(b"hello").await?;
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
        self.core.try_known(interest, f)
    }

    /// Repeats `f`, each time when the socket is ready, until it answers something else than
    /// `WouldBlock`.
    ///
    /// # Errors
    ///
    /// What `f` answers.
    ///
    /// # Cancel safety
    ///
    /// `f` is not interrupted, and not called again after the future is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// use henge_driver::sys::socket;
    /// use henge_net::readiness::Interest;
    ///
    /// a.send(b"hello").await?;
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

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-dgram-local-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// assert_eq!(server.local_addr()?.as_pathname(), Some(&*path));
    /// # drop(client);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        SocketAddr::of(self.core.fd())
    }

    /// The address of the socket that this one is connected to.
    ///
    /// # Errors
    ///
    /// `NotConnected` if it is not; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-dgram-peer-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.connect(&path)?;
    /// assert_eq!(client.peer_addr()?.as_pathname(), Some(&*path));
    /// # drop(server);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        SocketAddr::of_peer(self.core.fd())
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
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// assert!(a.take_error()?.is_none());
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        sys::take_error(self.core.fd())
    }

    /// Ends one direction, or both.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.shutdown(std::net::Shutdown::Both)?;
    /// assert!(b.send(b"hello").await.is_err());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        sys::shutdown(self.core.fd(), how)
    }
}

fn encoded(path: &Path) -> io::Result<Address> {
    unix::address(SocketAddr::from_path(path)?.as_std())
}

fn named(received: io::Result<(usize, Address)>) -> io::Result<(usize, SocketAddr)> {
    let (n, from) = received?;
    Ok((n, SocketAddr::from_kernel(&from)?))
}

fn recv_buf<B: BufMut>(fd: &Fd, buf: &mut B) -> io::Result<usize> {
    buf::fill(buf, datagram::MOST_BYTES, |room| sys::recv_now(fd, room))
}

fn recv_buf_from<B: BufMut>(fd: &Fd, buf: &mut B) -> io::Result<(usize, Address)> {
    buf::fill_with(buf, datagram::MOST_BYTES, |room| datagram::recv_from_now(fd, room, false))
}

impl AsFd for UnixDatagram {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.core.fd().as_fd()
    }
}

impl AsRawFd for UnixDatagram {
    fn as_raw_fd(&self) -> RawFd {
        self.core.fd().as_raw_fd()
    }
}

impl TryFrom<std::os::unix::net::UnixDatagram> for UnixDatagram {
    type Error = io::Error;

    fn try_from(socket: std::os::unix::net::UnixDatagram) -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(socket)
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixDatagram").field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}
