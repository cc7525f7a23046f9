//! The addresses of a connection's two ends.

use std::io;
use std::net::SocketAddr;

use henge_driver::sys::socket as sys;

use super::TcpStream;

impl TcpStream {
    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
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
    /// assert_eq!(a.local_addr()?, b.peer_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        sys::local_addr(self.fd())
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// What the kernel answers: `NotConnected` once the peer has reset the connection.
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
    /// assert_eq!(a.peer_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        sys::peer_addr(self.fd())
    }
}
