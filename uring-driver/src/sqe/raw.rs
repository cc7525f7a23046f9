//! Entries that have no constructor: for operations that are written elsewhere.
//!
//! The fields have the kernel's names in their documentation. Operations use one field for
//! different things, so it is the operation's manual that says which to fill.

use super::{NO_FD, Opcode, Sqe};
use crate::Fd;

impl Sqe {
    /// An entry for any operation, by the kernel's number (`IORING_OP_*`): what has no constructor
    /// here. All other fields are zero; the `with_` methods fill them as the operation's manual
    /// says.
    ///
    /// # Safety
    ///
    /// What [`Operation`](crate::Operation) asks of every entry holds for this one, and the
    /// operation keeps to itself: it neither cancels, changes nor completes what others have
    /// submitted (`ASYNC_CANCEL`, `POLL_REMOVE`, `TIMEOUT_REMOVE`, `MSG_RING`), nor changes what
    /// the ring knows beforehand (`PROVIDE_BUFFERS`, `REMOVE_BUFFERS`, `FILES_UPDATE`), nor closes
    /// a descriptor that somebody has.
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Next, Operation, Sqe, submit};
    ///
    /// const IORING_OP_NOP: u8 = 0;
    ///
    /// struct Nothing;
    ///
    /// // SAFETY: the entry points to no memory and names no descriptor.
    /// unsafe impl Operation for Nothing {
    ///     type Output = i32;
    ///     fn prepare(&mut self) -> Sqe {
    ///         // SAFETY: it does nothing, to nobody.
    ///         unsafe { Sqe::raw(IORING_OP_NOP, None) }
    ///     }
    ///     fn complete(&mut self, cqe: Cqe) -> Next<i32> { Next::Done(cqe.result()) }
    /// }
    ///
    /// assert_eq!(Driver::new()?.block_on(submit(Nothing))?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub unsafe fn raw(opcode: u8, fd: Option<&Fd>) -> Sqe {
        let fd = fd.map_or(NO_FD, Fd::number);
        Sqe { opcode, ..Sqe::new(Opcode::Nop, fd, 0, 0, 0) }
    }

    /// A command that the file's driver defines (`IORING_OP_URING_CMD`, its number in `cmd_op`):
    /// to a socket, a block device, FUSE … Entries are of 64 bytes here; commands that need 128,
    /// as NVMe's own do, cannot be expressed.
    ///
    /// # Safety
    ///
    /// As for [`raw`](Sqe::raw), whatever the command does.
    pub unsafe fn command(fd: &Fd, command: u32) -> Sqe {
        let [a, b, c, d] = command.to_ne_bytes();
        // The number is the first half of this field, and what follows it is not looked at.
        let offset = u64::from_ne_bytes([a, b, c, d, 0, 0, 0, 0]);
        Sqe::new(Opcode::UringCmd, fd.number(), 0, 0, offset)
    }

    /// Sets `off`: an offset in a file, a second address, a count.
    #[must_use]
    pub const fn with_offset(mut self, offset: u64) -> Sqe {
        self.offset = offset;
        self
    }

    /// Sets `addr`: an address, or what the operation has in its place.
    #[must_use]
    pub const fn with_address(mut self, address: u64) -> Sqe {
        self.address = address;
        self
    }

    /// Sets `addr3`, the third address, which is where the data of a command begins.
    #[must_use]
    pub const fn with_address3(mut self, address: u64) -> Sqe {
        self.address3 = address;
        self
    }

    /// Sets `len`: a number of bytes, of pieces, or what the operation has in its place.
    #[must_use]
    pub const fn with_len(mut self, len: u32) -> Sqe {
        self.len = len;
        self
    }

    /// Sets the flags of the operation itself (`rw_flags`, `msg_flags`, `fadvise_advice` …).
    #[must_use]
    pub const fn with_op_flags(mut self, flags: u32) -> Sqe {
        self.op_flags = flags;
        self
    }

    /// Sets `ioprio`: a priority, or flags that are new (`IORING_ACCEPT_MULTISHOT` …).
    #[must_use]
    pub const fn with_ioprio(mut self, ioprio: u16) -> Sqe {
        self.ioprio = ioprio;
        self
    }

    /// Sets `file_index`, in whose place some operations have a length (`optlen`, `addr_len`).
    #[must_use]
    pub const fn with_file_index(mut self, index: u32) -> Sqe {
        self.file_index = index;
        self
    }

    /// Names a second descriptor (`splice_fd_in`).
    #[must_use]
    pub fn with_second_fd(self, fd: &Fd) -> Sqe {
        self.with_file_index(fd.number().cast_unsigned())
    }
}
