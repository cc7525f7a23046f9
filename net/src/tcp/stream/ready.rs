//! Waiting for both directions at once, and transfers of the caller's own.

use std::io;

use super::TcpStream;
use crate::readiness::{Interest, Ready};

impl TcpStream {
    /// Waits until the stream is ready for something of `interest`, and says for what: also whether
    /// a direction has ended.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an interest that is neither in reading nor in writing; what the kernel
    /// answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// use henge_net::readiness::Interest;
    ///
    /// a.write_all(b"hello").await?;
    /// let ready = b.ready(Interest::READABLE | Interest::WRITABLE).await?;
    /// assert!(ready.is_writable() && !ready.is_read_closed());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.core.ready(interest).await
    }

    /// Runs `io`, which is to transfer by calls of its own on the descriptor, if it overtakes
    /// nothing: for writing, what has been written must have left the queue; for reading, a receive
    /// in flight ends first. The descriptor is non-blocking from then on.
    ///
    /// `io` should answer `WouldBlock` only if the descriptor did.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if `io` would overtake something, in which case it is not called, or if it says
    /// so; an error of its own kind if bytes wait that a read through this stream has brought; what
    /// `io` answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// use henge_driver::sys::socket;
    /// use henge_net::readiness::Interest;
    ///
    /// a.write_all(b"hello").await?;
    /// b.readable().await?;
    /// let n = b.try_io(Interest::READABLE, || socket::recv_now(&b, &mut [0; 8]))?;
    /// assert_eq!(n, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        self.core.try_io(interest, f)
    }

    /// Repeats [`try_io`](TcpStream::try_io), each time when the stream is ready, until it answers
    /// something else than `WouldBlock`.
    ///
    /// # Errors
    ///
    /// As [`try_io`](TcpStream::try_io), but for `WouldBlock`.
    ///
    /// # Cancel safety
    ///
    /// That of `io`: it is not interrupted, and not called again after the future is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// use henge_driver::sys::socket;
    /// use henge_net::readiness::Interest;
    ///
    /// a.write_all(b"hello").await?;
    /// let n = b.async_io(Interest::READABLE, || socket::recv_now(&b, &mut [0; 8])).await?;
    /// assert_eq!(n, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        f: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        self.core.async_io(interest, f).await
    }
}
