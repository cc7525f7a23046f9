//! How the socket holds its address, and how a connection that comes of it behaves.

use std::io;
use std::time::Duration;

use henge_driver::sys::socket as sys;

use super::TcpSocket;

impl TcpSocket {
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
}
