//! Waiting, in a bounded time, for threads to end.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use henge_driver::sys::clock;

use super::shared::lock;

/// Counts the passes that are out.
#[derive(Debug, Default)]
pub(super) struct Latch {
    out: Mutex<usize>,
    back: Condvar,
}

/// Given back when it is dropped.
#[derive(Debug)]
pub(super) struct Pass<'a>(&'a Latch);

impl Latch {
    pub(super) fn pass(&self) -> Pass<'_> {
        *lock(&self.out) += 1;
        Pass(self)
    }

    /// Waits until no pass is out, or until `deadline` if there is one; false if that was first.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut out = lock(&self.out);
        while *out > 0 {
            out = match deadline {
                None => self.back.wait(out).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(clock::now());
                    if left.is_zero() {
                        return false;
                    }
                    let waited = self.back.wait_timeout(out, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        true
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *lock(&self.0.out) -= 1;
        self.0.back.notify_all();
    }
}
