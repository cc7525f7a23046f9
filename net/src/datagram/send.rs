//! Sending to the peer that a socket is connected to.

/// Gives a socket of datagrams the methods that send to its peer.
macro_rules! sends {
    ($socket:ident) => {
        const _: () = {
            use std::io;
            use std::task::{Context, Poll};

            use henge_driver::sys::socket;

            use $crate::datagram::pair::pair;
            use $crate::readiness::Interest;
            use $crate::readiness::source::Who;

            impl $socket {
                /// Waits until there is room to send.
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
                /// a.writable().await?;
                /// assert_eq!(a.try_send(b"hello")?, 5);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn writable(&self) -> io::Result<()> {
                    self.ready(Interest::WRITABLE).await.map(drop)
                }

                /// As [`writable`](Self::writable), for the one task that sends: only the one that
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
                /// std::future::poll_fn(|cx| a.poll_send_ready(cx)).await?;
                /// assert_eq!(a.try_send(b"hello")?, 5);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    self.core.poll_ready(cx, Who::Writer, Interest::WRITABLE)
                }

                /// Sends a datagram to the one whom the socket is connected to.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Cancel safety
                ///
                /// A datagram is either sent or not.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = pair!($socket)]
                /// assert_eq!(a.send(b"hello").await?, 5);
                /// let mut word = [0; 8];
                /// assert_eq!(b.recv(&mut word).await?, 5);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
                    self.core.io(Interest::WRITABLE, |fd| socket::send_now(fd, buf)).await
                }

                /// As [`send`](Self::send), for the one task that sends: only the one that called
                /// last is woken.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = pair!($socket)]
                /// assert_eq!(std::future::poll_fn(|cx| a.poll_send(cx, b"hello")).await?, 5);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn poll_send(
                    &self,
                    cx: &mut Context<'_>,
                    buf: &[u8],
                ) -> Poll<io::Result<usize>> {
                    self.core.poll_write(cx, |fd| socket::send_now(fd, buf))
                }

                /// As [`send`](Self::send), without waiting.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if there is no room; what the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = pair!($socket)]
                /// assert_eq!(a.try_send(b"hello")?, 5);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
                    self.core.try_io(Interest::WRITABLE, |fd| socket::send_now(fd, buf))
                }
            }
        };
    };
}

pub(crate) use sends;
