//! The address of a socket, and that of its peer.

use std::io;
use std::net::SocketAddr;

use henge_driver::Fd;
use henge_driver::sys::datagram;
use henge_driver::sys::socket::{self as sys, Address};

use super::UdpSocket;
use crate::addr::{ToSocketAddrs, none_resolved, resolve};

impl UdpSocket {
    /// Makes a socket with this address; of several addresses, with the first that can be had.
    ///
    /// # Errors
    ///
    /// What the kernel answers for the last address: `AddrInUse`, for example.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left behind.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let mut word = [0; 8];
    /// let (n, from) = b.recv_from(&mut word).await?;
    /// assert_eq!((&word[..n], from), (&b"hello"[..], a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        let mut failure = None;
        for address in resolve(addr).await? {
            match UdpSocket::open(address) {
                Ok(socket) => return Ok(socket),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(none_resolved))
    }

    fn open(address: SocketAddr) -> io::Result<UdpSocket> {
        let fd = datagram::udp(&address)?;
        sys::bind(&fd, &address)?;
        Ok(UdpSocket::new(Fd::from(fd)))
    }

    /// Connects the socket: datagrams of others are not received any more, and
    /// [`send`](UdpSocket::send) sends to `addr`. Of several addresses, to the first that can be
    /// had.
    ///
    /// # Errors
    ///
    /// What the kernel answers for the last address.
    ///
    /// # Cancel safety
    ///
    /// The socket is connected, or as it was before.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// a.send(b"hello").await?;
    /// assert_eq!(b.recv(&mut [0; 8]).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        let mut failure = None;
        for address in resolve(addr).await? {
            match datagram::connect(self.core.fd(), &Address::from(address)) {
                Ok(()) => return Ok(()),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(none_resolved))
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
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert_ne!(a.local_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        sys::local_addr(self.core.fd())
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// `NotConnected` if it is not; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
    /// assert_eq!(a.peer_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        sys::peer_addr(self.core.fd())
    }
}
