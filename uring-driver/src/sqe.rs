//! Entries as the kernel reads them, with a named constructor for each operation.
//!
//! An [`Sqe`] is plain data of the kernel's layout. Making one asks for nothing and is safe:
//! what its pointers must live up to is the promise of the [`Operation`](crate::Operation) that
//! prepares it. A constructor takes what its operation cannot do without; flags are added by
//! the `with_` methods.

#[allow(unsafe_code, reason = "an entry of any kind is a promise of who makes it")]
mod raw;

use std::ffi::{CStr, c_void};
use std::ptr;
use std::time::Duration;

use crate::Fd;
use crate::sys::abi;

const IOSQE_IO_LINK: u8 = 1 << 2;
const IOSQE_ASYNC: u8 = 1 << 4;
const IOSQE_BUFFER_SELECT: u8 = 1 << 5;
const IOSQE_CQE_SKIP_SUCCESS: u8 = 1 << 6;

const POLL_ADD_MULTI: u32 = 1 << 0;
const RECVSEND_POLL_FIRST: u16 = 1 << 0;
const RECV_MULTISHOT: u16 = 1 << 1;
const ACCEPT_MULTISHOT: u16 = 1 << 0;
const FSYNC_DATASYNC: u32 = 1 << 0;
const TIMEOUT_ETIME_SUCCESS: u32 = 1 << 5;
const ASYNC_CANCEL_ALL: u32 = 1 << 0;
const ASYNC_CANCEL_ANY: u32 = 1 << 2;
const NO_FD: i32 = -1;

/// The operations that henge asks for, by the kernel's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Opcode {
    Nop = 0,
    Readv = 1,
    Writev = 2,
    Fsync = 3,
    ReadFixed = 4,
    WriteFixed = 5,
    PollAdd = 6,
    SyncFileRange = 8,
    SendMsg = 9,
    RecvMsg = 10,
    Timeout = 11,
    Accept = 13,
    AsyncCancel = 14,
    LinkTimeout = 15,
    Connect = 16,
    Fallocate = 17,
    OpenAt = 18,
    Close = 19,
    Statx = 21,
    Read = 22,
    Write = 23,
    Fadvise = 24,
    Send = 26,
    Recv = 27,
    Shutdown = 34,
    RenameAt = 35,
    UnlinkAt = 36,
    MkdirAt = 37,
    SymlinkAt = 38,
    LinkAt = 39,
    MsgRing = 40,
    UringCmd = 46,
    SendZc = 47,
    Ftruncate = 55,
}

impl Opcode {
    /// All of them, for the probe.
    pub(crate) const ALL: [Opcode; 34] = [
        Opcode::Nop,
        Opcode::Readv,
        Opcode::Writev,
        Opcode::Fsync,
        Opcode::ReadFixed,
        Opcode::WriteFixed,
        Opcode::PollAdd,
        Opcode::SyncFileRange,
        Opcode::SendMsg,
        Opcode::RecvMsg,
        Opcode::Timeout,
        Opcode::Accept,
        Opcode::AsyncCancel,
        Opcode::LinkTimeout,
        Opcode::Connect,
        Opcode::Fallocate,
        Opcode::OpenAt,
        Opcode::Close,
        Opcode::Statx,
        Opcode::Read,
        Opcode::Write,
        Opcode::Fadvise,
        Opcode::Send,
        Opcode::Recv,
        Opcode::Shutdown,
        Opcode::RenameAt,
        Opcode::UnlinkAt,
        Opcode::MkdirAt,
        Opcode::SymlinkAt,
        Opcode::LinkAt,
        Opcode::MsgRing,
        Opcode::UringCmd,
        Opcode::SendZc,
        Opcode::Ftruncate,
    ];
}

/// A span of time in the kernel's layout (`struct __kernel_timespec`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Timespec {
    seconds: i64,
    nanos: i64,
}

impl From<Duration> for Timespec {
    /// A span that the kernel cannot express (some 292 billion years) becomes the longest that
    /// it can.
    fn from(span: Duration) -> Timespec {
        Timespec {
            seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
            nanos: i64::from(span.subsec_nanos()),
        }
    }
}

/// One submission entry, 64 bytes, in the layout of `struct io_uring_sqe`.
///
/// ```
/// use henge_driver::Sqe;
///
/// assert_eq!(size_of::<Sqe>(), 64);
/// let _entry = Sqe::nop();
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sqe {
    pub(crate) opcode: u8,
    pub(crate) flags: u8,
    pub(crate) ioprio: u16,
    pub(crate) fd: i32,
    /// Offset in a file, or a second address.
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) len: u32,
    /// The operation's own flags (`MSG_*`, `O_*`, poll events …).
    pub(crate) op_flags: u32,
    pub(crate) user_data: u64,
    /// Buffer group or registered buffer.
    pub(crate) buffer: u16,
    pub(crate) personality: u16,
    pub(crate) file_index: u32,
    pub(crate) address3: u64,
    pub(crate) pad: u64,
}

const _: () = assert!(size_of::<Sqe>() == 64 && align_of::<Sqe>() == 8);

impl Sqe {
    const fn new(opcode: Opcode, fd: i32, address: u64, len: u32, offset: u64) -> Sqe {
        Sqe {
            opcode: opcode as u8,
            flags: 0,
            ioprio: 0,
            fd,
            offset,
            address,
            len,
            op_flags: 0,
            user_data: 0,
            buffer: 0,
            personality: 0,
            file_index: 0,
            address3: 0,
            pad: 0,
        }
    }

    /// Does nothing, and completes with 0.
    pub const fn nop() -> Sqe {
        Sqe::new(Opcode::Nop, NO_FD, 0, 0, 0)
    }

    /// Reads at a byte offset; `u64::MAX` means the file's own position, and what has none.
    pub fn read(fd: &Fd, to: *mut u8, len: u32, offset: u64) -> Sqe {
        Sqe::new(Opcode::Read, fd.number(), to as u64, len, offset)
    }

    /// Writes at a byte offset; `u64::MAX` means the file's own position, and what has none.
    pub fn write(fd: &Fd, from: *const u8, len: u32, offset: u64) -> Sqe {
        Sqe::new(Opcode::Write, fd.number(), from as u64, len, offset)
    }

    /// Makes a [`read`](Sqe::read) or [`write`](Sqe::write) one of bytes in the registered buffer
    /// of this number, if there is one.
    #[must_use]
    pub fn with_registered(mut self, number: Option<u16>) -> Sqe {
        if let Some(number) = number {
            if self.opcode == Opcode::Read as u8 {
                self.opcode = Opcode::ReadFixed as u8;
            } else if self.opcode == Opcode::Write as u8 {
                self.opcode = Opcode::WriteFixed as u8;
            }
            self.buffer = number;
        }
        self
    }

    /// Reads into `count` pieces, each a `struct iovec`.
    pub fn readv(fd: &Fd, pieces: *const c_void, count: u32, offset: u64) -> Sqe {
        Sqe::new(Opcode::Readv, fd.number(), pieces as u64, count, offset)
    }

    /// Writes from `count` pieces, each a `struct iovec`.
    pub fn writev(fd: &Fd, pieces: *const c_void, count: u32, offset: u64) -> Sqe {
        Sqe::new(Opcode::Writev, fd.number(), pieces as u64, count, offset)
    }

    /// Brings a file's data and metadata to the device; with `data_only` just what is needed to
    /// read the data back.
    pub fn fsync(fd: &Fd, data_only: bool) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Fsync, fd.number(), 0, 0, 0);
        sqe.op_flags = if data_only { FSYNC_DATASYNC } else { 0 };
        sqe
    }

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

    /// Allocates, or punches, or shifts (`FALLOC_FL_*`) `len` bytes from `offset` on.
    pub fn fallocate(fd: &Fd, mode: i32, offset: u64, len: u64) -> Sqe {
        Sqe::new(Opcode::Fallocate, fd.number(), len, mode.cast_unsigned(), offset)
    }

    /// Announces (`POSIX_FADV_*`) how `len` bytes from `offset` on will be used, 0 for all.
    pub fn fadvise(fd: &Fd, advice: i32, offset: u64, len: u32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Fadvise, fd.number(), 0, len, offset);
        sqe.op_flags = advice.cast_unsigned();
        sqe
    }

    /// Starts or awaits (`SYNC_FILE_RANGE_*`) the writing of `len` bytes from `offset` on, 0 for
    /// all.
    pub fn sync_file_range(fd: &Fd, flags: u32, offset: u64, len: u32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::SyncFileRange, fd.number(), 0, len, offset);
        sqe.op_flags = flags;
        sqe
    }

    /// Cuts a file to `len` bytes, or lengthens it with zeros (kernel 6.9).
    pub fn ftruncate(fd: &Fd, len: u64) -> Sqe {
        Sqe::new(Opcode::Ftruncate, fd.number(), 0, 0, len)
    }

    /// Closes the descriptor of this number, which must be owned by nobody else any more.
    pub fn close(number: i32) -> Sqe {
        Sqe::new(Opcode::Close, number, 0, 0, 0)
    }

    /// Completes once, with the events that are there, when one of `events` (`POLLIN` …) is.
    pub fn poll_add(fd: &Fd, events: u32) -> Sqe {
        Sqe::poll_number(fd.number(), events)
    }

    pub(crate) fn poll_number(number: i32, events: u32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::PollAdd, number, 0, 0, 0);
        // The kernel reads the two halves of this word swapped on big-endian machines.
        sqe.op_flags = if cfg!(target_endian = "big") { events.rotate_left(16) } else { events };
        sqe
    }

    /// As [`poll_add`](Sqe::poll_add), again and again: one completion an event, not one a state.
    pub fn poll_multishot(fd: &Fd, events: u32) -> Sqe {
        Sqe::poll_add(fd, events).with_poll_multishot()
    }

    pub(crate) const fn with_poll_multishot(mut self) -> Sqe {
        self.len = POLL_ADD_MULTI;
        self
    }

    /// Completes with `ETIME` after `span`.
    pub fn timeout(span: *const Timespec) -> Sqe {
        Sqe::new(Opcode::Timeout, NO_FD, span as u64, 1, 0)
    }

    /// Cancels the entry before it, which must carry the link flag, after `span`.
    pub(crate) fn link_timeout(span: *const Timespec) -> Sqe {
        let mut sqe = Sqe::new(Opcode::LinkTimeout, NO_FD, span as u64, 1, 0);
        sqe.op_flags = TIMEOUT_ETIME_SUCCESS;
        sqe
    }

    /// Cancels the operation with this user data.
    pub(crate) fn cancel(user_data: u64) -> Sqe {
        Sqe::new(Opcode::AsyncCancel, NO_FD, user_data, 0, 0)
    }

    /// Cancels everything.
    pub(crate) fn cancel_all() -> Sqe {
        let mut sqe = Sqe::cancel(0);
        sqe.op_flags = ASYNC_CANCEL_ALL | ASYNC_CANCEL_ANY;
        sqe
    }

    /// Posts a completion with `user_data` and result 0 on another ring.
    pub(crate) fn message(ring: &Fd, user_data: u64) -> Sqe {
        Sqe::new(Opcode::MsgRing, ring.number(), 0, 0, user_data)
    }

    /// Accepts connections until it is cancelled or fails; each completion is a descriptor,
    /// CLOEXEC.
    pub fn accept_multishot(fd: &Fd) -> Sqe {
        let mut sqe = Sqe::accept(fd, ptr::null_mut(), ptr::null_mut());
        sqe.ioprio = ACCEPT_MULTISHOT;
        sqe
    }

    /// Accepts one connection, CLOEXEC, and says who it is (`struct sockaddr`, `socklen_t`)
    /// unless the pointers are null.
    pub fn accept(fd: &Fd, address: *mut c_void, len: *mut u32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Accept, fd.number(), address as u64, 0, len as u64);
        sqe.op_flags = abi::SOCK_CLOEXEC.cast_unsigned();
        sqe
    }

    /// Connects to the `struct sockaddr` of `len` bytes.
    pub fn connect(fd: &Fd, address: *const c_void, len: u32) -> Sqe {
        Sqe::new(Opcode::Connect, fd.number(), address as u64, 0, u64::from(len))
    }

    /// Ends one or both directions (`SHUT_RD` …) of a connection.
    pub fn shutdown(fd: &Fd, how: i32) -> Sqe {
        Sqe::new(Opcode::Shutdown, fd.number(), 0, how.cast_unsigned(), 0)
    }

    /// Receives once into memory of the caller's.
    pub fn recv(fd: &Fd, to: *mut u8, len: u32, flags: i32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Recv, fd.number(), to as u64, len, 0);
        sqe.op_flags = flags.cast_unsigned();
        sqe
    }

    /// Receives into buffers of a group until it is cancelled, fails, or the group is empty.
    pub fn recv_multishot(fd: &Fd, group: u16) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Recv, fd.number(), 0, 0, 0).with_buffer_group(group);
        sqe.ioprio = RECV_MULTISHOT;
        sqe
    }

    /// Sends from memory of the caller's, never raising SIGPIPE.
    pub fn send(fd: &Fd, from: *const u8, len: u32, flags: i32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Send, fd.number(), from as u64, len, 0);
        sqe.op_flags = (flags | abi::MSG_NOSIGNAL).cast_unsigned();
        sqe
    }

    /// As [`send`](Sqe::send) without a copy: a second completion, a notification, says when the
    /// kernel has let go of the memory.
    pub fn send_zero_copy(fd: &Fd, from: *const u8, len: u32, flags: i32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::SendZc, fd.number(), from as u64, len, 0);
        sqe.op_flags = (flags | abi::MSG_NOSIGNAL).cast_unsigned();
        sqe
    }

    /// Sends what a `struct msghdr` describes, never raising SIGPIPE.
    pub fn sendmsg(fd: &Fd, message: *const c_void, flags: i32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::SendMsg, fd.number(), message as u64, 1, 0);
        sqe.op_flags = (flags | abi::MSG_NOSIGNAL).cast_unsigned();
        sqe
    }

    /// Receives into what a `struct msghdr` describes.
    pub fn recvmsg(fd: &Fd, message: *mut c_void, flags: i32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::RecvMsg, fd.number(), message as u64, 1, 0);
        sqe.op_flags = flags.cast_unsigned();
        sqe
    }

    /// Lets the kernel choose the memory from this buffer group.
    #[must_use]
    pub const fn with_buffer_group(mut self, group: u16) -> Sqe {
        self.buffer = group;
        self.flags |= IOSQE_BUFFER_SELECT;
        self
    }

    /// Waits for readiness before the first try: for sockets that are known to be idle or full.
    #[must_use]
    pub const fn with_poll_first(mut self) -> Sqe {
        self.ioprio |= RECVSEND_POLL_FIRST;
        self
    }

    /// Goes to a kernel worker at once instead of being tried in the submitting call.
    #[must_use]
    pub const fn with_async(mut self) -> Sqe {
        self.flags |= IOSQE_ASYNC;
        self
    }

    pub(crate) const fn with_user_data(mut self, user_data: u64) -> Sqe {
        self.user_data = user_data;
        self
    }

    pub(crate) const fn with_link(mut self) -> Sqe {
        self.flags |= IOSQE_IO_LINK;
        self
    }

    pub(crate) const fn with_skip_success(mut self) -> Sqe {
        self.flags |= IOSQE_CQE_SKIP_SUCCESS;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Timespec;

    #[test]
    fn a_span_beyond_the_kernels_is_the_longest() {
        let span = Timespec::from(Duration::MAX);
        assert_eq!((span.seconds, span.nanos), (i64::MAX, 999_999_999));
        let span = Timespec::from(Duration::from_millis(1_500));
        assert_eq!((span.seconds, span.nanos), (1, 500_000_000));
    }
}
