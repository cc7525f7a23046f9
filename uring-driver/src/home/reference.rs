//! What an operation holds of the state that it works for.

use std::fmt;
use std::ptr::NonNull;

use super::Resident;
use super::here::Here;
use super::place::{Leaving, Place};
use crate::current;

/// An operation's reference to a state, on the state's home.
///
/// It costs no atomic operation. It is to be given to an operation that is submitted to the same
/// driver at once; one that is carried to another thread is of no use there, and keeps the state
/// from ever leaving its home.
pub struct HomeRef<T: Resident> {
    pub(super) place: NonNull<Place<T>>,
}

// SAFETY: the pointer is valid as long as the reference lives, on whatever thread (see `place`);
// on another thread than the home's nothing but `shared` and the word is touched, which are
// `Sync`.
unsafe impl<T: Resident> Send for HomeRef<T> {}

impl<T: Resident> HomeRef<T> {
    #[inline]
    fn place(&self) -> &Place<T> {
        // SAFETY: this reference is counted in `refs`. The register drops its `Arc` of the place
        // only when `refs` is zero, or never: a home that ends with `refs` not zero leaks it.
        unsafe { self.place.as_ref() }
    }

    /// What every thread may read.
    #[inline]
    pub fn shared(&self) -> &T::Shared {
        &self.place().shared
    }

    /// Lends the state to `visit`; `None` if this is not the home's thread.
    ///
    /// # Panics
    ///
    /// If called within a visit of the same state.
    #[inline]
    pub fn with<R>(&self, visit: impl FnOnce(&mut Here<'_, T>) -> R) -> Option<R> {
        let place = self.place();
        let visited = current::with(|driver| {
            place.word.is(current::id()).then(|| place.visit(driver, visit))
        });
        visited.ok().flatten()
    }
}

impl<T: Resident> Drop for HomeRef<T> {
    #[inline]
    fn drop(&mut self) {
        let place = self.place();
        // Not at home: the count stays, and with it the place. That leaks; touching the count
        // from here would be a race.
        let released = current::with(|driver| {
            if !place.word.is(current::id()) {
                return None;
            }
            let refs = &place.local.refs;
            refs.set(refs.get() - 1);
            if refs.get() == 0 && place.local.leaving.get() != Leaving::Stays {
                return place.release_if_idle(driver);
            }
            None
        });
        drop(released);
    }
}

impl<T: Resident> fmt::Debug for HomeRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HomeRef").finish_non_exhaustive()
    }
}
