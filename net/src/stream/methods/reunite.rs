//! Halves that own their stream together: how they come of it, and become it again.

/// Lets a `$stream` be split into an `OwnedReadHalf` and an `OwnedWriteHalf`, which are put
/// together again or, if they are of two streams, come back in a `ReuniteError`.
macro_rules! reunites {
    ($stream:ident) => {
        const _: () = {
            use std::error::Error;
            use std::fmt;

            use $crate::stream::core::Stream;
            use $crate::stream::methods::ends::ends;
            use $crate::stream::owned::{self, OwnedWrite};

            impl $stream {
                /// Splits into halves that own the stream together, for two tasks or two threads.
                /// Dropping the writing half ends the stream for the peer.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
                /// let (mut read, write) = b.into_split();
                /// drop(write);
                /// assert_eq!(a.read(&mut [0; 8]).await?, 0);
                /// a.write_all(b"still").await?;
                /// a.shutdown().await?;
                /// let mut rest = Vec::new();
                /// read.read_to_end(&mut rest).await?;
                /// assert_eq!(rest, b"still");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
                    let whole = || $stream { core: self.core.view() };
                    let wholes = (whole(), whole());
                    let Stream { recv, send } = self.core;
                    let read = OwnedReadHalf { recv, whole: wholes.0 };
                    (read, OwnedWriteHalf { write: OwnedWrite::new(send), whole: wholes.1 })
                }
            }

            /// The stream, for what is asked of it by `&self`. Of the other half's direction there
            /// is nothing more when that half was dropped.
            impl AsRef<$stream> for OwnedReadHalf {
                fn as_ref(&self) -> &$stream {
                    &self.whole
                }
            }

            /// The stream, for what is asked of it by `&self`. Of the other half's direction there
            /// is nothing more when that half was dropped.
            impl AsRef<$stream> for OwnedWriteHalf {
                fn as_ref(&self) -> &$stream {
                    &self.whole
                }
            }

            impl fmt::Debug for OwnedReadHalf {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_tuple("OwnedReadHalf").field(&self.whole).finish()
                }
            }

            impl fmt::Debug for OwnedWriteHalf {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_tuple("OwnedWriteHalf").field(&self.whole).finish()
                }
            }

            impl OwnedReadHalf {
                /// Puts the halves of a stream together again.
                ///
                /// # Errors
                ///
                /// Both halves, if they are of two streams.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
                /// let (read, write) = b.into_split();
                /// let b = read.reunite(write).unwrap();
                /// # let _ = (&mut a, b);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn reunite(self, other: OwnedWriteHalf) -> Result<$stream, ReuniteError> {
                    let (read, written) = (self.whole, other.whole);
                    match owned::reunite(self.recv, other.write) {
                        Ok(core) => Ok($stream { core }),
                        Err((recv, write)) => Err(ReuniteError(
                            OwnedReadHalf { recv, whole: read },
                            OwnedWriteHalf { write, whole: written },
                        )),
                    }
                }
            }

            impl OwnedWriteHalf {
                /// Puts the halves of a stream together again.
                ///
                /// # Errors
                ///
                /// Both halves, if they are of two streams.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
                /// let (read, write) = b.into_split();
                /// let b = write.reunite(read).unwrap();
                /// # let _ = (&mut a, b);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn reunite(self, other: OwnedReadHalf) -> Result<$stream, ReuniteError> {
                    other.reunite(self)
                }

                /// Gives the half up without ending the stream for the peer. What is queued is
                /// sent.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
                /// let (mut read, write) = b.into_split();
                /// write.forget();
                /// a.write_all(b"hello").await?;
                /// assert_eq!(read.read_u8().await?, b'h');
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn forget(self) {
                    self.write.forget();
                }
            }

            impl fmt::Display for ReuniteError {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("tried to reunite halves that are not from the same socket")
                }
            }

            impl Error for ReuniteError {}
        };
    };
}

pub(crate) use reunites;
