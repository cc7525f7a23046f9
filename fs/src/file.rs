//! An open file.

mod attributes;
mod cursor;
mod positional;
mod ranges;
#[allow(unsafe_code, reason = "whoever gives a number away vouches for it")]
mod raw;
pub(crate) mod reading;
mod stream;
mod write_behind;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::Arc;

use henge_driver::sys::file::{StdFile, blocking};
use henge_driver::{Fd, ops, submit};

use self::cursor::{Cursor, poll_idle};
use crate::OpenOptions;
use crate::attempts::Attempts;
use crate::loom::sync::Mutex;

/// The largest place in a file that there is.
const LAST: u64 = i64::MAX as u64;

/// What the reader's and writer's traits move at once at most, unless something else is set.
const MOST_BUFFERED: usize = 2 << 20;

fn beyond() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "an offset beyond the largest file")
}

/// An open file: tokio's `File`, and beside it transfers at offsets that the caller names.
///
/// # Reading and writing at the file's position
///
/// Through [`AsyncRead`](tokio::io::AsyncRead), [`AsyncWrite`](tokio::io::AsyncWrite) and
/// [`AsyncSeek`](tokio::io::AsyncSeek) one transfer at a time is under way, at the position that
/// the file has in the kernel and shares with its clones. What is in memory is moved at once; else
/// up to [`max_buf_size`](File::max_buf_size) bytes go by way of a buffer.
///
/// - *Reading.* A read whose future is dropped loses nothing: what comes is kept for the next one.
/// - *Writing.* A write is done when the bytes have been taken, not when the kernel has them; they
///   are written even if the file is dropped. What a regular file takes while earlier bytes are on
///   their way gathers, up to 256 KiB (or [`max_buf_size`](File::max_buf_size), if that is less),
///   and is written by one call; where each write is an order, as in `/proc`, `/sys` and control
///   groups, each is a call of its own. `flush` waits until the kernel has them all, and so
///   do `shutdown` and the methods of `File` that say so. **A program that ends without it may
///   lose the last bytes**, and the error that says so. Whoever looks at the file by its name
///   finds what was taken: what this crate opens, reads, copies or tells by a name waits for what
///   is on its way into that file, wherever in the process it was taken. A file that is open
///   already is read as it is, and so is it by std and by other processes.
/// - *Errors.* Where a write fails that was taken already, the next write or flush says so, once;
///   how many of its bytes were written is not known, and what had gathered behind it is not
///   written. A read or a seek between them does not see it.
///
/// # Transfers at offsets
///
/// [`read_at`](File::read_at), [`write_at`](File::write_at) and their like take buffers by value
/// and leave the file's position alone. Any number of them may be under way at a time.
///
/// # Clones
///
/// The position is the open file's, and clones share it; transfers at the position at the same
/// time by two clones may read the same bytes, or write over one another's.
///
/// # Dropping
///
/// Dropping a file closes it in the calling thread once the last operation on it has ended, without
/// waiting for that; [`close`](File::close) waits, and says what went wrong.
///
/// # Panics
///
/// All asynchronous methods panic on a thread without a driver, unless they say that they need
/// none; the traits return an error there.
///
/// # Examples
///
/// ```
/// use henge_fs::File;
/// use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
///
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-file-{}", std::process::id()));
/// let mut file = File::create_new(path).await?;
/// file.write_all(b"hello, disk").await?;
/// file.rewind().await?;
/// let mut text = String::new();
/// file.read_to_string(&mut text).await?;
/// let (read, word) = file.read_exact_at(vec![0; 4], 7).await; // the position stays
/// read?;
/// assert_eq!((text.as_str(), &word[..]), ("hello, disk", &b"disk"[..]));
/// file.close().await?;
/// # henge_fs::remove_file(path).await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct File {
    /// Shared with the operations under way.
    fd: Arc<Fd>,
    attempts: Attempts,
    cursor: Mutex<Cursor>,
    max_buf_size: usize,
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
    /// use tokio::io::AsyncReadExt;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let mut file = henge_fs::File::open("/proc/self/stat").await?;
    /// let mut text = String::new();
    /// file.read_to_string(&mut text).await?;
    /// assert!(text.starts_with(&std::process::id().to_string()));
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

    /// Makes a file, which must not exist, and opens it for reading and writing.
    ///
    /// # Errors
    ///
    /// What the system answers; `AlreadyExists` for anything that is there, a dangling symbolic
    /// link too.
    ///
    /// # Cancel safety
    ///
    /// As [`open`](File::open); the file may have been made.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let taken = henge_fs::File::create_new("/dev/null").await;
    /// assert_eq!(taken.unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn create_new<P: AsRef<Path>>(path: P) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path).await
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
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    pub(crate) fn new(fd: Fd, attempts: Attempts) -> File {
        File {
            fd: Arc::new(fd),
            attempts,
            cursor: Mutex::new(Cursor::new()),
            max_buf_size: MOST_BUFFERED,
        }
    }

    pub(crate) fn fd(&self) -> &Arc<Fd> {
        &self.fd
    }

    /// A file that std has opened. Needs no driver.
    ///
    /// ```
    /// let file = henge_fs::File::from_std(std::fs::File::open("/dev/null")?);
    /// # drop(file);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_std(std: StdFile) -> File {
        File::from(OwnedFd::from(std))
    }

    /// The file as std's, once nothing is under way at its position. What was read ahead of a
    /// dropped read is given back: the position is where the reader believes it to be, except in
    /// pipes and their like, which have none.
    ///
    /// # Cancel safety
    ///
    /// The file is closed, as if it had been dropped.
    ///
    /// # Panics
    ///
    /// If transfers at offsets are under way whose futures were dropped, and the descriptor cannot
    /// be duplicated because the process has too many.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::open("/dev/null").await?;
    /// assert!(!file.into_std().await.metadata()?.is_dir());
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn into_std(mut self) -> StdFile {
        self.idle().await;
        let (fd, cursor) = self.parts();
        // What has no position has nothing to go back to.
        drop(cursor.step_back(fd));
        let fd =
            Arc::try_unwrap(self.fd).unwrap_or_else(|shared| match blocking::duplicate(&shared) {
                Ok(fd) => fd,
                Err(error) => panic!("no descriptor beside the one that operations hold: {error}"),
            });
        StdFile::from(OwnedFd::from(fd))
    }

    /// The file as std's, if nothing is under way. Needs no driver.
    ///
    /// # Errors
    ///
    /// The file itself, if an operation is under way.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::open("/dev/null").await?;
    /// let std = file.try_into_std().expect("nothing is under way");
    /// # drop(std);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[expect(clippy::result_large_err, reason = "tokio's has the file in it too")]
    pub fn try_into_std(mut self) -> Result<StdFile, File> {
        if !self.cursor().is_idle() || Arc::strong_count(&self.fd) > 1 {
            return Err(self);
        }
        let (fd, cursor) = self.parts();
        // What has no position has nothing to go back to.
        drop(cursor.step_back(fd));
        let File { fd, attempts, cursor, max_buf_size } = self;
        match Arc::try_unwrap(fd) {
            Ok(fd) => Ok(StdFile::from(OwnedFd::from(fd))),
            Err(fd) => Err(File { fd, attempts, cursor, max_buf_size }),
        }
    }

    /// A second `File` for the same open file, once nothing is under way at its position, which
    /// they share.
    ///
    /// # Errors
    ///
    /// What the system answers: too many descriptors.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::open("/dev/null").await?;
    /// let again = file.try_clone().await?;
    /// # drop(again);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn try_clone(&self) -> io::Result<File> {
        self.idle().await;
        let mut file = File::new(blocking::duplicate(&self.fd)?, Attempts::new());
        file.max_buf_size = self.max_buf_size;
        Ok(file)
    }

    /// Closes the file, and says what went wrong with what was written.
    ///
    /// Waits for what is under way at the file's position. Where other operations are still under
    /// way whose futures were dropped, the last of them closes it, and this returns at once.
    ///
    /// # Errors
    ///
    /// What the system answers, to the last write too. The file is closed all the same.
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
    pub async fn close(mut self) -> io::Result<()> {
        let written = poll_fn(|cx| cursor::poll_flush(self.cursor(), cx)).await;
        let closed = match Arc::try_unwrap(self.fd) {
            Ok(fd) => submit(ops::Close::new(fd)).await,
            Err(_shared) => Ok(()),
        };
        written.and(closed)
    }

    /// Sets how many bytes a read or a write through the traits moves at once at most; 2 MiB
    /// unless set.
    ///
    /// # Panics
    ///
    /// If it is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let mut file = henge_fs::File::open("/dev/null").await?;
    /// file.set_max_buf_size(8 << 20);
    /// assert_eq!(file.max_buf_size(), 8 << 20);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn set_max_buf_size(&mut self, max_buf_size: usize) {
        assert!(max_buf_size > 0, "`max_buf_size` must be greater than 0");
        self.max_buf_size = max_buf_size;
    }

    /// How many bytes a read or a write through the traits moves at once at most.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::open("/dev/null").await?;
    /// assert_eq!(file.max_buf_size(), 2 << 20);
    /// assert_eq!(file.try_clone().await?.max_buf_size(), file.max_buf_size());
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn max_buf_size(&self) -> usize {
        self.max_buf_size
    }

    /// Waits until nothing is under way at the file's position.
    async fn idle(&self) {
        poll_fn(|cx| poll_idle(&self.cursor, cx)).await;
    }

    fn cursor(&mut self) -> &mut Cursor {
        self.parts().1
    }

    fn parts(&mut self) -> (&Arc<Fd>, &mut Cursor) {
        let cursor = self.cursor.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        (&self.fd, cursor)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let std = fmt::from_fn(|f| blocking::debug(&self.fd, f));
        f.debug_struct("henge::fs::File").field("std", &std).finish()
    }
}

impl From<StdFile> for File {
    fn from(std: StdFile) -> File {
        File::from_std(std)
    }
}

impl From<OwnedFd> for File {
    /// A file that was opened otherwise.
    fn from(fd: OwnedFd) -> File {
        File::new(Fd::from(fd), Attempts::new())
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
