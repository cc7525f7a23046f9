//! What is known of a file.

use std::io;
use std::time::SystemTime;

use henge_driver::sys::file::Stat;

/// What is known of a file, as std's `Metadata` and its `MetadataExt` have it. It is a type of its
/// own because std's can only be made by std's blocking calls.
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
#[derive(Clone, Debug)]
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
