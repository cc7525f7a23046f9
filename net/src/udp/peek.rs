//! Looking at the next datagram without taking it.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use henge_driver::Fd;
use henge_driver::sys::{datagram, socket as sys};
use tokio::io::ReadBuf;

use super::UdpSocket;
use crate::datagram::{RECEIVES, named};
use crate::readiness::Interest;

impl UdpSocket {
    /// Copies the next datagram, and leaves it to be received.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
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
    /// a.send(b"hello").await?;
    /// let mut word = [0; 8];
    /// assert_eq!(b.peek(&mut word).await?, 5);
    /// assert_eq!(b.recv(&mut word).await?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.core.io(RECEIVES, |fd| sys::peek_now(fd, buf)).await
    }

    /// As [`peek`](UdpSocket::peek), for the one task that receives: only the one that called last
    /// is woken.
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
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
    /// use tokio::io::ReadBuf;
    ///
    /// a.send(b"hello").await?;
    /// let mut room = [0; 8];
    /// let mut word = ReadBuf::new(&mut room);
    /// std::future::poll_fn(|cx| b.poll_peek(cx, &mut word)).await?;
    /// assert_eq!(word.filled(), b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let n = ready!(self.core.poll_read(cx, |fd| sys::peek_now(fd, buf.initialize_unfilled())))?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }

    /// As [`peek`](UdpSocket::peek), without waiting.
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
    /// a.connect(b.local_addr()?).await?;
    /// b.connect(a.local_addr()?).await?;
    /// a.send(b"hello").await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_peek(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| sys::peek_now(fd, buf))
    }

    /// As [`peek`](UdpSocket::peek), and says whom the datagram is from.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
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
    /// assert_eq!(b.peek_from(&mut [0; 8]).await?, (5, a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let peek = |fd: &Fd| datagram::recv_from_now(fd, buf, true);
        named(self.core.io(RECEIVES, peek).await)
    }

    /// As [`peek_from`](UdpSocket::peek_from), for the one task that receives: only the one that
    /// called last is woken.
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
    /// use tokio::io::ReadBuf;
    ///
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let mut room = [0; 8];
    /// let mut word = ReadBuf::new(&mut room);
    /// let from = std::future::poll_fn(|cx| b.poll_peek_from(cx, &mut word)).await?;
    /// assert_eq!(from, a.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let peek = |fd: &Fd| datagram::recv_from_now(fd, buf.initialize_unfilled(), true);
        let (n, from) = ready!(self.core.poll_read(cx, peek))?;
        buf.advance(n);
        Poll::Ready(from.internet())
    }

    /// As [`peek_from`](UdpSocket::peek_from), without waiting.
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
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_peek_from(&mut [0; 8])?, (5, a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let peek = |fd: &Fd| datagram::recv_from_now(fd, buf, true);
        named(self.core.try_io(Interest::READABLE, peek))
    }

    /// Says whom the next datagram is from, and leaves it to be received.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
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
    /// assert_eq!(b.peek_sender().await?, a.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn peek_sender(&self) -> io::Result<SocketAddr> {
        Ok(self.peek_from(&mut []).await?.1)
    }

    /// As [`peek_sender`](UdpSocket::peek_sender), for the one task that receives: only the one
    /// that called last is woken.
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
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// let from = std::future::poll_fn(|cx| b.poll_peek_sender(cx)).await?;
    /// assert_eq!(from, a.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_peek_sender(&self, cx: &mut Context<'_>) -> Poll<io::Result<SocketAddr>> {
        self.poll_peek_from(cx, &mut ReadBuf::new(&mut []))
    }

    /// As [`peek_sender`](UdpSocket::peek_sender), without waiting.
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
    /// a.send_to(b"hello", b.local_addr()?).await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_peek_sender()?, a.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_peek_sender(&self) -> io::Result<SocketAddr> {
        Ok(self.try_peek_from(&mut [])?.1)
    }
}
