//! Pipes: the system calls around their ends, which are non-blocking.

use std::fs::OpenOptions;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// What an end is open for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Both, as only a pipe with a path can be.
    Both,
}

/// Makes a pipe, CLOEXEC and non-blocking: the reading end and the writing end.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [-1; 2];
    // SAFETY: the kernel writes two numbers to `ends`, which has room for them.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so this is a descriptor that nobody else owns yet.
    let reader = unsafe { OwnedFd::from_raw_fd(ends[0]) };
    // SAFETY: as above.
    let writer = unsafe { OwnedFd::from_raw_fd(ends[1]) };
    Ok((reader, writer))
}

/// Opens an end of a pipe that has a path, CLOEXEC and non-blocking. It never waits for the other
/// end: one opened for writing fails with ENXIO if nobody reads.
pub fn open(path: &Path, access: Access) -> io::Result<OwnedFd> {
    let file = OpenOptions::new()
        .read(access != Access::Write)
        .write(access != Access::Read)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    Ok(file.into())
}

/// Whether the descriptor is an end of a pipe that is open for `access`, or for both.
///
/// # Errors
///
/// `InvalidInput` if it is not.
pub fn check_end(fd: impl AsFd, access: Access) -> io::Result<()> {
    let raw = fd.as_fd().as_raw_fd();
    // SAFETY: plain numbers, for which zero is valid.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one `stat`, for which there is room.
    if unsafe { libc::fstat(raw, &raw mut status) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if status.st_mode & libc::S_IFMT != libc::S_IFIFO {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a pipe"));
    }
    // SAFETY: the call takes integers only; the borrow keeps the descriptor open.
    let flags = unsafe { libc::fcntl(raw, libc::F_GETFL) };
    if flags < 0 {
        return Err(io::Error::last_os_error());
    }
    let open_for = flags & libc::O_ACCMODE;
    let wanted = match access {
        Access::Read => libc::O_RDONLY,
        Access::Write => libc::O_WRONLY,
        Access::Both => libc::O_RDWR,
    };
    if open_for == wanted || open_for == libc::O_RDWR {
        return Ok(());
    }
    let why = match access {
        Access::Read => "not in O_RDONLY or O_RDWR access mode",
        Access::Write => "not in O_WRONLY or O_RDWR access mode",
        Access::Both => "not in O_RDWR access mode",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

/// Reads what there is from a non-blocking end; `WouldBlock` if that is nothing, 0 if there is no
/// writer either. One piece, as most are, is spared the kernel's walk along a list.
pub fn read_now(fd: impl AsFd, pieces: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    let (raw, count) = (fd.as_fd().as_raw_fd(), count(pieces.len()));
    if let [one] = pieces {
        // SAFETY: the piece is borrowed exclusively for longer than the call.
        return retry(|| unsafe { libc::read(raw, one.as_mut_ptr().cast(), one.len()) });
    }
    // SAFETY: the pieces (an `IoSliceMut` is an `iovec`) are borrowed exclusively for longer than
    // the call, and `count` is at most their number.
    retry(|| unsafe { libc::readv(raw, pieces.as_mut_ptr().cast(), count) })
}

/// Writes what there is room for to a non-blocking end; `WouldBlock` if that is nothing.
pub fn write_now(fd: impl AsFd, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    let (raw, count) = (fd.as_fd().as_raw_fd(), count(pieces.len()));
    if let [one] = pieces {
        // SAFETY: the piece is borrowed for longer than the call.
        return retry(|| unsafe { libc::write(raw, one.as_ptr().cast(), one.len()) });
    }
    // SAFETY: the pieces (an `IoSlice` is an `iovec`) are borrowed for longer than the call, and
    // `count` is at most their number.
    retry(|| unsafe { libc::writev(raw, pieces.as_ptr().cast(), count) })
}

/// The kernel takes no more pieces at once (`UIO_MAXIOV`).
fn count(pieces: usize) -> libc::c_int {
    pieces.min(1_024) as libc::c_int
}

fn retry(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        if let Ok(done) = usize::try_from(call()) {
            return Ok(done);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, check_end, pipe, read_now, write_now};
    use std::io::{ErrorKind, IoSlice, IoSliceMut};

    #[test]
    fn bytes_go_through_and_nothing_waits() {
        let (reader, writer) = pipe().unwrap();
        let mut room = [0; 8];
        let empty = read_now(&reader, &mut [IoSliceMut::new(&mut room)]).unwrap_err();
        assert_eq!(empty.kind(), ErrorKind::WouldBlock);
        let pieces = [IoSlice::new(b"he"), IoSlice::new(b"llo")];
        assert_eq!(write_now(&writer, &pieces).unwrap(), 5);
        assert_eq!(read_now(&reader, &mut [IoSliceMut::new(&mut room)]).unwrap(), 5);
        drop(reader);
        assert_eq!(write_now(&writer, &pieces).unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn ends_are_told_apart() {
        let (reader, writer) = pipe().unwrap();
        assert!(check_end(&reader, Access::Read).is_ok());
        assert!(check_end(&reader, Access::Write).is_err());
        assert!(check_end(&writer, Access::Write).is_ok());
        let file = std::fs::File::open("/proc/self/stat").unwrap();
        assert!(check_end(&file, Access::Read).is_err());
    }
}
