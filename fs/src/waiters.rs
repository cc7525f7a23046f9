//! Those that wait for one thing to end.

use std::mem;
use std::sync::Arc;
use std::task::{Wake, Waker};

use henge_driver::wake_each;

use crate::loom::sync::{Mutex, MutexGuard};

/// Their wakers, each once. No waker is cloned, woken or dropped under the lock.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<Vec<Waker>>);

impl Waiters {
    /// Whoever is added looks once more, after this, whether it has ended.
    pub(crate) fn add(&self, waker: &Waker) {
        let known = lock(&self.0).iter().any(|known| known.will_wake(waker));
        if !known {
            let waker = waker.clone();
            lock(&self.0).push(waker);
        }
    }

    /// Whoever panics: what has ended is no concern of theirs.
    pub(crate) fn wake_all(&self) {
        let all = mem::take(&mut *lock(&self.0));
        wake_each(all);
    }
}

impl Wake for Waiters {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}

/// No user's code runs under these locks, so a panic in it leaves what they guard whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
