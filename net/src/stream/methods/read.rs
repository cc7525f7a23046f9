//! What reads: `AsyncRead`, and what there is beside it.

/// Makes `$reader`, which is a `$stream` or a half of one, something that reads, from its receive
/// side. For a half, `$half` is the line that takes it from the stream `b`, and calls it `b`.
macro_rules! reads {
    ($stream:ident, $reader:ty, |$this:ident| $side:expr $(, $half:literal)?) => {
        const _: () = {
            use std::io::{self, IoSliceMut};
            use std::pin::Pin;
            use std::task::{Context, Poll};

            use bytes::BufMut;
            use henge_driver::home::Homed;
            use henge_driver::pool::RecvBuf;
            use tokio::io::{AsyncRead, ReadBuf};

            use $crate::stream::methods::ends::ends;
            use $crate::stream::recv::{self, RecvSide};

            impl $reader {
                #[inline]
                pub(super) fn recv_side(&self) -> &Homed<RecvSide> {
                    let $this = self;
                    $side
                }

                /// Receives without a copy: the bytes stay in the buffer that the kernel has put
                /// them into. Empty at the end of the stream.
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
                #[doc = ends!($stream $(, $half)?)]
                /// a.write_all(b"hello").await?;
                /// assert_eq!(&*b.recv().await?, b"hello");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn recv(&mut self) -> io::Result<RecvBuf> {
                    recv::recv(self.recv_side()).await
                }

                /// Waits until a read would return something, or the stream has ended. What comes
                /// is left in the socket: [`try_read`](Self::try_read) gets it, or any other read.
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
                #[doc = ends!($stream $(, $half)?)]
                /// a.write_all(b"hello").await?;
                /// b.readable().await?;
                /// assert_eq!(b.try_read(&mut [0; 8])?, 5);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn readable(&self) -> io::Result<()> {
                    recv::readable(self.recv_side()).await.map(drop)
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
                #[doc = ends!($stream $(, $half)?)]
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
                    recv::try_read(self.recv_side(), &mut [IoSliceMut::new(buf)])
                }

                /// As [`try_read`](Self::try_read), into several buffers, one after the other.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if there is nothing; what the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream $(, $half)?)]
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
                    recv::try_read(self.recv_side(), bufs)
                }

                /// As [`try_read`](Self::try_read), behind what is in `buf` already, as far as it
                /// has room.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if there is nothing; what the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream $(, $half)?)]
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
                    recv::try_read_buf(self.recv_side(), buf)
                }
            }

            impl AsyncRead for $reader {
                #[inline]
                fn poll_read(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    buf: &mut ReadBuf<'_>,
                ) -> Poll<io::Result<()>> {
                    recv::poll_read(self.recv_side(), cx, buf)
                }
            }
        };
    };
}

pub(crate) use reads;
