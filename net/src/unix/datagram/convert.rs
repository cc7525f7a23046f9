//! From std's socket, and to it.

use std::io;
use std::os::fd::OwnedFd;

use henge_driver::Fd;
use henge_driver::sys::socket as sys;

use super::UnixDatagram;

impl UnixDatagram {
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
}
