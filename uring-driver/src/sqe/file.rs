//! Entries for what is done with an open file.

use std::ffi::c_void;

use super::{Opcode, Sqe};
use crate::Fd;

const FSYNC_DATASYNC: u32 = 1 << 0;

impl Sqe {
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

    /// Moves bytes between a pipe and something else; `u64::MAX` in the place of an offset means
    /// the file's own position, or a pipe.
    pub fn splice(from: &Fd, from_offset: u64, to: &Fd, to_offset: u64, len: u32) -> Sqe {
        let sqe = Sqe::new(Opcode::Splice, to.number(), from_offset, len, to_offset);
        sqe.with_second_fd(from)
    }
}
