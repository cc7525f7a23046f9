//! Many datagrams with one system call.

use std::io::{self, IoSlice};
use std::net::SocketAddr;

use henge_driver::sys::datagram;
use henge_driver::sys::message::Control;
use henge_driver::sys::socket::Address;

use super::UdpSocket;
use crate::datagram::RECEIVES;
use crate::readiness::Interest;

#[doc(inline)]
pub use henge_driver::sys::datagram::{Batch, Datagram};

/// A datagram to be sent by [`UdpSocket::send_many`].
///
/// # Examples
///
/// ```
/// # use henge_net::UdpSocket;
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let a = UdpSocket::bind("127.0.0.1:0").await?;
/// let b = UdpSocket::bind("127.0.0.1:0").await?;
/// use henge_net::udp::Outgoing;
///
/// let word = Outgoing { bytes: b"hello", to: Some(b.local_addr()?) };
/// assert_eq!(a.send_many(&[word]).await?, 1);
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// What is in it.
    pub bytes: &'a [u8],
    /// Whom it goes to; `None` for the one whom the socket is connected to.
    pub to: Option<SocketAddr>,
}

impl UdpSocket {
    /// Receives as many datagrams as wait and `batch` has room for, in one system call; waits for
    /// the first. Says how many.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Datagrams are either in the batch or still in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// use henge_net::udp::Batch;
    ///
    /// for word in [b"one", b"two"] {
    ///     a.send_to(word, b.local_addr()?).await?;
    /// }
    /// let mut batch = Batch::new(8, 1_500);
    /// let n = b.recv_many(&mut batch).await?;
    /// for at in 0..n {
    ///     let datagram = batch.get(at).expect("it came");
    ///     assert_eq!((datagram.bytes.len(), datagram.from), (3, a.local_addr()?));
    /// }
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_many(&self, batch: &mut Batch) -> io::Result<usize> {
        self.core.io(RECEIVES, |fd| batch.recv_now(fd)).await
    }

    /// As [`recv_many`](UdpSocket::recv_many), without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// use henge_net::udp::Batch;
    ///
    /// let mut batch = Batch::new(8, 1_500);
    /// assert!(b.try_recv_many(&mut batch).is_err());
    /// # drop(a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_recv_many(&self, batch: &mut Batch) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| batch.recv_now(fd))
    }

    /// Sends datagrams, each to its own address, in one system call; says how many of the first of
    /// them have gone. One without an address goes to the one whom the socket is connected to.
    ///
    /// # Errors
    ///
    /// What the kernel answers for the first datagram; an error of a later one is told by the next
    /// call.
    ///
    /// # Cancel safety
    ///
    /// Each datagram is either sent or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// use henge_net::udp::Outgoing;
    ///
    /// let to = Some(b.local_addr()?);
    /// let words = [&b"one"[..], b"two"].map(|bytes| Outgoing { bytes, to });
    /// assert_eq!(a.send_many(&words).await?, 2);
    /// assert_eq!(b.recv(&mut [0; 8]).await?, 3);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_many(&self, datagrams: &[Outgoing<'_>]) -> io::Result<usize> {
        if datagrams.is_empty() {
            return Ok(0);
        }
        let addresses: Vec<Option<Address>> =
            datagrams.iter().map(|datagram| datagram.to.map(Address::from)).collect();
        let pairs: Vec<(&[u8], Option<&Address>)> = datagrams
            .iter()
            .zip(&addresses)
            .map(|(datagram, to)| (datagram.bytes, to.as_ref()))
            .collect();
        self.core.io(Interest::WRITABLE, |fd| datagram::send_many_now(fd, &pairs)).await
    }

    /// Sends `buf` as datagrams of `segment` bytes, the last one perhaps shorter, which the kernel
    /// or the device cuts (GSO): far cheaper than one call each. At most 64 of them, and 64 KiB.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for more than 64 segments, or for a `segment` larger than the path takes;
    /// what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// All datagrams are sent, or none.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UdpSocket;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_segments(b"onetwo", 3, Some(b.local_addr()?)).await?;
    /// let mut word = [0; 8];
    /// assert_eq!(b.recv(&mut word).await?, 3);
    /// assert_eq!(b.recv(&mut word).await?, 3);
    /// assert!(word.starts_with(b"two"));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_segments(
        &self,
        buf: &[u8],
        segment: u16,
        target: Option<SocketAddr>,
    ) -> io::Result<usize> {
        let mut control = Control::new();
        datagram::push_segment_size(&mut control, segment);
        self.send_message(&[IoSlice::new(buf)], target, &control).await
    }

    /// Whether the kernel may join datagrams of one sender, all of one length but the last, into
    /// one (`UDP_GRO`). [`recv_many`](UdpSocket::recv_many) and
    /// [`recv_message`](UdpSocket::recv_message) say how long each is.
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
    /// assert!(!a.gro()?);
    /// # drop(b);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn gro(&self) -> io::Result<bool> {
        datagram::gro(self.fd())
    }

    /// Sets [`gro`](UdpSocket::gro). Calls that do not tell lengths apart are of little use then.
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
    /// use henge_net::udp::Batch;
    ///
    /// b.set_gro(true)?;
    /// a.send_segments(b"onetwo", 3, Some(b.local_addr()?)).await?;
    /// let mut batch = Batch::new(8, 65_535);
    /// b.recv_many(&mut batch).await?;
    /// let joined = batch.get(0).expect("it came");
    /// let words: Vec<&[u8]> = joined.bytes.chunks(joined.segment).collect();
    /// assert!(words.starts_with(&[b"one"]));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_gro(&self, on: bool) -> io::Result<()> {
        datagram::set_gro(self.fd(), on)
    }
}
