//! A provided-buffer ring: the kernel takes a buffer off its head, we put it back at its tail.
//!
//! The kernel owns a buffer from `put` to the completion that names it; then it is ours until the
//! next `put`. The memory is never freed: the server runs until the process ends.

use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use crate::ring::Ring;

pub const GROUP: u16 = 0;

pub struct Buffers {
    entries: *mut BufRingEntry,
    memory: *mut u8,
    size: usize,
    mask: u16,
    tail: u16,
}

impl Buffers {
    /// `count` buffers (a power of two) of `size` bytes, registered and all given to the kernel.
    pub fn new(ring: &Ring, count: u16, size: usize) -> io::Result<Buffers> {
        assert!(count.is_power_of_two());
        let entries = pages(usize::from(count) * size_of::<BufRingEntry>())?.cast();
        let memory = pages(usize::from(count) * size)?;
        let submitter = ring.io_uring().submitter();
        // SAFETY: `entries` is page-aligned, zeroed, as long as `count` entries, and never freed.
        unsafe { submitter.register_buf_ring_with_flags(entries as u64, count, GROUP, 0) }?;
        let mut buffers = Buffers { entries, memory, size, mask: count - 1, tail: 0 };
        for id in 0..count {
            buffers.put(id);
        }
        Ok(buffers)
    }

    /// Gives a buffer to the kernel.
    pub fn put(&mut self, id: u16) {
        let address = self.memory as u64 + u64::from(id) * self.size as u64;
        // SAFETY: the index is masked to the ring's length.
        let entry = unsafe { self.entries.add(usize::from(self.tail & self.mask)) };
        // SAFETY: entries from the tail on are ours; the kernel reads up to the tail that we
        // publish below. The first entry's `resv`, where the tail lives, is not touched by setters.
        let entry = unsafe { &mut *entry };
        entry.set_addr(address);
        entry.set_len(self.size as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: `entries` is the base of a registered ring.
        let tail = unsafe { BufRingEntry::tail(self.entries) };
        // SAFETY: the tail is written by us alone and read by the kernel, so atomically.
        let tail = unsafe { &*tail.cast::<AtomicU16>() };
        // Release: the entry above is written before the kernel can see the new tail.
        tail.store(self.tail, Ordering::Release);
    }

    /// Bytes `from..to` of a buffer that is ours.
    pub fn bytes(&self, id: u16, from: usize, to: usize) -> &[u8] {
        assert!(from <= to && to <= self.size && id <= self.mask);
        // SAFETY: `id` is within the ring, so the offset is within `memory`.
        let start = unsafe { self.memory.add(usize::from(id) * self.size + from) };
        // SAFETY: asserted to be within the buffer; it is ours, so the kernel does not write to it;
        // the memory was zeroed, so every byte has a value.
        unsafe { std::slice::from_raw_parts(start, to - from) }
    }
}

/// Zeroed memory in whole pages of its own.
fn pages(len: usize) -> io::Result<*mut u8> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new anonymous mapping touches no memory that exists.
    let address = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, flags, -1, 0) };
    match address {
        libc::MAP_FAILED => Err(io::Error::last_os_error()),
        address => Ok(address.cast()),
    }
}
