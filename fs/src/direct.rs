//! Files past the kernel's cache.

mod reader;
mod writer;

use std::future::Future;
use std::io;
use std::path::Path;

use henge_driver::buf::{AlignedBuf, IoBuf, IoBufMut};
use henge_driver::current;

pub use self::reader::DirectReader;
pub use self::writer::DirectWriter;
use crate::file::reading::{ReadAt, ReadExactAt};
use crate::{File, OpenOptions, facts};

/// Where the kernel does not say: what every device and file system in use is content with.
const USUAL: u32 = 4096;

/// Where transfers past the kernel's cache may begin and end.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// # // There are file systems that have no such transfers.
/// # if henge_fs::DirectFile::open("Cargo.toml").await.is_err() { return Ok(()); }
/// let file = henge_fs::DirectFile::open("Cargo.toml").await?;
/// let alignment = file.alignment();
/// let apart = u64::from(alignment.place) + 1;
/// let (refused, _buf) = file.read_at(file.buffer(1)?, apart).await;
/// assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alignment {
    /// Addresses of buffers are multiples of this.
    pub memory: u32,
    /// Places in the file, and lengths of transfers, are multiples of this.
    pub place: u32,
}

/// The memory of a [`DirectReader`] or [`DirectWriter`]: so many chunks of so many bytes, which is
/// also how many transfers of what length are under way at a time.
///
/// The default is four of 1 MiB, not registered.
///
/// # Examples
///
/// ```
/// use henge_fs::{DirectFile, Window};
///
/// # henge_driver::Driver::new()?.block_on(async {
/// # if DirectFile::open("Cargo.toml").await.is_err() { return Ok(()); }
/// // Eight transfers at a time, of 64 KiB each.
/// let window = Window { chunk: 64 << 10, depth: 8, ..Window::default() };
/// let mut bytes = DirectFile::open("Cargo.toml").await?.reader(0, window)?;
/// let first = bytes.next_chunk().await?.expect("it is not empty");
/// assert!(first.len() <= window.chunk && first.starts_with(b"[package]"));
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The length of a transfer in bytes; it is rounded up to what the file asks for.
    pub chunk: usize,
    /// How many transfers are under way at a time, at least one.
    pub depth: usize,
    /// Whether the buffers are [registered](henge_driver::Driver::register) with the ring of the
    /// thread that first reads or writes. It halves the kernel's work on a transfer of 1 MiB, and
    /// locks their memory: `depth` and one more or two chunks count towards `RLIMIT_MEMLOCK`, which
    /// a user's rings share since Linux 6.14. Where that does not suffice, the stream fails.
    pub registered: bool,
}

impl Default for Window {
    fn default() -> Window {
        Window { chunk: 1 << 20, depth: 4, registered: false }
    }
}

/// A file whose transfers go past the kernel's cache (`O_DIRECT`), between the caller's buffers and
/// the device: for programs that have a cache of their own, or read and write each byte once.
///
/// Buffers, places and lengths have to be [aligned](DirectFile::alignment);
/// [`buffer`](DirectFile::buffer) makes buffers that are. [`reader`](DirectFile::reader) and
/// [`writer`](DirectFile::writer) read ahead and write behind, and take any length.
///
/// Transfers that are done are on the device, but perhaps in a cache of its own, and the file's
/// length and place there may not be: [`File::sync_data`] is needed as with any other file, through
/// [`file`](DirectFile::file).
///
/// # Panics
///
/// All asynchronous methods panic on a thread without a driver.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-fs-direct-{}", std::process::id()));
/// # if henge_fs::DirectFile::create(path).await.is_err() { return Ok(()); }
/// henge_fs::write(path, vec![7; 64 << 10]).await?;
/// let file = henge_fs::DirectFile::open(path).await?;
/// let (done, page) = file.read_exact_at(file.buffer(4096)?, 7 * 4096).await;
/// done?;
/// assert!(page.iter().all(|byte| *byte == 7));
/// # henge_fs::remove_file(path).await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct DirectFile {
    file: File,
    alignment: Alignment,
}

impl DirectFile {
    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// What the system answers; `InvalidInput` where the file system has no such transfers.
    ///
    /// # Cancel safety
    ///
    /// As [`File::open`].
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # if henge_fs::DirectFile::open("Cargo.toml").await.is_err() { return Ok(()); }
    /// let file = henge_fs::DirectFile::open("Cargo.toml").await?;
    /// let (n, bytes) = file.read_at(file.buffer(64 << 10)?, 0).await;
    /// assert_eq!(n? as u64, file.file().metadata().await?.len());
    /// assert!(bytes.starts_with(b"[package]"));
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn open(path: impl AsRef<Path>) -> io::Result<DirectFile> {
        DirectFile::open_with(OpenOptions::new().read(true), path).await
    }

    /// Opens a file for writing: made if it does not exist, emptied if it does.
    ///
    /// # Errors
    ///
    /// As [`open`](DirectFile::open).
    ///
    /// # Cancel safety
    ///
    /// As [`File::create`].
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-direct-{}", std::process::id()));
    /// # if henge_fs::DirectFile::create(path).await.is_err() { return Ok(()); }
    /// let table = henge_fs::DirectFile::create(path).await?;
    /// let mut page = table.buffer(4096)?;
    /// page.append(b"a page, and zeros");
    /// page.pad_to(page.capacity());
    /// let (written, page) = table.write_all_at(page, 0).await;
    /// written?;
    /// assert_eq!(table.file().metadata().await?.len(), page.len() as u64);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn create(path: impl AsRef<Path>) -> io::Result<DirectFile> {
        let mut options = OpenOptions::new();
        DirectFile::open_with(options.write(true).create(true).truncate(true), path).await
    }

    /// Opens a file with these options, and `O_DIRECT`. Options that were made of std's lose the
    /// [`custom_flags`](OpenOptions::custom_flags) that they had there.
    ///
    /// # Errors
    ///
    /// As [`open`](DirectFile::open).
    ///
    /// # Cancel safety
    ///
    /// As [`OpenOptions::open`].
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::{DirectFile, OpenOptions};
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-fs-with-{}", std::process::id()));
    /// # if henge_fs::DirectFile::create(path).await.is_err() { return Ok(()); }
    /// let mut options = OpenOptions::new();
    /// let table = DirectFile::open_with(options.read(true).write(true), path).await?;
    /// table.file().set_len(64 << 10).await?;
    /// let (done, page) = table.read_exact_at(table.buffer(4096)?, 4096).await;
    /// done?;
    /// table.write_all_at(page, 0).await.0?;
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn open_with(
        options: &OpenOptions,
        path: impl AsRef<Path>,
    ) -> io::Result<DirectFile> {
        let file = options.clone().direct().open(path).await?;
        let told = facts::in_full(file.fd()).await?.direct_alignment();
        let (memory, place) = told.unwrap_or((USUAL, USUAL));
        Ok(DirectFile { file, alignment: Alignment { memory, place } })
    }

    /// Where transfers may begin and end. Where the kernel does not say, 4,096 bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # if henge_fs::DirectFile::open("Cargo.toml").await.is_err() { return Ok(()); }
    /// let file = henge_fs::DirectFile::open("Cargo.toml").await?;
    /// let henge_fs::Alignment { memory, place } = file.alignment();
    /// assert!(memory.is_power_of_two() && place.is_power_of_two());
    /// let header = file.buffer(100)?; // as long as a transfer may be, and where it may begin
    /// assert_eq!(header.capacity() % place as usize, 0);
    /// assert_eq!(header.as_ptr().addr() % memory as usize, 0);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn alignment(&self) -> Alignment {
        self.alignment
    }

    /// An empty buffer for this file, for at least `capacity` bytes.
    ///
    /// For many transfers there is [`registered_buffer`](DirectFile::registered_buffer).
    ///
    /// # Errors
    ///
    /// `OutOfMemory`, or `InvalidInput` for more than any buffer has.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # if henge_fs::DirectFile::open("Cargo.toml").await.is_err() { return Ok(()); }
    /// let file = henge_fs::DirectFile::open("Cargo.toml").await?;
    /// let buf = file.buffer(1)?;
    /// assert!(buf.is_empty());
    /// assert_eq!(buf.capacity(), file.alignment().place as usize);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn buffer(&self, capacity: usize) -> io::Result<AlignedBuf> {
        AlignedBuf::new(self.round_up(capacity)?, self.alignment.memory as usize)
    }

    /// As [`buffer`](DirectFile::buffer), and [registered](henge_driver::Driver::register) with the
    /// ring of this thread, which spares the kernel a look at each of its pages at each transfer:
    /// a tenth or more of the CPU time of random reads of a page.
    ///
    /// Its memory is locked and counts towards `RLIMIT_MEMLOCK`, and a ring knows 1,024 buffers;
    /// registering costs a system call. So it is for buffers that are kept. Past these limits, and
    /// without a driver, the buffer is one like any other;
    /// [`is_registered`](AlignedBuf::is_registered) tells.
    ///
    /// # Errors
    ///
    /// As [`buffer`](DirectFile::buffer).
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-known-{}", std::process::id()));
    /// # if henge_fs::DirectFile::create(path).await.is_err() { return Ok(()); }
    /// henge_fs::write(path, vec![7; 64 << 10]).await?;
    /// let file = henge_fs::DirectFile::open(path).await?;
    /// let mut page = file.registered_buffer(4096)?;
    /// for place in [7, 1, 5] {
    ///     let done;
    ///     (done, page) = file.read_exact_at(page, place * 4096).await;
    ///     done?;
    /// }
    /// assert!(page.iter().all(|byte| *byte == 7));
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn registered_buffer(&self, capacity: usize) -> io::Result<AlignedBuf> {
        let mut buf = self.buffer(capacity)?;
        // If not, it is a buffer all the same.
        let _or_not = current::with(|driver| driver.register(&mut buf));
        Ok(buf)
    }

    /// A buffer of a stream.
    fn chunk(&self, window: &Window) -> io::Result<AlignedBuf> {
        let mut buf = self.buffer(window.chunk)?;
        if window.registered {
            current::with(|driver| driver.register(&mut buf))??;
        }
        Ok(buf)
    }

    /// A window whose chunks are as long as the file asks for.
    fn fit(&self, window: Window) -> io::Result<Window> {
        let (chunk, depth) = (self.round_up(window.chunk)?, window.depth.max(1));
        Ok(Window { chunk, depth, ..window })
    }

    /// The file, for what is not a transfer: its metadata, its safety on the device, its length.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-its-file-{}", std::process::id()));
    /// # if henge_fs::DirectFile::create(path).await.is_err() { return Ok(()); }
    /// let table = henge_fs::DirectFile::create(path).await?;
    /// table.file().set_len(1 << 20).await?;
    /// table.file().sync_all().await?;
    /// assert_eq!(table.file().metadata().await?.len(), 1 << 20);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The file, as one that is [closed](File::close), or given away.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-into-file-{}", std::process::id()));
    /// # if henge_fs::DirectFile::create(path).await.is_err() { return Ok(()); }
    /// let table = henge_fs::DirectFile::create(path).await?;
    /// let (written, _page) = table.write_at(table.buffer(4096)?, 0).await;
    /// assert_eq!(written?, 0, "nothing was put into the buffer");
    /// table.into_file().close().await?;
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_file(self) -> File {
        self.file
    }

    fn place(&self) -> usize {
        self.alignment.place as usize
    }

    fn round_up(&self, len: usize) -> io::Result<usize> {
        len.max(1)
            .checked_next_multiple_of(self.place())
            .ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    fn check(&self, first: *const u8, len: usize, offset: u64) -> io::Result<()> {
        if first.addr() % self.alignment.memory as usize != 0 {
            return Err(apart("addresses of buffers", self.alignment.memory));
        }
        if len % self.place() != 0 {
            return Err(apart("lengths", self.alignment.place));
        }
        self.check_place(offset)
    }

    fn check_place(&self, offset: u64) -> io::Result<()> {
        if offset % u64::from(self.alignment.place) != 0 {
            return Err(apart("places", self.alignment.place));
        }
        Ok(())
    }

    /// Reads at the byte `offset` up to the buffer's capacity; see [`File::read_at`].
    ///
    /// # Errors
    ///
    /// What the system answers; `InvalidInput` if buffer, capacity or offset are not
    /// [aligned](DirectFile::alignment).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost but the buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # if henge_fs::DirectFile::open("Cargo.toml").await.is_err() { return Ok(()); }
    /// let file = henge_fs::DirectFile::open("Cargo.toml").await?;
    /// let (n, page) = file.read_at(file.buffer(4096)?, 0).await;
    /// assert_eq!(n?, page.len());
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_at<B: IoBufMut>(
        &self,
        buf: B,
        offset: u64,
    ) -> impl Future<Output = (io::Result<usize>, B)> {
        match self.check(buf.stable_ptr(), buf.bytes_total(), offset) {
            Ok(()) => ReadAt::new(&self.file, buf, offset),
            Err(error) => ReadAt::known(&self.file, Err(error), buf),
        }
    }

    /// As [`read_at`](DirectFile::read_at), until the buffer's capacity is full.
    ///
    /// # Errors
    ///
    /// As [`read_at`](DirectFile::read_at), and `UnexpectedEof` if the file ends before; the
    /// buffer holds what came until then.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost but the buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-exact-{}", std::process::id()));
    /// # if henge_fs::DirectFile::create(path).await.is_err() { return Ok(()); }
    /// henge_fs::write(path, vec![7; 128 << 10]).await?;
    /// let file = henge_fs::DirectFile::open(path).await?;
    /// let (read, half) = file.read_exact_at(file.buffer(64 << 10)?, 64 << 10).await;
    /// read?;
    /// assert_eq!(half.len(), 64 << 10);
    /// let (read, half) = file.read_exact_at(half, 128 << 10).await; // there is nothing
    /// assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    /// # drop(half);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_exact_at<B: IoBufMut>(
        &self,
        buf: B,
        offset: u64,
    ) -> impl Future<Output = (io::Result<()>, B)> {
        match self.check(buf.stable_ptr(), buf.bytes_total(), offset) {
            Ok(()) => ReadExactAt::new(&self.file, buf, offset, self.place()),
            Err(error) => ReadExactAt::refused(&self.file, error, buf),
        }
    }

    /// Writes the buffer's initialised bytes at the byte `offset`; see [`File::write_at`].
    ///
    /// # Errors
    ///
    /// What the system answers; `InvalidInput` if buffer, length or offset are not
    /// [aligned](DirectFile::alignment).
    ///
    /// # Cancel safety
    ///
    /// The bytes may be written, all, some or none.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-a-page-{}", std::process::id()));
    /// # if henge_fs::DirectFile::create(path).await.is_err() { return Ok(()); }
    /// let file = henge_fs::DirectFile::create(path).await?;
    /// let mut page = file.buffer(4096)?;
    /// page.append(b"a page, and zeros");
    /// page.pad_to(4096);
    /// let (n, _page) = file.write_at(page, 0).await;
    /// assert_eq!(n?, 4096);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_at<B: IoBuf>(&self, buf: B, offset: u64) -> (io::Result<usize>, B) {
        match self.check(buf.stable_ptr(), buf.bytes_init(), offset) {
            Ok(()) => self.file.write_at(buf, offset).await,
            Err(error) => (Err(error), buf),
        }
    }

    /// As [`write_at`](DirectFile::write_at), until all is written.
    ///
    /// # Errors
    ///
    /// As [`write_at`](DirectFile::write_at), and `WriteZero` if the system takes nothing more.
    ///
    /// # Cancel safety
    ///
    /// As [`write_at`](DirectFile::write_at).
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-direct-all-{}", std::process::id()));
    /// # if henge_fs::DirectFile::create(path).await.is_err() { return Ok(()); }
    /// let file = henge_fs::DirectFile::create(path).await?;
    /// let mut pages = file.buffer(64 << 10)?;
    /// pages.pad_to(64 << 10);
    /// let (written, mut pages) = file.write_all_at(pages, 0).await;
    /// written?;
    /// pages.truncate(100); // which is the length of no transfer
    /// let (written, _pages) = file.write_all_at(pages, 64 << 10).await;
    /// assert_eq!(written.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_all_at<B: IoBuf>(&self, buf: B, offset: u64) -> (io::Result<()>, B) {
        match self.check(buf.stable_ptr(), buf.bytes_init(), offset) {
            Ok(()) => self.file.write_all_at(buf, offset).await,
            Err(error) => (Err(error), buf),
        }
    }

    /// Reads the file from the byte `offset` to its end, ahead of whoever takes the bytes.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the offset is not [aligned](DirectFile::alignment) or the chunks are too
    /// long, `OutOfMemory`.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::{DirectFile, Window};
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # if henge_fs::DirectFile::open("Cargo.toml").await.is_err() { return Ok(()); }
    /// let mut bytes = DirectFile::open("Cargo.toml").await?.reader(0, Window::default())?;
    /// let mut len = 0;
    /// while let Some(chunk) = bytes.next_chunk().await? {
    ///     len += chunk.len() as u64;
    /// }
    /// assert_eq!(len, henge_fs::metadata("Cargo.toml").await?.len());
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn reader(self, offset: u64, window: Window) -> io::Result<DirectReader> {
        DirectReader::new(self, offset, window)
    }

    /// Writes the file from the byte `offset` on, behind whoever gives the bytes. The file ends
    /// where the writer does: what was behind that is cut off.
    ///
    /// # Errors
    ///
    /// As [`reader`](DirectFile::reader).
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::{DirectFile, Window};
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-fs-writer-{}", std::process::id()));
    /// # if henge_fs::DirectFile::create(path).await.is_err() { return Ok(()); }
    /// let mut bytes = DirectFile::create(path).await?.writer(0, Window::default())?;
    /// bytes.write_all(b"any number of bytes").await?;
    /// bytes.shutdown().await?;
    /// assert_eq!(henge_fs::read(path).await?, b"any number of bytes");
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn writer(self, offset: u64, window: Window) -> io::Result<DirectWriter> {
        DirectWriter::new(self, offset, window)
    }
}

fn apart(what: &str, by: u32) -> io::Error {
    let text = format!("a direct transfer wants {what} that are multiples of {by}");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
