//! The guards of a mutex that is kept alive by them.

use std::marker::PhantomData;
use std::rc::Rc;

use crate::sync::guarded::{Exclusive, Here};
use crate::sync::local::mutex::Mutex;
use crate::sync::see_through::see_through;

/// The lock of a [`Mutex`] that is kept alive. Dropping it unlocks.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use henge::sync::local::{Mutex, OwnedMutexGuard};
///
/// struct Turn {
///     _guard: OwnedMutexGuard<()>, // no lifetime to carry along
/// }
///
/// let mutex = Rc::new(Mutex::new(()));
/// let turn = Turn { _guard: mutex.clone().try_lock_owned().unwrap() };
/// assert!(mutex.try_lock().is_err());
/// # drop(turn);
/// ```
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized> {
    pub(super) held: Exclusive<Rc<Mutex<T>>, T, Here>,
}

see_through!(impl[T: ?Sized] OwnedMutexGuard<T> => mut T);

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// A guard of a part of the value.
    ///
    /// It is a function, not a method, so that it does not hide one of the value's.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{Mutex, OwnedMutexGuard};
    ///
    /// let mutex = Rc::new(Mutex::new((1, "one")));
    /// let guard = mutex.clone().try_lock_owned().unwrap();
    /// *OwnedMutexGuard::map(guard, |pair| &mut pair.0) = 2;
    /// assert_eq!(*mutex.try_lock().unwrap(), (2, "one"));
    /// ```
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedMappedMutexGuard { held: this.held.map(f), _whole: PhantomData }
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
    /// use henge::sync::local::{Mutex, OwnedMutexGuard};
    ///
    /// let mutex = Rc::new(Mutex::new(vec![1, 2]));
    /// let guard = mutex.try_lock_owned().unwrap();
    /// assert!(OwnedMutexGuard::try_map(guard, |list| list.get_mut(7)).is_err());
    /// ```
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(OwnedMappedMutexGuard { held, _whole: PhantomData }),
            Err(held) => Err(Self { held }),
        }
    }

    /// The mutex that this is the lock of.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{Mutex, OwnedMutexGuard};
    ///
    /// let guard = Rc::new(Mutex::new(1)).try_lock_owned().unwrap();
    /// let mutex = OwnedMutexGuard::mutex(&guard).clone();
    /// drop(guard);
    /// assert!(mutex.try_lock().is_ok());
    /// ```
    #[inline]
    pub fn mutex(this: &Self) -> &Rc<Mutex<T>> {
        this.held.keeper()
    }
}

/// The lock of a [`Mutex`] that is kept alive, on a part of the value. Dropping it unlocks.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use henge::sync::local::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
///
/// fn last(list: Rc<Mutex<[u8; 3]>>) -> OwnedMappedMutexGuard<[u8; 3], u8> {
///     OwnedMutexGuard::map(list.try_lock_owned().unwrap(), |list| &mut list[2])
/// }
///
/// assert_eq!(*last(Rc::new(Mutex::new([1, 2, 3]))), 3);
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    held: Exclusive<Rc<Mutex<T>>, U, Here>,
    // As in tokio, it is `Sync` only if the whole is.
    _whole: PhantomData<T>,
}

see_through!(impl[T: ?Sized, U: ?Sized] OwnedMappedMutexGuard<T, U> => mut U);

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// A guard of a part of this part.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
    ///
    /// let guard = Rc::new(Mutex::new([(1, 2), (3, 4)])).try_lock_owned().unwrap();
    /// let pair = OwnedMutexGuard::map(guard, |list| &mut list[1]);
    /// let number = OwnedMappedMutexGuard::map(pair, |pair| &mut pair.0);
    /// assert_eq!(*number, 3);
    /// ```
    #[inline]
    pub fn map<S, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        S: ?Sized,
        F: FnOnce(&mut U) -> &mut S,
    {
        OwnedMappedMutexGuard { held: this.held.map(f), _whole: PhantomData }
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
    /// use henge::sync::local::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
    ///
    /// let guard = Rc::new(Mutex::new((1, vec![2]))).try_lock_owned().unwrap();
    /// let list = OwnedMutexGuard::map(guard, |pair| &mut pair.1);
    /// assert!(OwnedMappedMutexGuard::try_map(list, |list| list.get_mut(1)).is_err());
    /// ```
    #[inline]
    pub fn try_map<S, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        S: ?Sized,
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(OwnedMappedMutexGuard { held, _whole: PhantomData }),
            Err(held) => Err(Self { held, _whole: PhantomData }),
        }
    }
}
