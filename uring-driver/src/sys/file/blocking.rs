//! Calls on files that may wait, for threads that may: what the ring has no operation for.

use std::ffi::CStr;
use std::fmt;
use std::fs::{self, FileTimes};
use std::io::{self, Seek, SeekFrom, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Advice, Metadata, Permissions, RangeSync, StdFile};
use crate::fd::Fd;

/// Lends the descriptor to std.
fn with_std<R>(fd: &Fd, call: impl FnOnce(&mut StdFile) -> R) -> R {
    // SAFETY: the descriptor is open, because the borrow keeps its owner alive; `ManuallyDrop`
    // keeps std from closing it.
    let mut file = ManuallyDrop::new(unsafe { StdFile::from_raw_fd(fd.as_raw_fd()) });
    call(&mut file)
}

/// What std's file says of itself: its number, its path, and how it was opened.
///
/// # Errors
///
/// The formatter's.
pub fn debug(fd: &Fd, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    with_std(fd, |file| fmt::Debug::fmt(file, f))
}

/// Where a symbolic link points to.
///
/// # Errors
///
/// What the system answers, here as everywhere below.
pub fn read_link(path: &Path) -> io::Result<PathBuf> {
    fs::read_link(path)
}

/// The path from the root, without links and dots.
///
/// # Errors
///
/// As [`read_link`].
pub fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// Removes a folder and all that is in it; links are removed, not followed.
///
/// # Errors
///
/// As [`read_link`].
pub fn remove_dir_all(path: &Path) -> io::Result<()> {
    fs::remove_dir_all(path)
}

/// Makes or empties a file, and writes all of its contents.
///
/// # Errors
///
/// As [`read_link`].
pub fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = StdFile::create(path)?;
    file.write_all(contents)
}

/// What is known of the file at `path`; links are followed or not.
///
/// # Errors
///
/// As [`read_link`].
pub fn metadata_of_path(path: &Path, follow: bool) -> io::Result<Metadata> {
    if follow { fs::metadata(path) } else { fs::symlink_metadata(path) }
}

/// What is known of the file of that name in an open folder; of a symbolic link itself.
///
/// # Errors
///
/// As [`read_link`].
pub fn metadata_in(folder: &Fd, name: &CStr) -> io::Result<Metadata> {
    let flags = libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    // SAFETY: the name ends with a NUL byte, and the call keeps nothing of it.
    let number = unsafe { libc::openat(folder.as_raw_fd(), name.as_ptr(), flags) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has made this descriptor; nobody else owns it.
    unsafe { StdFile::from_raw_fd(number) }.metadata()
}

/// What is known of an open file.
///
/// # Errors
///
/// As [`read_link`].
pub fn metadata(fd: &Fd) -> io::Result<Metadata> {
    with_std(fd, |file| file.metadata())
}

/// Sets the permissions of the file at `path`.
///
/// # Errors
///
/// As [`read_link`].
pub fn set_permissions(path: &Path, permissions: Permissions) -> io::Result<()> {
    fs::set_permissions(path, permissions)
}

/// Sets the permissions of an open file.
///
/// # Errors
///
/// As [`read_link`].
pub fn set_file_permissions(fd: &Fd, permissions: Permissions) -> io::Result<()> {
    with_std(fd, |file| file.set_permissions(permissions))
}

/// Sets when an open file was read or changed last, as far as a time is given.
///
/// # Errors
///
/// As [`read_link`].
pub fn set_times(
    fd: &Fd,
    accessed: Option<SystemTime>,
    modified: Option<SystemTime>,
) -> io::Result<()> {
    let mut times = FileTimes::new();
    if let Some(accessed) = accessed {
        times = times.set_accessed(accessed);
    }
    if let Some(modified) = modified {
        times = times.set_modified(modified);
    }
    with_std(fd, |file| file.set_times(times))
}

/// Cuts an open file to `len` bytes, or lengthens it with zeros.
///
/// # Errors
///
/// As [`read_link`].
pub fn set_len(fd: &Fd, len: u64) -> io::Result<()> {
    with_std(fd, |file| file.set_len(len))
}

/// Writes all of these bytes at the file's position.
///
/// # Errors
///
/// As [`read_link`].
pub fn write_all(fd: &Fd, bytes: &[u8]) -> io::Result<()> {
    with_std(fd, |file| file.write_all(bytes))
}

/// Moves the file's position, and returns the new one.
///
/// # Errors
///
/// As [`read_link`].
pub fn seek(fd: &Fd, to: SeekFrom) -> io::Result<u64> {
    with_std(fd, |file| file.seek(to))
}

/// Opens with std's own options.
///
/// # Errors
///
/// As [`read_link`].
pub fn open(path: &Path, options: &fs::OpenOptions) -> io::Result<StdFile> {
    options.open(path)
}

/// A second descriptor of the same open file.
///
/// # Errors
///
/// As [`read_link`].
pub fn duplicate(fd: &Fd) -> io::Result<Fd> {
    crate::sys::fd::duplicate(fd.as_raw_fd())
}

/// Announces how a range of any length will be used.
///
/// # Errors
///
/// As [`read_link`].
pub fn advise(fd: &Fd, advice: Advice, offset: u64, len: u64) -> io::Result<()> {
    let (offset, len) = range(offset, len)?;
    // SAFETY: the call takes integers only.
    match unsafe { libc::posix_fadvise(fd.as_raw_fd(), offset, len, advice.number()) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Starts or awaits the writing of a range of any length.
///
/// # Errors
///
/// As [`read_link`].
pub fn sync_range(fd: &Fd, how: RangeSync, offset: u64, len: u64) -> io::Result<()> {
    let (offset, len) = range(offset, len)?;
    // SAFETY: the call takes integers only.
    match unsafe { libc::sync_file_range(fd.as_raw_fd(), offset, len, how.flags()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn range(offset: u64, len: u64) -> io::Result<(i64, i64)> {
    match (i64::try_from(offset), i64::try_from(len)) {
        (Ok(offset), Ok(len)) => Ok((offset, len)),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}
