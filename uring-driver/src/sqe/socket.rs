//! Entries for sockets.

use std::ffi::c_void;
use std::ptr;

use super::{IOSQE_BUFFER_SELECT, Opcode, Sqe};
use crate::Fd;
use crate::sys::abi;

const RECVSEND_POLL_FIRST: u16 = 1 << 0;
const RECV_MULTISHOT: u16 = 1 << 1;
const ACCEPT_MULTISHOT: u16 = 1 << 0;
const SEND_ZC_REPORT_USAGE: u16 = 1 << 3;

impl Sqe {
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

    /// Has the notification of a [`send_zero_copy`](Sqe::send_zero_copy) tell whether the bytes
    /// were copied after all (kernel 6.2).
    pub(crate) const fn with_usage_report(mut self) -> Sqe {
        self.ioprio |= SEND_ZC_REPORT_USAGE;
        self
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
}
