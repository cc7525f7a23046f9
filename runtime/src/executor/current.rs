//! This thread's home, the task that it is polling, and how deep in loops inside of polls it is:
//! what the task layer keeps for a thread.
//!
//! Constant and without a destructor, so that a look-up is one load, also in the destructors of
//! other thread-locals.

use std::cell::Cell;
use std::ptr;

use super::home::Home;
use super::id::Id;

#[cfg(not(henge_loom))]
thread_local! {
    static HOME: Cell<*const Home> = const { Cell::new(ptr::null()) };
    static TASK: Cell<Option<Id>> = const { Cell::new(None) };
    static LEVEL: Cell<u32> = const { Cell::new(0) };
}

// loom's threads share one thread of the system, so it brings its own.
#[cfg(henge_loom)]
loom::thread_local! {
    static HOME: Cell<*const Home> = Cell::new(ptr::null());
    static TASK: Cell<Option<Id>> = Cell::new(None);
    static LEVEL: Cell<u32> = Cell::new(0);
}

/// The home that this thread has entered, or null.
#[inline]
pub(super) fn home() -> *const Home {
    HOME.with(Cell::get)
}

#[inline]
pub(super) fn set_home(home: *const Home) -> *const Home {
    HOME.with(|cell| cell.replace(home))
}

/// The task that this thread is polling or whose future or result it is dropping.
#[inline]
pub(super) fn task() -> Option<Id> {
    TASK.with(Cell::get)
}

#[inline]
pub(super) fn set_task(task: Option<Id>) -> Option<Id> {
    TASK.with(|cell| cell.replace(task))
}

/// How many loops run inside of polls of this thread. What a task carries with it is seen at the
/// level at which it is polled: a loop inside of its poll runs others.
#[inline]
pub(crate) fn level() -> u32 {
    LEVEL.with(Cell::get)
}

/// As whom code runs: which task it is, and what it sees of values that tasks carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    task: Option<Id>,
    level: u32,
}

impl View {
    /// As whom the caller runs.
    pub(crate) fn current() -> Self {
        Self { task: task(), level: level() }
    }

    /// The same, as another task.
    pub(crate) fn of(self, task: Id) -> Self {
        Self { task: Some(task), ..self }
    }

    /// That of a loop which runs inside of this.
    pub(crate) fn inside(self) -> Self {
        Self { task: None, level: self.level + 1 }
    }

    fn set(self) {
        set_task(self.task);
        LEVEL.with(|level| level.set(self.level));
    }

    /// Calls `f` as this.
    pub(crate) fn during<R>(self, f: impl FnOnce() -> R) -> R {
        struct Back(View);
        impl Drop for Back {
            fn drop(&mut self) {
                self.0.set();
            }
        }
        let _back = Back(Self::current());
        self.set();
        f()
    }
}
