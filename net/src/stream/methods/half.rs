//! What a half of a stream has beside its direction.

/// Gives `$half`, a half of a `$stream`, its addresses and its descriptor, and lets it wait until
/// it is ready.
///
/// In the examples `$made` takes `half` from the stream `b`, and it is waited for `$interest`.
macro_rules! half {
    (
        $stream:ident, $half:ty, $made:literal,
        address: $address:ty, |$this:ident| $fd:expr,
        ready: $interest:literal, |$waiting:ident, $asked:ident| $ready:expr $(,)?
    ) => {
        const _: () = {
            use std::io;
            use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

            use $crate::addr::OfSocket;
            use $crate::readiness::{Interest, Ready};
            use $crate::stream::methods::ends::{addresses, ends};

            impl $half {
                /// Waits until this half is ready for something of `interest`, and says for what;
                #[doc = concat!("see [`", stringify!($stream), "::ready`].")]
                ///
                /// # Errors
                ///
                #[doc = concat!("As [`", stringify!($stream), "::ready`].")]
                ///
                /// # Cancel safety
                ///
                /// Nothing is lost.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream, $made)]
                /// use henge_net::readiness::Interest;
                ///
                /// a.write_all(b"hello").await?;
                #[doc = concat!("let ready = half.ready(Interest::", $interest, ").await?;")]
                /// assert!(!ready.is_empty());
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                    let ($waiting, $asked) = (self, interest);
                    $ready.await
                }

                /// The address of the other end.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream, $made)]
                #[doc = addresses!($stream)]
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn peer_addr(&self) -> io::Result<$address> {
                    let $this = self;
                    OfSocket::of_peer($fd)
                }

                /// The address of this end.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream, $made)]
                #[doc = addresses!($stream)]
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn local_addr(&self) -> io::Result<$address> {
                    let $this = self;
                    OfSocket::of($fd)
                }
            }

            impl AsFd for $half {
                fn as_fd(&self) -> BorrowedFd<'_> {
                    let $this = self;
                    AsFd::as_fd($fd)
                }
            }

            impl AsRawFd for $half {
                fn as_raw_fd(&self) -> RawFd {
                    let $this = self;
                    AsRawFd::as_raw_fd($fd)
                }
            }
        };
    };
}

pub(crate) use half;
