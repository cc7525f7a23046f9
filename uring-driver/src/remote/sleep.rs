//! The flag that says whether a driver sleeps, and the fences that make it tell the truth.
//!
//! `docs/sleep-wake.md` has the proof. In short: the sleeper writes the flag, fences, and looks at
//! every source of work once more; a waker writes its work, fences, and looks at the flag. The two
//! fences are in one total order, so at least one of the two sees what the other wrote.

use std::sync::atomic::Ordering;

use crate::loom::sync::{AtomicBool, fence};

/// Does the home sleep, or is it about to?
#[derive(Debug)]
pub(crate) struct Sleep {
    sleeping: AtomicBool,
}

impl Sleep {
    pub(crate) fn new() -> Sleep {
        Sleep { sleeping: AtomicBool::new(false) }
    }

    /// The home is about to sleep. It must look at every source of work after this call and before
    /// it sleeps.
    pub(crate) fn publish(&self) {
        self.sleeping.store(true, Ordering::Relaxed);
        // SeqCst: against the fence in `claim`; see the top of the file.
        fence(Ordering::SeqCst);
    }

    /// The home is awake, or has found work and will not sleep.
    #[inline]
    pub(crate) fn retract(&self) {
        self.sleeping.store(false, Ordering::Relaxed);
    }

    /// After having made work visible: is it for the caller to wake the home? Of several that come
    /// together one is told so.
    #[inline]
    pub(crate) fn claim(&self) -> bool {
        // SeqCst: against the fence in `publish`; see the top of the file.
        fence(Ordering::SeqCst);
        self.sleeping.load(Ordering::Relaxed) && self.sleeping.swap(false, Ordering::Relaxed)
    }
}
