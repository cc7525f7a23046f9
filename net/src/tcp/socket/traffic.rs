//! Where the socket's packets go, how they are marked, and how much of them is held.

use std::io;

use henge_driver::sys::socket as sys;

use super::TcpSocket;

impl TcpSocket {
    /// The size of the kernel's send buffer in bytes (`SO_SNDBUF`); the kernel doubles what is set.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_send_buffer_size(65536)?;
    /// let now: u32 = socket.send_buffer_size()?;
    /// # let _ = now;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_buffer_size(&self) -> io::Result<u32> {
        Ok(u32::try_from(sys::send_buffer_size(&self.fd)?).unwrap_or(u32::MAX))
    }

    /// Sets [`send_buffer_size`](TcpSocket::send_buffer_size).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_send_buffer_size(65536)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_send_buffer_size(&self, send_buffer_size: u32) -> io::Result<()> {
        sys::set_send_buffer_size(&self.fd, send_buffer_size as usize)
    }

    /// The size of the kernel's receive buffer in bytes (`SO_RCVBUF`); the kernel
    /// doubles what is set.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_recv_buffer_size(65536)?;
    /// let now: u32 = socket.recv_buffer_size()?;
    /// # let _ = now;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_buffer_size(&self) -> io::Result<u32> {
        Ok(u32::try_from(sys::recv_buffer_size(&self.fd)?).unwrap_or(u32::MAX))
    }

    /// Sets [`recv_buffer_size`](TcpSocket::recv_buffer_size).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_recv_buffer_size(65536)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_recv_buffer_size(&self, recv_buffer_size: u32) -> io::Result<()> {
        sys::set_recv_buffer_size(&self.fd, recv_buffer_size as usize)
    }

    /// The service class of IPv6 packets (`IPV6_TCLASS`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let Ok(socket) = henge_net::TcpSocket::new_v6() else { return Ok(()) };
    /// socket.set_tclass_v6(96)?;
    /// assert_eq!(socket.tclass_v6()?, 96);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn tclass_v6(&self) -> io::Result<u32> {
        sys::tclass_v6(&self.fd)
    }

    /// Sets [`tclass_v6`](TcpSocket::tclass_v6).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let Ok(socket) = henge_net::TcpSocket::new_v6() else { return Ok(()) };
    /// socket.set_tclass_v6(96)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_tclass_v6(&self, tclass: u32) -> io::Result<()> {
        sys::set_tclass_v6(&self.fd, tclass)
    }

    /// The service class of IPv4 packets (`IP_TOS`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_tos_v4(16)?;
    /// assert_eq!(socket.tos_v4()?, 16);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn tos_v4(&self) -> io::Result<u32> {
        sys::tos_v4(&self.fd)
    }

    /// Sets [`tos_v4`](TcpSocket::tos_v4).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.set_tos_v4(16)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_tos_v4(&self, tos: u32) -> io::Result<()> {
        sys::set_tos_v4(&self.fd, tos)
    }

    /// The interface that the socket is bound to (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// assert_eq!(socket.device()?, None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        sys::device(&self.fd)
    }

    /// Binds the socket to an interface, or to none.
    ///
    /// # Errors
    ///
    /// What the kernel answers: that this process may not, for example.
    ///
    /// # Examples
    ///
    /// ```
    /// let socket = henge_net::TcpSocket::new_v4()?;
    /// socket.bind_device(None)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        sys::bind_device(&self.fd, interface)
    }
}
