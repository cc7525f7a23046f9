//! Code of users' whose panics concern nobody here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// How deep panics are dropped: that of the code, that of its payload's drop, and so on.
const DEEPEST: usize = 3;

/// Runs code of a user whose panic concerns nobody here; std's hook has printed its message.
pub(crate) fn contain(code: impl FnOnce()) {
    let mut caught = catch_unwind(AssertUnwindSafe(code)).err();
    for _ in 0..DEEPEST {
        let Some(payload) = caught else { return };
        caught = catch_unwind(AssertUnwindSafe(|| drop(payload))).err();
    }
    // Payloads whose drop panics with the like of them could go on for ever.
    std::mem::forget(caught);
}

/// Wakes all of them, whoever panics: they stand in no line any more, so that one that was left out
/// would wait for ever.
#[doc(hidden)]
pub fn wake_each(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(|waker| contain(|| waker.wake()));
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use super::wake_each;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    /// Panics with something that panics when it is dropped.
    struct Panics;

    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("a payload that panics");
        }
    }

    struct Wakes(AtomicUsize, bool);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            if self.1 {
                std::panic::panic_any(Panics);
            }
        }
    }

    #[test]
    fn all_are_woken_whoever_panics() {
        let all = [true, false, true, false].map(|panics| {
            let count = AtomicUsize::new(0);
            Arc::new(Wakes(count, panics))
        });
        wake_each(all.iter().map(|one| Waker::from(Arc::clone(one))));
        assert!(all.iter().all(|one| one.0.load(Ordering::Relaxed) == 1));
    }
}
