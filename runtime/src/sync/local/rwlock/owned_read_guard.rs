//! The guard of a reader that keeps the lock alive.

use std::rc::Rc;

use crate::sync::guarded::Shared;
use crate::sync::local::rwlock::RwLock;
use crate::sync::see_through::see_through;

/// A reader's lock of an [`RwLock`] that is kept alive, on the value or a part of it. Dropping it
/// lets go.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use henge::sync::local::{OwnedRwLockReadGuard, RwLock};
///
/// let guard: OwnedRwLockReadGuard<u32> = Rc::new(RwLock::new(1)).try_read_owned().unwrap();
/// assert_eq!(*guard, 1);
/// ```
#[clippy::has_significant_drop]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    pub(super) held: Shared<Rc<RwLock<T>>, U>,
}

see_through!(impl[T: ?Sized, U: ?Sized] OwnedRwLockReadGuard<T, U> => U);

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    /// A guard of a part of what this one guards.
    ///
    /// It is a function, not a method, so that it does not hide one of the value's.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockReadGuard, RwLock};
    ///
    /// let guard = Rc::new(RwLock::new((1, "one"))).try_read_owned().unwrap();
    /// let number = OwnedRwLockReadGuard::map(guard, |pair| &pair.0);
    /// assert_eq!(*number, 1);
    /// ```
    #[inline]
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V>
    where
        F: FnOnce(&U) -> &V,
    {
        OwnedRwLockReadGuard { held: this.held.map(f) }
    }

    /// A guard of a part of what this one guards, if there is such a part.
    ///
    /// # Errors
    ///
    /// The guard as it was, if `f` returns `None`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockReadGuard, RwLock};
    ///
    /// let guard = Rc::new(RwLock::new(vec![1, 2])).try_read_owned().unwrap();
    /// assert!(OwnedRwLockReadGuard::try_map(guard, |list| list.get(7)).is_err());
    /// ```
    #[inline]
    pub fn try_map<F, V: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        F: FnOnce(&U) -> Option<&V>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(OwnedRwLockReadGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }

    /// The lock that this guard belongs to.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockReadGuard, RwLock};
    ///
    /// let guard = Rc::new(RwLock::new(1)).try_read_owned().unwrap();
    /// assert!(OwnedRwLockReadGuard::rwlock(&guard).try_read().is_ok());
    /// ```
    pub fn rwlock(this: &Self) -> &Rc<RwLock<T>> {
        this.held.keeper()
    }
}
