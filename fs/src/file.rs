//! An open file, read and written at places that the caller names.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::Arc;

use henge_driver::buf::{IoBuf, IoBufMut};
use henge_driver::{Fd, ops, submit};

use crate::{Metadata, OpenOptions};

/// An open file.
///
/// Any number of operations may be under way on it at a time; the kernel may carry them out in
/// any order. An operation whose future is dropped may or may not take place; its buffer goes with
/// it, once the kernel has let go of it.
///
/// # Panics
///
/// All asynchronous methods panic on a thread without a driver.
#[derive(Debug)]
pub struct File {
    /// Shared with the operations under way.
    fd: Arc<Fd>,
}

/// The largest place in a file that there is.
const LAST: u64 = i64::MAX as u64;

fn beyond() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "an offset beyond the largest file")
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// What the system answers, as for std's `File::open`.
    ///
    /// # Cancel safety
    ///
    /// A file that was opened for a future that is gone is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::open("/proc/self/stat").await?;
    /// # drop(file);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn open(path: impl AsRef<Path>) -> io::Result<File> {
        OpenOptions::new().read(true).open(path).await
    }

    /// Opens a file for writing: made if it does not exist, emptied if it does.
    ///
    /// # Errors
    ///
    /// What the system answers, as for std's `File::create`.
    ///
    /// # Cancel safety
    ///
    /// As [`open`](File::open); the file may have been made or emptied.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::create("/dev/null").await?;
    /// let (written, _buf) = file.write_at("into the void", 0).await;
    /// assert_eq!(written?, 13);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn create(path: impl AsRef<Path>) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).open(path).await
    }

    /// Options to open a file with.
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let null = henge_fs::File::options().read(true).write(true).open("/dev/null").await?;
    /// # drop(null);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    pub(crate) fn new(fd: Fd) -> File {
        File { fd: Arc::new(fd) }
    }

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
    pub async fn read_at<B: IoBufMut>(&self, buf: B, offset: u64) -> (io::Result<usize>, B) {
        if offset > LAST {
            return (Err(beyond()), buf);
        }
        submit(ops::ReadAt::new(Arc::clone(&self.fd), buf, offset)).await
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
    pub async fn read_exact_at<B: IoBufMut>(&self, mut buf: B, offset: u64) -> (io::Result<()>, B) {
        let (mut done, total) = (0, buf.bytes_total());
        while done < total {
            let Some(at) = offset.checked_add(done as u64) else {
                return (Err(beyond()), buf);
            };
            let (result, part) = self.read_at(buf.slice(done..total), at).await;
            buf = part.into_inner();
            match result {
                Ok(0) => return (Err(io::ErrorKind::UnexpectedEof.into()), buf),
                Ok(n) => done += n,
                Err(error) => return (Err(error), buf),
            }
        }
        (Ok(()), buf)
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
    /// let (n, bufs) = file.read_vectored_at(vec![vec![1; 3], vec![1; 4]], 0).await;
    /// assert_eq!((n?, bufs), (7, vec![vec![0; 3], vec![0; 4]]));
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn read_vectored_at<B: IoBufMut>(
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
    /// let (n, _bufs) = file.write_vectored_at(vec!["one", "two"], 0).await;
    /// assert_eq!(n?, 6);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_vectored_at<B: IoBuf>(
        &self,
        bufs: Vec<B>,
        offset: u64,
    ) -> (io::Result<usize>, Vec<B>) {
        if offset > LAST {
            return (Err(beyond()), bufs);
        }
        submit(ops::WriteVectoredAt::new(Arc::clone(&self.fd), bufs, offset)).await
    }

    /// Returns when all that was written before is on the device, metadata included.
    ///
    /// # Errors
    ///
    /// What the system answers; bytes that were written may then be lost.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost; whether the device has everything is not known.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// henge_fs::File::open(".").await?.sync_all().await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn sync_all(&self) -> io::Result<()> {
        submit(ops::Fsync::new(Arc::clone(&self.fd), false)).await
    }

    /// As [`sync_all`](File::sync_all), but only as much metadata as is needed to read the bytes
    /// back.
    ///
    /// # Errors
    ///
    /// As [`sync_all`](File::sync_all).
    ///
    /// # Cancel safety
    ///
    /// As [`sync_all`](File::sync_all).
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// henge_fs::File::open(".").await?.sync_data().await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn sync_data(&self) -> io::Result<()> {
        submit(ops::Fsync::new(Arc::clone(&self.fd), true)).await
    }

    /// Cuts the file to `len` bytes, or lengthens it with zeros. The file must be open for writing.
    ///
    /// # Errors
    ///
    /// What the system answers; `InvalidInput` for a file that is not open for writing, and for any
    /// before Linux 6.9, which has no such operation.
    ///
    /// # Cancel safety
    ///
    /// The length may be set or not.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # henge_driver::Driver::new()?.block_on(async {
    /// henge_fs::File::create("log").await?.set_len(1 << 20).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn set_len(&self, len: u64) -> io::Result<()> {
        if len > LAST {
            return Err(beyond());
        }
        submit(ops::Truncate::new(Arc::clone(&self.fd), len)).await
    }

    /// What is known of the file.
    ///
    /// # Errors
    ///
    /// What the system answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// assert!(henge_fs::File::open(".").await?.metadata().await?.is_dir());
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn metadata(&self) -> io::Result<Metadata> {
        submit(ops::Stat::new(Arc::clone(&self.fd))).await.map(Metadata::new)
    }

    /// Closes the file, and says what went wrong with what was written.
    ///
    /// Where operations are still under way whose futures were dropped, the last of them closes
    /// it, and this returns at once.
    ///
    /// # Errors
    ///
    /// What the system answers. The file is closed all the same.
    ///
    /// # Cancel safety
    ///
    /// The file is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// henge_fs::File::open("/dev/null").await?.close().await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn close(self) -> io::Result<()> {
        match Arc::try_unwrap(self.fd) {
            Ok(fd) => submit(ops::Close::new(fd)).await,
            Err(_shared) => Ok(()),
        }
    }
}

impl From<OwnedFd> for File {
    /// A file that was opened otherwise.
    fn from(fd: OwnedFd) -> File {
        File::new(Fd::from(fd))
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}
