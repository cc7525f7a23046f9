//! The guards of a writer that keep the lock alive.

use std::rc::Rc;

use crate::sync::guarded::{Exclusive, Here};
use crate::sync::local::rwlock::{OwnedRwLockReadGuard, RwLock};
use crate::sync::see_through::see_through;

/// A writer's lock of an [`RwLock`] that is kept alive. Dropping it lets go.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use henge::sync::local::{OwnedRwLockWriteGuard, RwLock};
///
/// let lock = Rc::new(RwLock::new(1));
/// let mut guard: OwnedRwLockWriteGuard<u32> = lock.clone().try_write_owned().unwrap();
/// *guard = 2;
/// drop(guard);
/// assert_eq!(*lock.try_read().unwrap(), 2);
/// ```
#[clippy::has_significant_drop]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    pub(super) held: Exclusive<Rc<RwLock<T>>, T, Here>,
}

see_through!(impl[T: ?Sized] OwnedRwLockWriteGuard<T> => mut T);

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// A guard of a part of the value.
    ///
    /// It is a function, not a method, so that it does not hide one of the value's.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Rc::new(RwLock::new((1, "one")));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// let mut number = OwnedRwLockWriteGuard::map(guard, |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(*lock.try_read().unwrap(), (2, "one"));
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedRwLockMappedWriteGuard { held: this.held.map(f) }
    }

    /// Lets readers in, and keeps a part of the value as one of them.
    ///
    /// There is no moment at which nobody holds the lock. `f` is given a shared reference, because
    /// others read what it returns as soon as this returns.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Rc::new(RwLock::new((1, "one")));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// let number = OwnedRwLockWriteGuard::downgrade_map(guard, |pair| &pair.0);
    /// assert_eq!(*number, lock.try_read().unwrap().0);
    /// ```
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        F: FnOnce(&T) -> &U,
    {
        OwnedRwLockReadGuard { held: this.held.downgrade_map(f) }
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
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Rc::new(RwLock::new(vec![1, 2]));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// let guard = OwnedRwLockWriteGuard::try_map(guard, |list| list.get_mut(7)).unwrap_err();
    /// assert!(OwnedRwLockWriteGuard::try_map(guard, |list| list.get_mut(1)).is_ok());
    /// ```
    #[inline]
    pub fn try_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(OwnedRwLockMappedWriteGuard { held }),
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
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Rc::new(RwLock::new(vec![1, 2]));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// let whole = OwnedRwLockWriteGuard::try_downgrade_map(guard, |list| list.get(7));
    /// let guard = whole.unwrap_err();
    /// let number = OwnedRwLockWriteGuard::try_downgrade_map(guard, |list| list.get(1)).unwrap();
    /// assert_eq!(*number, lock.try_read().unwrap()[1]);
    /// ```
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match this.held.try_downgrade_map(f) {
            Ok(held) => Ok(OwnedRwLockReadGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }

    /// The same as a guard of a part that is the whole.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Rc::new(RwLock::new(1));
    /// let mut guard = OwnedRwLockWriteGuard::into_mapped(lock.clone().try_write_owned().unwrap());
    /// *guard = 2;
    /// ```
    #[inline]
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        OwnedRwLockMappedWriteGuard { held: this.held }
    }

    /// Lets readers in, and stays one of them: there is no moment at which nobody holds the lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::RwLock;
    ///
    /// let lock = Rc::new(RwLock::new(1));
    /// let mut writer = lock.clone().try_write_owned().unwrap();
    /// *writer = 2;
    /// let reader = writer.downgrade();
    /// assert_eq!(*reader, *lock.try_read().unwrap());
    /// ```
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard { held: self.held.downgrade_map(|value| value) }
    }

    /// The lock that this guard belongs to.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let guard = Rc::new(RwLock::new(1)).try_write_owned().unwrap();
    /// assert!(OwnedRwLockWriteGuard::rwlock(&guard).try_read().is_err());
    /// ```
    pub fn rwlock(this: &Self) -> &Rc<RwLock<T>> {
        this.held.keeper()
    }
}

/// A writer's lock of an [`RwLock`] that is kept alive, on a part of the value. Dropping it lets
/// go.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use henge::sync::local::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
///
/// fn last(list: Rc<RwLock<[u8; 3]>>) -> OwnedRwLockMappedWriteGuard<[u8; 3], u8> {
///     OwnedRwLockWriteGuard::map(list.try_write_owned().unwrap(), |list| &mut list[2])
/// }
///
/// assert_eq!(*last(Rc::new(RwLock::new([1, 2, 3]))), 3);
/// ```
#[clippy::has_significant_drop]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    held: Exclusive<Rc<RwLock<T>>, U, Here>,
}

see_through!(impl[T: ?Sized, U: ?Sized] OwnedRwLockMappedWriteGuard<T, U> => mut U);

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// A guard of a part of this part.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Rc::new(RwLock::new([(1, 2), (3, 4)]));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// let pair = OwnedRwLockWriteGuard::map(guard, |list| &mut list[1]);
    /// let number = OwnedRwLockMappedWriteGuard::map(pair, |pair| &mut pair.0);
    /// assert_eq!(*number, 3);
    /// ```
    #[inline]
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        OwnedRwLockMappedWriteGuard { held: this.held.map(f) }
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
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Rc::new(RwLock::new((1, vec![2])));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// let list = OwnedRwLockWriteGuard::map(guard, |pair| &mut pair.1);
    /// assert!(OwnedRwLockMappedWriteGuard::try_map(list, |list| list.get_mut(1)).is_err());
    /// ```
    #[inline]
    pub fn try_map<F, V: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(OwnedRwLockMappedWriteGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }

    /// The lock that this guard belongs to.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
    ///
    /// let guard = Rc::new(RwLock::new((1, 2))).try_write_owned().unwrap();
    /// let part = OwnedRwLockWriteGuard::map(guard, |pair| &mut pair.0);
    /// assert!(OwnedRwLockMappedWriteGuard::rwlock(&part).try_read().is_err());
    /// ```
    pub fn rwlock(this: &Self) -> &Rc<RwLock<T>> {
        this.held.keeper()
    }
}
