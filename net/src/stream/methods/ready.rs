//! Waiting for a stream to be ready, and transfers of the caller's own.

/// Gives a stream the methods that wait until it is ready.
macro_rules! readies {
    ($stream:ident) => {
        const _: () = {
            use std::io;
            use std::task::{Context, Poll};

            use $crate::readiness::{Interest, Ready};
            use $crate::stream::methods::ends::ends;
            use $crate::stream::{recv, send};

            impl $stream {
                /// Waits until the stream is ready for something of `interest`, and says for what:
                /// also whether a direction has ended.
                ///
                /// # Errors
                ///
                /// `InvalidInput` for an interest that is neither in reading nor in writing; what
                /// the kernel answers.
                ///
                /// # Cancel safety
                ///
                /// Nothing is lost.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
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

                /// As [`readable`](Self::readable), for the one task that reads: only the one that
                /// called last is woken.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
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

                /// As [`writable`](Self::writable), for the one task that writes: only the one that
                /// called last is woken.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
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

                /// Runs `io`, which is to transfer by calls of its own on the descriptor, if it
                /// overtakes nothing: for writing, what has been written must have left the queue;
                /// for reading, a receive in flight ends first. The descriptor is non-blocking from
                /// then on.
                ///
                /// `io` should answer `WouldBlock` only if the descriptor did.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if `io` would overtake something, in which case it is not called,
                /// or if it says so; an error of its own kind if bytes wait that a read through
                /// this stream has brought; what `io` answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
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

                /// Repeats [`try_io`](Self::try_io), each time when the stream is ready, until it
                /// answers something else than `WouldBlock`.
                ///
                /// # Errors
                ///
                /// As [`try_io`](Self::try_io), but for `WouldBlock`.
                ///
                /// # Cancel safety
                ///
                /// That of `io`: it is not interrupted, and not called again after the future is
                /// dropped.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
                /// use henge_driver::sys::socket;
                /// use henge_net::readiness::Interest;
                ///
                /// a.write_all(b"hello").await?;
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

pub(crate) use readies;
