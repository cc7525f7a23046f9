//! Sending to an address.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use henge_driver::sys::datagram;
use henge_driver::sys::socket::Address;

use super::UdpSocket;
use crate::addr::{ToSocketAddrs, resolve};
use crate::readiness::Interest;

impl UdpSocket {
    /// Sends a datagram to `addr`; if that is a name, to the first of its addresses.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either sent or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert_eq!(a.send_to(b"hello", b.local_addr()?).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let to = resolve(addr).await?.next().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send data to")
        })?;
        let to = Address::from(to);
        self.core.io(Interest::WRITABLE, |fd| datagram::send_to_now(fd, buf, &to)).await
    }

    /// As [`send_to`](UdpSocket::send_to), for the one task that sends: only the one that called
    /// last is woken.
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
    /// let to = b.local_addr()?;
    /// assert_eq!(std::future::poll_fn(|cx| a.poll_send_to(cx, b"hello", to)).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let to = Address::from(target);
        self.core.poll_write(cx, |fd| datagram::send_to_now(fd, buf, &to))
    }

    /// As [`send_to`](UdpSocket::send_to), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert_eq!(a.try_send_to(b"hello", b.local_addr()?)?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        let to = Address::from(target);
        self.core.try_io(Interest::WRITABLE, |fd| datagram::send_to_now(fd, buf, &to))
    }
}
