//! This thread's home and the task that it is polling: the one thread-local of the task layer.
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
}

// loom's threads share one thread of the system, so it brings its own.
#[cfg(henge_loom)]
loom::thread_local! {
    static HOME: Cell<*const Home> = Cell::new(ptr::null());
    static TASK: Cell<Option<Id>> = Cell::new(None);
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

/// Calls `f`, which does not panic, as if no task were being polled.
#[inline]
pub(crate) fn unnamed<R>(f: impl FnOnce() -> R) -> R {
    let task = set_task(None);
    let result = f();
    set_task(task);
    result
}

/// Calls `f` as a task of this id: a closure in the blocking pool.
pub(crate) fn named<R>(id: Id, f: impl FnOnce() -> R) -> R {
    struct Back(Option<Id>);
    impl Drop for Back {
        fn drop(&mut self) {
            set_task(self.0);
        }
    }
    let _back = Back(set_task(Some(id)));
    f()
}
