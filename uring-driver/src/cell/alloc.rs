//! Memory for cells: a list of free blocks for each of a few sizes, one set of lists a driver.
//!
//! Each block is a block of the global allocator's, so it does not matter which thread's lists it
//! ends in, and a thread without a driver gives it straight back.

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::ptr::{self, NonNull};

use crate::current;

/// Sizes that are kept. Larger cells, and ones of unusual alignment, go to the allocator.
const SIZES: [usize; 5] = [64, 128, 256, 512, 1024];
/// Bytes that one list keeps at most.
const KEPT_BYTES: usize = 64 * 1024;
/// What the usual allocators give anyway.
const ALIGN: usize = 16;

/// A free block: the link to the next one is in the block itself.
struct Free {
    next: *mut Free,
}

#[derive(Debug)]
struct Blocks {
    first: Cell<*mut Free>,
    count: Cell<usize>,
}

/// The free blocks of one driver.
#[derive(Debug)]
pub(crate) struct FreeLists {
    lists: [Blocks; SIZES.len()],
}

/// The class of a layout, if it has one.
const fn class(layout: Layout) -> Option<usize> {
    if layout.align() > ALIGN {
        return None;
    }
    let mut class = 0;
    while class < SIZES.len() {
        if layout.size() <= SIZES[class] {
            return Some(class);
        }
        class += 1;
    }
    None
}

/// The layout of the block that a cell of this layout is put into.
const fn block(layout: Layout) -> Layout {
    match class(layout) {
        Some(class) => match Layout::from_size_align(SIZES[class], ALIGN) {
            Ok(block) => block,
            Err(_) => panic!("the sizes are valid"),
        },
        None => layout,
    }
}

impl FreeLists {
    pub(crate) fn new() -> FreeLists {
        let empty = || Blocks { first: Cell::new(ptr::null_mut()), count: Cell::new(0) };
        FreeLists { lists: std::array::from_fn(|_| empty()) }
    }

    /// Memory for a cell; to be given back with [`free`] and the same layout, on any thread.
    #[inline]
    pub(crate) fn allocate(&self, layout: Layout) -> NonNull<u8> {
        if let Some(class) = class(layout) {
            let list = &self.lists[class];
            if let Some(free) = NonNull::new(list.first.get()) {
                // SAFETY: blocks on the list are ours, and begin with a `Free`.
                list.first.set(unsafe { free.as_ref() }.next);
                list.count.set(list.count.get() - 1);
                return free.cast();
            }
        }
        let block = block(layout);
        debug_assert!(block.size() > 0, "a cell has a header");
        // SAFETY: the size is not zero: a cell begins with a header.
        let memory = unsafe { alloc::alloc(block) };
        NonNull::new(memory).unwrap_or_else(|| alloc::handle_alloc_error(block))
    }

    /// Takes a block that came from some driver's `allocate` with this layout; `false` if there
    /// are enough of them.
    #[inline]
    fn keep(&self, memory: NonNull<u8>, class: usize) -> bool {
        let list = &self.lists[class];
        if list.count.get() >= KEPT_BYTES / SIZES[class] {
            return false;
        }
        let free = memory.cast::<Free>();
        // SAFETY: the block is at least 64 bytes, aligned to 16, and nobody's any more.
        unsafe { free.write(Free { next: list.first.get() }) };
        list.first.set(free.as_ptr());
        list.count.set(list.count.get() + 1);
        true
    }
}

impl Drop for FreeLists {
    fn drop(&mut self) {
        for (list, size) in self.lists.iter().zip(SIZES) {
            let block = Layout::from_size_align(size, ALIGN).expect("the sizes are valid");
            while let Some(free) = NonNull::new(list.first.get()) {
                // SAFETY: blocks on the list are ours, and begin with a `Free`.
                list.first.set(unsafe { free.as_ref() }.next);
                // SAFETY: allocated with this layout in `allocate`, and off the list now.
                unsafe { alloc::dealloc(free.as_ptr().cast(), block) };
            }
        }
    }
}

/// Gives a cell's memory back: to the lists of this thread's driver, or to the allocator.
///
/// # Safety
///
/// `memory` came from [`FreeLists::allocate`] of any driver with this layout, and is not used
/// again.
#[inline]
pub(crate) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    if let Some(class) = class(layout) {
        let kept = current::with(|driver| driver.inner().cells.keep(memory, class));
        if matches!(kept, Ok(true)) {
            return;
        }
    }
    // SAFETY: `allocate` took it from the allocator with this very layout.
    unsafe { alloc::dealloc(memory.as_ptr(), block(layout)) };
}

#[cfg(test)]
mod tests {
    use std::alloc::Layout;

    use super::{FreeLists, block, free};

    #[test]
    fn the_block_that_was_freed_last_is_given_out_first() {
        let lists = FreeLists::new();
        let layout = Layout::new::<[u64; 20]>();
        let first = lists.allocate(layout);
        let second = lists.allocate(layout);
        assert_ne!(first, second);
        assert!(lists.keep(first, super::class(layout).unwrap()));
        assert_eq!(lists.allocate(layout), first);
        // SAFETY: allocated above with this layout.
        unsafe { free(first, layout) };
        // SAFETY: likewise.
        unsafe { free(second, layout) };
    }

    #[test]
    fn large_and_odd_cells_go_to_the_allocator() {
        let large = Layout::new::<[u8; 5000]>();
        assert_eq!(block(large), large);
        let aligned = Layout::from_size_align(64, 128).unwrap();
        assert_eq!(block(aligned), aligned);
        let memory = FreeLists::new().allocate(aligned);
        assert_eq!(memory.as_ptr().addr() % 128, 0);
        // SAFETY: allocated above with this layout.
        unsafe { free(memory, aligned) };
    }
}
