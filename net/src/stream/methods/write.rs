//! What writes: `AsyncWrite`, and what there is beside it.

/// Makes `$writer`, which is a `$stream` or a half of one, something that writes, to its send side.
/// For a half, `$half` is the line that takes it from the stream `a`, and calls it `a`.
macro_rules! writes {
    ($stream:ident, $writer:ty, |$this:ident| $side:expr $(, $half:literal)?) => {
        const _: () = {
            use std::io::{self, IoSlice};
            use std::ops::Range;
            use std::os::fd::AsFd;
            use std::pin::Pin;
            use std::task::{Context, Poll};

            use henge_driver::home::Homed;
            use tokio::io::AsyncWrite;

            use $crate::stream::methods::ends::ends;
            use $crate::stream::send::{self, SendSide};

            impl $writer {
                #[inline]
                fn send_side(&self) -> &Homed<SendSide> {
                    let $this = self;
                    $side
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
                #[doc = ends!($stream $(, $half)?)]
                /// a.writable().await?;
                /// a.try_write(b"hello")?;
                /// assert_eq!(b.read_u8().await?, b'h');
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn writable(&self) -> io::Result<()> {
                    send::writable(self.send_side()).await.map(drop)
                }

                /// Sends what there is room for, without waiting: it is with the kernel when this
                /// returns.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if there is none, or if what was written before has not left the
                /// queue; an earlier send's error.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream $(, $half)?)]
                /// assert_eq!(a.try_write(b"hello")?, 5);
                /// assert_eq!(&*b.recv().await?, b"hello");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                    send::try_write(self.send_side(), &[IoSlice::new(buf)])
                }

                /// As [`try_write`](Self::try_write), from several buffers, one after the other.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if there is none; an earlier send's error.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream $(, $half)?)]
                /// let word = [&b"he"[..], &b"llo"[..]].map(std::io::IoSlice::new);
                /// assert_eq!(a.try_write_vectored(&word)?, 5);
                /// assert_eq!(&*b.recv().await?, b"hello");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                    send::try_write(self.send_side(), bufs)
                }

                /// Sends the bytes of `range` of a file, behind what was written before, and
                /// returns how many that was: fewer if the file ends, or is cut meanwhile, before
                /// the end of `range`.
                ///
                /// What the kernel has in memory is not copied (it is `sendfile`): what is written
                /// to the file before the peer has it may be what the peer gets. What is not in
                /// memory the ring reads, so nobody but the caller waits for the device. When the
                /// future is ready the kernel has everything. `file` is whatever has a descriptor;
                /// its own position stays where it is.
                ///
                /// # Errors
                ///
                /// `NotSeekable` if it is no file; `BrokenPipe`, without a signal, if the peer is
                /// gone; what the kernel answers. How much has been sent then is not known, as
                /// after a `write_all`.
                ///
                /// # Cancel safety
                ///
                /// Nothing is lost between file and socket, and what is written afterwards comes
                /// behind what has been sent. How much that was is not known, as with a
                /// `write_all`: who wants to go on later sends small ranges, one by one.
                ///
                /// # Panics
                ///
                /// On a thread without a driver, if the file has to be waited for.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream $(, $half)?)]
                /// let file = std::fs::File::open("/proc/self/exe")?;
                /// assert_eq!(a.send_file(&file, 1..4).await?, 3);
                /// assert_eq!(&*b.recv().await?, b"ELF");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn send_file(
                    &mut self,
                    file: &(impl AsFd + ?Sized),
                    range: Range<u64>,
                ) -> io::Result<u64> {
                    send::send_file(self.send_side(), file.as_fd(), range).await
                }
            }

            impl AsyncWrite for $writer {
                #[inline]
                fn poll_write(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    buf: &[u8],
                ) -> Poll<io::Result<usize>> {
                    send::poll_write(self.send_side(), cx, buf)
                }

                #[inline]
                fn poll_write_vectored(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    bufs: &[IoSlice<'_>],
                ) -> Poll<io::Result<usize>> {
                    send::poll_write_vectored(self.send_side(), cx, bufs)
                }

                fn is_write_vectored(&self) -> bool {
                    true
                }

                #[inline]
                fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    send::poll_flush(self.send_side(), cx)
                }

                fn poll_shutdown(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                ) -> Poll<io::Result<()>> {
                    send::poll_shutdown(self.send_side(), cx)
                }
            }
        };
    };
}

pub(crate) use writes;
