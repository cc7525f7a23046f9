//! A TCP socket that is neither connected nor listening yet.

mod options;
#[allow(unsafe_code, reason = "whoever gives a number away vouches for it")]
mod raw;
mod traffic;

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
