//! How many tasks a tracker has, in one word.
//!
//! It holds twice the number of tasks, and in its lowest bit whether the tracker is closed. Whoever
//! makes it 1, closed and empty, wakes those who wait.

use std::fmt;
use std::sync::atomic::Ordering;

use crate::loom::sync::atomic::AtomicUsize;
use crate::sync::Notify;
use crate::sync::futures::Notified;

const CLOSED: usize = 1;
const TASK: usize = 2;

/// How many tasks there are, and whether the tracker is closed.
pub(super) struct Count {
    word: AtomicUsize,
    on_last_exit: Notify,
}

impl Count {
    /// Open, and without tasks.
    pub(super) fn new() -> Self {
        Count { word: AtomicUsize::new(0), on_last_exit: Notify::new() }
    }

    fn load(&self) -> usize {
        // Acquire: who sees that all are gone sees what they did (pairs with `drop_task` and
        // `close`).
        self.word.load(Ordering::Acquire)
    }

    pub(super) fn tasks(&self) -> usize {
        self.load() / TASK
    }

    pub(super) fn is_closed(&self) -> bool {
        self.load() & CLOSED != 0
    }

    pub(super) fn is_over(&self) -> bool {
        self.load() == CLOSED
    }

    /// Ready at the next moment at which it is over.
    pub(super) fn last_exit(&self) -> Notified<'_> {
        self.on_last_exit.notified()
    }

    pub(super) fn close(&self) -> bool {
        // AcqRel, here and in `reopen`: whoever undoes the other's call sees what it did before.
        let before = self.word.fetch_or(CLOSED, Ordering::AcqRel);
        if before == 0 {
            self.on_last_exit.notify_waiters();
        }
        before & CLOSED == 0
    }

    pub(super) fn reopen(&self) -> bool {
        // AcqRel: as in `close`.
        self.word.fetch_and(!CLOSED, Ordering::AcqRel) & CLOSED != 0
    }

    pub(super) fn add_task(&self) {
        self.word.fetch_add(TASK, Ordering::Relaxed);
    }

    pub(super) fn drop_task(&self) {
        // AcqRel: the last one has seen what the others did, and those it wakes see it too.
        if self.word.fetch_sub(TASK, Ordering::AcqRel) == TASK | CLOSED {
            self.on_last_exit.notify_waiters();
        }
    }
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.load();
        f.debug_struct("TaskTracker")
            .field("len", &(word / TASK))
            .field("is_closed", &(word & CLOSED != 0))
            .field("inner", &std::ptr::from_ref(self))
            .finish()
    }
}
