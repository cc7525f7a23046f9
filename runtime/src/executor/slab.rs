//! Where tasks live: blocks of aligned chunks that belong to one home, or, for big futures and
//! for tasks that another thread made, allocations of their own.
//!
//! Either way the task's address yields its [`Place`], so that a waker, which is one pointer,
//! finds its home without a field in every task:
//!
//! ```text
//! chunk, aligned to its size:  | Place, free list, counts | block | block | block | ...
//! alone:                               | Place, list of its home | task
//! ```
//!
//! # Who may touch what when
//! The home's thread alone allocates and frees while the home is open; no field but the two of
//! `Place` and `orphans` is touched by anybody else. When the home closes it marks each `Place`
//! as homeless and counts the blocks that others still refer to into `orphans`; from then on
//! the thread that drops the last reference to a block counts it down, and the one that reaches
//! zero frees the chunk. So a waker's memory is valid for as long as the waker.

mod alone;
mod chunk;
mod place;

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::header::{Header, TaskPtr};
use super::home::Home;
use super::state::Kind;
use crate::executor::inbox::Inbox;
use chunk::{Chunk, Class, chunk_of};

pub(super) use alone::Alone;
use alone::Loners;
pub(super) use place::{Place, nobody};

/// Blocks come in multiples of this, and are aligned to it.
const GRAIN: usize = 16;
/// Larger tasks are allocated alone: beside such a future a `malloc` does not show.
const LARGEST: usize = 1 << 10;
/// Empty chunks that a size keeps for the next burst.
const SPARE: u32 = 16;

/// The memory of one home's tasks. For the home's thread only.
pub(super) struct Slab {
    classes: [Class; LARGEST / GRAIN],
    chunks: Cell<Vec<NonNull<Chunk>>>,
    /// Those that are alone and known to the home.
    loners: Loners,
    inbox: Arc<Inbox>,
    /// Empty chunks are kept: somebody walks over them.
    keeps: Cell<bool>,
}

/// Whether tasks of this size and alignment share chunks.
pub(super) const fn shares(size: usize, align: usize) -> bool {
    cfg!(not(henge_loom)) && size <= LARGEST && align <= GRAIN
}

impl Slab {
    pub(super) fn new(inbox: Arc<Inbox>) -> Self {
        let class = || Class { open: Cell::new(ptr::null_mut()), empty: Cell::new(0) };
        Self {
            classes: std::array::from_fn(|_| class()),
            chunks: Cell::new(Vec::new()),
            loners: Loners::new(),
            inbox,
            keeps: Cell::new(false),
        }
    }

    fn with_chunks<R>(&self, f: impl FnOnce(&mut Vec<NonNull<Chunk>>) -> R) -> R {
        let mut chunks = self.chunks.take();
        let result = f(&mut chunks);
        self.chunks.set(chunks);
        result
    }

    /// An uninitialised block for a task that [`shares`] chunks.
    #[inline]
    pub(super) fn alloc(&self, size: usize, home: &Home) -> NonNull<Header> {
        let class = &self.classes[(size - 1) / GRAIN];
        let Some(chunk) = NonNull::new(class.open.get()) else {
            return self.alloc_slow(size, home);
        };
        self.alloc_in(class, chunk)
    }

    #[cold]
    fn alloc_slow(&self, size: usize, home: &Home) -> NonNull<Header> {
        let index = (size - 1) / GRAIN;
        let class = &self.classes[index];
        let place = Place::new(home, self.inbox.clone());
        let chunk = Chunk::new((index + 1) * GRAIN, place);
        self.with_chunks(|chunks| {
            // SAFETY: just made.
            unsafe { chunk.as_ref() }.index.set(chunks.len());
            chunks.push(chunk);
        });
        class.empty.set(class.empty.get() + 1);
        class.link(chunk);
        self.alloc_in(class, chunk)
    }

    /// `chunk` is the first of the class's open ones.
    #[inline]
    fn alloc_in(&self, class: &Class, chunk: NonNull<Chunk>) -> NonNull<Header> {
        // SAFETY: open chunks are live.
        let head = unsafe { chunk.as_ref() };
        let used = head.used.get();
        if used == 0 {
            class.empty.set(class.empty.get() - 1);
        }
        head.used.set(used + 1);
        let block = match NonNull::new(head.free.get()) {
            Some(block) => {
                // SAFETY: a free block keeps an initialised header; its link leads on.
                head.free.set(unsafe { block.as_ref() }.link.get().cast());
                block
            }
            None => {
                let index = head.begun.get();
                head.begun.set(index + 1);
                Chunk::block(chunk, index)
            }
        };
        if used + 1 == head.capacity {
            class.unlink(head);
        }
        block
    }

    /// Adds a task that is alone to those of this home.
    pub(super) fn adopt(&self, task: TaskPtr) {
        self.loners.add(task);
    }

    /// Frees a task whose memory is this slab's.
    ///
    /// # Safety
    /// The task is done, its result was taken or dropped, and there are no references.
    #[inline]
    pub(super) unsafe fn free(&self, task: TaskPtr) {
        let header = task.header();
        if header.local.kind.get() == Kind::Alone {
            self.loners.remove(Alone::of(task.as_ptr()));
            // SAFETY: by the caller's promise this is the end of the task.
            unsafe { Alone::dealloc(task) };
            return;
        }
        let chunk = chunk_of(task.as_ptr());
        // SAFETY: a chunk is live while one of its blocks is in use.
        let head = unsafe { chunk.as_ref() };
        header.local.kind.set(Kind::Free);
        header.link.set(head.free.get().cast());
        head.free.set(task.as_ptr().as_ptr());
        let used = head.used.get();
        head.used.set(used - 1);
        if used == head.capacity || used == 1 {
            self.free_slow(chunk);
        }
    }

    /// A chunk that was full has room again, or one has become empty.
    #[cold]
    fn free_slow(&self, chunk: NonNull<Chunk>) {
        // SAFETY: live: the slab frees chunks only below.
        let head = unsafe { chunk.as_ref() };
        let class = &self.classes[head.size as usize / GRAIN - 1];
        if head.used.get() + 1 == head.capacity {
            class.link(chunk);
        }
        if head.used.get() > 0 {
            return;
        }
        if class.empty.get() < SPARE || self.keeps.get() {
            class.empty.set(class.empty.get() + 1);
            return;
        }
        class.unlink(head);
        self.with_chunks(|chunks| {
            let index = head.index.get();
            chunks.swap_remove(index);
            if let Some(moved) = chunks.get(index) {
                // SAFETY: what is listed is live.
                unsafe { moved.as_ref() }.index.set(index);
            }
        });
        // SAFETY: empty, and on no list any more.
        unsafe { Chunk::dealloc(chunk) };
    }

    /// Calls `f` for every task, those that are done and still referred to among them, and some
    /// of them more than once. `f` may free tasks and make others; those that it makes may be
    /// left out. The slab keeps its empty chunks from now on: this is the beginning of its end.
    pub(super) fn each(&self, mut f: impl FnMut(TaskPtr)) {
        self.keeps.set(true);
        let mut index = 0;
        while let Some(chunk) = self.with_chunks(|chunks| chunks.get(index).copied()) {
            Self::each_block(chunk, &mut f);
            index += 1;
        }
        // Freeing shortens the ring, so that many steps come to each of the rest at least once.
        let mut ring = 0;
        let first = self.loners.first();
        while ring == 0 || self.loners.first() != first {
            ring += 1;
            if self.loners.rotate().is_none() {
                break;
            }
        }
        for _ in 0..ring {
            let Some(task) = self.loners.rotate() else { break };
            f(task);
        }
    }

    fn each_block(chunk: NonNull<Chunk>, f: &mut impl FnMut(TaskPtr)) {
        let mut block = 0;
        // SAFETY: the caller's chunk is live until this returns.
        while block < unsafe { chunk.as_ref() }.begun.get() {
            let header = Chunk::block(chunk, block);
            // SAFETY: blocks below `begun` have an initialised header, also when free.
            if unsafe { header.as_ref() }.local.kind.get() != Kind::Free {
                // SAFETY: a block that is not free is a live task of this chunk.
                f(unsafe { TaskPtr::new(header) });
            }
            block += 1;
        }
    }

    /// The end of the home: its tasks have none from now on.
    pub(super) fn leave(&self) {
        self.keeps.set(true);
        self.with_chunks(|chunks| {
            for chunk in chunks {
                // SAFETY: listed chunks are live.
                unsafe { chunk.as_ref() }.place.leave();
            }
        });
        let first = self.loners.first();
        while let Some(task) = self.loners.rotate() {
            task.place().leave();
            if self.loners.first() == first {
                break;
            }
        }
    }

    /// Gives the memory up, after [`leave`](Self::leave). `is_left` says of each task whether
    /// others refer to it still: then [`free_orphan`] is called when they no longer do, perhaps
    /// at once and on another thread. If not it is freed here.
    pub(super) fn give_up(&self, mut is_left: impl FnMut(TaskPtr) -> bool) {
        for chunk in self.chunks.take() {
            let mut left = 0;
            Self::each_block(chunk, &mut |task| left += i64::from(is_left(task)));
            // SAFETY: live: `orphans` reaches zero from above only after this addition.
            let orphans = &unsafe { chunk.as_ref() }.orphans;
            // AcqRel: acquires the last use of the blocks that others gave up before; releases
            // this thread's to the one that comes last.
            if orphans.fetch_add(left, Ordering::AcqRel) + left == 0 {
                // SAFETY: no block is in use, and the list that named the chunk is gone.
                unsafe { Chunk::dealloc(chunk) };
            }
        }
        while let Some(head) = self.loners.first() {
            let task = Alone::task(head);
            self.loners.remove(head);
            if !is_left(task) {
                // SAFETY: nobody refers to the task, and it is on no list.
                unsafe { Alone::dealloc(task) };
            }
        }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        debug_assert!(self.chunks.get_mut().is_empty() && self.loners.first().is_none());
    }
}

/// Frees a task whose home is gone. For any thread.
///
/// # Safety
/// The task is done, its result was taken or dropped, there are no references, and its home
/// either counted it as left or never knew of it.
pub(super) unsafe fn free_orphan(task: TaskPtr) {
    if task.header().local.kind.get() == Kind::Alone {
        // SAFETY: by the caller's promise this is the end of the task; its home has taken it
        // off its list, or never put it there.
        unsafe { Alone::dealloc(task) };
        return;
    }
    let chunk = chunk_of(task.as_ptr());
    // SAFETY: this block is counted, or will be, and so keeps the chunk until the subtraction.
    let orphans = &unsafe { chunk.as_ref() }.orphans;
    // AcqRel: as in `give_up`. Before the home has counted up this goes below zero, not to it.
    if orphans.fetch_sub(1, Ordering::AcqRel) == 1 {
        // SAFETY: the home has counted, and all that it counted are given up.
        unsafe { Chunk::dealloc(chunk) };
    }
}
