//! The address of a socket, and that of its peer.

use std::io;
use std::path::Path;

use henge_driver::Fd;
use henge_driver::sys::{datagram, unix};

use super::UnixDatagram;
use crate::addr::OfSocket as _;
use crate::unix::addr::SocketAddr;

impl UnixDatagram {
    /// Makes a socket at `path`, which must not exist yet, and which stays when the socket is gone.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if there is something at `path`; `InvalidInput` if it is too long for a socket's
    /// name; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-dgram-bind-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.send_to(b"hello", &path).await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        let fd = datagram::unix()?;
        unix::bind(&fd, SocketAddr::from_path(path.as_ref())?.as_std())?;
        Ok(UnixDatagram::new(Fd::from(fd)))
    }

    /// Makes a socket without a name.
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
    /// # let name = format!("henge-dgram-unbound-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// assert!(client.local_addr()?.is_unnamed());
    /// client.send_to(b"hello", &path).await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn unbound() -> io::Result<UnixDatagram> {
        Ok(UnixDatagram::new(Fd::from(datagram::unix()?)))
    }

    /// Makes two sockets that are connected to each other.
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
    /// a.send(b"hello").await?;
    /// let mut word = [0; 8];
    /// let n = b.recv(&mut word).await?;
    /// assert_eq!(&word[..n], b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (a, b) = datagram::unix_pair()?;
        Ok((UnixDatagram::new(Fd::from(a)), UnixDatagram::new(Fd::from(b))))
    }

    /// Connects the socket: datagrams of others are not received any more, and
    /// [`send`](UnixDatagram::send) sends to `path`.
    ///
    /// # Errors
    ///
    /// `NotFound` or `ConnectionRefused` if there is no socket at `path`; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-connect-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.connect(&path)?;
    /// client.send(b"hello").await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        datagram::connect(
            self.core.fd(),
            &unix::address(SocketAddr::from_path(path.as_ref())?.as_std())?,
        )
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
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-dgram-local-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// assert_eq!(server.local_addr()?.as_pathname(), Some(&*path));
    /// # drop(client);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        SocketAddr::of(self.core.fd())
    }

    /// The address of the socket that this one is connected to.
    ///
    /// # Errors
    ///
    /// `NotConnected` if it is not; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-dgram-peer-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.connect(&path)?;
    /// assert_eq!(client.peer_addr()?.as_pathname(), Some(&*path));
    /// # drop(server);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        SocketAddr::of_peer(self.core.fd())
    }
}
