//! Entries for what is done with names of files.

use std::ffi::{CStr, c_void};

use super::{Opcode, Sqe};
use crate::Fd;
use crate::sys::abi;

impl Sqe {
    /// Opens `path` relative to the working directory, always CLOEXEC; completes with the
    /// descriptor.
    ///
    /// ```
    /// use std::os::fd::{FromRawFd, OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const O_RDWR: i32 = 2;
    ///
    /// let (number, _) = ask((), |()| Sqe::open(c"/dev/null", O_RDWR, 0))?;
    /// // SAFETY: the kernel has made it for this completion, so it is nobody else's.
    /// let null = unsafe { OwnedFd::from_raw_fd(number.cast_signed()) };
    /// io::Write::write_all(&mut std::fs::File::from(null), b"into the void")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn open(path: *const CStr, flags: i32, mode: u32) -> Sqe {
        let path = path.cast::<u8>() as u64;
        let mut sqe = Sqe::new(Opcode::OpenAt, abi::AT_FDCWD, path, mode, 0);
        sqe.op_flags = (flags | abi::O_CLOEXEC).cast_unsigned();
        sqe
    }

    /// Fills a `struct statx` for `path`, relative to `folder` or the working directory; with
    /// `AT_EMPTY_PATH` and an empty path for `folder` itself.
    ///
    /// ```
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const STATX_SIZE: u32 = 0x200;
    ///
    /// // A `struct statx` of 256 bytes, whose sixth word is the length.
    /// let (_, facts) = ask([0_u64; 32], |facts| {
    ///     Sqe::statx(None, c"Cargo.toml", 0, STATX_SIZE, facts.as_mut_ptr().cast())
    /// })?;
    /// assert_eq!(facts[5], std::fs::metadata("Cargo.toml")?.len());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn statx(
        folder: Option<&Fd>,
        path: *const CStr,
        flags: i32,
        mask: u32,
        to: *mut c_void,
    ) -> Sqe {
        let folder = folder.map_or(abi::AT_FDCWD, Fd::number);
        let path = path.cast::<u8>() as u64;
        let mut sqe = Sqe::new(Opcode::Statx, folder, path, mask, to as u64);
        sqe.op_flags = flags.cast_unsigned();
        sqe
    }

    /// Renames `from` to `to`, replacing what was there.
    ///
    /// ```
    /// use std::{ffi::CString, fs, os::unix::ffi::OsStrExt};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// # let new = std::env::temp_dir().join(format!("henge-sqe-new-{}", std::process::id()));
    /// # let old = new.with_extension("old");
    /// fs::write(&new, "made aside, and complete")?;
    /// let owned = |path: &std::path::Path| CString::new(path.as_os_str().as_bytes());
    /// let names = (owned(&new)?, owned(&old)?);
    /// ask(names, |(from, to)| Sqe::rename(from.as_ref(), to.as_ref()))?;
    /// assert_eq!(fs::read_to_string(&old)?, "made aside, and complete");
    /// # fs::remove_file(old)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn rename(from: *const CStr, to: *const CStr) -> Sqe {
        Sqe::two_paths(Opcode::RenameAt, from, to, abi::AT_FDCWD)
    }

    /// Makes `link` another name of the file at `original`.
    ///
    /// ```
    /// use std::{ffi::CString, fs, os::unix::ffi::OsStrExt, os::unix::fs::MetadataExt};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// # let one = std::env::temp_dir().join(format!("henge-sqe-one-{}", std::process::id()));
    /// # let two = one.with_extension("two");
    /// fs::write(&one, "of two names")?;
    /// let owned = |path: &std::path::Path| CString::new(path.as_os_str().as_bytes());
    /// let names = (owned(&one)?, owned(&two)?);
    /// ask(names, |(one, two)| Sqe::link(one.as_ref(), two.as_ref()))?;
    /// assert_eq!(fs::metadata(&one)?.nlink(), 2);
    /// # fs::remove_file(one)?;
    /// # fs::remove_file(two)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn link(original: *const CStr, link: *const CStr) -> Sqe {
        Sqe::two_paths(Opcode::LinkAt, original, link, abi::AT_FDCWD)
    }

    /// Makes a symbolic link at `link` that says `target`.
    ///
    /// ```
    /// use std::{ffi::CString, fs, os::unix::ffi::OsStrExt, path::Path};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// # let path = std::env::temp_dir().join(format!("henge-sqe-link-{}", std::process::id()));
    /// let link = CString::new(path.as_os_str().as_bytes())?;
    /// ask(link, |link| Sqe::symlink(c"log.7", link.as_ref()))?;
    /// assert_eq!(fs::read_link(&path)?, Path::new("log.7"));
    /// # fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn symlink(target: *const CStr, link: *const CStr) -> Sqe {
        Sqe::two_paths(Opcode::SymlinkAt, target, link, 0)
    }

    fn two_paths(opcode: Opcode, from: *const CStr, to: *const CStr, second: i32) -> Sqe {
        let (from, to) = (from.cast::<u8>() as u64, to.cast::<u8>() as u64);
        Sqe::new(opcode, abi::AT_FDCWD, from, second.cast_unsigned(), to)
    }

    /// Makes a folder.
    ///
    /// ```
    /// use std::{ffi::CString, fs, os::unix::ffi::OsStrExt};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// # let path = std::env::temp_dir().join(format!("henge-sqe-folder-{}", std::process::id()));
    /// let folder = CString::new(path.as_os_str().as_bytes())?;
    /// ask(folder, |folder| Sqe::mkdir(folder.as_ref(), 0o777))?;
    /// assert!(path.is_dir());
    /// # fs::remove_dir(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn mkdir(path: *const CStr, mode: u32) -> Sqe {
        Sqe::new(Opcode::MkdirAt, abi::AT_FDCWD, path.cast::<u8>() as u64, mode, 0)
    }

    /// Removes a file, or with `folder` an empty folder.
    ///
    /// ```
    /// use std::{ffi::CString, fs, os::unix::ffi::OsStrExt};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// # let path = std::env::temp_dir().join(format!("henge-sqe-gone-{}", std::process::id()));
    /// fs::write(&path, "not for long")?;
    /// let name = CString::new(path.as_os_str().as_bytes())?;
    /// ask(name, |name| Sqe::unlink(name.as_ref(), false))?;
    /// assert!(!path.exists());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn unlink(path: *const CStr, folder: bool) -> Sqe {
        let path = path.cast::<u8>() as u64;
        let mut sqe = Sqe::new(Opcode::UnlinkAt, abi::AT_FDCWD, path, 0, 0);
        sqe.op_flags = if folder { abi::AT_REMOVEDIR.cast_unsigned() } else { 0 };
        sqe
    }
}
