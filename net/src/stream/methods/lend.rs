//! Transfers between the kernel and a buffer of the caller's.

/// Gives a stream the methods that lend the caller's buffer to the kernel.
macro_rules! lends {
    ($stream:ident) => {
        const _: () = {
            use std::io;

            use henge_driver::buf::{IoBuf, IoBufMut};

            use $crate::stream::methods::ends::ends;
            use $crate::stream::{recv, send};

            impl $stream {
                /// Reads into `buffer`, which the kernel fills itself, from its first byte on, up
                /// to its capacity. Returns how much, 0 at the end of the stream, and the buffer.
                ///
                /// # Errors
                ///
                /// What the kernel answers; the buffer comes back all the same.
                ///
                /// # Cancel safety
                ///
                /// The buffer is lost with the future; what was received into it is not: the next
                /// read gets it.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
                /// a.write_all(b"hello").await?;
                /// let (n, buffer) = b.read_owned(Vec::with_capacity(16)).await;
                /// assert_eq!(&buffer[..n?], b"hello");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn read_owned<B: IoBufMut>(
                    &mut self,
                    buffer: B,
                ) -> (io::Result<usize>, B) {
                    recv::read_owned(&self.core.recv, buffer).await
                }

                /// Writes all of `buffer`, which the kernel reads itself, and returns it.
                ///
                /// # Errors
                ///
                /// What the kernel answers; the buffer comes back all the same.
                ///
                /// # Cancel safety
                ///
                /// What the kernel had begun to send is sent whole; the buffer is lost with the
                /// future.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
                /// let (done, _buffer) = a.write_all_owned(b"hello".to_vec()).await;
                /// done?;
                /// assert_eq!(&*b.recv().await?, b"hello");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn write_all_owned<B: IoBuf>(
                    &mut self,
                    buffer: B,
                ) -> (io::Result<()>, B) {
                    send::write_all_owned(&self.core.send, buffer).await
                }

                /// As [`write_all_owned`](Self::write_all_owned), and returns how much was written:
                /// all.
                ///
                /// # Errors
                ///
                /// What the kernel answers; the buffer comes back all the same.
                ///
                /// # Cancel safety
                ///
                /// As [`write_all_owned`](Self::write_all_owned).
                ///
                /// # Examples
                ///
                /// ```
                #[doc = ends!($stream)]
                /// let (n, buffer) = a.write_owned(b"hello".to_vec()).await;
                /// assert_eq!(n?, buffer.len());
                /// assert_eq!(&*b.recv().await?, b"hello");
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn write_owned<B: IoBuf>(&mut self, buffer: B) -> (io::Result<usize>, B) {
                    let len = buffer.bytes_init();
                    let (done, buffer) = send::write_all_owned(&self.core.send, buffer).await;
                    (done.map(|()| len), buffer)
                }
            }
        };
    };
}

pub(crate) use lends;
