//! Multicast: who is in a group, and how far its datagrams go.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use henge_driver::sys::{datagram, socket as sys};

use super::UdpSocket;

impl UdpSocket {
    /// Whether what goes to an IPv4 group comes back to this machine (`IP_MULTICAST_LOOP`).
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
    /// a.set_multicast_loop_v4(false)?;
    /// assert_eq!(a.multicast_loop_v4()?, false);
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        sys::multicast_loop_v4(self.fd())
    }

    /// Sets [`multicast_loop_v4`](UdpSocket::multicast_loop_v4).
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
    /// a.set_multicast_loop_v4(false)?;
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_multicast_loop_v4(&self, on: bool) -> io::Result<()> {
        sys::set_multicast_loop_v4(self.fd(), on)
    }

    /// How many hops a datagram to an IPv4 group may take (`IP_MULTICAST_TTL`).
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
    /// a.set_multicast_ttl_v4(2)?;
    /// assert_eq!(a.multicast_ttl_v4()?, 2);
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        sys::multicast_ttl_v4(self.fd())
    }

    /// Sets [`multicast_ttl_v4`](UdpSocket::multicast_ttl_v4).
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
    /// a.set_multicast_ttl_v4(2)?;
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_multicast_ttl_v4(&self, multicast: u32) -> io::Result<()> {
        sys::set_multicast_ttl_v4(self.fd(), multicast)
    }

    /// Whether what goes to an IPv6 group comes back to this machine (`IPV6_MULTICAST_LOOP`).
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
    /// # let Ok(a) = UdpSocket::bind("[::1]:0").await else { return Ok(()) };
    /// a.set_multicast_loop_v6(false)?;
    /// assert_eq!(a.multicast_loop_v6()?, false);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        sys::multicast_loop_v6(self.fd())
    }

    /// Sets [`multicast_loop_v6`](UdpSocket::multicast_loop_v6).
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
    /// # let Ok(a) = UdpSocket::bind("[::1]:0").await else { return Ok(()) };
    /// a.set_multicast_loop_v6(false)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_multicast_loop_v6(&self, on: bool) -> io::Result<()> {
        sys::set_multicast_loop_v6(self.fd(), on)
    }

    /// Joins a multicast group on the interface that has this address, or any if it is unspecified.
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
    /// use std::net::Ipv4Addr;
    ///
    /// let group = Ipv4Addr::new(224, 0, 0, 251);
    /// # // A machine without a route for it refuses.
    /// if a.join_multicast_v4(group, Ipv4Addr::LOCALHOST).is_ok() {
    ///     a.leave_multicast_v4(group, Ipv4Addr::LOCALHOST)?;
    /// }
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn join_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        datagram::join_v4(self.fd(), &multiaddr, &interface)
    }

    /// Leaves a multicast group on the interface that has this address, or any if it is
    /// unspecified.
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
    /// use std::net::Ipv4Addr;
    ///
    /// let group = Ipv4Addr::new(224, 0, 0, 251);
    /// # // A machine without a route for it refuses.
    /// if a.join_multicast_v4(group, Ipv4Addr::LOCALHOST).is_ok() {
    ///     a.leave_multicast_v4(group, Ipv4Addr::LOCALHOST)?;
    /// }
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn leave_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        datagram::leave_v4(self.fd(), &multiaddr, &interface)
    }

    /// Joins a multicast group on the interface of this number, or any if it is zero.
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
    /// let group = "ff02::fb".parse().unwrap();
    /// # // A machine without a route for it, or without IPv6, refuses.
    /// if a.join_multicast_v6(&group, 0).is_ok() {
    ///     a.leave_multicast_v6(&group, 0)?;
    /// }
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        datagram::join_v6(self.fd(), multiaddr, interface)
    }

    /// Leaves a multicast group on the interface of this number, or any if it is zero.
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
    /// let group = "ff02::fb".parse().unwrap();
    /// # // A machine without a route for it, or without IPv6, refuses.
    /// if a.join_multicast_v6(&group, 0).is_ok() {
    ///     a.leave_multicast_v6(&group, 0)?;
    /// }
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        datagram::leave_v6(self.fd(), multiaddr, interface)
    }
}
