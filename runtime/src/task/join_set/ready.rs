//! Which members of a set are done: pushed by whoever ends them, taken by the set.
//!
//! Every member has an [`Entry`], which is the waker that its join handle was polled with. A wake
//! pushes the entry, with the reference that the waker was, on the set's stack; the first push
//! after a take wakes the set. The set closes the stack when it is dropped, so that no entry
//! keeps it.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use crate::queue::stack::{Drain, Link, Stack};

/// The members that are done, and who waits for them.
#[derive(Debug)]
pub(super) struct Ready {
    woken: Stack,
    waiting: Mutex<Option<Waker>>,
}

/// What wakes the set for one of its members.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Entry {
    /// First, so that the link's address is the entry's.
    link: Link,
    /// It stands on the stack.
    queued: AtomicBool,
    key: usize,
    ready: Arc<Ready>,
}

impl Ready {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { woken: Stack::new(), waiting: Mutex::new(None) })
    }

    /// The waker for the member of this key.
    pub(super) fn waker(self: &Arc<Self>, key: usize) -> Waker {
        Waker::from(Arc::new(Entry {
            link: Link::new(),
            queued: AtomicBool::new(false),
            key,
            ready: self.clone(),
        }))
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes `waker` when the next member is done. The caller looks again afterwards, and drops
    /// the one that it replaces.
    #[must_use]
    pub(super) fn wait(&self, waker: &Waker) -> Option<Waker> {
        // Cloning and dropping are the waker's own code: not under the lock.
        let waker = waker.clone();
        self.waiting().replace(waker)
    }

    /// Those that were woken since the last call.
    pub(super) fn take(&self) -> Woken {
        Woken(self.woken.take())
    }

    /// No more wakes: the set is gone.
    pub(super) fn close(&self) {
        drop(Woken(self.woken.close()));
        drop(self.waiting().take());
    }
}

/// Members that were woken: first those that were woken first.
#[derive(Debug)]
pub(super) struct Woken(Drain);

impl Woken {
    pub(super) const fn none() -> Self {
        Self(Drain::empty())
    }
}

// SAFETY: what it holds are references to entries, which are Send and Sync; it is the only one to
// know the links that were taken.
unsafe impl Send for Woken {}
// SAFETY: as above; a shared reference gives no access.
unsafe impl Sync for Woken {}

impl Iterator for Woken {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let link = self.0.next()?;
        // SAFETY: `wake` pushed the link of an entry, with the reference that this takes over.
        let entry = unsafe { Arc::from_raw(link.as_ptr().cast_const().cast::<Entry>()) };
        // Release: the link was read for the last time; a wake pushes it again.
        entry.queued.store(false, Ordering::Release);
        Some(entry.key)
    }
}

impl Drop for Woken {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        // AcqRel: acquires the end of the last take of this link.
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        // The entry may be freed as soon as it is pushed.
        let ready = self.ready.clone();
        let entry = Arc::into_raw(self);
        let link = NonNull::from(
            // SAFETY: just made from a reference, which the stack now holds.
            unsafe { &*entry },
        );
        // SAFETY: `queued` was not set, so the link is on no list; the reference keeps it until
        // it is yielded.
        match unsafe { ready.woken.push(link.cast()) } {
            Ok(true) => {
                let waiting = ready.waiting().take();
                if let Some(waker) = waiting {
                    waker.wake();
                }
            }
            Ok(false) => {}
            // SAFETY: refused, so the reference is still this function's.
            Err(_closed) => drop(unsafe { Arc::from_raw(entry) }),
        }
    }
}
