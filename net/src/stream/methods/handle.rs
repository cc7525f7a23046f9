//! What a stream is beside its two directions: a socket, which may be taken elsewhere.

/// Makes `$stream`, whose core is a [`Stream`](crate::stream::core::Stream), a handle of a socket.
macro_rules! handle {
    ($stream:ident) => {
        const _: () = {
            use std::io;

            use henge_driver::Fd;
            use henge_driver::sys::socket;

            use $crate::stream::core::Stream;
            use $crate::stream::methods::ends::ends;

            impl $stream {
                pub(super) fn new(fd: Fd) -> $stream {
                    $stream { core: Stream::new(fd) }
                }

                fn fd(&self) -> &Fd {
                    self.core.fd()
                }

                /// Prepares the stream to be used on another shard or thread.
                ///
                /// It works without this, too: the first call over there then asks this shard to
                /// let go, and waits for its turn. Bytes that were received stay with the stream,
                /// and those that were written go out as they would have.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
                /// a.write_all(b"hello").await?;
                /// assert_eq!(b.read_u8().await?, b'h');
                /// // Another thread may have it now. Here is as good as there.
                /// b.let_go();
                /// let mut rest = [0; 4];
                /// b.read_exact(&mut rest).await?;
                /// assert_eq!(&rest, b"ello");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn let_go(&mut self) {
                    self.core.let_go();
                }

                /// The error that the socket has noted since the last call (`SO_ERROR`).
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
                /// assert!(a.take_error()?.is_none());
                /// # drop(b);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                    socket::take_error(self.fd())
                }
            }

            impl AsRef<Self> for $stream {
                fn as_ref(&self) -> &Self {
                    self
                }
            }
        };
    };
}

pub(crate) use handle;
