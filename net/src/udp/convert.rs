//! From std's socket, and to it.

use std::io;
use std::os::fd::OwnedFd;

use henge_driver::Fd;
use henge_driver::sys::socket as sys;

use super::UdpSocket;

impl UdpSocket {
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
}
