//! Numbers of the system's interface that entries of the ring and their results speak in.

pub(crate) use libc::{
    AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, EACCES, EAGAIN, EALREADY, EBADR,
    EBUSY, ECANCELED, EINTR, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSYS, EOPNOTSUPP, EPERM,
    ETIME, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_WAITALL, O_CLOEXEC, SOCK_CLOEXEC,
};

/// A piece of memory, as the kernel reads it.
pub(crate) use libc::iovec as IoVec;

/// There is something to read.
pub(crate) const POLLIN: u32 = libc::POLLIN as u32;

/// There is room to write, or a connect has ended.
pub(crate) const POLLOUT: u32 = libc::POLLOUT as u32;

/// The kernel transfers no more than this at once (`MAX_RW_COUNT`).
pub(crate) const MOST_BYTES: usize = 0x7fff_f000;
