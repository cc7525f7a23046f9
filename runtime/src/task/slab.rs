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

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::header::{Header, TaskPtr};
use super::home::Home;
use super::state::Kind;
use crate::loom::sync::atomic::{AtomicI64, AtomicPtr};
use crate::queue::inbox::Inbox;

/// Alignment of a chunk. Small enough for a runtime of few tasks, large enough that its header
/// is half a percent.
const CHUNK: usize = 32 << 10;
/// What the allocator keeps for itself, so that chunks can stand side by side.
const SLACK: usize = 64;
/// Blocks come in multiples of this, and are aligned to it.
const GRAIN: usize = 16;
/// Larger tasks are allocated alone: beside such a future a `malloc` does not show.
const LARGEST: usize = 1 << 10;
/// Empty chunks that a size keeps for the next burst.
const SPARE: u32 = 16;

/// What a task's address yields: who its home is, and how to ask it.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Place {
    home: AtomicPtr<Home>,
    inbox: Arc<Inbox>,
}

/// The home of a place whose home is gone. Not null: null is the home of a thread without one.
pub(super) fn nobody() -> *mut Home {
    ptr::without_provenance_mut(align_of::<Home>())
}

impl Place {
    fn new(home: *const Home, inbox: Arc<Inbox>) -> Self {
        Self { home: AtomicPtr::new(home.cast_mut()), inbox }
    }

    /// # Safety
    /// `header` is that of a live task with the provenance of its whole allocation, and `alone`
    /// tells whether that is an [`Alone`] or a [`Chunk`]. The answer lives as long as the task.
    #[inline]
    pub(super) unsafe fn of<'a>(header: NonNull<Header>, alone: bool) -> &'a Place {
        let place = if alone {
            // SAFETY: an `Alone` stands right in front of such a task.
            unsafe { header.cast::<Alone>().sub(1) }.cast::<Place>()
        } else {
            chunk_of(header).cast::<Place>()
        };
        // SAFETY: both begin with their `Place` (`repr(C)`), initialised before their tasks and
        // valid until after them.
        unsafe { place.as_ref() }
    }

    /// The address of the home, to be compared with this thread's. Relaxed: the only thread for
    /// which the two can be equal is the one that wrote it; and a new home at an old one's
    /// address comes after the old one's places were marked, by the allocator's own ordering.
    #[inline]
    pub(super) fn home(&self) -> *const Home {
        self.home.load(Ordering::Relaxed)
    }

    pub(super) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// For a task that was made elsewhere, when it has come.
    pub(super) fn settle_in(&self, home: &Home) {
        self.home.store(ptr::from_ref(home).cast_mut(), Ordering::Relaxed);
    }

    fn leave(&self) {
        self.home.store(nobody(), Ordering::Relaxed);
    }
}

#[inline]
fn chunk_of(block: NonNull<Header>) -> NonNull<Chunk> {
    // Clearing low bits of an address inside a chunk gives the chunk's, which is not null.
    let chunk = block.as_ptr().map_addr(|address| address & !(CHUNK - 1)).cast::<Chunk>();
    NonNull::new(chunk).expect("a chunk is not at address zero")
}

/// The head of a chunk of blocks of one size.
#[derive(Debug)]
#[repr(C, align(16))]
struct Chunk {
    place: Place,
    /// Blocks that were freed, by their links.
    free: Cell<*mut Header>,
    /// Blocks in use.
    used: Cell<u32>,
    /// Blocks that were ever used; what lies behind is uninitialised.
    begun: Cell<u32>,
    /// Blocks that fit.
    capacity: u32,
    /// Bytes of a block.
    size: u32,
    /// Neighbours among the chunks of this size that have room.
    next: Cell<*mut Chunk>,
    previous: Cell<*mut Chunk>,
    /// Index in the slab's list of all chunks.
    index: Cell<usize>,
    /// Blocks that outlive the home, counted down by others, perhaps before the home counted up.
    orphans: AtomicI64,
}

impl Chunk {
    const LAYOUT: Layout = match Layout::from_size_align(CHUNK - SLACK, CHUNK) {
        Ok(layout) => layout,
        Err(_) => panic!("the chunk size is a power of two"),
    };

    fn new(size: usize, place: Place) -> NonNull<Chunk> {
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
    fn block(chunk: NonNull<Chunk>, index: u32) -> NonNull<Header> {
        // SAFETY: the slab's chunks are live while it has their pointers.
        let size = unsafe { chunk.as_ref() }.size as usize;
        let offset = size_of::<Chunk>() + index as usize * size;
        // SAFETY: `capacity` blocks of `size` fit behind the head, so this stays inside.
        unsafe { chunk.byte_add(offset) }.cast()
    }

    /// # Safety
    /// No block of the chunk is in use and nobody will use the pointer any more.
    unsafe fn dealloc(chunk: NonNull<Chunk>) {
        // SAFETY: the head was initialised by `new`; the caller promises that this is the end.
        unsafe { chunk.drop_in_place() };
        // SAFETY: allocated by `new` with this layout.
        unsafe { alloc::dealloc(chunk.cast().as_ptr(), Self::LAYOUT) };
    }
}

/// Chunks of one block size.
struct Class {
    /// The chunks that have room, the one in use first.
    open: Cell<*mut Chunk>,
    /// How many of them are empty.
    empty: Cell<u32>,
}

impl Class {
    /// Makes a chunk that has room the one in use.
    fn link(&self, chunk: NonNull<Chunk>) {
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
    fn unlink(&self, head: &Chunk) {
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

/// The head of a task that is an allocation of its own.
#[derive(Debug)]
#[repr(C, align(16))]
pub(super) struct Alone {
    place: Place,
    /// A ring of all that the home knows of.
    next: Cell<NonNull<Alone>>,
    previous: Cell<NonNull<Alone>>,
}

impl Alone {
    /// The whole allocation of a task of this size and alignment, and the task's offset in it.
    fn layout(size: usize, align: usize) -> (Layout, usize) {
        let align = align.max(align_of::<Alone>());
        let offset = size_of::<Alone>().next_multiple_of(align);
        let whole =
            offset.checked_add(size).and_then(|bytes| Layout::from_size_align(bytes, align).ok());
        (whole.expect("a future is smaller than the address space"), offset)
    }

    /// Uninitialised memory for a task, behind a head that names its place.
    pub(super) fn allocate(
        size: usize,
        align: usize,
        home: *const Home,
        inbox: Arc<Inbox>,
    ) -> NonNull<Header> {
        let (layout, offset) = Self::layout(size, align);
        // SAFETY: the layout holds at least an `Alone`.
        let Some(memory) = NonNull::new(unsafe { alloc::alloc(layout) }) else {
            alloc::handle_alloc_error(layout)
        };
        // SAFETY: `layout` has room for `offset` bytes and a task behind them.
        let header = unsafe { memory.add(offset) }.cast::<Header>();
        let head = Self::of(header);
        // SAFETY: `offset` leaves room for an `Alone` in front of the task, and is a multiple
        // of its alignment.
        unsafe {
            head.write(Alone {
                place: Place::new(home, inbox),
                next: Cell::new(head),
                previous: Cell::new(head),
            });
        }
        header
    }

    fn of(header: NonNull<Header>) -> NonNull<Alone> {
        // SAFETY: only called for tasks that are alone, in front of which an `Alone` fits.
        unsafe { header.cast::<Alone>().sub(1) }
    }

    /// # Safety
    /// The task is over, on no list, and nobody will touch it any more.
    unsafe fn dealloc(task: TaskPtr) {
        let (header, vtable) = (task.as_ptr(), task.header().vtable);
        let (layout, offset) = Self::layout(vtable.size, vtable.align);
        // SAFETY: initialised by `new`, used for the last time.
        unsafe { Self::of(header).drop_in_place() };
        // SAFETY: `new` put the task at this offset from the start of the allocation.
        let memory = unsafe { header.cast::<u8>().sub(offset) };
        // SAFETY: allocated by `new` with the same layout.
        unsafe { alloc::dealloc(memory.as_ptr(), layout) };
    }
}

/// The memory of one home's tasks. For the home's thread only.
pub(super) struct Slab {
    classes: [Class; LARGEST / GRAIN],
    chunks: Cell<Vec<NonNull<Chunk>>>,
    /// The tasks that are alone and known to the home.
    alone: Cell<Option<NonNull<Alone>>>,
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
            alone: Cell::new(None),
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
        let head = Alone::of(task.as_ptr());
        // SAFETY: a live task's head.
        let links = unsafe { head.as_ref() };
        let Some(first) = self.alone.get() else {
            links.next.set(head);
            links.previous.set(head);
            self.alone.set(Some(head));
            return;
        };
        // SAFETY: what is on the list is live.
        let last = unsafe { first.as_ref() }.previous.replace(head);
        // SAFETY: as above.
        unsafe { last.as_ref() }.next.set(head);
        links.previous.set(last);
        links.next.set(first);
    }

    fn disown(&self, head: NonNull<Alone>) {
        // SAFETY: the head of a task that is being freed, live until its caller frees it.
        let links = unsafe { head.as_ref() };
        let (next, previous) = (links.next.get(), links.previous.get());
        // SAFETY: neighbours on the list are live.
        unsafe { previous.as_ref() }.next.set(next);
        // SAFETY: as above.
        unsafe { next.as_ref() }.previous.set(previous);
        if self.alone.get() == Some(head) {
            self.alone.set((next != head).then_some(next));
        }
    }

    /// The task at the head of the ring of those that are alone, whose neighbour becomes the
    /// head.
    fn rotate(&self) -> Option<TaskPtr> {
        let head = self.alone.get()?;
        // SAFETY: what is on the list is live.
        self.alone.set(Some(unsafe { head.as_ref() }.next.get()));
        Some(Self::task_of(head))
    }

    fn task_of(head: NonNull<Alone>) -> TaskPtr {
        // SAFETY: a task stands right behind its head.
        let header = unsafe { head.add(1) }.cast::<Header>();
        // SAFETY: what is on the list is a live task, and the pointer came from the allocation.
        unsafe { TaskPtr::new(header) }
    }

    /// Frees a task whose memory is this slab's.
    ///
    /// # Safety
    /// The task is done, its result was taken or dropped, and there are no references.
    #[inline]
    pub(super) unsafe fn free(&self, task: TaskPtr) {
        let header = task.header();
        if header.local.kind.get() == Kind::Alone {
            self.disown(Alone::of(task.as_ptr()));
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
        let first = self.alone.get();
        while ring == 0 || self.alone.get() != first {
            ring += 1;
            if self.rotate().is_none() {
                break;
            }
        }
        for _ in 0..ring {
            let Some(task) = self.rotate() else { break };
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
        let first = self.alone.get();
        while let Some(task) = self.rotate() {
            task.place().leave();
            if self.alone.get() == first {
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
        while let Some(head) = self.alone.get() {
            let task = Self::task_of(head);
            self.disown(head);
            if !is_left(task) {
                // SAFETY: nobody refers to the task, and it is on no list.
                unsafe { Alone::dealloc(task) };
            }
        }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        debug_assert!(self.chunks.get_mut().is_empty() && self.alone.get().is_none());
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
