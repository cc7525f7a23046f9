//! Tasks that are allocations of their own, and the ring of those that a home knows of.

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Arc;

use super::place::Place;
use crate::executor::header::{Header, TaskPtr};
use crate::executor::home::Home;
use crate::executor::inbox::Inbox;

/// The head of a task that is an allocation of its own.
#[derive(Debug)]
#[repr(C, align(16))]
pub(in crate::executor) struct Alone {
    place: Place,
    /// Neighbours on the ring of all that the home knows of.
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
    pub(in crate::executor) fn allocate(
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

    pub(super) fn of(header: NonNull<Header>) -> NonNull<Alone> {
        // SAFETY: only called for tasks that are alone, in front of which an `Alone` fits.
        unsafe { header.cast::<Alone>().sub(1) }
    }

    /// # Safety
    /// The task is over, on no list, and nobody will touch it any more.
    pub(super) unsafe fn dealloc(task: TaskPtr) {
        let (header, vtable) = (task.as_ptr(), task.header().vtable);
        let (layout, offset) = Self::layout(vtable.size, vtable.align);
        // SAFETY: initialised by `allocate`, used for the last time.
        unsafe { Self::of(header).drop_in_place() };
        // SAFETY: `allocate` put the task at this offset from the start of the allocation.
        let memory = unsafe { header.cast::<u8>().sub(offset) };
        // SAFETY: allocated by `allocate` with the same layout.
        unsafe { alloc::dealloc(memory.as_ptr(), layout) };
    }

    /// The task behind its head.
    pub(super) fn task(head: NonNull<Alone>) -> TaskPtr {
        // SAFETY: a task stands right behind its head.
        let header = unsafe { head.add(1) }.cast::<Header>();
        // SAFETY: what is on the list is a live task, and the pointer came from the allocation.
        unsafe { TaskPtr::new(header) }
    }
}

/// The tasks of one home that are alone. For the home's thread only.
pub(super) struct Loners {
    first: Cell<Option<NonNull<Alone>>>,
}

impl Loners {
    pub(super) fn new() -> Self {
        Self { first: Cell::new(None) }
    }

    pub(super) fn first(&self) -> Option<NonNull<Alone>> {
        self.first.get()
    }

    /// Adds a task that is alone.
    pub(super) fn add(&self, task: TaskPtr) {
        let head = Alone::of(task.as_ptr());
        // SAFETY: a live task's head.
        let links = unsafe { head.as_ref() };
        let Some(first) = self.first.get() else {
            links.next.set(head);
            links.previous.set(head);
            self.first.set(Some(head));
            return;
        };
        // SAFETY: what is on the list is live.
        let last = unsafe { first.as_ref() }.previous.replace(head);
        // SAFETY: as above.
        unsafe { last.as_ref() }.next.set(head);
        links.previous.set(last);
        links.next.set(first);
    }

    /// Takes a task off that is being freed.
    pub(super) fn remove(&self, head: NonNull<Alone>) {
        // SAFETY: the head of a task that is being freed, live until its caller frees it.
        let links = unsafe { head.as_ref() };
        let (next, previous) = (links.next.get(), links.previous.get());
        // SAFETY: neighbours on the list are live.
        unsafe { previous.as_ref() }.next.set(next);
        // SAFETY: as above.
        unsafe { next.as_ref() }.previous.set(previous);
        if self.first.get() == Some(head) {
            self.first.set((next != head).then_some(next));
        }
    }

    /// The task at the head of the ring, whose neighbour becomes the head.
    pub(super) fn rotate(&self) -> Option<TaskPtr> {
        let head = self.first.get()?;
        // SAFETY: what is on the list is live.
        self.first.set(Some(unsafe { head.as_ref() }.next.get()));
        Some(Alone::task(head))
    }
}
