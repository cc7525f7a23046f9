//! Reading folders.

use std::ffi::{CString, OsStr, OsString};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use henge_driver::Fd;
use henge_driver::coop;
use henge_driver::offload::Job;
use henge_driver::sys::file::{FileType, Kind, Metadata, dir};

use crate::call::{offload, start};
use crate::{facts, file_type};

/// How many bytes of entries are asked for at a time: some 800 of them.
const ROOM: usize = 32 << 10;

/// Reads a folder: its entries, without `.` and `..`, in no order.
///
/// The blocking pool opens the folder and reads the first 32 KiB of entries in one go; most
/// folders have no more.
///
/// # Errors
///
/// What the system answers; `NotADirectory` is one.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// let mut entries = henge_fs::read_dir("/proc/self/fd").await?;
/// let mut count = 0;
/// while let Some(entry) = entries.next_entry().await? {
///     assert!(entry.file_type().await?.is_symlink());
///     count += 1;
/// }
/// assert!(count > 0);
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    offload(move || {
        let fd = Arc::new(dir::open(&path)?);
        let mut entries = dir::Entries::new();
        entries.refill(&fd, ROOM)?;
        let folder = Arc::new(Folder { fd, path });
        Ok(ReadDir { folder, state: State::Here(entries) })
    })
    .await
}

struct Folder {
    fd: Arc<Fd>,
    path: PathBuf,
}

/// The entries of a folder that is being read; made by [`read_dir`].
///
/// Entries that are made or removed meanwhile may be among them or not.
///
/// # Examples
///
/// ```
/// use std::ffi::OsString;
///
/// # henge_driver::Driver::new()?.block_on(async {
/// let mut entries = henge_fs::read_dir("/proc/self").await?;
/// let mut names: Vec<OsString> = Vec::new();
/// while let Some(entry) = entries.next_entry().await? {
///     names.push(entry.file_name());
/// }
/// assert!(names.iter().any(|name| name == "exe"));
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "entries are read by asking for them"]
pub struct ReadDir {
    folder: Arc<Folder>,
    state: State,
}

enum State {
    Here(dir::Entries),
    Reading(Job<io::Result<dir::Entries>>),
    Failed,
}

impl ReadDir {
    /// The next entry, or `None` after the last.
    ///
    /// # Errors
    ///
    /// What the system answers; then there are no more entries.
    ///
    /// # Cancel safety
    ///
    /// No entry is lost.
    ///
    /// # Panics
    ///
    /// Never; on a thread without a driver it fails, if more has to be read.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-entry-{}", std::process::id()));
    /// # henge_fs::create_dir(path).await?;
    /// henge_fs::write(path.join("only"), "").await?;
    /// let mut entries = henge_fs::read_dir(path).await?;
    /// assert_eq!(entries.next_entry().await?.expect("one").file_name(), "only");
    /// assert!(entries.next_entry().await?.is_none());
    /// # henge_fs::remove_dir_all(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn next_entry(&mut self) -> io::Result<Option<DirEntry>> {
        poll_fn(|cx| self.poll_next_entry(cx)).await
    }

    /// As [`next_entry`](ReadDir::next_entry), for those who poll by hand. Only the waker of the
    /// last call is woken.
    ///
    /// # Errors
    ///
    /// As [`next_entry`](ReadDir::next_entry).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let mut entries = henge_fs::read_dir("/proc/self").await?;
    /// let mut count = 0;
    /// while let Some(_entry) = poll_fn(|cx| entries.poll_next_entry(cx)).await? {
    ///     count += 1;
    /// }
    /// assert!(count > 10);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_next_entry(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        loop {
            match &mut self.state {
                State::Here(entries) => {
                    ready!(coop::poll_proceed(cx).map(|spent| spent.made_progress()));
                    if let Some(entry) = entries.next() {
                        let entry = DirEntry::new(&self.folder, &entry);
                        return Poll::Ready(entry.map(Some));
                    }
                    if entries.is_last() {
                        return Poll::Ready(Ok(None));
                    }
                    let mut entries = std::mem::take(entries);
                    self.state = State::Failed;
                    let folder = Arc::clone(&self.folder);
                    self.state = State::Reading(start(move || {
                        entries.refill(&folder.fd, ROOM)?;
                        Ok(entries)
                    })?);
                }
                State::Reading(job) => {
                    let result = ready!(Pin::new(job).poll(cx));
                    self.state = State::Failed;
                    self.state = State::Here(result.map_err(io::Error::from)??);
                }
                State::Failed => return Poll::Ready(Ok(None)),
            }
        }
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadDir").field(&self.folder.path).finish()
    }
}

/// An entry of a folder.
///
/// It keeps the folder open. What is asked about it is asked about the file that has the entry's
/// name in that folder then, wherever the folder has been moved.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// let mut entries = henge_fs::read_dir("/proc/self").await?;
/// while let Some(entry) = entries.next_entry().await? {
///     if entry.file_name() == "exe" {
///         assert!(entry.file_type().await?.is_symlink());
///         assert_eq!(entry.path(), std::path::Path::new("/proc/self/exe"));
///     }
/// }
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct DirEntry {
    folder: Arc<Folder>,
    name: CString,
    ino: u64,
    kind: Option<Kind>,
}

impl DirEntry {
    fn new(folder: &Arc<Folder>, entry: &dir::Entry<'_>) -> io::Result<DirEntry> {
        let name = CString::new(entry.name.as_bytes())?;
        Ok(DirEntry { folder: Arc::clone(folder), name, ino: entry.ino, kind: entry.kind })
    }

    fn name(&self) -> &OsStr {
        OsStr::from_bytes(self.name.as_bytes())
    }

    /// The path: that which the folder was opened by, and the name.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let entry = henge_fs::read_dir("/dev").await?.next_entry().await?.expect("devices");
    /// assert_eq!(entry.path().parent().and_then(|path| path.to_str()), Some("/dev"));
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn path(&self) -> PathBuf {
        self.folder.path.join(self.name())
    }

    /// The name, without the folder.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let entry = henge_fs::read_dir("/proc/self").await?.next_entry().await?.expect("files");
    /// assert!(!entry.file_name().as_encoded_bytes().contains(&b'/'));
    /// assert_eq!(entry.path().file_name(), Some(&*entry.file_name()));
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn file_name(&self) -> OsString {
        self.name().to_owned()
    }

    /// The number of the file on its device.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::os::unix::fs::MetadataExt;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-ino-{}", std::process::id()));
    /// # henge_fs::create_dir(path).await?;
    /// henge_fs::write(path.join("only"), "").await?;
    /// let entry = henge_fs::read_dir(path).await?.next_entry().await?.expect("one");
    /// assert_eq!(entry.ino(), entry.metadata().await?.ino());
    /// # henge_fs::remove_dir_all(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ino(&self) -> u64 {
        self.ino
    }

    /// What is known of the file; of a symbolic link itself.
    ///
    /// # Errors
    ///
    /// What the system answers; `NotFound` if it has been removed.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Panics
    ///
    /// On a thread without a driver.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let mut entries = henge_fs::read_dir("/").await?;
    /// while let Some(entry) = entries.next_entry().await? {
    ///     println!("{:10} {:?}", entry.metadata().await?.len(), entry.file_name());
    /// }
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn metadata(&self) -> io::Result<Metadata> {
        facts::of_entry(&self.folder.fd, &self.name).await
    }

    /// What kind of file it is. Most file systems keep that with the name, and then no more than
    /// one file of each kind is ever asked.
    ///
    /// # Errors
    ///
    /// As [`metadata`](DirEntry::metadata), where it has to be asked.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Panics
    ///
    /// On a thread without a driver, where it has to be asked.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let mut entries = henge_fs::read_dir("/proc/self").await?;
    /// let mut folders = 0;
    /// while let Some(entry) = entries.next_entry().await? {
    ///     folders += usize::from(entry.file_type().await?.is_dir());
    /// }
    /// assert!(folders >= 2, "fd and task are two of them");
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn file_type(&self) -> io::Result<FileType> {
        if let Some(known) = self.kind.and_then(file_type::known) {
            return Ok(known);
        }
        let file_type = self.metadata().await?.file_type();
        file_type::learn(file_type);
        Ok(file_type)
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirEntry").field(&self.path()).finish()
    }
}
