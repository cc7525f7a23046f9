//! Entries for what is done with names of files.

use std::ffi::{CStr, c_void};

use super::{Opcode, Sqe};
use crate::Fd;
use crate::sys::abi;

impl Sqe {
    /// Opens `path` relative to the working directory, always CLOEXEC; completes with the
    /// descriptor.
    pub fn open(path: *const CStr, flags: i32, mode: u32) -> Sqe {
        let path = path.cast::<u8>() as u64;
        let mut sqe = Sqe::new(Opcode::OpenAt, abi::AT_FDCWD, path, mode, 0);
        sqe.op_flags = (flags | abi::O_CLOEXEC).cast_unsigned();
        sqe
    }

    /// Fills a `struct statx` for `path`, relative to `folder` or the working directory; with
    /// `AT_EMPTY_PATH` and an empty path for `folder` itself.
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
    pub fn rename(from: *const CStr, to: *const CStr) -> Sqe {
        Sqe::two_paths(Opcode::RenameAt, from, to, abi::AT_FDCWD)
    }

    /// Makes `link` another name of the file at `original`.
    pub fn link(original: *const CStr, link: *const CStr) -> Sqe {
        Sqe::two_paths(Opcode::LinkAt, original, link, abi::AT_FDCWD)
    }

    /// Makes a symbolic link at `link` that says `target`.
    pub fn symlink(target: *const CStr, link: *const CStr) -> Sqe {
        Sqe::two_paths(Opcode::SymlinkAt, target, link, 0)
    }

    fn two_paths(opcode: Opcode, from: *const CStr, to: *const CStr, second: i32) -> Sqe {
        let (from, to) = (from.cast::<u8>() as u64, to.cast::<u8>() as u64);
        Sqe::new(opcode, abi::AT_FDCWD, from, second.cast_unsigned(), to)
    }

    /// Makes a folder.
    pub fn mkdir(path: *const CStr, mode: u32) -> Sqe {
        Sqe::new(Opcode::MkdirAt, abi::AT_FDCWD, path.cast::<u8>() as u64, mode, 0)
    }

    /// Removes a file, or with `folder` an empty folder.
    pub fn unlink(path: *const CStr, folder: bool) -> Sqe {
        let path = path.cast::<u8>() as u64;
        let mut sqe = Sqe::new(Opcode::UnlinkAt, abi::AT_FDCWD, path, 0, 0);
        sqe.op_flags = if folder { abi::AT_REMOVEDIR.cast_unsigned() } else { 0 };
        sqe
    }
}
