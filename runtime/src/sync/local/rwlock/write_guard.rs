//! The guards of a writer that borrow the lock.

use crate::sync::guarded::{Exclusive, Here, Permits};
use crate::sync::local;
use crate::sync::local::rwlock::RwLockReadGuard;
use crate::sync::see_through::see_through;

/// A writer's lock of a borrowed [`RwLock`](super::RwLock). Dropping it lets go.
///
/// # Examples
///
/// ```
/// use henge::sync::local::{RwLock, RwLockWriteGuard};
///
/// fn double(mut n: RwLockWriteGuard<'_, u32>) {
///     *n *= 2;
/// }
///
/// let lock = RwLock::new(4);
/// double(lock.try_write().unwrap());
/// assert_eq!(lock.into_inner(), 8);
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    pub(super) held: Exclusive<&'a Permits<local::Permits>, T, Here>,
}

see_through!(impl['a, T: ?Sized] RwLockWriteGuard<'a, T> => mut T);

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// A guard of a part of the value.
    ///
    /// It is a function, not a method, so that it does not hide one of the value's.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::local::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let mut number = RwLockWriteGuard::map(lock.try_write().unwrap(), |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(*lock.try_read().unwrap(), (2, "one"));
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard { held: this.held.map(f) }
    }

    /// Lets readers in, and keeps a part of the value as one of them.
    ///
    /// There is no moment at which nobody holds the lock. `f` is given a shared reference, because
    /// others read what it returns as soon as this returns.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::local::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let guard = lock.try_write().unwrap();
    /// let number = RwLockWriteGuard::downgrade_map(guard, |pair| &pair.0);
    /// assert_eq!(*number, lock.try_read().unwrap().0);
    /// ```
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard { held: this.held.downgrade_map(f) }
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
    /// use henge::sync::local::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(vec![1, 2]);
    /// let guard = lock.try_write().unwrap();
    /// let guard = RwLockWriteGuard::try_map(guard, |list| list.get_mut(7)).unwrap_err();
    /// assert!(RwLockWriteGuard::try_map(guard, |list| list.get_mut(1)).is_ok());
    /// ```
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(RwLockMappedWriteGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }

    /// Lets readers in, and keeps a part of the value as one of them, if there is such a part.
    ///
    /// # Errors
    ///
    /// The guard as it was, if `f` returns `None`.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::local::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(vec![1, 2]);
    /// let guard = lock.try_write().unwrap();
    /// let guard = RwLockWriteGuard::try_downgrade_map(guard, |list| list.get(7)).unwrap_err();
    /// let number = RwLockWriteGuard::try_downgrade_map(guard, |list| list.get(1)).unwrap();
    /// assert_eq!(*number, lock.try_read().unwrap()[1]);
    /// ```
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match this.held.try_downgrade_map(f) {
            Ok(held) => Ok(RwLockReadGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }

    /// The same as a guard of a part that is the whole.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::local::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(1);
    /// let mut guard = RwLockWriteGuard::into_mapped(lock.try_write().unwrap());
    /// *guard = 2;
    /// ```
    #[inline]
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard { held: this.held }
    }

    /// Lets readers in, and stays one of them: there is no moment at which nobody holds the lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::local::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let mut writer = lock.try_write().unwrap();
    /// *writer = 2;
    /// let reader = writer.downgrade();
    /// assert_eq!(*reader, *lock.try_read().unwrap());
    /// ```
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard { held: self.held.downgrade_map(|value| value) }
    }
}

/// A writer's lock of a borrowed [`RwLock`](super::RwLock), on a part of the value. Dropping it
/// lets go.
///
/// # Examples
///
/// ```
/// use henge::sync::local::{RwLock, RwLockMappedWriteGuard, RwLockWriteGuard};
///
/// let lock = RwLock::new([1, 2, 3]);
/// let guard = lock.try_write().unwrap();
/// let last: RwLockMappedWriteGuard<'_, u8> = RwLockWriteGuard::map(guard, |list| &mut list[2]);
/// assert_eq!(*last, 3);
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    held: Exclusive<&'a Permits<local::Permits>, T, Here>,
}

see_through!(impl['a, T: ?Sized] RwLockMappedWriteGuard<'a, T> => mut T);

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    /// A guard of a part of this part.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::local::{RwLock, RwLockMappedWriteGuard, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new([(1, 2), (3, 4)]);
    /// let pair = RwLockWriteGuard::map(lock.try_write().unwrap(), |list| &mut list[1]);
    /// let number = RwLockMappedWriteGuard::map(pair, |pair| &mut pair.0);
    /// assert_eq!(*number, 3);
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard { held: this.held.map(f) }
    }

    /// A guard of a part of this part, if there is such a part.
    ///
    /// # Errors
    ///
    /// The guard as it was, if `f` returns `None`.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::local::{RwLock, RwLockMappedWriteGuard, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, vec![2]));
    /// let list = RwLockWriteGuard::map(lock.try_write().unwrap(), |pair| &mut pair.1);
    /// assert!(RwLockMappedWriteGuard::try_map(list, |list| list.get_mut(1)).is_err());
    /// ```
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(RwLockMappedWriteGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }
}
