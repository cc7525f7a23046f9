//! A value that the thread of one shard uses, inside something that all threads share.
//!
//! A [`Stamp`] names one [`Local`](super::local::Local), which belongs to one thread for good; no
//! two of a process have the same, one after the other neither. So whoever finds its own stamp on a
//! value is the only thread that ever does.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use super::current;
use super::local::Local;

/// The name of what one thread keeps for one runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(NonZeroU64);

impl Stamp {
    /// A stamp that nobody else has. It is for a value that stays on this thread.
    pub(super) fn fresh() -> Stamp {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        match NonZeroU64::new(next) {
            Some(number) => Stamp(number),
            None => unreachable!("2⁶⁴ loops were made"),
        }
    }
}

/// See the module's documentation.
pub(super) struct Bound<T> {
    stamp: Stamp,
    value: T,
}

// SAFETY: a shared reference to this yields one to the value on one thread only: a `Local` is
// neither Send nor Sync, so who has one, or finds it to be current, is on its thread, and no other
// `Local` has its stamp. Whoever makes and drops this may be another thread, as `T: Send` allows.
unsafe impl<T: Send> Sync for Bound<T> {}

impl<T> Bound<T> {
    /// Binds a value to the thread that has this stamp.
    pub(super) fn new(stamp: Stamp, value: T) -> Bound<T> {
        Bound { stamp, value }
    }

    /// The value, on the thread that it is bound to, while that runs the loop that it is bound to.
    #[inline]
    pub(super) fn get(&self) -> Option<&T> {
        current::with(|local| local.is_some_and(|local| local.stamp() == self.stamp))
            .then_some(&self.value)
    }

    /// As [`get`](Self::get), for one who has what this thread keeps at hand.
    #[inline]
    pub(super) fn of(&self, local: &Local) -> Option<&T> {
        (local.stamp() == self.stamp).then_some(&self.value)
    }
}

impl<T> fmt::Debug for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("stamp", &self.stamp).finish_non_exhaustive()
    }
}
