//! A TCP socket that is neither connected nor listening yet.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

use henge_driver::ops::Connect;
use henge_driver::sys::socket as sys;
use henge_driver::{Fd, submit};

use super::listener::TcpListener;
use super::stream::TcpStream;

/// A TCP socket whose options are set before it connects or listens.
///
/// Listeners that are made here share no address with other shards by themselves: set
/// [`reuseport`](TcpSocket::set_reuseport) on each.
///
/// # Examples
///
/// ```
/// use henge_net::TcpSocket;
///
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let socket = TcpSocket::new_v4()?;
/// socket.set_reuseaddr(true)?;
/// socket.bind("127.0.0.1:0".parse().unwrap())?;
/// let listener = socket.listen(128)?;
/// let stream = TcpSocket::new_v4()?.connect(listener.local_addr()?).await?;
/// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TcpSocket {
    fd: Fd,
}

impl TcpSocket {
    /// A socket for IPv4 addresses.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// # drop(socket);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new_v4() -> io::Result<TcpSocket> {
        Ok(TcpSocket { fd: Fd::from(sys::tcp(&SocketAddr::from(([0, 0, 0, 0], 0)))?) })
    }

    /// A socket for IPv6 addresses.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v6()?;
    /// # drop(socket);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new_v6() -> io::Result<TcpSocket> {
        Ok(TcpSocket { fd: Fd::from(sys::tcp(&SocketAddr::from(([0_u16; 8], 0)))?) })
    }

    /// Gives the socket an address of this machine.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.bind("127.0.0.1:0".parse().unwrap())?;
    /// assert_ne!(socket.local_addr()?.port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        sys::bind(&self.fd, &addr)
    }

    /// Connects to `addr`.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
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
    /// let listener = henge_net::TcpListener::bind("127.0.0.1:0").await?;
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_nodelay(true)?;
    /// let stream = socket.connect(listener.local_addr()?).await?;
    /// assert!(stream.nodelay()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect(self, addr: SocketAddr) -> io::Result<TcpStream> {
        Ok(TcpStream::new(submit(Connect::new(self.fd, addr)).await?))
    }

    /// Listens, with room for `backlog` connections that wait to be accepted.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.bind("127.0.0.1:0".parse().unwrap())?;
    /// let listener = socket.listen(16)?;
    /// # drop(listener);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        sys::listen(&self.fd, backlog)?;
        Ok(TcpListener::new(self.fd, None))
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
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// assert_eq!(socket.local_addr()?.port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        sys::local_addr(&self.fd)
    }

    /// Whether an address in TIME_WAIT may be bound (`SO_REUSEADDR`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_reuseaddr(true)?;
    /// let now: bool = socket.reuseaddr()?;
    /// # let _ = now;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn reuseaddr(&self) -> io::Result<bool> {
        sys::reuse_address(&self.fd)
    }

    /// Sets [`reuseaddr`](TcpSocket::reuseaddr).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_reuseaddr(true)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_reuseaddr(&self, reuseaddr: bool) -> io::Result<()> {
        sys::set_reuse_address(&self.fd, reuseaddr)
    }

    /// Whether several sockets may share an address (`SO_REUSEPORT`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_reuseport(true)?;
    /// let now: bool = socket.reuseport()?;
    /// # let _ = now;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn reuseport(&self) -> io::Result<bool> {
        sys::reuse_port(&self.fd)
    }

    /// Sets [`reuseport`](TcpSocket::reuseport).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_reuseport(true)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_reuseport(&self, reuseport: bool) -> io::Result<()> {
        sys::set_reuse_port(&self.fd, reuseport)
    }

    /// Whether an idle connection is probed (`SO_KEEPALIVE`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_keepalive(true)?;
    /// let now: bool = socket.keepalive()?;
    /// # let _ = now;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn keepalive(&self) -> io::Result<bool> {
        sys::keepalive(&self.fd)
    }

    /// Sets [`keepalive`](TcpSocket::keepalive).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_keepalive(true)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_keepalive(&self, keepalive: bool) -> io::Result<()> {
        sys::set_keepalive(&self.fd, keepalive)
    }

    /// Whether small segments are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_nodelay(true)?;
    /// let now: bool = socket.nodelay()?;
    /// # let _ = now;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn nodelay(&self) -> io::Result<bool> {
        sys::nodelay(&self.fd)
    }

    /// Sets [`nodelay`](TcpSocket::nodelay).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_nodelay(true)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        sys::set_nodelay(&self.fd, nodelay)
    }

    /// The size of the kernel's send buffer in bytes (`SO_SNDBUF`); the kernel doubles what is set.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_send_buffer_size(65536)?;
    /// let now: u32 = socket.send_buffer_size()?;
    /// # let _ = now;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_buffer_size(&self) -> io::Result<u32> {
        Ok(u32::try_from(sys::send_buffer_size(&self.fd)?).unwrap_or(u32::MAX))
    }

    /// Sets [`send_buffer_size`](TcpSocket::send_buffer_size).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_send_buffer_size(65536)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_send_buffer_size(&self, send_buffer_size: u32) -> io::Result<()> {
        sys::set_send_buffer_size(&self.fd, send_buffer_size as usize)
    }

    /// The size of the kernel's receive buffer in bytes (`SO_RCVBUF`); the kernel
    /// doubles what is set.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_recv_buffer_size(65536)?;
    /// let now: u32 = socket.recv_buffer_size()?;
    /// # let _ = now;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_buffer_size(&self) -> io::Result<u32> {
        Ok(u32::try_from(sys::recv_buffer_size(&self.fd)?).unwrap_or(u32::MAX))
    }

    /// Sets [`recv_buffer_size`](TcpSocket::recv_buffer_size).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_recv_buffer_size(65536)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_recv_buffer_size(&self, recv_buffer_size: u32) -> io::Result<()> {
        sys::set_recv_buffer_size(&self.fd, recv_buffer_size as usize)
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
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// assert_eq!(socket.linger()?, None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        sys::linger(&self.fd)
    }

    /// Sets [`linger`](TcpSocket::linger). Zero makes the close a reset.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_linger(Some(std::time::Duration::from_secs(1)))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_linger(&self, dur: Option<Duration>) -> io::Result<()> {
        sys::set_linger(&self.fd, dur)
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
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_zero_linger()?;
    /// assert_eq!(socket.linger()?, Some(std::time::Duration::ZERO));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.set_linger(Some(Duration::ZERO))
    }

    /// The service class of IPv6 packets (`IPV6_TCLASS`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let Ok(socket) = henge_net::TcpSocket::new_v6() else { return Ok(()) };
    /// socket.set_tclass_v6(96)?;
    /// assert_eq!(socket.tclass_v6()?, 96);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn tclass_v6(&self) -> io::Result<u32> {
        sys::tclass_v6(&self.fd)
    }

    /// Sets [`tclass_v6`](TcpSocket::tclass_v6).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let Ok(socket) = henge_net::TcpSocket::new_v6() else { return Ok(()) };
    /// socket.set_tclass_v6(96)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_tclass_v6(&self, tclass: u32) -> io::Result<()> {
        sys::set_tclass_v6(&self.fd, tclass)
    }

    /// The service class of IPv4 packets (`IP_TOS`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_tos_v4(16)?;
    /// assert_eq!(socket.tos_v4()?, 16);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn tos_v4(&self) -> io::Result<u32> {
        sys::tos_v4(&self.fd)
    }

    /// Sets [`tos_v4`](TcpSocket::tos_v4).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_tos_v4(16)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_tos_v4(&self, tos: u32) -> io::Result<()> {
        sys::set_tos_v4(&self.fd, tos)
    }

    /// The interface that the socket is bound to (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// assert_eq!(socket.device()?, None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        sys::device(&self.fd)
    }

    /// Binds the socket to an interface, or to none.
    ///
    /// # Errors
    ///
    /// What the kernel answers: that this process may not, for example.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.bind_device(None)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        sys::bind_device(&self.fd, interface)
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
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// assert!(socket.take_error()?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        sys::take_error(&self.fd)
    }

    /// Takes over a socket of std's, which need not be connected, whatever its type says.
    ///
    /// # Examples
    ///
    /// ```
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let std = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// let socket = henge_net::TcpSocket::from_std_stream(std);
    /// assert_ne!(socket.local_addr()?.port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_std_stream(std_stream: std::net::TcpStream) -> TcpSocket {
        TcpSocket { fd: Fd::from(OwnedFd::from(std_stream)) }
    }

    /// As [`connect`](TcpSocket::connect), for so long at most: the kernel ends the attempt.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the time is over; what the kernel answers.
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
    /// use std::time::Duration;
    ///
    /// let listener = henge_net::TcpListener::bind("127.0.0.1:0").await?;
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// let stream = socket.connect_timeout(listener.local_addr()?, Duration::from_secs(5)).await?;
    /// # drop(stream);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect_timeout(self, addr: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
        let connect = Connect::new(self.fd, addr).with_limit(limit);
        Ok(TcpStream::new(submit(connect).await?))
    }
}

impl AsFd for TcpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for TcpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl IntoRawFd for TcpSocket {
    fn into_raw_fd(self) -> RawFd {
        self.fd.into_raw_fd()
    }
}

impl From<OwnedFd> for TcpSocket {
    fn from(fd: OwnedFd) -> TcpSocket {
        TcpSocket { fd: Fd::from(fd) }
    }
}

impl From<TcpSocket> for OwnedFd {
    fn from(socket: TcpSocket) -> OwnedFd {
        socket.fd.into()
    }
}
