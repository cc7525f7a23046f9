//! Bytes that go from one descriptor to another inside of the kernel.
//!
//! None of these calls waits for a peer: ends of pipes and sockets that they are given are
//! non-blocking, or the other side is known to have room. None of them raises SIGPIPE either,
//! although the calls themselves have no flag for that: see [`without_sigpipe`].

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::ptr;

/// A place that is asked about stands for so many bytes: the kernel reads ahead as many.
const STEP: u64 = 128 << 10;
/// The kernel's memory comes in pieces of no less.
const PAGE: u64 = 4 << 10;

/// What of a part of a file is in the kernel's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InMemory {
    /// So many bytes from its beginning on; or fewer, if the file ends before. Never none.
    Bytes(usize),
    /// Not even the first.
    Nothing,
    /// The file ends before it.
    End,
    /// There is no knowing: a file system that cannot tell, a file that is opened to go past the
    /// kernel's memory.
    Unknown,
}

/// What of the `len` bytes of a file from `offset` on is in the kernel's memory, so that
/// [`sendfile_now`] need not wait for a device.
///
/// It looks at a byte every 128 KiB, and at the last. A file that is read from its beginning on is
/// read, and forgotten, in such pieces; where it was not, a transfer waits for the device all the
/// same, which does no harm but to those that it keeps waiting.
///
/// # Errors
///
/// `NotSeekable` for what has no places; what the kernel answers.
pub fn in_memory(file: impl AsFd, offset: u64, len: usize) -> io::Result<InMemory> {
    let file = file.as_fd();
    let end = offset.saturating_add(len as u64);
    let mut at = offset;
    loop {
        match byte_at(file, at) {
            Ok(true) => {}
            Ok(false) if at == offset => return Ok(InMemory::End),
            // It ends between this place and the one before: a transfer finds out where.
            Ok(false) => return Ok(InMemory::Bytes((at - offset) as usize)),
            Err(error) => match error.raw_os_error() {
                Some(libc::EAGAIN) if at == offset => return Ok(InMemory::Nothing),
                // The place before was there, and with it its page.
                Some(libc::EAGAIN) => {
                    return Ok(InMemory::Bytes((known(offset, at) - offset) as usize));
                }
                Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::EINVAL) => {
                    return Ok(InMemory::Unknown);
                }
                _ => return Err(error),
            },
        }
        if at + 1 >= end {
            return Ok(InMemory::Bytes(len));
        }
        at = ((at / STEP + 1) * STEP).min(end - 1);
    }
}

/// Where what is known to be in memory ends, when the byte at `missing` is not.
fn known(offset: u64, missing: u64) -> u64 {
    let before = ((missing - 1) / STEP * STEP).max(offset);
    if before == offset { ((offset / PAGE + 1) * PAGE).min(missing) } else { before }
}

/// Whether the file has a byte at this place; `WouldBlock` if that is not in memory.
fn byte_at(file: BorrowedFd<'_>, at: u64) -> io::Result<bool> {
    let at = i64::try_from(at).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut byte = 0_u8;
    let piece = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // SAFETY: the piece is one byte of ours, which outlives the call.
    let read = retry(|| unsafe {
        libc::preadv2(file.as_raw_fd(), &raw const piece, 1, at, libc::RWF_NOWAIT)
    })?;
    Ok(read > 0)
}

/// Sends bytes of a file, from `offset` on, through a non-blocking socket: as many as there is room
/// for. None at the end of the file.
///
/// It waits for the device where the bytes are not [`in_memory`].
///
/// # Errors
///
/// `WouldBlock` if there is no room; `InvalidInput` if the file is of a kind that cannot be sent
/// so; what the kernel answers.
pub fn sendfile_now(
    socket: impl AsFd,
    file: impl AsFd,
    offset: u64,
    len: usize,
) -> io::Result<usize> {
    let (socket, file) = (socket.as_fd().as_raw_fd(), file.as_fd().as_raw_fd());
    let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut offset: libc::off_t = i64::try_from(offset).map_err(invalid)?;
    // SAFETY: the kernel reads and writes one number, which outlives the call.
    without_sigpipe(|| unsafe { libc::sendfile(socket, file, &raw mut offset, len) })
}

/// Moves what there is, at most `len` bytes, between two non-blocking pipes, or a pipe and a
/// non-blocking socket. None at the end.
///
/// # Errors
///
/// `WouldBlock` if there is nothing to move, or no room for it; what the kernel answers.
pub fn splice_now(from: impl AsFd, to: impl AsFd, len: usize) -> io::Result<usize> {
    let (from, to) = (from.as_fd().as_raw_fd(), to.as_fd().as_raw_fd());
    let flags = libc::SPLICE_F_NONBLOCK | libc::SPLICE_F_MOVE;
    let none = ptr::null_mut();
    // SAFETY: no pointers are given.
    without_sigpipe(|| unsafe { libc::splice(from, none, to, none, len, flags) })
}

/// Moves bytes of a file, from `offset` on, to a non-blocking pipe: as many as there is room for.
/// None at the end of the file.
///
/// It waits for the device where the bytes are not [`in_memory`].
///
/// # Errors
///
/// `WouldBlock` if there is no room; what the kernel answers.
pub fn splice_file_now(
    file: impl AsFd,
    offset: u64,
    to: impl AsFd,
    len: usize,
) -> io::Result<usize> {
    let (file, to) = (file.as_fd().as_raw_fd(), to.as_fd().as_raw_fd());
    let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut offset: libc::loff_t = i64::try_from(offset).map_err(invalid)?;
    let (none, flags) = (ptr::null_mut(), libc::SPLICE_F_NONBLOCK);
    // SAFETY: the kernel reads and writes one number, which outlives the call.
    without_sigpipe(|| unsafe { libc::splice(file, &raw mut offset, to, none, len, flags) })
}

/// Copies what is in a non-blocking pipe, at most `len` bytes, to another, and leaves it there.
/// None at the end.
///
/// # Errors
///
/// `WouldBlock` if there is nothing to copy, or no room for it; what the kernel answers.
pub fn tee_now(from: impl AsFd, to: impl AsFd, len: usize) -> io::Result<usize> {
    let (from, to) = (from.as_fd().as_raw_fd(), to.as_fd().as_raw_fd());
    // SAFETY: the call takes integers only.
    without_sigpipe(|| unsafe { libc::tee(from, to, len, libc::SPLICE_F_NONBLOCK) })
}

/// Runs a call that raises SIGPIPE where nobody reads any more, and answers EPIPE alone.
///
/// Rust programs ignore the signal, and then it costs one call to know that. In a program that does
/// not (another language's, in which this is a library) the signal is kept from this thread, to
/// which it would come, and taken away again. On the ring it comes to a worker of the kernel's,
/// which takes no signals.
fn without_sigpipe(call: impl FnMut() -> isize) -> io::Result<usize> {
    if is_sigpipe_ignored() {
        return retry(call);
    }
    let sigpipe = {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the call initialises the set.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: an initialised set, and a signal that there is.
        unsafe { libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE) };
        // SAFETY: just initialised.
        unsafe { set.assume_init() }
    };
    let mut before = sigpipe;
    // SAFETY: both sets are ours, and initialised.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const sigpipe, &raw mut before) };
    let waited = is_sigpipe_pending();
    let done = retry(call);
    let raised = done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if raised && !waited {
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the set and the time are ours; nobody wants the details.
        let take = || unsafe {
            libc::sigtimedwait(&raw const sigpipe, ptr::null_mut(), &at_once) as isize
        };
        // Nothing to take: somebody has sent one to the process meanwhile, and another thread has
        // taken both for one.
        let _taken = retry(take);
    }
    // SAFETY: both sets are ours, and initialised.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut()) };
    done
}

fn is_sigpipe_ignored() -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: asks only; the kernel writes one `struct sigaction`.
    if unsafe { libc::sigaction(libc::SIGPIPE, ptr::null(), action.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call succeeded, so it has been written.
    unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}

fn is_sigpipe_pending() -> bool {
    let mut pending = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the call writes one set.
    if unsafe { libc::sigpending(pending.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call succeeded, so it has been written.
    unsafe { libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1 }
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
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    use super::super::pipe::pipe;
    use super::*;

    fn file_of(bytes: &[u8]) -> std::fs::File {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("henge-sys-{}-{number}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        file
    }

    #[test]
    fn what_was_just_written_is_in_memory() {
        let file = file_of(&[7; 100_000]);
        assert_eq!(in_memory(&file, 0, 100_000).unwrap(), InMemory::Bytes(100_000));
        assert_eq!(in_memory(&file, 99_999, 1).unwrap(), InMemory::Bytes(1));
        assert_eq!(in_memory(&file, 100_000, 1).unwrap(), InMemory::End);
        assert!(in_memory(&file, u64::MAX - 1, 1).is_err());
        // It ends within, which is all that is known.
        let found = in_memory(&file, 1, 1 << 20).unwrap();
        assert!(matches!(found, InMemory::Bytes(99_999..=131_071)), "{found:?}");
        let (reader, _writer) = pipe().unwrap();
        assert_eq!(in_memory(&reader, 0, 1).unwrap_err().kind(), ErrorKind::NotSeekable);
        let stat = std::fs::File::open("/proc/self/stat").unwrap();
        assert_eq!(in_memory(&stat, 0, 1).unwrap(), InMemory::Unknown);
    }

    #[test]
    fn up_to_a_place_that_is_missing_whole_pages_are_known() {
        assert_eq!(known(0, 32 << 10), 4 << 10);
        assert_eq!(known(5_000, 32 << 10), 8 << 10);
        assert_eq!(known(5_000, 5_001), 5_001);
        assert_eq!(known(0, 3 * STEP), 2 * STEP);
        assert_eq!(known(0, 3 * STEP - 1), 2 * STEP);
    }

    #[test]
    fn a_file_goes_through_a_socket_and_through_a_pipe() {
        let bytes: Vec<u8> = (0..20_000_u32).map(|n| (n % 251) as u8).collect();
        let file = file_of(&bytes);
        let (mut near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        assert_eq!(sendfile_now(&far, &file, 5_000, 10_000).unwrap(), 10_000);
        let mut there = vec![0; 10_000];
        near.read_exact(&mut there).unwrap();
        assert_eq!(there, bytes[5_000..15_000]);
        assert_eq!(sendfile_now(&far, &file, 20_000, 1).unwrap(), 0);

        let (reader, writer) = pipe().unwrap();
        let (other, into_other) = pipe().unwrap();
        assert_eq!(splice_file_now(&file, 19_000, &writer, 5_000).unwrap(), 1_000);
        assert_eq!(tee_now(&reader, &into_other, 400).unwrap(), 400);
        assert_eq!(splice_now(&reader, &far, 5_000).unwrap(), 1_000);
        assert_eq!(splice_now(&other, &far, 5_000).unwrap(), 400);
        let empty = splice_now(&reader, &far, 1).unwrap_err();
        assert_eq!(empty.kind(), ErrorKind::WouldBlock);
        let mut there = vec![0; 1_400];
        near.read_exact(&mut there).unwrap();
        assert_eq!(there[..1_000], bytes[19_000..]);
        assert_eq!(there[1_000..], bytes[19_000..19_400]);
        near.write_all(b"back").unwrap();
        assert_eq!(splice_now(&far, &writer, 100).unwrap(), 4);
    }

    #[test]
    fn nobody_is_killed_by_a_peer_that_is_gone() {
        // SAFETY: the signal's usual action; other tests of this process do not depend on it, for
        // each of them that writes asks for no signal.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let file = file_of(&[1; 100]);
        let (near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        drop(near);
        let refused = sendfile_now(&far, &file, 0, 100).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let refused = splice_file_now(&file, 0, &writer, 100).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
        assert!(!is_sigpipe_pending());
        // SAFETY: as it was.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        let refused = sendfile_now(&far, &file, 0, 100).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
    }
}
