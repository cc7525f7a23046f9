//! Reading folders: the kernel's entries, as many at a time as fit into a buffer.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::Kind;
use crate::fd::Fd;

/// Opens a folder for reading. May wait.
///
/// # Errors
///
/// What the system answers; `NotADirectory` for a file.
pub fn open(path: &Path) -> io::Result<Fd> {
    let flags = libc::O_DIRECTORY;
    let file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    Ok(Fd::from(OwnedFd::from(file)))
}

/// Some of a folder's entries, as the kernel wrote them.
#[derive(Debug)]
pub struct Entries {
    bytes: Vec<u8>,
    /// Where the next entry begins.
    at: usize,
    /// The folder has no more than these.
    last: bool,
}

/// One entry of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name, which is never `.` or `..`.
    pub name: &'a OsStr,
    /// The number of the file on its device.
    pub ino: u64,
    /// What it is; `None` where the file system does not keep that with the name.
    pub kind: Option<Kind>,
}

/// The head of a `struct linux_dirent64`: number, offset, length, kind; the name follows.
const HEAD: usize = 8 + 8 + 2 + 1;

impl Entries {
    /// None, and more to come.
    pub fn new() -> Entries {
        Entries { bytes: Vec::new(), at: 0, last: false }
    }

    /// The folder has no more than these.
    pub fn is_last(&self) -> bool {
        self.last
    }

    /// Reads the folder's next entries, in place of these, until `room` bytes are full or it has
    /// no more. May wait.
    ///
    /// # Errors
    ///
    /// What the system answers.
    pub fn refill(&mut self, folder: &Fd, room: usize) -> io::Result<()> {
        self.bytes.clear();
        self.at = 0;
        self.bytes.reserve(room);
        loop {
            let spare = self.bytes.spare_capacity_mut();
            // SAFETY: the call writes at most as many bytes as the spare capacity has.
            let read = unsafe {
                libc::syscall(
                    libc::SYS_getdents64,
                    folder.as_raw_fd(),
                    spare.as_mut_ptr(),
                    spare.len(),
                )
            };
            match usize::try_from(read) {
                Ok(0) => {
                    self.last = true;
                    return Ok(());
                }
                Ok(n) => {
                    let len = self.bytes.len() + n;
                    // SAFETY: the kernel has written `n` bytes behind the first `len`.
                    unsafe { self.bytes.set_len(len) };
                }
                Err(_) => {
                    let error = io::Error::last_os_error();
                    return match error.raw_os_error() {
                        Some(libc::EINTR) => continue,
                        // The next entry does not fit behind those that are there.
                        Some(libc::EINVAL) if !self.bytes.is_empty() => Ok(()),
                        // The folder was removed while it was read.
                        Some(libc::ENOENT) => {
                            self.last = true;
                            Ok(())
                        }
                        _ => Err(error),
                    };
                }
            }
        }
    }

    /// The next entry of those that were read.
    #[expect(clippy::should_implement_trait, reason = "the entries borrow from the buffer")]
    pub fn next(&mut self) -> Option<Entry<'_>> {
        loop {
            let (entry, len) = parse(self.bytes.get(self.at..)?)?;
            let dots = matches!(entry.name.as_bytes(), b"." | b"..");
            let begin = self.at;
            self.at += len;
            if !dots {
                // Once more, because the borrow of a loop cannot end early.
                return parse(&self.bytes[begin..]).map(|(entry, _)| entry);
            }
        }
    }
}

impl Default for Entries {
    fn default() -> Entries {
        Entries::new()
    }
}

/// The first entry of these bytes, and how many are its own.
fn parse(bytes: &[u8]) -> Option<(Entry<'_>, usize)> {
    let (number, _) = bytes.split_first_chunk::<8>()?;
    let len = usize::from(u16::from_ne_bytes([*bytes.get(16)?, *bytes.get(17)?]));
    let kind = u32::from(*bytes.get(18)?);
    let name = bytes.get(HEAD..len)?;
    let name = name.split(|byte| *byte == 0).next()?;
    // `DT_*` are the kinds of `S_IFMT`, moved.
    let kind = (kind != 0).then(|| Kind::of_mode(kind << 12));
    let name = OsStr::from_bytes(name);
    Some((Entry { name, ino: u64::from_ne_bytes(*number), kind }, len))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn entries_are_those_of_std_however_small_the_buffer() {
        let path = Path::new("/proc/self/task/../fdinfo/..");
        let std: BTreeMap<_, _> = std::fs::read_dir("/sys/kernel")
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), entry.file_type().unwrap().is_dir()))
            .collect();
        assert!(open(path).is_ok());
        for room in [300, 1 << 16] {
            let folder = open(Path::new("/sys/kernel")).unwrap();
            let (mut entries, mut ours) = (Entries::new(), BTreeMap::new());
            while !entries.is_last() {
                entries.refill(&folder, room).unwrap();
                while let Some(entry) = entries.next() {
                    ours.insert(entry.name.to_owned(), entry.kind == Some(Kind::Folder));
                }
            }
            assert_eq!(ours, std, "with {room} bytes");
        }
    }

    #[test]
    fn a_file_is_no_folder() {
        assert_eq!(
            open(Path::new("/proc/self/stat")).unwrap_err().kind(),
            io::ErrorKind::NotADirectory
        );
    }

    #[test]
    fn cut_entries_are_no_entries() {
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&[0; 18]), None);
        let mut whole = [0; 24];
        (whole[0], whole[16], whole[18], whole[19]) = (7, 24, 8, b'x');
        let (entry, len) = parse(&whole).unwrap();
        let wanted = Entry { name: OsStr::new("x"), ino: 7, kind: Some(Kind::File) };
        assert_eq!((entry, len), (wanted, 24));
        assert_eq!(parse(&whole[..23]), None);
    }
}
