//! What writes beside [`AsyncWrite`](tokio::io::AsyncWrite).

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use henge_driver::buf::IoBuf;

use super::UnixStream;
use crate::stream::send;

impl UnixStream {
    /// Writes all of `buffer`, which the kernel reads itself, and returns it.
    ///
    /// # Errors
    ///
    /// What the kernel answers; the buffer comes back all the same.
    ///
    /// # Cancel safety
    ///
    /// What the kernel had begun to send is sent whole; the buffer is lost with the future.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (done, _buffer) = a.write_all_owned(b"hello".to_vec()).await;
    /// done?;
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_all_owned<B: IoBuf>(&mut self, buffer: B) -> (io::Result<()>, B) {
        send::write_all_owned(&self.core.send, buffer).await
    }

    /// As [`write_all_owned`](UnixStream::write_all_owned), and returns how much was written: all.
    ///
    /// # Errors
    ///
    /// What the kernel answers; the buffer comes back all the same.
    ///
    /// # Cancel safety
    ///
    /// As [`write_all_owned`](UnixStream::write_all_owned).
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let (n, buffer) = a.write_owned(b"hello".to_vec()).await;
    /// assert_eq!(n?, buffer.len());
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_owned<B: IoBuf>(&mut self, buffer: B) -> (io::Result<usize>, B) {
        let len = buffer.bytes_init();
        let (done, buffer) = send::write_all_owned(&self.core.send, buffer).await;
        (done.map(|()| len), buffer)
    }

    /// Waits until a write would take something, or fail.
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
    /// a.writable().await?;
    /// a.try_write(b"hello")?;
    /// assert_eq!(b.read_u8().await?, b'h');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        send::writable(&self.core.send).await.map(drop)
    }

    /// As [`writable`](UnixStream::writable), for the one task that writes: only the one that
    /// called last is woken.
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
    /// std::future::poll_fn(|cx| a.poll_write_ready(cx)).await?;
    /// a.try_write(b"hello")?;
    /// assert_eq!(b.read_u8().await?, b'h');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        send::poll_ready(&self.core.send, cx).map_ok(drop)
    }

    /// Sends what there is room for, without waiting: it is with the kernel when this returns.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none, or if what was written before has not left the queue; an
    /// earlier send's error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// assert_eq!(a.try_write(b"hello")?, 5);
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        send::try_write(&self.core.send, &[IoSlice::new(buf)])
    }

    /// As [`try_write`](UnixStream::try_write), from several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; an earlier send's error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// let word = [&b"he"[..], &b"llo"[..]].map(std::io::IoSlice::new);
    /// assert_eq!(a.try_write_vectored(&word)?, 5);
    /// assert_eq!(&*b.recv().await?, b"hello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        send::try_write(&self.core.send, bufs)
    }
}
