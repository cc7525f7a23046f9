//! Sending to an address.

use std::io;
use std::path::Path;
use std::task::{Context, Poll};

use henge_driver::sys::socket::Address;
use henge_driver::sys::{datagram, unix};

use super::UnixDatagram;
use crate::readiness::Interest;
use crate::unix::addr::SocketAddr;

impl UnixDatagram {
    /// Sends a datagram to the socket at `target`.
    ///
    /// # Errors
    ///
    /// `NotFound` or `ConnectionRefused` if there is no socket at `target`; what the kernel
    /// answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either sent or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-send-to-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
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
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let to = encoded(target.as_ref())?;
        self.core.io(Interest::WRITABLE, |fd| datagram::send_to_now(fd, buf, &to)).await
    }

    /// As [`send_to`](UnixDatagram::send_to), to a name that may be an abstract one.
    ///
    /// # Errors
    ///
    /// As [`send_to`](UnixDatagram::send_to).
    ///
    /// # Cancel safety
    ///
    /// A datagram is either sent or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-send-to-addr-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.send_to_addr(b"hello", &server.local_addr()?).await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_to_addr(&self, buf: &[u8], target: &SocketAddr) -> io::Result<usize> {
        let to = unix::address(target.as_std())?;
        self.core.io(Interest::WRITABLE, |fd| datagram::send_to_now(fd, buf, &to)).await
    }

    /// As [`send_to`](UnixDatagram::send_to), for the one task that sends: only the one that called
    /// last is woken.
    ///
    /// # Errors
    ///
    /// As [`send_to`](UnixDatagram::send_to).
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-poll-send-to-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// let sent = std::future::poll_fn(|cx| client.poll_send_to(cx, b"hello", &path)).await?;
    /// assert_eq!(server.recv(&mut [0; 8]).await?, sent);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: P,
    ) -> Poll<io::Result<usize>> {
        let to = encoded(target.as_ref())?;
        self.core.poll_write(cx, |fd| datagram::send_to_now(fd, buf, &to))
    }

    /// As [`send_to`](UnixDatagram::send_to), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-dgram-try-send-to-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// assert_eq!(client.try_send_to(b"hello", &path)?, 5);
    /// assert_eq!(server.recv(&mut [0; 8]).await?, 5);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let to = encoded(target.as_ref())?;
        self.core.try_io(Interest::WRITABLE, |fd| datagram::send_to_now(fd, buf, &to))
    }
}

fn encoded(path: &Path) -> io::Result<Address> {
    unix::address(SocketAddr::from_path(path)?.as_std())
}
