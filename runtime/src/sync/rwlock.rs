//! A lock of many readers or one writer, awaited.

mod owned_read_guard;
mod owned_write_guard;
mod read_guard;
mod write_guard;

use std::fmt;
use std::sync::Arc;

pub use owned_read_guard::OwnedRwLockReadGuard;
pub use owned_write_guard::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard};
pub use read_guard::RwLockReadGuard;
pub use write_guard::{RwLockMappedWriteGuard, RwLockWriteGuard};

use crate::sync::blocking;
use crate::sync::error::TryLockError;
use crate::sync::guarded::{Exclusive, Guarded, Many, Shared};

#[cfg(not(henge_loom))]
const MAX_READERS: u32 = u32::MAX >> 3;

#[cfg(henge_loom)]
const MAX_READERS: u32 = 10;

/// A lock that many may read through at once, or one may write through.
///
/// It is fair: the lock goes to those who wait in the order in which they asked. A writer who waits
/// holds back the readers who come after it, so readers that keep coming cannot starve it. For the
/// same reason a task that reads, and asks to read once more before it has finished, may wait for
/// ever: behind a writer that waits for it.
///
/// Guards may be held across an `.await`. There is no poisoning: a task that panics while it holds
/// the lock lets go of it.
///
/// # Examples
///
/// ```
/// use henge::sync::RwLock;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let lock = RwLock::new(5);
/// {
///     let (a, b) = (lock.read().await, lock.read().await);
///     assert_eq!(*a + *b, 10);
/// }
/// *lock.write().await += 1;
/// assert_eq!(*lock.read().await, 6);
/// # }
/// ```
pub struct RwLock<T: ?Sized> {
    pub(super) guarded: Guarded<T, Many>,
}

impl<T: ?Sized> RwLock<T> {
    /// An unlocked lock that 536,870,911 may read through at once.
    ///
    /// # Examples
    ///
    /// ```
    /// let lock = henge::sync::RwLock::new(5);
    /// assert_eq!(*lock.try_read().unwrap(), 5);
    /// ```
    pub fn new(value: T) -> Self
    where
        T: Sized,
    {
        Self { guarded: Guarded::new(value, MAX_READERS) }
    }

    /// An unlocked lock that `max_reads` may read through at once. Whoever comes then waits.
    ///
    /// # Panics
    ///
    /// If `max_reads` is zero, or more than `u32::MAX >> 3`.
    ///
    /// # Examples
    ///
    /// ```
    /// let lock = henge::sync::RwLock::with_max_readers(5, 1);
    /// let reader = lock.try_read().unwrap();
    /// assert!(lock.try_read().is_err());
    /// # drop(reader);
    /// ```
    #[track_caller]
    pub fn with_max_readers(value: T, max_reads: u32) -> Self
    where
        T: Sized,
    {
        assert_ne!(max_reads, 0, "a RwLock may not be created with 0 readers");
        assert!(
            max_reads <= MAX_READERS,
            "a RwLock may not be created with more than {MAX_READERS} readers"
        );
        Self { guarded: Guarded::new(value, max_reads) }
    }

    /// As [`new`](Self::new), for a static.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::RwLock;
    /// static LIMIT: RwLock<u32> = RwLock::const_new(10);
    /// assert_eq!(*LIMIT.try_read().unwrap(), 10);
    /// ```
    #[cfg(not(henge_loom))]
    pub const fn const_new(value: T) -> Self
    where
        T: Sized,
    {
        Self { guarded: Guarded::new(value, MAX_READERS) }
    }

    /// As [`with_max_readers`](Self::with_max_readers), for a static.
    ///
    /// # Panics
    ///
    /// If `max_reads` is zero, or more than `u32::MAX >> 3`.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::RwLock;
    /// static LIMIT: RwLock<u32> = RwLock::const_with_max_readers(10, 32);
    /// assert_eq!(*LIMIT.try_read().unwrap(), 10);
    /// ```
    #[cfg(not(henge_loom))]
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> Self
    where
        T: Sized,
    {
        assert!(max_reads != 0, "a RwLock may not be created with 0 readers");
        assert!(max_reads <= MAX_READERS);
        Self { guarded: Guarded::new(value, max_reads) }
    }

    /// Waits until nobody writes or waits to write, and reads.
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
    /// let lock = henge::sync::RwLock::new(1);
    /// let reader = lock.read().await;
    /// assert!(lock.try_read().is_ok());
    /// assert!(lock.try_write().is_err());
    /// # drop(reader);
    /// # }
    /// ```
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard { held: Shared::lock(self).await.erase() }
    }

    /// As [`read`](Self::read), and blocks this thread until it can.
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks: it would hold all of them up.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use henge::sync::RwLock;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new(1));
    /// let mut writer = lock.write().await;
    /// let other = lock.clone();
    /// let thread = henge::task::spawn_blocking(move || *other.blocking_read());
    /// *writer = 2;
    /// drop(writer);
    /// assert_eq!(thread.await.unwrap(), 2);
    /// # }
    /// ```
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        blocking::block_on(self.read())
    }

    /// As [`read`](Self::read), with a guard that keeps the lock alive.
    ///
    /// # Cancel safety
    ///
    /// A dropped future loses its place in line and nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use henge::sync::RwLock;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new(1));
    /// let reader = lock.clone().read_owned().await;
    /// assert_eq!(henge::spawn(async move { *reader }).await.unwrap(), 1);
    /// # }
    /// ```
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard { held: Shared::lock(self).await }
    }

    /// Reads, if nobody writes or waits to write.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// let lock = henge::sync::RwLock::new(1);
    /// let writer = lock.try_write().unwrap();
    /// assert!(lock.try_read().is_err());
    /// # drop(writer);
    /// ```
    #[inline]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        Ok(RwLockReadGuard { held: Shared::try_lock(self)?.erase() })
    }

    /// As [`try_read`](Self::try_read), with a guard that keeps the lock alive.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] if somebody writes or waits to write.
    ///
    /// # Examples
    ///
    /// ```
    /// let lock = std::sync::Arc::new(henge::sync::RwLock::new(1));
    /// assert_eq!(*lock.try_read_owned().unwrap(), 1);
    /// ```
    #[inline]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        Ok(OwnedRwLockReadGuard { held: Shared::try_lock(self)? })
    }

    /// Waits until nobody reads or writes, and writes.
    ///
    /// # Cancel safety
    ///
    /// A dropped future loses its place in line and nothing else; readers that it held back go on.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = henge::sync::RwLock::new(1);
    /// *lock.write().await = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// # }
    /// ```
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard { held: Exclusive::lock(self).await.erase() }
    }

    /// As [`write`](Self::write), and blocks this thread until it can.
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks: it would hold all of them up.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use henge::sync::RwLock;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new(1));
    /// let reader = lock.read().await;
    /// let other = lock.clone();
    /// let thread = henge::task::spawn_blocking(move || *other.blocking_write() = 2);
    /// assert_eq!(*reader, 1);
    /// drop(reader);
    /// thread.await.unwrap();
    /// assert_eq!(*lock.read().await, 2);
    /// # }
    /// ```
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        blocking::block_on(self.write())
    }

    /// As [`write`](Self::write), with a guard that keeps the lock alive.
    ///
    /// # Cancel safety
    ///
    /// A dropped future loses its place in line and nothing else; readers that it held back go on.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use henge::sync::RwLock;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new(1));
    /// let mut writer = lock.clone().write_owned().await;
    /// henge::spawn(async move { *writer = 2 }).await.unwrap();
    /// assert_eq!(*lock.read().await, 2);
    /// # }
    /// ```
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        OwnedRwLockWriteGuard { held: Exclusive::lock(self).await }
    }

    /// Writes, if nobody reads or writes.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// let lock = henge::sync::RwLock::new(1);
    /// let reader = lock.try_read().unwrap();
    /// assert!(lock.try_write().is_err());
    /// # drop(reader);
    /// ```
    #[inline]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        Ok(RwLockWriteGuard { held: Exclusive::try_lock(self)?.erase() })
    }

    /// As [`try_write`](Self::try_write), with a guard that keeps the lock alive.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] if somebody reads or writes.
    ///
    /// # Examples
    ///
    /// ```
    /// let lock = std::sync::Arc::new(henge::sync::RwLock::new(1));
    /// *lock.clone().try_write_owned().unwrap() = 2;
    /// assert_eq!(*lock.try_read().unwrap(), 2);
    /// ```
    #[inline]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        Ok(OwnedRwLockWriteGuard { held: Exclusive::try_lock(self)? })
    }

    /// The value. Whoever has the lock to itself needs no guard.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut lock = henge::sync::RwLock::new(1);
    /// *lock.get_mut() = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.guarded.get_mut()
    }

    /// The value, without its lock.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(henge::sync::RwLock::new(1).into_inner(), 1);
    /// ```
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.guarded.into_inner()
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => debug.field("data", &&*guard),
            Err(_locked) => debug.field("data", &format_args!("<locked>")),
        };
        debug.finish()
    }
}
