//! How a connection is made.

use std::io;
use std::path::Path;

use henge_driver::ops::Connect;
use henge_driver::sys::unix as sys;
use henge_driver::{Fd, submit};

use super::UnixStream;
use crate::unix::addr::SocketAddr;

impl UnixStream {
    /// Connects to the socket at `path`.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, `ConnectionRefused` if nobody listens; `InvalidInput` if the
    /// path is too long for a socket's name.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and closes the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixListener, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let path = std::env::temp_dir().join(format!("henge-connect-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let listener = UnixListener::bind(&path)?;
    /// let stream = UnixStream::connect(&path).await?;
    /// assert_eq!(stream.peer_addr()?.as_pathname(), Some(&*path));
    /// # drop(listener);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        UnixStream::connect_addr(&SocketAddr::from_path(path.as_ref())?).await
    }

    /// Connects to the socket of this name, which may be an abstract one.
    ///
    /// # Errors
    ///
    /// As [`connect`](UnixStream::connect).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and closes the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixListener, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use std::os::linux::net::SocketAddrExt;
    /// use std::os::unix::net::SocketAddr;
    ///
    /// let name = format!("henge-connect-{}", std::process::id());
    /// let name = SocketAddr::from_abstract_name(name)?.into();
    /// let listener = UnixListener::bind_addr(&name)?;
    /// let stream = UnixStream::connect_addr(&name).await?;
    /// assert_eq!(stream.peer_addr()?.as_abstract_name(), name.as_abstract_name());
    /// # drop(listener);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect_addr(addr: &SocketAddr) -> io::Result<UnixStream> {
        let socket = Fd::from(sys::stream()?);
        let connect = Connect::new(socket, sys::address(addr.as_std())?);
        Ok(UnixStream::new(submit(connect).await?))
    }

    /// Makes two streams that are connected to each other.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// a.write_all(b"hello").await?;
    /// let mut word = [0; 5];
    /// b.read_exact(&mut word).await?;
    /// assert_eq!(&word, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (a, b) = sys::stream_pair()?;
        Ok((UnixStream::new(Fd::from(a)), UnixStream::new(Fd::from(b))))
    }
}
