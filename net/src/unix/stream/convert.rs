//! From std's connection, and to it.

use std::io;
use std::os::fd::OwnedFd;

use henge_driver::Fd;

use super::UnixStream;
use crate::stream::core::Stream;

impl UnixStream {
    /// Takes over a connection of std's. Whether it is non-blocking does not matter.
    ///
    /// The socket may have other descriptors, in other processes too: the connection goes on for
    /// them when this one is dropped. If there are none, the peer learns it by the driver's next
    /// turn.
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
        Ok(UnixStream { core: Stream::shared(Fd::from(OwnedFd::from(stream))) })
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
}
