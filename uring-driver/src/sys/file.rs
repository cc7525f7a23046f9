//! How a file is opened, and what can be known of it, in the system's terms.

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How to open a file: the fields are those of std's `OpenOptions`, and so are the rules.
///
/// ```
/// use henge_driver::sys::file::OpenHow;
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
    pub fn flags(&self) -> io::Result<i32> {
        let access = match (self.read, self.write, self.append) {
            (true, false, false) => libc::O_RDONLY,
            (false, true, false) => libc::O_WRONLY,
            (true, true, false) => libc::O_RDWR,
            (false, _, true) => libc::O_WRONLY | libc::O_APPEND,
            (true, _, true) => libc::O_RDWR | libc::O_APPEND,
            (false, false, false) => {
                return Err(invalid("open a file for reading, writing or appending"));
            }
        };
        let making = self.create || self.create_new;
        if !self.write && !self.append && (making || self.truncate) {
            return Err(invalid("a file is made or emptied only when it is opened for writing"));
        }
        if self.append && self.truncate && !self.create_new {
            return Err(invalid("a file is either emptied or appended to"));
        }
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

/// What the kernel knows of a file: its `struct statx`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Stat(libc::statx);

impl Stat {
    /// What is asked for: everything that `stat` tells, and the time of birth.
    pub(crate) const MASK: u32 = libc::STATX_BASIC_STATS | libc::STATX_BTIME;

    /// The length in bytes.
    pub fn len(&self) -> u64 {
        self.0.stx_size
    }

    /// Whether the length is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Kind and permissions, as `st_mode` has them.
    pub fn mode(&self) -> u32 {
        u32::from(self.0.stx_mode)
    }

    fn is_kind(&self, kind: u32) -> bool {
        self.mode() & libc::S_IFMT == kind
    }

    /// A regular file?
    pub fn is_file(&self) -> bool {
        self.is_kind(libc::S_IFREG)
    }

    /// A folder?
    pub fn is_dir(&self) -> bool {
        self.is_kind(libc::S_IFDIR)
    }

    /// A symbolic link?
    pub fn is_symlink(&self) -> bool {
        self.is_kind(libc::S_IFLNK)
    }

    /// The number of the file on its device.
    pub fn ino(&self) -> u64 {
        self.0.stx_ino
    }

    /// The device, as `st_dev` has it.
    pub fn dev(&self) -> u64 {
        libc::makedev(self.0.stx_dev_major, self.0.stx_dev_minor)
    }

    /// How many names the file has.
    pub fn nlink(&self) -> u64 {
        u64::from(self.0.stx_nlink)
    }

    /// The owner.
    pub fn uid(&self) -> u32 {
        self.0.stx_uid
    }

    /// The group.
    pub fn gid(&self) -> u32 {
        self.0.stx_gid
    }

    /// The memory on the device, in units of 512 bytes.
    pub fn blocks(&self) -> u64 {
        self.0.stx_blocks
    }

    /// When the contents were changed last.
    pub fn modified(&self) -> SystemTime {
        time(&self.0.stx_mtime)
    }

    /// When the contents were read last, as far as the file system keeps count.
    pub fn accessed(&self) -> SystemTime {
        time(&self.0.stx_atime)
    }

    /// When the file was made; `None` where the file system does not know.
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
