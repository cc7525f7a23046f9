//! UDP sockets.
//!
//! Transfers are direct calls that cannot wait; where one finds nothing, or no room, a poll on the
//! ring tells when to try again. The socket is used by `&self`, from as many tasks and shards as
//! one likes, and nothing is received ahead of a call, so a dropped future loses no datagram.

mod batch;
mod options;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use henge_driver::Fd;
use henge_driver::sys::datagram;
use henge_driver::sys::socket::{self as sys, Address};
use tokio::io::ReadBuf;

pub use batch::{Batch, Datagram, Message, Outgoing};

use crate::addr::{ToSocketAddrs, none_resolved, resolve};
use crate::buf;
use crate::readiness::source::Who;
use crate::readiness::watched::Watched;
use crate::readiness::{Interest, Ready};

/// A UDP socket.
///
/// [`bind`](UdpSocket::bind) it, then use [`send_to`](UdpSocket::send_to) and
/// [`recv_from`](UdpSocket::recv_from) for many peers, or [`connect`](UdpSocket::connect) it and
/// use [`send`](UdpSocket::send) and [`recv`](UdpSocket::recv) for one. It needs no splitting: all
/// calls take `&self`, so share it by an `Arc`.
///
/// Where there are many datagrams, [`recv_many`](UdpSocket::recv_many),
/// [`send_many`](UdpSocket::send_many) and [`send_segments`](UdpSocket::send_segments) move them
/// with few system calls.
///
/// # Examples
///
/// ```
/// # use henge_net::UdpSocket;
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let a = UdpSocket::bind("127.0.0.1:0").await?;
/// let b = UdpSocket::bind("127.0.0.1:0").await?;
/// a.send_to(b"hello", b.local_addr()?).await?;
/// let mut word = [0; 8];
/// let (n, from) = b.recv_from(&mut word).await?;
/// assert_eq!((&word[..n], from), (&b"hello"[..], a.local_addr()?));
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UdpSocket {
    core: Watched,
}

impl UdpSocket {
    fn new(fd: Fd) -> UdpSocket {
        UdpSocket { core: Watched::new(fd) }
    }

    fn fd(&self) -> &Fd {
        self.core.fd()
    }

    /// Makes a socket with this address; of several addresses, with the first that can be had.
    ///
    /// # Errors
    ///
    /// What the kernel answers for the last address: `AddrInUse`, for example.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left behind.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let mut word = [0; 8];
    /// let (n, from) = b.recv_from(&mut word).await?;
    /// assert_eq!((&word[..n], from), (&b"hello"[..], a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        let mut failure = None;
        for address in resolve(addr).await? {
            match UdpSocket::open(address) {
                Ok(socket) => return Ok(socket),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(none_resolved))
    }

    fn open(address: SocketAddr) -> io::Result<UdpSocket> {
        let fd = datagram::udp(&address)?;
        sys::bind(&fd, &address)?;
        Ok(UdpSocket::new(Fd::from(fd)))
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
    /// let std = std::net::UdpSocket::bind("127.0.0.1:0")?;
    /// let socket = henge_net::UdpSocket::from_std(std)?;
    /// assert_ne!(socket.local_addr()?.port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        Ok(UdpSocket::new(Fd::from(OwnedFd::from(socket))))
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// let std: std::net::UdpSocket = a.into_std()?;
    /// std.send_to(b"hello", b.local_addr()?)?;
    /// assert_eq!(b.recv(&mut [0; 8]).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_std(self) -> io::Result<std::net::UdpSocket> {
        let fd = self.core.into_fd()?;
        sys::set_nonblocking(&fd, true)?;
        Ok(fd.into())
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert_ne!(a.local_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        sys::local_addr(self.core.fd())
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// `NotConnected` if it is not; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
    /// assert_eq!(a.peer_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        sys::peer_addr(self.core.fd())
    }

    /// Connects the socket: datagrams of others are not received any more, and
    /// [`send`](UdpSocket::send) sends to `addr`. Of several addresses, to the first that can be
    /// had.
    ///
    /// # Errors
    ///
    /// What the kernel answers for the last address.
    ///
    /// # Cancel safety
    ///
    /// The socket is connected, or as it was before.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// a.send(b"hello").await?;
    /// assert_eq!(b.recv(&mut [0; 8]).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        let mut failure = None;
        for address in resolve(addr).await? {
            match datagram::connect(self.core.fd(), &Address::from(address)) {
                Ok(()) => return Ok(()),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(none_resolved))
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
    /// a.writable().await?;
    /// assert_eq!(a.try_send(b"hello")?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// As [`writable`](UdpSocket::writable), for the one task that sends: only the one that called
    /// last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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

    /// As [`send`](UdpSocket::send), for the one task that sends: only the one that called last is
    /// woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
    /// assert_eq!(std::future::poll_fn(|cx| a.poll_send(cx, b"hello")).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.core.poll_write(cx, |fd| sys::send_now(fd, buf))
    }

    /// As [`send`](UdpSocket::send), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
    /// assert_eq!(a.try_send(b"hello")?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.core.try_io(Interest::WRITABLE, |fd| sys::send_now(fd, buf))
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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

    /// As [`readable`](UdpSocket::readable), for the one task that receives: only the one that
    /// called last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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

    /// As [`recv`](UdpSocket::recv), for the one task that receives: only the one that called last
    /// is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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

    /// As [`recv`](UdpSocket::recv), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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

    /// As [`recv_buf`](UdpSocket::recv_buf), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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

    /// As [`recv`](UdpSocket::recv), behind what is in `buf` already, as far as it has room without
    /// growing.
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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

    /// As [`recv_buf_from`](UdpSocket::recv_buf_from), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// b.readable().await?;
    /// let mut word = Vec::with_capacity(8);
    /// assert_eq!(b.try_recv_buf_from(&mut word)?, (5, a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        named(self.core.try_io(Interest::READABLE, |fd| recv_buf_from(fd, buf)))
    }

    /// As [`recv_from`](UdpSocket::recv_from), behind what is in `buf` already, as far as it has
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let mut word = Vec::with_capacity(8);
    /// assert_eq!(b.recv_buf_from(&mut word).await?, (5, a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        named(self.core.io(Interest::READABLE, |fd| recv_buf_from(fd, buf)).await)
    }

    /// Sends a datagram to `addr`; if that is a name, to the first of its addresses.
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert_eq!(a.send_to(b"hello", b.local_addr()?).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let to = Address::from(resolve(addr).await?.next().ok_or_else(none_resolved)?);
        self.core.io(Interest::WRITABLE, |fd| datagram::send_to_now(fd, buf, &to)).await
    }

    /// As [`send_to`](UdpSocket::send_to), for the one task that sends: only the one that called
    /// last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// let to = b.local_addr()?;
    /// assert_eq!(std::future::poll_fn(|cx| a.poll_send_to(cx, b"hello", to)).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let to = Address::from(target);
        self.core.poll_write(cx, |fd| datagram::send_to_now(fd, buf, &to))
    }

    /// As [`send_to`](UdpSocket::send_to), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert_eq!(a.try_send_to(b"hello", b.local_addr()?)?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        let to = Address::from(target);
        self.core.try_io(Interest::WRITABLE, |fd| datagram::send_to_now(fd, buf, &to))
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let mut word = [0; 8];
    /// let (n, from) = b.recv_from(&mut word).await?;
    /// assert_eq!((&word[..n], from), (&b"hello"[..], a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let receive = |fd: &Fd| datagram::recv_from_now(fd, buf, false);
        named(self.core.io(Interest::READABLE, receive).await)
    }

    /// As [`recv_from`](UdpSocket::recv_from), for the one task that receives: only the one that
    /// called last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// use tokio::io::ReadBuf;
    ///
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let mut room = [0; 8];
    /// let mut word = ReadBuf::new(&mut room);
    /// let from = std::future::poll_fn(|cx| b.poll_recv_from(cx, &mut word)).await?;
    /// assert_eq!((word.filled(), from), (&b"hello"[..], a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        self.poll_from(cx, buf, false)
    }

    fn poll_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        peek: bool,
    ) -> Poll<io::Result<SocketAddr>> {
        let receive = |fd: &Fd| datagram::recv_from_now(fd, buf.initialize_unfilled(), peek);
        let (n, from) = ready!(self.core.poll_read(cx, receive))?;
        buf.advance(n);
        Poll::Ready(from.internet())
    }

    /// As [`recv_from`](UdpSocket::recv_from), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_recv_from(&mut [0; 8])?, (5, a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let receive = |fd: &Fd| datagram::recv_from_now(fd, buf, false);
        named(self.core.try_io(Interest::READABLE, receive))
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
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

    /// Copies the next datagram, and leaves it to be received.
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
    /// a.send(b"hello").await?;
    /// let mut word = [0; 8];
    /// assert_eq!(b.peek(&mut word).await?, 5);
    /// assert_eq!(b.recv(&mut word).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.core.io(Interest::READABLE, |fd| sys::peek_now(fd, buf)).await
    }

    /// As [`peek`](UdpSocket::peek), for the one task that receives: only the one that called last
    /// is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
    /// use tokio::io::ReadBuf;
    ///
    /// a.send(b"hello").await?;
    /// let mut room = [0; 8];
    /// let mut word = ReadBuf::new(&mut room);
    /// std::future::poll_fn(|cx| b.poll_peek(cx, &mut word)).await?;
    /// assert_eq!(word.filled(), b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let n = ready!(self.core.poll_read(cx, |fd| sys::peek_now(fd, buf.initialize_unfilled())))?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }

    /// As [`peek`](UdpSocket::peek), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
    /// a.send(b"hello").await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_peek(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| sys::peek_now(fd, buf))
    }

    /// As [`peek`](UdpSocket::peek), and says whom the datagram is from.
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// assert_eq!(b.peek_from(&mut [0; 8]).await?, (5, a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let peek = |fd: &Fd| datagram::recv_from_now(fd, buf, true);
        named(self.core.io(Interest::READABLE, peek).await)
    }

    /// As [`peek_from`](UdpSocket::peek_from), for the one task that receives: only the one that
    /// called last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// use tokio::io::ReadBuf;
    ///
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let mut room = [0; 8];
    /// let mut word = ReadBuf::new(&mut room);
    /// let from = std::future::poll_fn(|cx| b.poll_peek_from(cx, &mut word)).await?;
    /// assert_eq!(from, a.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        self.poll_from(cx, buf, true)
    }

    /// As [`peek_from`](UdpSocket::peek_from), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_peek_from(&mut [0; 8])?, (5, a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let peek = |fd: &Fd| datagram::recv_from_now(fd, buf, true);
        named(self.core.try_io(Interest::READABLE, peek))
    }

    /// Says whom the next datagram is from, and leaves it to be received.
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// assert_eq!(b.peek_sender().await?, a.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn peek_sender(&self) -> io::Result<SocketAddr> {
        Ok(self.peek_from(&mut []).await?.1)
    }

    /// As [`peek_sender`](UdpSocket::peek_sender), for the one task that receives: only the one
    /// that called last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let from = std::future::poll_fn(|cx| b.poll_peek_sender(cx)).await?;
    /// assert_eq!(from, a.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_peek_sender(&self, cx: &mut Context<'_>) -> Poll<io::Result<SocketAddr>> {
        self.poll_peek_from(cx, &mut ReadBuf::new(&mut []))
    }

    /// As [`peek_sender`](UdpSocket::peek_sender), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_peek_sender()?, a.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_peek_sender(&self) -> io::Result<SocketAddr> {
        Ok(self.try_peek_from(&mut [])?.1)
    }
}

fn named(received: io::Result<(usize, Address)>) -> io::Result<(usize, SocketAddr)> {
    let (n, from) = received?;
    Ok((n, from.internet()?))
}

fn recv_buf<B: BufMut>(fd: &Fd, buf: &mut B) -> io::Result<usize> {
    buf::fill(buf, datagram::MOST_BYTES, |room| sys::recv_now(fd, room))
}

fn recv_buf_from<B: BufMut>(fd: &Fd, buf: &mut B) -> io::Result<(usize, Address)> {
    buf::fill_with(buf, datagram::MOST_BYTES, |room| datagram::recv_from_now(fd, room, false))
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.core.fd().as_fd()
    }
}

impl AsRawFd for UdpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.core.fd().as_raw_fd()
    }
}

impl TryFrom<std::net::UdpSocket> for UdpSocket {
    type Error = io::Error;

    fn try_from(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        UdpSocket::from_std(socket)
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpSocket").field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}
