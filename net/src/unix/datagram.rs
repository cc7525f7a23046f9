//! Datagram sockets of the Unix family.

mod address;
mod convert;
mod descriptors;
mod send_to;

use std::io;
use std::net::Shutdown;

use henge_driver::Fd;
use henge_driver::sys::socket as sys;

use super::addr::SocketAddr;
use crate::datagram::receive::receives;
use crate::datagram::receive_from::receives_from;
use crate::datagram::send::sends;
use crate::datagram::wait::waits;
use crate::descriptor::descriptor;
use crate::readiness::watched::Watched;

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

waits!(UnixDatagram);
sends!(UnixDatagram);
receives!(UnixDatagram);
receives_from!(UnixDatagram, SocketAddr);
descriptor!(UnixDatagram, |socket| socket.core.fd(), std::os::unix::net::UnixDatagram);
