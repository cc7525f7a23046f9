//! Buffers that the kernel knows beforehand, by their number: it need not look up their pages.

use std::io;
use std::ptr;

use super::Ring;
use crate::sys::abi::IoVec;

impl Ring {
    /// Makes a table of so many numbers, none of which stands for a buffer.
    ///
    /// # Errors
    ///
    /// The errno of the call.
    pub(crate) fn make_buffer_table(&self, numbers: u16) -> io::Result<()> {
        self.submitter.register_buffers_sparse(u32::from(numbers))
    }

    /// Lets a number stand for a buffer. The kernel holds on to the buffer's pages until the number
    /// stands for something else, or the ring is gone.
    ///
    /// # Safety
    ///
    /// The `len` bytes at `first` are one allocation. Entries name the number only as long as that
    /// allocation lives, and for bytes in it.
    ///
    /// # Errors
    ///
    /// The errno of the call: ENOMEM at the limit of locked memory.
    pub(crate) unsafe fn set_buffer(
        &self,
        number: u16,
        first: *mut u8,
        len: usize,
    ) -> io::Result<()> {
        let buffer = IoVec { iov_base: first.cast(), iov_len: len };
        // SAFETY: the caller's promise: what the kernel has under the number is used for the bytes
        // of a live allocation only.
        unsafe { self.submitter.register_buffers_update(u32::from(number), &[buffer], None) }
    }

    /// Lets a number stand for nothing.
    ///
    /// # Errors
    ///
    /// The errno of the call.
    pub(crate) fn clear_buffer(&self, number: u16) -> io::Result<()> {
        // SAFETY: no bytes are bytes of any allocation.
        unsafe { self.set_buffer(number, ptr::null_mut(), 0) }
    }
}
