//! Receiving, whoever has sent it.

/// Gives a socket of datagrams the methods that receive.
macro_rules! receives {
    ($socket:ident) => {
        const _: () = {
            use std::io;
            use std::task::{Context, Poll, ready};

            use bytes::BufMut;
            use henge_driver::sys::socket;
            use tokio::io::ReadBuf;

            use $crate::datagram::pair::pair;
            use $crate::datagram::{RECEIVES, recv_buf};
            use $crate::readiness::Interest;
            use $crate::readiness::source::Who;

            impl $socket {
                /// Waits until there is something to receive.
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
                #[doc = pair!($socket)]
                /// a.send(b"hello").await?;
                /// b.readable().await?;
                /// assert_eq!(b.try_recv(&mut [0; 8])?, 5);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn readable(&self) -> io::Result<()> {
                    self.ready(Interest::READABLE).await.map(drop)
                }

                /// As [`readable`](Self::readable), for the one task that receives: only the one
                /// that called last is woken.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = pair!($socket)]
                /// a.send(b"hello").await?;
                /// std::future::poll_fn(|cx| b.poll_recv_ready(cx)).await?;
                /// assert_eq!(b.try_recv(&mut [0; 8])?, 5);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    self.core.poll_ready(cx, Who::Reader, Interest::READABLE)
                }

                /// Receives a datagram into `buf`, and says how long it is. What it does not have
                /// room for is lost.
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
                #[doc = pair!($socket)]
                /// a.send(b"hello").await?;
                /// let mut word = [0; 8];
                /// let n = b.recv(&mut word).await?;
                /// assert_eq!(&word[..n], b"hello");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
                    self.core.io(RECEIVES, |fd| socket::recv_now(fd, buf)).await
                }

                /// As [`recv`](Self::recv), for the one task that receives: only the one that
                /// called last is woken.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = pair!($socket)]
                /// use tokio::io::ReadBuf;
                ///
                /// a.send(b"hello").await?;
                /// let mut room = [0; 8];
                /// let mut word = ReadBuf::new(&mut room);
                /// std::future::poll_fn(|cx| b.poll_recv(cx, &mut word)).await?;
                /// assert_eq!(word.filled(), b"hello");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn poll_recv(
                    &self,
                    cx: &mut Context<'_>,
                    buf: &mut ReadBuf<'_>,
                ) -> Poll<io::Result<()>> {
                    let n = ready!(
                        self.core
                            .poll_read(cx, |fd| socket::recv_now(fd, buf.initialize_unfilled()))
                    )?;
                    buf.advance(n);
                    Poll::Ready(Ok(()))
                }

                /// As [`recv`](Self::recv), without waiting.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if there is none; what the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = pair!($socket)]
                /// assert!(b.try_recv(&mut [0; 8]).is_err());
                /// a.send(b"hello").await?;
                /// b.readable().await?;
                /// assert_eq!(b.try_recv(&mut [0; 8])?, 5);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
                    self.core.try_io(Interest::READABLE, |fd| socket::recv_now(fd, buf))
                }

                /// As [`recv`](Self::recv), behind what is in `buf` already, as far as it has room
                /// without growing.
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
                #[doc = pair!($socket)]
                /// a.send(b"hello").await?;
                /// let mut word = Vec::with_capacity(8);
                /// b.recv_buf(&mut word).await?;
                /// assert_eq!(word, b"hello");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                    self.core.io(RECEIVES, |fd| recv_buf(fd, buf)).await
                }

                /// As [`recv_buf`](Self::recv_buf), without waiting.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if there is none; what the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = pair!($socket)]
                /// a.send(b"hello").await?;
                /// b.readable().await?;
                /// let mut word = Vec::with_capacity(8);
                /// assert_eq!(b.try_recv_buf(&mut word)?, 5);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                    self.core.try_io(Interest::READABLE, |fd| recv_buf(fd, buf))
                }
            }
        };
    };
}

pub(crate) use receives;
