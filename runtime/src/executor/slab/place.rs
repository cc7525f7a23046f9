//! What a task's address yields: who its home is, and how to ask it.

use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::alone::Alone;
use super::chunk::chunk_of;
use crate::executor::header::Header;
use crate::executor::home::Home;
use crate::executor::inbox::Inbox;
use crate::loom::sync::atomic::AtomicPtr;

/// What a task's address yields: who its home is, and how to ask it.
#[derive(Debug)]
#[repr(C)]
pub(in crate::executor) struct Place {
    home: AtomicPtr<Home>,
    inbox: Arc<Inbox>,
}

/// The home of a place whose home is gone. Not null: null is the home of a thread without one.
pub(in crate::executor) fn nobody() -> *mut Home {
    ptr::without_provenance_mut(align_of::<Home>())
}

impl Place {
    pub(super) fn new(home: *const Home, inbox: Arc<Inbox>) -> Self {
        Self { home: AtomicPtr::new(home.cast_mut()), inbox }
    }

    /// # Safety
    /// `header` is that of a live task with the provenance of its whole allocation, and `alone`
    /// tells whether that is an [`Alone`] or a [`Chunk`]. The answer lives as long as the task.
    #[inline]
    pub(in crate::executor) unsafe fn of<'a>(header: NonNull<Header>, alone: bool) -> &'a Place {
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
    pub(in crate::executor) fn home(&self) -> *const Home {
        self.home.load(Ordering::Relaxed)
    }

    pub(in crate::executor) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// For a task that was made elsewhere, when it has come.
    pub(in crate::executor) fn settle_in(&self, home: &Home) {
        self.home.store(ptr::from_ref(home).cast_mut(), Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.home.store(nobody(), Ordering::Relaxed);
    }
}
