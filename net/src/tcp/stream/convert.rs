//! From std's connection, and to it.

use std::io;
use std::os::fd::OwnedFd;

use henge_driver::Fd;

use super::TcpStream;
use crate::stream::core::Stream;

impl TcpStream {
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
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let std = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// let stream = henge_net::TcpStream::from_std(std)?;
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        Ok(TcpStream { core: Stream::shared(Fd::from(OwnedFd::from(stream))) })
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// a.write_all(b"x").await?;
    /// a.flush().await?;
    /// let std: std::net::TcpStream = a.into_std()?;
    /// assert_eq!(std.peer_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        Ok(self.core.into_fd()?.into())
    }
}
