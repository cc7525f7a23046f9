//! A ring of provided buffers: memory that the kernel reads to find room for what it receives.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use super::Ring;

/// `IOU_PBUF_RING_INC`: a buffer is used up piece by piece (kernel 6.12).
const INCREMENTAL: u16 = 2;
/// The kernel wants the ring at the start of a page.
const PAGE: usize = 4096;

/// The ring's memory, at one address from when it is made until it is dropped. It is not dropped
/// before the kernel has let go of it: see [`Ring::unregister_buffers`].
#[derive(Debug)]
pub(crate) struct BufRing {
    entries: NonNull<BufRingEntry>,
    mask: u16,
    group: u16,
    tail: Cell<u16>,
}

impl BufRing {
    /// An empty ring of `entries` places, a power of two, for the buffers of `group`.
    pub(crate) fn new(entries: u16, group: u16) -> BufRing {
        assert!(entries.is_power_of_two() && entries <= 1 << 15);
        let layout = BufRing::layout(entries);
        // SAFETY: the layout is of at least one entry.
        let memory = unsafe { alloc_zeroed(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        BufRing { entries: memory.cast(), mask: entries - 1, group, tail: Cell::new(0) }
    }

    fn layout(entries: u16) -> Layout {
        let bytes = usize::from(entries) * size_of::<BufRingEntry>();
        Layout::from_size_align(bytes, PAGE).expect("at most 512 KiB")
    }

    /// Puts a buffer at the end of the ring. The kernel sees it with the next
    /// [`publish`](BufRing::publish).
    ///
    /// # Safety
    ///
    /// The `len` bytes at `address` are the kernel's to write until a completion has named `id` as
    /// used up, or the ring is unregistered. No more buffers are in the ring than it has places.
    pub(crate) unsafe fn push(&self, address: NonNull<u8>, len: u32, id: u16) {
        let tail = self.tail.get();
        // SAFETY: masked, so within the allocation.
        let place = unsafe { self.entries.add(usize::from(tail & self.mask)) };
        // SAFETY: a place that the kernel has done with, by our caller's promise. Written through
        // a pointer to its fields: the first place's last two bytes are the ring's tail, which
        // `set_*` leave alone.
        let entry = unsafe { &mut *place.as_ptr() };
        entry.set_addr(address.as_ptr() as u64);
        entry.set_len(len);
        entry.set_bid(id);
        self.tail.set(tail.wrapping_add(1));
    }

    /// Shows the kernel what was pushed.
    #[inline]
    pub(crate) fn publish(&self) {
        // SAFETY: the pointer is the address of a ring's first entry, in live memory.
        let tail = unsafe { BufRingEntry::tail(self.entries.as_ptr()) };
        // SAFETY: a live, aligned word that only this thread writes and the kernel reads.
        let tail = unsafe { AtomicU16::from_ptr(tail.cast_mut()) };
        // Release: the kernel's acquire of the tail sees the entries before it.
        tail.store(self.tail.get(), Ordering::Release);
    }
}

impl Drop for BufRing {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and let go of by the kernel.
        unsafe { dealloc(self.entries.as_ptr().cast(), BufRing::layout(self.mask + 1)) };
    }
}

impl Ring {
    /// Tells the kernel of a ring of buffers.
    ///
    /// # Safety
    ///
    /// `buffers` stays where it is, and alive, until it is unregistered or the rest of the
    /// process's life.
    ///
    /// # Errors
    ///
    /// EINVAL if `incremental` is not known to this kernel, else the errno of the call.
    pub(crate) unsafe fn register_buffers(
        &self,
        buffers: &BufRing,
        incremental: bool,
    ) -> io::Result<()> {
        let address = buffers.entries.as_ptr() as u64;
        let flags = if incremental { INCREMENTAL } else { 0 };
        // SAFETY: live memory of as many entries as the mask says, for as long as our caller
        // promises.
        unsafe {
            self.submitter.register_buf_ring_with_flags(
                address,
                buffers.mask + 1,
                buffers.group,
                flags,
            )
        }
    }

    /// Takes a ring of buffers away from the kernel, which does not look at it afterwards.
    ///
    /// # Errors
    ///
    /// The errno of the call.
    pub(crate) fn unregister_buffers(&self, buffers: &BufRing) -> io::Result<()> {
        self.submitter.unregister_buf_ring(buffers.group)
    }
}
