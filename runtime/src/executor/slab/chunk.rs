//! Chunks: aligned memory for blocks of one size, whose low bits of an address lead to its head.

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::ptr::{self, NonNull};

use super::place::Place;
use crate::executor::header::Header;
use crate::loom::sync::atomic::AtomicI64;

/// Alignment of a chunk. Small enough for a runtime of few tasks, large enough that its header
/// is half a percent.
const CHUNK: usize = 32 << 10;
/// What the allocator keeps for itself, so that chunks can stand side by side.
const SLACK: usize = 64;

#[inline]
pub(super) fn chunk_of(block: NonNull<Header>) -> NonNull<Chunk> {
    // Clearing low bits of an address inside a chunk gives the chunk's, which is not null.
    let chunk = block.as_ptr().map_addr(|address| address & !(CHUNK - 1)).cast::<Chunk>();
    // SAFETY: a chunk is aligned memory of an allocator's, none of which is at address zero.
    unsafe { NonNull::new_unchecked(chunk) }
}

/// The head of a chunk of blocks of one size.
#[derive(Debug)]
#[repr(C, align(16))]
pub(super) struct Chunk {
    pub(super) place: Place,
    /// Blocks that were freed, by their links.
    pub(super) free: Cell<*mut Header>,
    /// Blocks in use.
    pub(super) used: Cell<u32>,
    /// Blocks that were ever used; what lies behind is uninitialised.
    pub(super) begun: Cell<u32>,
    /// Blocks that fit.
    pub(super) capacity: u32,
    /// Bytes of a block.
    pub(super) size: u32,
    /// Neighbours among the chunks of this size that have room.
    pub(super) next: Cell<*mut Chunk>,
    pub(super) previous: Cell<*mut Chunk>,
    /// Index in the slab's list of all chunks.
    pub(super) index: Cell<usize>,
    /// Blocks that outlive the home, counted down by others, perhaps before the home counted up.
    pub(super) orphans: AtomicI64,
}

impl Chunk {
    const LAYOUT: Layout = match Layout::from_size_align(CHUNK - SLACK, CHUNK) {
        Ok(layout) => layout,
        Err(_) => panic!("the chunk size is a power of two"),
    };

    pub(super) fn new(size: usize, place: Place) -> NonNull<Chunk> {
        // SAFETY: the layout is not empty.
        let memory = unsafe { alloc::alloc(Self::LAYOUT) }.cast::<Chunk>();
        let Some(chunk) = NonNull::new(memory) else { alloc::handle_alloc_error(Self::LAYOUT) };
        let capacity = (CHUNK - SLACK - size_of::<Chunk>()) / size;
        // SAFETY: fresh memory, large enough and aligned to more than a `Chunk` needs.
        unsafe {
            chunk.write(Chunk {
                place,
                free: Cell::new(ptr::null_mut()),
                used: Cell::new(0),
                begun: Cell::new(0),
                capacity: capacity as u32,
                size: size as u32,
                next: Cell::new(ptr::null_mut()),
                previous: Cell::new(ptr::null_mut()),
                index: Cell::new(0),
                orphans: AtomicI64::new(0),
            });
        }
        chunk
    }

    /// The block of an index below `capacity`. `chunk` must be the chunk's own pointer, with the
    /// provenance of its whole memory.
    #[inline]
    pub(super) fn block(chunk: NonNull<Chunk>, index: u32) -> NonNull<Header> {
        // SAFETY: the slab's chunks are live while it has their pointers.
        let size = unsafe { chunk.as_ref() }.size as usize;
        let offset = size_of::<Chunk>() + index as usize * size;
        // SAFETY: `capacity` blocks of `size` fit behind the head, so this stays inside.
        unsafe { chunk.byte_add(offset) }.cast()
    }

    /// # Safety
    /// No block of the chunk is in use and nobody will use the pointer any more.
    pub(super) unsafe fn dealloc(chunk: NonNull<Chunk>) {
        // SAFETY: the head was initialised by `new`; the caller promises that this is the end.
        unsafe { chunk.drop_in_place() };
        // SAFETY: allocated by `new` with this layout.
        unsafe { alloc::dealloc(chunk.cast().as_ptr(), Self::LAYOUT) };
    }
}

/// Chunks of one block size.
pub(super) struct Class {
    /// The chunks that have room, the one in use first.
    pub(super) open: Cell<*mut Chunk>,
    /// How many of them are empty.
    pub(super) empty: Cell<u32>,
}

impl Class {
    /// Makes a chunk that has room the one in use.
    pub(super) fn link(&self, chunk: NonNull<Chunk>) {
        // SAFETY: the slab's chunks are live while it has their pointers.
        let head = unsafe { chunk.as_ref() };
        let second = self.open.replace(chunk.as_ptr());
        head.next.set(second);
        head.previous.set(ptr::null_mut());
        if let Some(second) = NonNull::new(second) {
            // SAFETY: open chunks are live.
            unsafe { second.as_ref() }.previous.set(chunk.as_ptr());
        }
    }

    /// Takes an open chunk off the list.
    pub(super) fn unlink(&self, head: &Chunk) {
        let (next, previous) = (head.next.get(), head.previous.get());
        match NonNull::new(previous) {
            // SAFETY: neighbours among the open chunks are live.
            Some(previous) => unsafe { previous.as_ref() }.next.set(next),
            None => self.open.set(next),
        }
        if let Some(next) = NonNull::new(next) {
            // SAFETY: as above.
            unsafe { next.as_ref() }.previous.set(previous);
        }
    }
}
