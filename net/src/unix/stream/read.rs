//! What reads beside [`AsyncRead`](tokio::io::AsyncRead).

use std::io::{self, IoSliceMut};
use std::task::{Context, Poll};

use bytes::BufMut;
use henge_driver::buf::IoBufMut;
use henge_driver::pool::RecvBuf;

use super::UnixStream;
use crate::stream::recv;

impl UnixStream {
    /// Receives without a copy: the bytes stay in the buffer that the kernel has put them into.
    /// Empty at the end of the stream.
    ///
    /// # Errors
    ///
    /// What the kernel answers: a reset, for example.
    ///
    /// # Cancel safety
    ///
    /// Bytes are either returned or still in the stream's queue.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// a.write_all(b"hello").await?;
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv(&mut self) -> io::Result<RecvBuf> {
        recv::recv(&self.core.recv).await
    }

    /// Reads into `buffer`, which the kernel fills itself, from its first byte on, up to its
    /// capacity. Returns how much, 0 at the end of the stream, and the buffer.
    ///
    /// # Errors
    ///
    /// What the kernel answers; the buffer comes back all the same.
    ///
    /// # Cancel safety
    ///
    /// The buffer is lost with the future; what was received into it is not: the next read gets it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// a.write_all(b"hello").await?;
    /// let (n, buffer) = b.read_owned(Vec::with_capacity(16)).await;
    /// assert_eq!(&buffer[..n?], b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn read_owned<B: IoBufMut>(&mut self, buffer: B) -> (io::Result<usize>, B) {
        recv::read_owned(&self.core.recv, buffer).await
    }

    /// Waits until a read would return something, or the stream has ended. What comes is left in
    /// the socket: [`try_read`](UnixStream::try_read) gets it, or any other read.
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
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// a.write_all(b"hello").await?;
    /// b.readable().await?;
    /// assert_eq!(b.try_read(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        recv::readable(&self.core.recv).await.map(drop)
    }

    /// As [`readable`](UnixStream::readable), for the one task that reads: only the one that called
    /// last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// a.write_all(b"hello").await?;
    /// std::future::poll_fn(|cx| b.poll_read_ready(cx)).await?;
    /// assert_eq!(b.try_read(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        recv::poll_ready(&self.core.recv, cx).map_ok(drop)
    }

    /// Reads what there is, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// a.write_all(b"hello").await?;
    /// b.readable().await?;
    /// let mut buf = [0; 8];
    /// assert_eq!(b.try_read(&mut buf)?, 5);
    /// assert!(b.try_read(&mut buf).is_err());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        recv::try_read(&self.core.recv, &mut [IoSliceMut::new(buf)])
    }

    /// As [`try_read`](UnixStream::try_read), into several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// a.write_all(b"hello").await?;
    /// b.readable().await?;
    /// let (mut h, mut ello) = ([0; 1], [0; 8]);
    /// let bufs = &mut [&mut h[..], &mut ello[..]].map(std::io::IoSliceMut::new);
    /// assert_eq!(b.try_read_vectored(bufs)?, 5);
    /// assert_eq!((&h, &ello[..4]), (b"h", &b"ello"[..]));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        recv::try_read(&self.core.recv, bufs)
    }

    /// As [`try_read`](UnixStream::try_read), behind what is in `buf` already, as far as it has
    /// room.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// a.write_all(b"hello").await?;
    /// b.readable().await?;
    /// let mut buf = Vec::with_capacity(8);
    /// assert_eq!(b.try_read_buf(&mut buf)?, 5);
    /// assert_eq!(buf, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        recv::try_read_buf(&self.core.recv, buf)
    }
}
