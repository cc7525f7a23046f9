//! The guards of a mutex that is borrowed.

use crate::sync::batch::Batch;
use crate::sync::guarded::{Alone, Exclusive, Permits};
use crate::sync::mutex::Mutex;
use crate::sync::see_through::see_through;

/// The lock of a [`Mutex`] that is borrowed. Dropping it unlocks.
///
/// # Examples
///
/// ```
/// use henge::sync::{Mutex, MutexGuard};
///
/// fn double(mut n: MutexGuard<'_, u32>) {
///     *n *= 2;
/// }
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let mutex = Mutex::new(4);
/// double(mutex.lock().await);
/// assert_eq!(*mutex.lock().await, 8);
/// # }
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized> {
    pub(super) held: Exclusive<&'a Mutex<T>, T, Alone>,
}

see_through!(impl['a, T: ?Sized] MutexGuard<'a, T> => mut T);

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// A guard of a part of the value.
    ///
    /// It is a function, not a method, so that it does not hide one of the value's.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new((1, "one"));
    /// let mut number = MutexGuard::map(mutex.try_lock().unwrap(), |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(mutex.into_inner(), (2, "one"));
    /// ```
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard { held: this.held.map(f).erase() }
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
    /// use henge::sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new(vec![1, 2]);
    /// let guard = mutex.try_lock().unwrap();
    /// let guard = MutexGuard::try_map(guard, |list| list.get_mut(7)).unwrap_err();
    /// assert!(MutexGuard::try_map(guard, |list| list.get_mut(1)).is_ok_and(|n| *n == 2));
    /// ```
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(MappedMutexGuard { held: held.erase() }),
            Err(held) => Err(Self { held }),
        }
    }

    /// The mutex that this is the lock of.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{Mutex, MutexGuard};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.lock().await;
    /// // Lets others have a turn.
    /// let mutex = MutexGuard::mutex(&guard);
    /// drop(guard);
    /// let guard = mutex.lock().await;
    /// # drop(guard);
    /// # }
    /// ```
    #[inline]
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.held.keeper()
    }
}

/// The lock of a [`Mutex`] that is borrowed, on a part of the value. Dropping it unlocks.
///
/// # Examples
///
/// ```
/// use henge::sync::{MappedMutexGuard, Mutex, MutexGuard};
///
/// let mutex = Mutex::new([1, 2, 3]);
/// let guard = mutex.try_lock().unwrap();
/// let last: MappedMutexGuard<'_, u32> = MutexGuard::map(guard, |list| &mut list[2]);
/// assert_eq!(*last, 3);
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    held: Exclusive<&'a Permits<Batch>, T, Alone>,
}

see_through!(impl['a, T: ?Sized] MappedMutexGuard<'a, T> => mut T);

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// A guard of a part of this part.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{MappedMutexGuard, Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new([(1, 2), (3, 4)]);
    /// let pair = MutexGuard::map(mutex.try_lock().unwrap(), |list| &mut list[1]);
    /// let number = MappedMutexGuard::map(pair, |pair| &mut pair.0);
    /// assert_eq!(*number, 3);
    /// ```
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard { held: this.held.map(f) }
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
    /// use henge::sync::{MappedMutexGuard, Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new((1, vec![2]));
    /// let list = MutexGuard::map(mutex.try_lock().unwrap(), |pair| &mut pair.1);
    /// let list = MappedMutexGuard::try_map(list, |list| list.get_mut(1)).unwrap_err();
    /// assert!(MappedMutexGuard::try_map(list, |list| list.get_mut(0)).is_ok());
    /// ```
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(MappedMutexGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }
}
