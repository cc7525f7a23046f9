//! Transfers at places that the caller names, of buffers that the kernel has meanwhile.

use std::future::Future;
use std::io;
use std::sync::Arc;

use henge_driver::buf::{self, IoBuf, IoBufMut};
use henge_driver::sys::file::now;
use henge_driver::{ops, submit};

use super::reading::{ReadAt, ReadExactAt};
use super::{File, LAST, beyond};
use crate::attempts;
use crate::call::proceed;

/// Any number of these may be under way at a time; the kernel may carry them out in any order. An
/// operation whose future is dropped may or may not take place; its buffer goes with it, once the
/// kernel has let go of it.
///
/// None of them moves the file's own position.
impl File {
    /// Reads at the byte `offset`, from the buffer's first byte up to its capacity. Returns how
    /// many bytes came, 0 at the end of the file, and the buffer.
    ///
    /// Fewer bytes than fit may come; at most some 2 GiB do. What has no places, as a pipe, is
    /// read where it stands.
    ///
    /// # Errors
    ///
    /// What the system answers, or `InvalidInput` for an offset beyond 2⁶³ - 1.
    ///
    /// # Cancel safety
    ///
    /// From a file nothing is lost but the buffer. From a pipe what was read is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::open("/dev/zero").await?;
    /// let (n, buf) = file.read_at(Vec::with_capacity(512), 0).await;
    /// assert_eq!(&buf[..n?], &[0; 512]);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_at<B: IoBufMut>(
        &self,
        buf: B,
        offset: u64,
    ) -> impl Future<Output = (io::Result<usize>, B)> {
        ReadAt::new(self, buf, offset)
    }

    /// As [`read_at`](File::read_at), until the buffer's capacity is full; a
    /// [`slice`](IoBuf::slice) of it limits that.
    ///
    /// # Errors
    ///
    /// As [`read_at`](File::read_at), and `UnexpectedEof` if the file ends before; the buffer
    /// holds what came until then.
    ///
    /// # Cancel safety
    ///
    /// As [`read_at`](File::read_at).
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::open("/dev/zero").await?;
    /// let (done, buf) = file.read_exact_at(vec![1; 100], 0).await;
    /// done?;
    /// assert_eq!(buf, [0; 100]);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_exact_at<B: IoBufMut>(
        &self,
        buf: B,
        offset: u64,
    ) -> impl Future<Output = (io::Result<()>, B)> {
        ReadExactAt::new(self, buf, offset, 1)
    }

    /// Writes the buffer's initialised bytes at the byte `offset`. Returns how many of them were
    /// written, and the buffer.
    ///
    /// Fewer than all may be written; at most some 2 GiB are. Where the file was opened to append,
    /// the offset has no effect.
    ///
    /// # Errors
    ///
    /// What the system answers, or `InvalidInput` for an offset beyond 2⁶³ - 1.
    ///
    /// # Cancel safety
    ///
    /// The bytes may be written, all, some or none.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::create("/dev/null").await?;
    /// let (n, buf) = file.write_at(vec![1, 2, 3], 0).await;
    /// assert_eq!((n?, buf), (3, vec![1, 2, 3]));
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_at<B: IoBuf>(&self, buf: B, offset: u64) -> (io::Result<usize>, B) {
        if offset > LAST {
            return (Err(beyond()), buf);
        }
        if (1..=attempts::MOST).contains(&buf.bytes_init()) {
            proceed().await;
            let write = || now::write(&self.fd, buf::bytes(&buf), offset);
            if let Some(n) = self.attempts.write(&self.fd, write) {
                return (Ok(n), buf);
            }
        }
        submit(ops::WriteAt::new(Arc::clone(&self.fd), buf, offset)).await
    }

    /// As [`write_at`](File::write_at), until all is written.
    ///
    /// # Errors
    ///
    /// As [`write_at`](File::write_at), and `WriteZero` if the system takes nothing more. Some
    /// of the bytes may have been written.
    ///
    /// # Cancel safety
    ///
    /// As [`write_at`](File::write_at).
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::create("/dev/null").await?;
    /// let (done, _buf) = file.write_all_at("all of it", 0).await;
    /// done?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_all_at<B: IoBuf>(&self, mut buf: B, offset: u64) -> (io::Result<()>, B) {
        let (mut done, total) = (0, buf.bytes_init());
        while done < total {
            let Some(at) = offset.checked_add(done as u64) else {
                return (Err(beyond()), buf);
            };
            let (result, part) = self.write_at(buf.slice(done..total), at).await;
            buf = part.into_inner();
            match result {
                Ok(0) => return (Err(io::ErrorKind::WriteZero.into()), buf),
                Ok(n) => done += n,
                Err(error) => return (Err(error), buf),
            }
        }
        (Ok(()), buf)
    }

    /// As [`read_at`](File::read_at), into several buffers, each to its capacity before the next;
    /// at most 1,024 of them are filled.
    ///
    /// # Errors
    ///
    /// As [`read_at`](File::read_at).
    ///
    /// # Cancel safety
    ///
    /// As [`read_at`](File::read_at).
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::open("/dev/zero").await?;
    /// let (n, bufs) = file.readv_at(vec![vec![1; 3], vec![1; 4]], 0).await;
    /// assert_eq!((n?, bufs), (7, vec![vec![0; 3], vec![0; 4]]));
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readv_at<B: IoBufMut>(
        &self,
        bufs: Vec<B>,
        offset: u64,
    ) -> (io::Result<usize>, Vec<B>) {
        if offset > LAST {
            return (Err(beyond()), bufs);
        }
        submit(ops::ReadVectoredAt::new(Arc::clone(&self.fd), bufs, offset)).await
    }

    /// As [`write_at`](File::write_at), of several buffers, one behind the other; at most 1,024
    /// of them are written.
    ///
    /// # Errors
    ///
    /// As [`write_at`](File::write_at).
    ///
    /// # Cancel safety
    ///
    /// As [`write_at`](File::write_at).
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::create("/dev/null").await?;
    /// let (n, _bufs) = file.writev_at(vec!["one", "two"], 0).await;
    /// assert_eq!(n?, 6);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writev_at<B: IoBuf>(
        &self,
        bufs: Vec<B>,
        offset: u64,
    ) -> (io::Result<usize>, Vec<B>) {
        if offset > LAST {
            return (Err(beyond()), bufs);
        }
        submit(ops::WriteVectoredAt::new(Arc::clone(&self.fd), bufs, offset)).await
    }
}
