//! A mutex of one shard whose lock is awaited, and may be held while awaiting something else.

mod guard;
mod owned;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;

pub use guard::{MappedMutexGuard, MutexGuard};
pub use owned::{OwnedMappedMutexGuard, OwnedMutexGuard};

use crate::sync::error::TryLockError;
use crate::sync::guarded::{Exclusive, Guarded, Here};

/// A mutex whose guard may be held across an `.await`.
///
/// The lock goes to those who wait in the order in which they asked. There is no poisoning: a task
/// that panics while it holds the lock unlocks it, and the next one finds the value as it was left.
///
/// Where the guard is never held across an `.await`, a [`RefCell`](std::cell::RefCell) does the
/// same for less. This one is for what takes turns *while* it waits: a connection that several
/// tasks use, say.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use henge::sync::local::Mutex;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let log = Rc::new(Mutex::new(Vec::new()));
/// let mut tasks = Vec::new();
/// for n in 0..3 {
///     let log = log.clone();
///     tasks.push(henge::spawn(async move {
///         let mut log = log.lock().await;
///         log.push(format!("{n} begins"));
///         henge::task::yield_now().await; // nobody writes in between
///         log.push(format!("{n} ends"));
///     }));
/// }
/// for task in tasks {
///     task.await.unwrap();
/// }
/// assert_eq!(log.lock().await[..2], ["0 begins", "0 ends"]);
/// # }
/// ```
pub struct Mutex<T: ?Sized> {
    pub(crate) guarded: Guarded<T, Here>,
}

impl<T: ?Sized> Mutex<T> {
    /// An unlocked mutex.
    ///
    /// # Examples
    ///
    /// ```
    /// let mutex = henge::sync::local::Mutex::new(5);
    /// assert_eq!(*mutex.try_lock().unwrap(), 5);
    /// ```
    pub fn new(value: T) -> Self
    where
        T: Sized,
    {
        Self { guarded: Guarded::here(value, 1) }
    }

    /// An unlocked mutex for a thread's static.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::local::Mutex;
    /// thread_local! {
    ///     static COUNT: Mutex<u32> = const { Mutex::const_new(0) };
    /// }
    /// COUNT.with(|count| *count.try_lock().unwrap() += 1);
    /// ```
    pub const fn const_new(value: T) -> Self
    where
        T: Sized,
    {
        Self { guarded: Guarded::here(value, 1) }
    }

    /// Waits until the mutex is unlocked, and locks it.
    ///
    /// # Cancel safety
    ///
    /// A dropped future loses its place in line and nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mutex = henge::sync::local::Mutex::new(1);
    /// let mut guard = mutex.lock().await;
    /// *guard = 2;
    /// # }
    /// ```
    #[inline]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        // An async function around it would cost as much again.
        let mut lock = Exclusive::lock(self);
        poll_fn(move |cx| Pin::new(&mut lock).poll(cx).map(|held| MutexGuard { held }))
    }

    /// As [`lock`](Self::lock), with a guard that keeps the mutex alive.
    ///
    /// # Cancel safety
    ///
    /// A dropped future loses its place in line and nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::rc::Rc;
    /// use henge::sync::local::Mutex;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mutex = Rc::new(Mutex::new(1));
    /// let mut guard = mutex.clone().lock_owned().await;
    /// henge::spawn(async move { *guard = 2 }).await.unwrap();
    /// assert_eq!(*mutex.lock().await, 2);
    /// # }
    /// ```
    pub async fn lock_owned(self: Rc<Self>) -> OwnedMutexGuard<T> {
        OwnedMutexGuard { held: Exclusive::lock(self).await }
    }

    /// Locks the mutex if it is unlocked.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] if it is locked.
    ///
    /// # Examples
    ///
    /// ```
    /// let mutex = henge::sync::local::Mutex::new(1);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_err());
    /// # drop(guard);
    /// ```
    #[inline]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        Ok(MutexGuard { held: Exclusive::try_lock(self)? })
    }

    /// As [`try_lock`](Self::try_lock), with a guard that keeps the mutex alive.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] if it is locked.
    ///
    /// # Examples
    ///
    /// ```
    /// let mutex = std::rc::Rc::new(henge::sync::local::Mutex::new(1));
    /// let guard = mutex.clone().try_lock_owned().unwrap();
    /// assert!(mutex.try_lock().is_err());
    /// # drop(guard);
    /// ```
    #[inline]
    pub fn try_lock_owned(self: Rc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        Ok(OwnedMutexGuard { held: Exclusive::try_lock(self)? })
    }

    /// The value. Whoever has the mutex to itself needs no lock.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut mutex = henge::sync::local::Mutex::new(1);
    /// *mutex.get_mut() = 2;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.guarded.get_mut()
    }

    /// The value, without its mutex.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(henge::sync::local::Mutex::new(1).into_inner(), 1);
    /// ```
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.guarded.into_inner()
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => debug.field("data", &&*guard),
            Err(_locked) => debug.field("data", &format_args!("<locked>")),
        };
        debug.finish()
    }
}
