//! Receiving, and being told from whom.

/// Gives a socket of datagrams the methods that tell the sender's `$address` with a datagram.
macro_rules! receives_from {
    ($socket:ident, $address:ty) => {
        const _: () = {
            use std::io;
            use std::task::{Context, Poll, ready};

            use bytes::BufMut;
            use henge_driver::Fd;
            use henge_driver::sys::datagram;
            use tokio::io::ReadBuf;

            use $crate::addr::OfSocket;
            use $crate::datagram::pair::{sent, sent_by_a};
            use $crate::datagram::{RECEIVES, named, recv_buf_from};
            use $crate::readiness::Interest;

            impl $socket {
                /// Receives a datagram into `buf`, and says how long it is, and whom it is from.
                /// What it does not have room for is lost.
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
                #[doc = sent!($socket)]
                /// let (n, from) = b.recv_from(&mut [0; 8]).await?;
                /// assert_eq!(n, 5);
                #[doc = sent_by_a!($socket)]
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, $address)> {
                    let receive = |fd: &Fd| datagram::recv_from_now(fd, buf, false);
                    named(self.core.io(RECEIVES, receive).await)
                }

                /// As [`recv_from`](Self::recv_from), for the one task that receives: only the one
                /// that called last is woken.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = sent!($socket)]
                /// # use tokio::io::ReadBuf;
                /// let mut room = [0; 8];
                /// let mut word = ReadBuf::new(&mut room);
                /// let from = std::future::poll_fn(|cx| b.poll_recv_from(cx, &mut word)).await?;
                /// assert_eq!(word.filled(), b"hello");
                #[doc = sent_by_a!($socket)]
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn poll_recv_from(
                    &self,
                    cx: &mut Context<'_>,
                    buf: &mut ReadBuf<'_>,
                ) -> Poll<io::Result<$address>> {
                    let receive =
                        |fd: &Fd| datagram::recv_from_now(fd, buf.initialize_unfilled(), false);
                    let (n, from) = ready!(self.core.poll_read(cx, receive))?;
                    buf.advance(n);
                    Poll::Ready(OfSocket::from_kernel(from))
                }

                /// As [`recv_from`](Self::recv_from), without waiting.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if there is none; what the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = sent!($socket)]
                /// b.readable().await?;
                /// let (n, from) = b.try_recv_from(&mut [0; 8])?;
                /// assert_eq!(n, 5);
                #[doc = sent_by_a!($socket)]
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, $address)> {
                    let receive = |fd: &Fd| datagram::recv_from_now(fd, buf, false);
                    named(self.core.try_io(Interest::READABLE, receive))
                }

                /// As [`recv_from`](Self::recv_from), behind what is in `buf` already, as far as it
                /// has room without growing.
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
                #[doc = sent!($socket)]
                /// let mut word = Vec::with_capacity(8);
                /// let (_n, from) = b.recv_buf_from(&mut word).await?;
                /// assert_eq!(word, b"hello");
                #[doc = sent_by_a!($socket)]
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn recv_buf_from<B: BufMut>(
                    &self,
                    buf: &mut B,
                ) -> io::Result<(usize, $address)> {
                    named(self.core.io(RECEIVES, |fd| recv_buf_from(fd, buf)).await)
                }

                /// As [`recv_buf_from`](Self::recv_buf_from), without waiting.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if there is none; what the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = sent!($socket)]
                /// b.readable().await?;
                /// let mut word = Vec::with_capacity(8);
                /// let (_n, from) = b.try_recv_buf_from(&mut word)?;
                /// assert_eq!(word, b"hello");
                #[doc = sent_by_a!($socket)]
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn try_recv_buf_from<B: BufMut>(
                    &self,
                    buf: &mut B,
                ) -> io::Result<(usize, $address)> {
                    named(self.core.try_io(Interest::READABLE, |fd| recv_buf_from(fd, buf)))
                }
            }
        };
    };
}

pub(crate) use receives_from;
