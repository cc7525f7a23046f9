//! Datagrams in several pieces, and what can come and go beside their bytes.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;

use henge_driver::Fd;
use henge_driver::sys::datagram;
use henge_driver::sys::message::{self, Control};
use henge_driver::sys::socket::Address;

use super::UdpSocket;
use crate::datagram::RECEIVES;
use crate::readiness::Interest;

/// What [`UdpSocket::recv_message`] tells of a datagram.
///
/// # Examples
///
/// ```
/// # use henge_net::UdpSocket;
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let a = UdpSocket::bind("127.0.0.1:0").await?;
/// let b = UdpSocket::bind("127.0.0.1:0").await?;
/// use henge_net::message::Control;
/// use henge_net::udp::Message;
/// use std::io::IoSliceMut;
///
/// a.send_to(b"hello", b.local_addr()?).await?;
/// let room = &mut [0; 4];
/// let got: Message =
///     b.recv_message(&mut [IoSliceMut::new(room)], &mut Control::new()).await?;
/// assert!(got.truncated && !got.control_truncated);
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Message {
    /// How many bytes came.
    pub len: usize,
    /// Whom they are from.
    pub from: SocketAddr,
    /// How long each of several datagrams is that the kernel has joined; the last may be shorter.
    /// As long as all of it where it has joined none.
    pub segment: usize,
    /// The datagram was longer than the room for it.
    pub truncated: bool,
    /// There were control messages without room for them.
    pub control_truncated: bool,
}

impl UdpSocket {
    /// Sends a datagram in pieces, with control messages beside it, to `target` or to the one whom
    /// the socket is connected to.
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
    /// use henge_net::message::Control;
    /// use std::io::IoSlice;
    ///
    /// let pieces = [&b"he"[..], b"llo"].map(IoSlice::new);
    /// a.send_message(&pieces, Some(b.local_addr()?), &Control::new()).await?;
    /// assert_eq!(b.recv(&mut [0; 8]).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_message(
        &self,
        pieces: &[IoSlice<'_>],
        target: Option<SocketAddr>,
        control: &Control,
    ) -> io::Result<usize> {
        let to = target.map(Address::from);
        let send = |fd: &Fd| message::send_now(fd, to.as_ref(), pieces, control);
        self.core.io(Interest::WRITABLE, send).await
    }

    /// Receives a datagram into several buffers, and control messages beside it, as many as
    /// `control` has room for.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either received or still in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// use henge_net::message::Control;
    /// use std::io::IoSliceMut;
    ///
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let (mut head, mut body) = ([0; 2], [0; 8]);
    /// let pieces = &mut [&mut head[..], &mut body[..]].map(IoSliceMut::new);
    /// let message = b.recv_message(pieces, &mut Control::with_room(64)).await?;
    /// assert_eq!((message.len, message.from), (5, a.local_addr()?));
    /// assert_eq!((&head, &body[..3]), (b"he", &b"llo"[..]));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_message(
        &self,
        pieces: &mut [IoSliceMut<'_>],
        control: &mut Control,
    ) -> io::Result<Message> {
        let mut from = Address::from(SocketAddr::from(([0, 0, 0, 0], 0)));
        let receive = |fd: &Fd| message::recv_now(fd, Some(&mut from), pieces, control, false);
        let received = self.core.io(RECEIVES, receive).await?;
        Ok(Message {
            len: received.bytes,
            from: from.internet()?,
            segment: datagram::segment_size(control).unwrap_or(received.bytes),
            truncated: received.truncated,
            control_truncated: received.control_truncated,
        })
    }
}
