//! Calls on files that do not wait for a device: they answer from the kernel's memory or not at
//! all, and then the ring is asked.
//!
//! What the ring does with such a request is the same attempt, in the same thread, inside the call
//! that submits it; asking directly saves the round trip through the loop. For `statx`, for a look
//! at a path, and for what makes the kernel use a worker thread always, it saves the worker too.

use std::ffi::CStr;
use std::io::{self, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Metadata, Stat};
use crate::buf::IoBufMut;
use crate::fd::Fd;

/// What came of an attempt to transfer bytes without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// So many bytes; none at the end of the file.
    Bytes(usize),
    /// Not without waiting, or with an error that the ring will tell.
    NotNow,
    /// This file cannot be asked so at all.
    Never,
}

/// A number of bytes, or none and the reason in `errno`.
fn moved(result: isize) -> Moved {
    if let Ok(n) = usize::try_from(result) {
        return Moved::Bytes(n);
    }
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::EOPNOTSUPP | libc::ESPIPE | libc::ENOSYS) => Moved::Never,
        _ => Moved::NotNow,
    }
}

/// An offset as the system calls want it: `u64::MAX` is the file's own position. `None` is beyond
/// every file.
fn position(offset: u64) -> Option<i64> {
    if offset == u64::MAX { Some(-1) } else { i64::try_from(offset).ok() }
}

/// `preadv2` or `pwritev2` of one piece, as the system call itself: the C library's functions are
/// places where a thread may be cancelled, which costs each call 12 to 25 ns of a thousand.
///
/// # Safety
///
/// As for the call: its piece of memory may be read, or read and written.
unsafe fn transfer_now(call: libc::c_long, fd: &Fd, piece: &libc::iovec, offset: i64) -> isize {
    let fd = libc::c_long::from(fd.as_raw_fd());
    // The halves of the offset; the kernel joins them, whatever the upper one is where a register
    // holds all of it.
    let (low, high) = (offset as libc::c_long, (offset >> 32) as libc::c_long);
    let (count, flags) = (1 as libc::c_long, libc::c_long::from(libc::RWF_NOWAIT));
    let piece: *const libc::iovec = piece;
    // SAFETY: the caller's.
    let moved = unsafe { libc::syscall(call, fd, piece, count, low, high, flags) };
    moved as isize
}

/// Reads what is in memory at a byte offset into `to`; `u64::MAX` means the file's own position,
/// which then moves.
pub fn read(fd: &Fd, to: &mut [u8], offset: u64) -> Moved {
    let Some(offset) = position(offset) else { return Moved::NotNow };
    let piece = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() };
    // SAFETY: the piece is `to`, which is borrowed exclusively for the duration of the call.
    moved(unsafe { transfer_now(libc::SYS_preadv2, fd, &piece, offset) })
}

/// As [`read`], into an owned buffer from its first byte up to its capacity.
pub fn read_into<B: IoBufMut>(fd: &Fd, buf: &mut B, offset: u64) -> Moved {
    let Some(offset) = position(offset) else { return Moved::NotNow };
    let room = buf.bytes_total();
    let piece = libc::iovec { iov_base: buf.stable_mut_ptr().cast(), iov_len: room };
    // SAFETY: the piece is the buffer's memory, which is nobody else's (the contract of
    // `IoBufMut`) and which is borrowed exclusively for the duration of the call.
    let moved = moved(unsafe { transfer_now(libc::SYS_preadv2, fd, &piece, offset) });
    if let Moved::Bytes(n) = moved {
        // SAFETY: the kernel has written the first `n` bytes, of those that it was given.
        unsafe { buf.set_init(n) };
    }
    moved
}

/// Writes what can be written to memory at a byte offset; `u64::MAX` means the file's own
/// position, which then moves.
pub fn write(fd: &Fd, from: &[u8], offset: u64) -> Moved {
    let Some(offset) = position(offset) else { return Moved::NotNow };
    let piece = libc::iovec { iov_base: from.as_ptr().cast_mut().cast(), iov_len: from.len() };
    // SAFETY: the piece is `from`, which the call only reads.
    moved(unsafe { transfer_now(libc::SYS_pwritev2, fd, &piece, offset) })
}

/// Whether attempts on this file wait in spite of everything: a direct transfer (`O_DIRECT`) goes
/// to the device whatever it is asked.
pub fn waits(fd: &Fd) -> bool {
    // SAFETY: the call takes integers only.
    let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) };
    flags < 0 || flags & libc::O_DIRECT != 0
}

/// Opens `path`, relative to `folder` or the working directory, if the kernel has everything on
/// the way in memory; `None` if not, or if the ring is to tell why not. Always CLOEXEC.
///
/// The descriptor is O_NONBLOCK, for a named pipe would wait; see [`clear_nonblocking`].
///
/// # Errors
///
/// What the system answers where it is sure.
pub fn open(folder: Option<&Fd>, path: &CStr, flags: i32) -> io::Result<Option<Fd>> {
    // SAFETY: `struct open_how` is numbers throughout, for which zero is a value.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = u64::from((flags | libc::O_CLOEXEC | libc::O_NONBLOCK).cast_unsigned());
    if flags & libc::O_PATH != 0 {
        // The kernel refuses what has no meaning together.
        how.flags &= !u64::from(libc::O_NONBLOCK.cast_unsigned());
    }
    how.resolve = libc::RESOLVE_CACHED;
    let folder = folder.map_or(libc::AT_FDCWD, AsRawFd::as_raw_fd);
    // SAFETY: the path ends with a NUL byte, `how` is of the size that is given; the call reads
    // both and keeps neither.
    let number = unsafe {
        libc::syscall(libc::SYS_openat2, folder, path.as_ptr(), &raw const how, size_of_val(&how))
    };
    if let Ok(number @ 0..) = i32::try_from(number) {
        // SAFETY: the call has made this descriptor; nobody else owns it.
        return Ok(Some(Fd::from(unsafe { OwnedFd::from_raw_fd(number) })));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // Not in memory, a lease; a pipe without readers; a filter that does not know the call; a
        // flag that this call does not know and the ring's does.
        Some(
            libc::EAGAIN | libc::ENXIO | libc::EPERM | libc::ENOSYS | libc::EINTR | libc::EINVAL,
        ) => Ok(None),
        _ => Err(error),
    }
}

/// Flags of [`open`] for what is only to be asked about.
pub fn path_flags(follow: bool) -> i32 {
    if follow { libc::O_PATH } else { libc::O_PATH | libc::O_NOFOLLOW }
}

/// Whether [`open`] with these flags only looks; making and emptying files takes locks, and waits.
pub fn only_opens(flags: i32) -> bool {
    flags & (libc::O_CREAT | libc::O_TRUNC | libc::O_TMPFILE & !libc::O_DIRECTORY) == 0
}

/// Whether these flags ask for reading alone.
pub fn only_reads(flags: i32) -> bool {
    flags & libc::O_ACCMODE == libc::O_RDONLY
}

/// Whether these flags ask for O_NONBLOCK themselves.
pub fn is_nonblocking(flags: i32) -> bool {
    flags & libc::O_NONBLOCK != 0
}

/// The flag of `open` that asks for transfers without the kernel's cache, which [wait](waits).
pub const DIRECT: i32 = libc::O_DIRECT;

/// Whether these flags ask for transfers without the kernel's cache.
pub fn is_direct(flags: i32) -> bool {
    flags & DIRECT != 0
}

/// Takes O_NONBLOCK off a descriptor that [`open`] made with these flags.
///
/// # Errors
///
/// What the system answers.
pub fn clear_nonblocking(fd: &Fd, flags: i32) -> io::Result<()> {
    let flags = flags & !libc::O_NONBLOCK;
    // SAFETY: the call takes integers only.
    match unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags) } {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether this is a pipe, opened by its name or not.
pub fn is_pipe(fd: &Fd) -> bool {
    // What has a position is none: the cheaper question, which settles it nearly always.
    // SAFETY: the call takes integers only.
    let place = unsafe { libc::lseek(fd.as_raw_fd(), 0, libc::SEEK_CUR) };
    place < 0 && in_memory(fd).is_some_and(|stat| stat.is_fifo())
}

/// A regular file: which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regular {
    pub device: u64,
    pub number: u64,
    /// The file system is on a device of blocks.
    pub on_block_device: bool,
}

/// What an open file is, if it is a regular one.
pub fn regular(fd: &Fd) -> Option<Regular> {
    in_memory(fd).filter(Stat::is_file).map(|stat| Regular {
        device: stat.dev(),
        number: stat.ino(),
        on_block_device: stat.on_block_device(),
    })
}

/// What the kernel has in memory of an open file; `None` where that may not be true any more, or
/// might be waited for: on network file systems.
pub fn stat(fd: &Fd) -> Option<Stat> {
    in_memory(fd).filter(|stat| stat.on_block_device() || is_local(stat) == Some(true))
}

/// As [`stat`], as std tells it, which asks a second time.
///
/// # Errors
///
/// What the system answers.
pub fn metadata(fd: &Fd) -> Option<io::Result<Metadata>> {
    stat(fd)?;
    Some(super::blocking::metadata(fd))
}

/// What the kernel has in memory, whether or not it is still true.
fn in_memory(fd: &Fd) -> Option<Stat> {
    let mut stat = Stat::default();
    let flags = libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC;
    // SAFETY: the path is a constant; the call writes one `struct statx`, which `Stat` is.
    let result = unsafe {
        libc::statx(fd.as_raw_fd(), c"".as_ptr(), flags, Stat::MASK, (&raw mut stat.0).cast())
    };
    (result == 0).then_some(stat)
}

/// Moves the file's position; `None` where that may wait: to find the end of a file its length is
/// needed.
///
/// # Errors
///
/// What the system answers.
pub fn seek(fd: &Fd, to: SeekFrom) -> Option<io::Result<u64>> {
    match to {
        SeekFrom::End(_) => None,
        to => Some(super::blocking::seek(fd, to)),
    }
}

// Which of the mounts without a device of their own are local, as far as anybody has asked. Numbers
// of mounts are never used again; those of devices that the kernel makes up are, by a network file
// system perhaps.

/// Numbers of mounts shifted by one, and 1 where the file system is local; 0 for none yet.
static KNOWN: [AtomicU64; 16] = [const { AtomicU64::new(0) }; 16];

/// Whether the file system of this file is local; `None` if nobody has asked yet.
fn is_local(stat: &Stat) -> Option<bool> {
    // Where the kernel does not tell, the ring is asked each time.
    let Some(mount) = stat.mount() else { return Some(false) };
    for known in &KNOWN {
        match known.load(Ordering::Relaxed) {
            0 => return None,
            entry if entry >> 1 == mount => return Some(entry & 1 == 1),
            _ => {}
        }
    }
    // More of them than are remembered: ask the ring.
    Some(false)
}

/// Asks the file system of an open file whether it is local, if nobody has yet, so that the next
/// look at a file there need not wait. It may wait for a network itself.
pub fn learn(fd: &Fd) {
    let unknown = |stat: &Stat| !stat.on_block_device() && is_local(stat).is_none();
    let Some(mount) = in_memory(fd).filter(unknown).and_then(|stat| stat.mount()) else { return };
    let Some(magic) = magic(fd) else { return };
    let local = KEEPING.contains(&magic) || TALKING.contains(&magic);
    let entry = mount << 1 | u64::from(local);
    for known in &KNOWN {
        // Whoever else asks at this moment comes to the same answer.
        match known.compare_exchange(0, entry, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(there) if there >> 1 == mount => return,
            Err(_) => {}
        }
    }
}

/// Local file systems without a device of their own that keep bytes and do nothing else with them.
const KEEPING: [i64; 6] = [
    0x0102_1994, // tmpfs
    0x8584_58f6, // ramfs
    0x794c_7630, // overlayfs
    0x9123_683e, // btrfs
    0x2fc1_2fc1, // zfs
    0xca45_1a4e, // bcachefs
];

/// Those by which programs talk to the kernel.
const TALKING: [i64; 5] = [
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x6462_6720, // debugfs
    0x6367_7270, // cgroup2
    0x1cd1,      // devpts
];

/// Which kind of file system a file is on.
fn magic(fd: &Fd) -> Option<i64> {
    // SAFETY: `struct statfs` is numbers throughout, for which zero is a value.
    let mut system: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes one `struct statfs`.
    let result = unsafe { libc::fstatfs(fd.as_raw_fd(), &raw mut system) };
    (result == 0).then_some(system.f_type as i64 & 0xffff_ffff)
}

/// Whether a regular file that is on no device of blocks keeps bytes and does nothing else with
/// them, so that two writes may become one: by the files of sysfs or of a control group each write
/// is an order. Where it is not known the answer is no. It may wait for a network.
pub fn keeps_bytes(fd: &Fd) -> bool {
    magic(fd).is_some_and(|magic| KEEPING.contains(&magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &CStr) -> Fd {
        open(None, path, libc::O_RDONLY).unwrap().expect("it was opened before")
    }

    #[test]
    fn what_is_not_there_is_known_not_to_be() {
        // The first look brings the folder into memory.
        assert!(std::fs::metadata("/proc/self/../none").is_err());
        match open(None, c"/no-such-folder-anywhere/x", libc::O_RDONLY) {
            Ok(None) => {}
            Ok(Some(_)) => panic!("it is not there"),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
        }
    }

    #[test]
    fn devices_of_memory_are_read_at_once() {
        assert!(std::fs::metadata("/dev/zero").is_ok());
        let zeros = file(c"/dev/zero");
        let mut bytes = [1; 8];
        assert_eq!(read(&zeros, &mut bytes, 0), Moved::Bytes(8));
        assert_eq!(bytes, [0; 8]);
        assert_eq!(read(&zeros, &mut bytes, i64::MAX as u64 + 1), Moved::NotNow);
        let mut bytes = Vec::with_capacity(8);
        assert_eq!(read_into(&zeros, &mut bytes, u64::MAX), Moved::Bytes(8));
        assert_eq!(bytes, [0; 8]);
    }

    #[test]
    fn a_pipe_has_no_places() {
        let (reader, _writer) = io::pipe().unwrap();
        let reader = Fd::from(OwnedFd::from(reader));
        assert_eq!(read(&reader, &mut [0; 8], 0), Moved::Never);
        assert!(is_pipe(&reader));
        assert!(!is_pipe(&file(c"/dev/zero")));
    }

    #[test]
    fn an_ordinary_file_does_not_wait() {
        assert!(!waits(&Fd::from(OwnedFd::from(std::fs::File::open("Cargo.toml").unwrap()))));
    }

    #[test]
    fn a_regular_file_is_known_by_what_its_metadata_says() {
        use std::os::unix::fs::MetadataExt;

        let own = std::fs::File::open("Cargo.toml").unwrap();
        let known = own.metadata().unwrap();
        let told = regular(&Fd::from(OwnedFd::from(own))).expect("it is one");
        assert_eq!((told.device, told.number), (known.dev(), known.ino()));
        assert_eq!(regular(&file(c"/dev/zero")), None);
    }

    #[test]
    fn files_that_take_orders_are_known() {
        let order = std::fs::File::open("/proc/sys/kernel/osrelease").unwrap();
        let order = Fd::from(OwnedFd::from(order));
        assert!(!regular(&order).expect("it says that it is").on_block_device);
        assert!(!keeps_bytes(&order));
        if let Ok(memory) = std::fs::File::create_new("/dev/shm/henge-keeps-bytes") {
            std::fs::remove_file("/dev/shm/henge-keeps-bytes").unwrap();
            assert!(keeps_bytes(&Fd::from(OwnedFd::from(memory))));
        }
    }

    #[test]
    fn what_was_learned_is_remembered() {
        let own = Fd::from(OwnedFd::from(std::fs::File::open("/proc/self/stat").unwrap()));
        let facts = in_memory(&own).unwrap();
        learn(&own);
        // Before Linux 6.8 there is no number to remember it by.
        let told = facts.mount().is_some();
        assert_eq!(is_local(&facts), Some(told));
        assert_eq!(stat(&own).is_some(), told);
    }
}
