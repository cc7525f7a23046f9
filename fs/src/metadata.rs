//! What is known of a file.

use std::fmt;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::SystemTime;

use henge_driver::sys::file::{Kind, Permissions, Stat};

/// What is known of a file, with the methods of std's `Metadata`, and its `MetadataExt`. It is a
/// type of its own because std's can only be made by std's blocking calls.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// let metadata = henge_fs::File::open("/dev/null").await?.metadata().await?;
/// assert!(!metadata.is_file() && metadata.len() == 0);
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Metadata {
    stat: Stat,
}

impl Metadata {
    pub(crate) fn new(stat: Stat) -> Metadata {
        Metadata { stat }
    }

    /// The length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "std's has none either")]
    pub fn len(&self) -> u64 {
        self.stat.len()
    }

    /// What kind of file it is.
    pub fn file_type(&self) -> FileType {
        FileType::new(self.stat.kind())
    }

    /// A regular file?
    pub fn is_file(&self) -> bool {
        self.stat.is_file()
    }

    /// A folder?
    pub fn is_dir(&self) -> bool {
        self.stat.is_dir()
    }

    /// A symbolic link?
    pub fn is_symlink(&self) -> bool {
        self.stat.is_symlink()
    }

    /// Who may do what with it.
    pub fn permissions(&self) -> Permissions {
        Permissions::from_mode(self.stat.mode())
    }

    /// When the contents were changed last.
    ///
    /// # Errors
    ///
    /// None on Linux; the signature is std's.
    pub fn modified(&self) -> io::Result<SystemTime> {
        Ok(self.stat.modified())
    }

    /// When the contents were read last, as far as the file system keeps count.
    ///
    /// # Errors
    ///
    /// None on Linux; the signature is std's.
    pub fn accessed(&self) -> io::Result<SystemTime> {
        Ok(self.stat.accessed())
    }

    /// When the file was made.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the file system does not know.
    pub fn created(&self) -> io::Result<SystemTime> {
        self.stat.created().ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    /// Where transfers without the kernel's cache may begin, in memory and in the file, in bytes;
    /// `None` where there are none, or the kernel does not say. See
    /// [`DirectFile`](crate::DirectFile).
    pub fn direct_alignment(&self) -> Option<(u32, u32)> {
        self.stat.direct_alignment()
    }

    /// Kind and permissions, as `st_mode` has them.
    pub fn mode(&self) -> u32 {
        self.stat.mode()
    }

    /// The owner.
    pub fn uid(&self) -> u32 {
        self.stat.uid()
    }

    /// The group.
    pub fn gid(&self) -> u32 {
        self.stat.gid()
    }

    /// The number of the file on its device.
    pub fn ino(&self) -> u64 {
        self.stat.ino()
    }

    /// The device.
    pub fn dev(&self) -> u64 {
        self.stat.dev()
    }

    /// How many names the file has.
    pub fn nlink(&self) -> u64 {
        self.stat.nlink()
    }

    /// The memory on the device, in units of 512 bytes.
    pub fn blocks(&self) -> u64 {
        self.stat.blocks()
    }
}

impl MetadataExt for Metadata {
    fn dev(&self) -> u64 {
        self.stat.dev()
    }
    fn ino(&self) -> u64 {
        self.stat.ino()
    }
    fn mode(&self) -> u32 {
        self.stat.mode()
    }
    fn nlink(&self) -> u64 {
        self.stat.nlink()
    }
    fn uid(&self) -> u32 {
        self.stat.uid()
    }
    fn gid(&self) -> u32 {
        self.stat.gid()
    }
    fn rdev(&self) -> u64 {
        self.stat.rdev()
    }
    fn size(&self) -> u64 {
        self.stat.len()
    }
    fn atime(&self) -> i64 {
        self.stat.atime().0
    }
    fn atime_nsec(&self) -> i64 {
        self.stat.atime().1.into()
    }
    fn mtime(&self) -> i64 {
        self.stat.mtime().0
    }
    fn mtime_nsec(&self) -> i64 {
        self.stat.mtime().1.into()
    }
    fn ctime(&self) -> i64 {
        self.stat.ctime().0
    }
    fn ctime_nsec(&self) -> i64 {
        self.stat.ctime().1.into()
    }
    fn blksize(&self) -> u64 {
        self.stat.blksize()
    }
    fn blocks(&self) -> u64 {
        self.stat.blocks()
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metadata")
            .field("file_type", &self.file_type())
            .field("permissions", &self.permissions())
            .field("len", &self.len())
            .field("modified", &self.stat.modified())
            .finish_non_exhaustive()
    }
}

/// What kind of file something is, as std's `FileType` and its `FileTypeExt` have it.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// assert!(henge_fs::metadata("/dev/null").await?.file_type().is_char_device());
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileType {
    kind: Kind,
}

impl FileType {
    pub(crate) fn new(kind: Kind) -> FileType {
        FileType { kind }
    }

    /// A regular file?
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// A folder?
    pub fn is_dir(&self) -> bool {
        self.kind == Kind::Folder
    }

    /// A symbolic link?
    pub fn is_symlink(&self) -> bool {
        self.kind == Kind::Symlink
    }

    /// A pipe, with a name or without?
    pub fn is_fifo(&self) -> bool {
        self.kind == Kind::Fifo
    }

    /// A socket?
    pub fn is_socket(&self) -> bool {
        self.kind == Kind::Socket
    }

    /// A device of blocks?
    pub fn is_block_device(&self) -> bool {
        self.kind == Kind::BlockDevice
    }

    /// A device of characters?
    pub fn is_char_device(&self) -> bool {
        self.kind == Kind::CharDevice
    }
}
