//! A socket of the Unix family that is neither connected nor listening yet.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;

use henge_driver::ops::Connect;
use henge_driver::sys::{datagram, socket as sys, unix};
use henge_driver::{Fd, submit};

use super::addr::SocketAddr;
use super::datagram::UnixDatagram;
use super::listener::UnixListener;
use super::stream::UnixStream;

/// A socket of the Unix family on its way: to be named before it connects, listens, or sends.
///
/// # Examples
///
/// ```
/// # use henge_net::{UnixSocket, UnixStream};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// # let path = std::env::temp_dir().join(format!("henge-socket-type-{}", std::process::id()));
/// # let _ = std::fs::remove_file(&path);
/// let socket = UnixSocket::new_stream()?;
/// socket.bind(&path)?;
/// let listener = socket.listen(16)?;
/// let client = UnixStream::connect(&path).await?;
/// # drop((listener, client));
/// # std::fs::remove_file(&path)?;
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct UnixSocket {
    fd: Fd,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stream,
    Datagram,
}

impl UnixSocket {
    /// Makes a stream socket.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixSocket, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-socket-stream-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let socket = UnixSocket::new_stream()?;
    /// socket.bind(&path)?;
    /// let listener = socket.listen(16)?;
    /// let client = UnixStream::connect(&path).await?;
    /// # drop((listener, client));
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new_stream() -> io::Result<UnixSocket> {
        Ok(UnixSocket { fd: Fd::from(unix::stream()?), kind: Kind::Stream })
    }

    /// Makes a datagram socket.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixSocket, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-socket-datagram-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let socket = UnixSocket::new_datagram()?;
    /// socket.bind(&path)?;
    /// let datagram = socket.datagram()?;
    /// assert_eq!(datagram.local_addr()?.as_pathname(), Some(&*path));
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new_datagram() -> io::Result<UnixSocket> {
        Ok(UnixSocket { fd: Fd::from(datagram::unix()?), kind: Kind::Datagram })
    }

    /// Gives the socket the name `path`, which must not exist yet.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if there is something at `path`; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixSocket, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-socket-bind-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let socket = UnixSocket::new_stream()?;
    /// socket.bind(&path)?;
    /// assert!(UnixSocket::new_stream()?.bind(&path).is_err());
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind(&self, path: impl AsRef<Path>) -> io::Result<()> {
        unix::bind(&self.fd, SocketAddr::from_path(path.as_ref())?.as_std())
    }

    /// Listens, with room for `backlog` connections that wait to be accepted.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a datagram socket; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixSocket, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-socket-listen-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let socket = UnixSocket::new_stream()?;
    /// socket.bind(&path)?;
    /// let listener = socket.listen(16)?;
    /// # drop(listener);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        self.check(Kind::Stream, "listen")?;
        sys::listen(&self.fd, backlog)?;
        Ok(UnixListener::new(self.fd))
    }

    /// Connects to the socket at `path`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a datagram socket; what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and closes the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixSocket, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-socket-connect-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let listener = henge_net::UnixListener::bind(&path)?;
    /// let stream = UnixSocket::new_stream()?.connect(&path).await?;
    /// # drop((listener, stream));
    /// # let _ = UnixStream::pair()?;
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect(self, path: impl AsRef<Path>) -> io::Result<UnixStream> {
        self.check(Kind::Stream, "connect")?;
        let to = unix::address(SocketAddr::from_path(path.as_ref())?.as_std())?;
        Ok(UnixStream::new(submit(Connect::new(self.fd, to)).await?))
    }

    /// The datagram socket that it is.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a stream socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixSocket, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-socket-dgram-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let datagram = UnixSocket::new_datagram()?.datagram()?;
    /// assert!(datagram.local_addr()?.is_unnamed());
    /// # let _ = (path, UnixStream::pair()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        self.check(Kind::Datagram, "datagram")?;
        Ok(UnixDatagram::new(self.fd))
    }

    fn check(&self, kind: Kind, call: &str) -> io::Result<()> {
        if self.kind == kind {
            return Ok(());
        }
        let this = if self.kind == Kind::Stream { "stream" } else { "datagram" };
        let why = format!("{call} cannot be called on a {this} socket");
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

impl AsFd for UnixSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for UnixSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl IntoRawFd for UnixSocket {
    fn into_raw_fd(self) -> RawFd {
        self.fd.into_raw_fd()
    }
}

impl From<UnixSocket> for OwnedFd {
    fn from(socket: UnixSocket) -> OwnedFd {
        socket.fd.into()
    }
}
