//! Looking at what comes without taking it.

use std::io;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use super::owned::OwnedReadHalf;
use super::split::ReadHalf;
use super::stream::TcpStream;
use crate::stream::methods::ends::ends;
use crate::stream::recv;

impl TcpStream {
    /// Copies what comes next, and leaves it to be read.
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// a.write_all(b"hello").await?;
    /// let mut word = [0; 5];
    /// b.peek(&mut word).await?;
    /// assert!(word.starts_with(b"h"));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        recv::peek(self.recv_side(), buf).await
    }

    /// As [`peek`](TcpStream::peek), for the one task that reads: only the one that called last is
    /// woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
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
    /// # use tokio::io::ReadBuf;
    /// a.write_all(b"hello").await?;
    /// let mut room = [0; 5];
    /// let mut word = ReadBuf::new(&mut room);
    /// std::future::poll_fn(|cx| b.poll_peek(cx, &mut word)).await?;
    /// assert!(word.filled().starts_with(b"h"));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        recv::poll_peek(self.recv_side(), cx, buf)
    }
}

/// As in tokio, the halves borrow themselves exclusively for it.
macro_rules! peeks {
    ($reader:ty, $half:literal) => {
        impl $reader {
            /// Copies what comes next, and leaves it to be read. See [`TcpStream::peek`].
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
            #[doc = ends!(TcpStream, $half)]
            /// a.write_all(b"hello").await?;
            /// let mut word = [0; 5];
            /// b.peek(&mut word).await?;
            /// assert!(word.starts_with(b"h"));
            /// # std::io::Result::Ok(())
            /// # })??;
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                recv::peek(self.recv_side(), buf).await
            }

            /// As [`peek`](Self::peek), for the one task that reads: only the one that called
            /// last is woken.
            ///
            /// # Errors
            ///
            /// What the kernel answers.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = ends!(TcpStream, $half)]
            /// # use tokio::io::ReadBuf;
            /// a.write_all(b"hello").await?;
            /// let mut room = [0; 5];
            /// let mut word = ReadBuf::new(&mut room);
            /// std::future::poll_fn(|cx| b.poll_peek(cx, &mut word)).await?;
            /// assert!(word.filled().starts_with(b"h"));
            /// # std::io::Result::Ok(())
            /// # })??;
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub fn poll_peek(
                &mut self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<usize>> {
                recv::poll_peek(self.recv_side(), cx, buf)
            }
        }
    };
}

peeks!(ReadHalf<'_>, "let (mut b, _write) = b.split();");
peeks!(OwnedReadHalf, "let (mut b, _write) = b.into_split();");
