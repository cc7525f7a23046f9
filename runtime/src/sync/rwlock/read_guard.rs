//! The guard of a reader that borrows the lock.

use crate::sync::batch::Batch;
use crate::sync::guarded::{Permits, Shared};
use crate::sync::see_through::see_through;

/// A reader's lock of a borrowed [`RwLock`](super::RwLock). Dropping it lets go.
///
/// # Examples
///
/// ```
/// use henge::sync::{RwLock, RwLockReadGuard};
///
/// let lock = RwLock::new(1);
/// let first: RwLockReadGuard<'_, u32> = lock.try_read().unwrap();
/// let second = lock.try_read().unwrap();
/// assert_eq!(*first, *second);
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    pub(super) held: Shared<&'a Permits<Batch>, T>,
}

see_through!(impl['a, T: ?Sized] RwLockReadGuard<'a, T> => T);

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// A guard of a part of the value.
    ///
    /// It is a function, not a method, so that it does not hide one of the value's.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockReadGuard::map(lock.try_read().unwrap(), |pair| pair.1);
    /// assert_eq!(&*name, "one");
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard { held: this.held.map(f) }
    }

    /// A guard of a part of the value, if there is such a part.
    ///
    /// # Errors
    ///
    /// The guard as it was, if `f` returns `None`.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new(vec![1, 2]);
    /// let guard = lock.try_read().unwrap();
    /// let guard = RwLockReadGuard::try_map(guard, |list| list.get(7)).unwrap_err();
    /// assert!(RwLockReadGuard::try_map(guard, |list| list.get(1)).is_ok_and(|n| *n == 2));
    /// ```
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(RwLockReadGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }
}
