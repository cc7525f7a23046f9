//! Numbers of the system's interface that entries of the ring and their results speak in.

pub(crate) use libc::{
    AT_EMPTY_PATH, AT_FDCWD, EAGAIN, EBADR, EBUSY, ECANCELED, EINTR, EINVAL, ENOBUFS, ETIME,
    MSG_NOSIGNAL, O_CLOEXEC, SOCK_CLOEXEC,
};

/// There is something to read.
pub(crate) const POLLIN: u32 = libc::POLLIN as u32;
