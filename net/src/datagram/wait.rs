//! Waiting for a socket to be ready, and transfers of the caller's own.

/// Gives a socket of datagrams the methods that wait until it is ready.
macro_rules! waits {
    ($socket:ident) => {
        const _: () = {
            use std::io;

            use $crate::datagram::pair::pair;
            use $crate::readiness::{Interest, Ready};

            impl $socket {
                /// Waits until the socket is ready for something of `interest`, and says for what.
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
                /// use henge_net::readiness::Interest;
                ///
                /// let ready = a.ready(Interest::READABLE | Interest::WRITABLE).await?;
                /// assert!(ready.is_writable());
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                    self.core.ready(interest).await
                }

                /// Runs `f`, which is to transfer by calls of its own on the descriptor, if that is
                /// known to be ready. If it answers `WouldBlock`, the socket is not known to be
                /// ready any more.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if it is not known to be ready; what `f` answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = pair!($socket)]
                /// use henge_driver::sys::socket;
                /// use henge_net::readiness::Interest;
                ///
                /// a.send(b"hello").await?;
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
                    self.core.try_known(interest, f)
                }

                /// Repeats `f`, each time when the socket is ready, until it answers something else
                /// than `WouldBlock`.
                ///
                /// # Errors
                ///
                /// What `f` answers.
                ///
                /// # Cancel safety
                ///
                /// `f` is not interrupted, and not called again after the future is dropped.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = pair!($socket)]
                /// use henge_driver::sys::socket;
                /// use henge_net::readiness::Interest;
                ///
                /// a.send(b"hello").await?;
                /// let receive = || socket::recv_now(&b, &mut [0; 8]);
                /// let n = b.async_io(Interest::READABLE, receive).await?;
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
        };
    };
}

pub(crate) use waits;
