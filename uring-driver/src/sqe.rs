//! Entries as the kernel reads them, with a named constructor for each operation.
//!
//! An [`Sqe`] is plain data of the kernel's layout. Making one asks for nothing and is safe:
//! what its pointers must live up to is the promise of the [`Operation`](crate::Operation) that
//! prepares it. A constructor takes what its operation cannot do without; flags are added by
//! the `with_` methods. Those of files (`file`), of names (`path`) and of sockets (`socket`) have
//! files of their own; here are the entry, and what speaks to the ring itself.

mod file;
mod opcode;
mod path;
#[allow(unsafe_code, reason = "an entry of any kind is a promise of who makes it")]
mod raw;
mod socket;
mod timespec;

use crate::Fd;

pub(crate) use opcode::Opcode;
pub use timespec::Timespec;

const IOSQE_IO_LINK: u8 = 1 << 2;
const IOSQE_ASYNC: u8 = 1 << 4;
const IOSQE_BUFFER_SELECT: u8 = 1 << 5;
const IOSQE_CQE_SKIP_SUCCESS: u8 = 1 << 6;

const POLL_ADD_MULTI: u32 = 1 << 0;
const TIMEOUT_ETIME_SUCCESS: u32 = 1 << 5;
const ASYNC_CANCEL_ALL: u32 = 1 << 0;
const ASYNC_CANCEL_ANY: u32 = 1 << 2;
const NO_FD: i32 = -1;

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
