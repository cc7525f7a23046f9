//! The worker of the shard whose loop this thread runs.

use std::cell::RefCell;
use std::rc::Rc;

use super::worker::Worker;

thread_local! {
    /// Borrowed for changes by the loop only, which is then not inside of anything of a user's.
    static CURRENT: RefCell<Option<Rc<Worker>>> = const { RefCell::new(None) };
}

/// Calls `f` with the worker, if there is one. `f` runs nothing of a user's.
#[inline]
pub(super) fn with<R>(f: impl FnOnce(Option<&Worker>) -> R) -> R {
    let mut f = Some(f);
    let called = CURRENT.try_with(|current| f.take().map(|f| f(current.borrow().as_deref())));
    match (called, f) {
        (Ok(Some(result)), _) => result,
        // The thread ends, and what it kept is gone.
        (_, Some(f)) => f(None),
        (_, None) => unreachable!("either it was called or it is left"),
    }
}

/// Makes a worker this thread's, or none, until the guard is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Entered {
    before: Option<Rc<Worker>>,
}

/// See [`Entered`].
pub(crate) fn enter(worker: Option<&Rc<Worker>>) -> Entered {
    Entered { before: replace(worker.cloned()) }
}

fn replace(worker: Option<Rc<Worker>>) -> Option<Rc<Worker>> {
    // Of a thread that ends, whose last loop has ended before.
    CURRENT.try_with(|current| current.replace(worker)).ok().flatten()
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(replace(self.before.take()));
    }
}
