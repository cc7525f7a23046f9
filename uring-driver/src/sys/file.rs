//! Files: how they are opened, what can be known of them, and the calls that the ring has not.

pub mod blocking;
mod copying;
pub mod dir;
mod intent;
pub mod now;

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use copying::copy;
pub use intent::{Advice, Allocation, RangeSync};
pub use std::fs::{
    File as StdFile, FileType, Metadata, OpenOptions as StdOpenOptions, Permissions,
};

/// How to open a file: the fields are those of std's `OpenOptions`, and so are the rules.
///
/// ```
/// use henge_driver::ops::OpenHow;
///
/// assert!(OpenHow { read: true, ..OpenHow::default() }.flags().is_ok());
/// assert!(OpenHow { truncate: true, read: true, ..OpenHow::default() }.flags().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenHow {
    /// Reading is allowed.
    pub read: bool,
    /// Writing is allowed.
    pub write: bool,
    /// Each write goes to the end of the file, wherever that is then.
    pub append: bool,
    /// The file is emptied.
    pub truncate: bool,
    /// The file is made if it does not exist.
    pub create: bool,
    /// The file is made, and must not exist.
    pub create_new: bool,
    /// The permissions of a file that is made, before the process's mask; 0o666 unless set.
    pub mode: u32,
    /// Further `O_*` flags; those of the access mode have no effect.
    pub custom_flags: i32,
}

impl Default for OpenHow {
    fn default() -> OpenHow {
        OpenHow {
            read: false,
            write: false,
            append: false,
            truncate: false,
            create: false,
            create_new: false,
            mode: 0o666,
            custom_flags: 0,
        }
    }
}

impl OpenHow {
    /// The flags of `open`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if neither reading nor writing is asked for, if a file is to be made or
    /// emptied without being written, or emptied and appended to.
    ///
    /// ```
    /// use henge_driver::ops::OpenHow;
    ///
    /// let log = OpenHow { append: true, create: true, ..OpenHow::default() };
    /// let (o_wronly, o_creat, o_append) = (0o1, 0o100, 0o2000);
    /// assert_eq!(log.flags()?, o_wronly | o_creat | o_append);
    /// let contradiction = OpenHow { truncate: true, ..log };
    /// assert_eq!(contradiction.flags().unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn flags(&self) -> io::Result<i32> {
        let making = self.create || self.create_new || self.truncate;
        let only_appends = self.append && self.truncate && !self.create_new;
        if making && !self.write && !self.append || only_appends {
            // std's words for all of it.
            return Err(invalid("creating or truncating a file requires write or append access"));
        }
        let access = match (self.read, self.write, self.append) {
            (true, false, false) => libc::O_RDONLY,
            (false, true, false) => libc::O_WRONLY,
            (true, true, false) => libc::O_RDWR,
            (false, _, true) => libc::O_WRONLY | libc::O_APPEND,
            (true, _, true) => libc::O_RDWR | libc::O_APPEND,
            (false, false, false) => {
                return Err(invalid("must specify at least one of read, write, or append access"));
            }
        };
        let creation = match (self.create, self.truncate, self.create_new) {
            (_, _, true) => libc::O_CREAT | libc::O_EXCL,
            (true, true, false) => libc::O_CREAT | libc::O_TRUNC,
            (true, false, false) => libc::O_CREAT,
            (false, true, false) => libc::O_TRUNC,
            (false, false, false) => 0,
        };
        Ok(access | creation | (self.custom_flags & !libc::O_ACCMODE))
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// The kinds of files.
///
/// ```
/// use henge_driver::ops::{Kind, Stat};
/// use henge_driver::{Driver, submit};
///
/// let driver = Driver::new()?;
/// let kind = |path: &std::ffi::CStr| {
///     driver.block_on(submit(Stat::at(None, path.into(), false)))?.map(|facts| facts.kind())
/// };
/// assert_eq!(kind(c".")?, Kind::Folder);
/// assert_eq!(kind(c"/dev/null")?, Kind::CharDevice);
/// assert_eq!(kind(c"/proc/self/exe")?, Kind::Symlink);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
    /// A pipe, with a name or without.
    Fifo,
    /// A socket.
    Socket,
    /// A device of blocks.
    BlockDevice,
    /// A device of characters.
    CharDevice,
    /// Something that is not in a folder, as an eventfd or a ring.
    Other,
}

impl Kind {
    /// The kind that `st_mode` tells.
    pub(crate) fn of_mode(mode: u32) -> Kind {
        match mode & libc::S_IFMT {
            libc::S_IFREG => Kind::File,
            libc::S_IFDIR => Kind::Folder,
            libc::S_IFLNK => Kind::Symlink,
            libc::S_IFIFO => Kind::Fifo,
            libc::S_IFSOCK => Kind::Socket,
            libc::S_IFBLK => Kind::BlockDevice,
            libc::S_IFCHR => Kind::CharDevice,
            _ => Kind::Other,
        }
    }
}

/// What the kernel knows of a file: its `struct statx`.
///
/// ```
/// use henge_driver::ops::{Facts, Stat};
/// use henge_driver::{Driver, submit};
///
/// let asked = submit(Stat::at(None, c"Cargo.toml".into(), true));
/// let facts: Facts = Driver::new()?.block_on(asked)??;
/// assert!(facts.is_file() && !facts.is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Stat(libc::statx);

impl Stat {
    /// What is asked for: everything that `stat` tells, the time of birth, and more that Linux has.
    pub(crate) const MASK: u32 = libc::STATX_BASIC_STATS
        | libc::STATX_BTIME
        | libc::STATX_DIOALIGN
        | libc::STATX_MNT_ID_UNIQUE;

    /// The length in bytes.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.len(), fs::metadata("Cargo.toml")?.len());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn len(&self) -> u64 {
        self.0.stx_size
    }

    /// Whether the length is zero.
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert!(!facts.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Kind and permissions, as `st_mode` has them.
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"/dev/null".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// const S_IFCHR: u32 = 0o020_000;
    /// assert_eq!(facts.mode() & 0o170_000, S_IFCHR);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn mode(&self) -> u32 {
        u32::from(self.0.stx_mode)
    }

    /// What kind of file it is.
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"/proc/self/exe".into(), false);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.kind(), ops::Kind::Symlink);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn kind(&self) -> Kind {
        Kind::of_mode(self.mode())
    }

    /// A regular file?
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert!(facts.is_file());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_file(&self) -> bool {
        self.kind() == Kind::File
    }

    /// A folder?
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c".".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert!(facts.is_dir());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_dir(&self) -> bool {
        self.kind() == Kind::Folder
    }

    /// A symbolic link?
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"/proc/self/exe".into(), false);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert!(facts.is_symlink(), "asked about the link itself");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_symlink(&self) -> bool {
        self.kind() == Kind::Symlink
    }

    /// A pipe?
    ///
    /// ```
    /// use henge_driver::{Driver, Fd, ops, submit};
    /// use std::{os::fd::OwnedFd, sync::Arc};
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// let pipe = Arc::new(Fd::from(OwnedFd::from(reader)));
    /// assert!(Driver::new()?.block_on(submit(ops::Stat::new(pipe)))??.is_fifo());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_fifo(&self) -> bool {
        self.kind() == Kind::Fifo
    }

    /// The number of the file on its device.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.ino(), fs::metadata("Cargo.toml")?.ino());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ino(&self) -> u64 {
        self.0.stx_ino
    }

    /// The device, as `st_dev` has it.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.dev(), fs::metadata("Cargo.toml")?.dev());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn dev(&self) -> u64 {
        libc::makedev(self.0.stx_dev_major, self.0.stx_dev_minor)
    }

    /// How many names the file has.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.nlink(), fs::metadata("Cargo.toml")?.nlink());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn nlink(&self) -> u64 {
        u64::from(self.0.stx_nlink)
    }

    /// The owner.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.uid(), fs::metadata("Cargo.toml")?.uid());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn uid(&self) -> u32 {
        self.0.stx_uid
    }

    /// The group.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.gid(), fs::metadata("Cargo.toml")?.gid());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn gid(&self) -> u32 {
        self.0.stx_gid
    }

    /// The memory on the device, in units of 512 bytes.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.blocks(), fs::metadata("Cargo.toml")?.blocks());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn blocks(&self) -> u64 {
        self.0.stx_blocks
    }

    /// The device that a device file stands for, as `st_rdev` has it.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"/dev/null".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.rdev(), fs::metadata("/dev/null")?.rdev());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn rdev(&self) -> u64 {
        libc::makedev(self.0.stx_rdev_major, self.0.stx_rdev_minor)
    }

    /// The size of transfer that the file system likes.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.blksize(), fs::metadata("Cargo.toml")?.blksize());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn blksize(&self) -> u64 {
        u64::from(self.0.stx_blksize)
    }

    /// Whether the file is on a device of its own kind: not on one of those that the kernel
    /// numbers itself (memory, other file systems, the network).
    fn on_block_device(&self) -> bool {
        self.0.stx_dev_major != 0
    }

    /// The number of the mount, which no other mount ever gets; `None` before Linux 6.8.
    fn mount(&self) -> Option<u64> {
        let known = self.0.stx_mask & libc::STATX_MNT_ID_UNIQUE != 0;
        known.then_some(self.0.stx_mnt_id)
    }

    /// Where direct transfers may begin, in memory and in the file; `None` where there are none
    /// or the kernel does not say.
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// if let Some((memory, place)) = facts.direct_alignment() {
    ///     assert!(memory.is_power_of_two() && place.is_power_of_two());
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn direct_alignment(&self) -> Option<(u32, u32)> {
        let (memory, offset) = (self.0.stx_dio_mem_align, self.0.stx_dio_offset_align);
        let known = self.0.stx_mask & libc::STATX_DIOALIGN != 0 && memory != 0 && offset != 0;
        known.then_some((memory, offset))
    }

    /// When the contents were changed last, in seconds and nanoseconds.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// let known = fs::metadata("Cargo.toml")?;
    /// assert_eq!(facts.mtime(), (known.mtime(), known.mtime_nsec() as u32));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn mtime(&self) -> (i64, u32) {
        (self.0.stx_mtime.tv_sec, self.0.stx_mtime.tv_nsec)
    }

    /// When the contents were read last, in seconds and nanoseconds.
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// let (seconds, nanos) = facts.atime();
    /// assert!(seconds > 0 && nanos < 1_000_000_000);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn atime(&self) -> (i64, u32) {
        (self.0.stx_atime.tv_sec, self.0.stx_atime.tv_nsec)
    }

    /// When anything of the file was changed last, in seconds and nanoseconds.
    ///
    /// ```
    /// use std::{fs, os::unix::fs::MetadataExt};
    ///
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// let known = fs::metadata("Cargo.toml")?;
    /// assert_eq!(facts.ctime(), (known.ctime(), known.ctime_nsec() as u32));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ctime(&self) -> (i64, u32) {
        (self.0.stx_ctime.tv_sec, self.0.stx_ctime.tv_nsec)
    }

    /// When the contents were changed last.
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.modified(), std::fs::metadata("Cargo.toml")?.modified()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn modified(&self) -> SystemTime {
        time(&self.0.stx_mtime)
    }

    /// When the contents were read last, as far as the file system keeps count.
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert!(facts.accessed() > std::time::SystemTime::UNIX_EPOCH);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accessed(&self) -> SystemTime {
        time(&self.0.stx_atime)
    }

    /// When the file was made; `None` where the file system does not know.
    ///
    /// ```
    /// # use henge_driver::{Driver, ops, submit};
    /// let asked = ops::Stat::at(None, c"Cargo.toml".into(), true);
    /// let facts = Driver::new()?.block_on(submit(asked))??;
    /// assert_eq!(facts.created(), std::fs::metadata("Cargo.toml")?.created().ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn created(&self) -> Option<SystemTime> {
        (self.0.stx_mask & libc::STATX_BTIME != 0).then(|| time(&self.0.stx_btime))
    }
}

fn time(stamp: &libc::statx_timestamp) -> SystemTime {
    let nanos = Duration::from_nanos(u64::from(stamp.tv_nsec));
    let seconds = Duration::from_secs(stamp.tv_sec.unsigned_abs());
    let whole = if stamp.tv_sec < 0 { UNIX_EPOCH - seconds } else { UNIX_EPOCH + seconds };
    whole + nanos
}

impl Default for Stat {
    fn default() -> Stat {
        // SAFETY: `struct statx` is numbers throughout, for which zero is a value.
        Stat(unsafe { std::mem::zeroed() })
    }
}

impl fmt::Debug for Stat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stat")
            .field("mode", &format_args!("{:o}", self.mode()))
            .field("len", &self.len())
            .field("modified", &self.modified())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(set: impl FnOnce(&mut OpenHow)) -> Option<i32> {
        let mut how = OpenHow::default();
        set(&mut how);
        how.flags().ok()
    }

    #[test]
    fn flags_are_those_of_std() {
        assert_eq!(flags(|_| ()), None);
        assert_eq!(flags(|how| how.read = true), Some(libc::O_RDONLY));
        assert_eq!(flags(|how| how.append = true), Some(libc::O_WRONLY | libc::O_APPEND));
        assert_eq!(flags(|how| (how.read, how.truncate) = (true, true)), None);
        assert_eq!(flags(|how| (how.append, how.truncate) = (true, true)), None);
        let made = flags(|how| (how.write, how.create, how.truncate) = (true, true, true));
        assert_eq!(made, Some(libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC));
        let new = flags(|how| (how.write, how.create_new, how.truncate) = (true, true, true));
        assert_eq!(new, Some(libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL));
        let custom = libc::O_DIRECT | libc::O_RDWR;
        assert_eq!(
            flags(|how| (how.read, how.custom_flags) = (true, custom)),
            Some(libc::O_DIRECT)
        );
    }

    #[test]
    fn a_time_before_the_epoch_counts_backwards() {
        let mut stat = Stat::default();
        stat.0.stx_mtime.tv_sec = -2;
        stat.0.stx_mtime.tv_nsec = 500_000_000;
        assert_eq!(stat.modified(), UNIX_EPOCH - Duration::from_millis(1_500));
    }
}
