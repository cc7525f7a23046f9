//! The public counting semaphore and its permits.

use std::fmt;
use std::sync::Arc;

use crate::sync::batch::{Batch, NoPermit};
use crate::sync::blocking::block_on;
use crate::sync::error::{AcquireError, TryAcquireError};

/// Counts permits; whoever wants one waits in line until it is there.
///
/// Permits go to waiters in the order in which they asked. One that asks for many holds the line
/// until it has them, so it is not starved by those who ask for few.
///
/// Permits are given back when their guard is dropped. [`add_permits`](Self::add_permits) makes
/// new ones, [`SemaphorePermit::forget`] ends one.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use henge::sync::Semaphore;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let semaphore = Arc::new(Semaphore::new(3));
/// let mut tasks = Vec::new();
/// for n in 0..5 {
///     let permit = semaphore.clone().acquire_owned().await.unwrap();
///     tasks.push(henge::spawn(async move {
///         let _permit = permit; // at most three tasks are here at once
///         n
///     }));
/// }
/// for (n, task) in tasks.into_iter().enumerate() {
///     assert_eq!(task.await.unwrap(), n);
/// }
/// # }
/// ```
pub struct Semaphore {
    batch: Batch,
}

impl Semaphore {
    /// The most permits that a semaphore can hold: `usize::MAX >> 3`.
    pub const MAX_PERMITS: usize = Batch::MAX_PERMITS;

    /// A semaphore with `permits` permits.
    ///
    /// # Panics
    ///
    /// If `permits` is more than [`Semaphore::MAX_PERMITS`].
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::Semaphore::new(2);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        check_permits(permits);
        Self { batch: Batch::new(permits) }
    }

    /// A semaphore for a static.
    ///
    /// # Panics
    ///
    /// If `permits` is more than [`Semaphore::MAX_PERMITS`].
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::Semaphore;
    /// static GATE: Semaphore = Semaphore::const_new(1);
    /// assert!(GATE.try_acquire().is_ok());
    /// ```
    #[cfg(not(henge_loom))]
    pub const fn const_new(permits: usize) -> Self {
        Self { batch: Batch::new(permits) }
    }

    /// How many permits are free now.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::Semaphore::new(2);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # drop(permit);
    /// ```
    pub fn available_permits(&self) -> usize {
        self.batch.available()
    }

    /// Adds `n` permits.
    ///
    /// # Panics
    ///
    /// If there would be more than [`Semaphore::MAX_PERMITS`].
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::Semaphore::new(0);
    /// semaphore.add_permits(2);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.batch.release(n);
    }

    /// Takes up to `n` free permits away for good, and returns how many there were to take.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::Semaphore::new(2);
    /// assert_eq!(semaphore.forget_permits(5), 2);
    /// ```
    pub fn forget_permits(&self, n: usize) -> usize {
        self.batch.forget(n)
    }

    /// Waits for one permit.
    ///
    /// # Errors
    ///
    /// [`AcquireError`] once the semaphore is [closed](Self::close).
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
    /// let semaphore = henge::sync::Semaphore::new(1);
    /// let permit = semaphore.acquire().await.unwrap();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// # drop(permit);
    /// # }
    /// ```
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.acquire_many(1).await
    }

    /// Waits for `n` permits, which are taken together.
    ///
    /// # Errors
    ///
    /// [`AcquireError`] once the semaphore is [closed](Self::close).
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
    /// let semaphore = henge::sync::Semaphore::new(5);
    /// let permits = semaphore.acquire_many(3).await.unwrap();
    /// assert_eq!(permits.num_permits(), 3);
    /// # }
    /// ```
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        match self.batch.acquire(n as usize).await {
            Ok(()) => Ok(SemaphorePermit { semaphore: self, permits: n as usize }),
            Err(_closed) => Err(AcquireError::new()),
        }
    }

    /// Takes one permit if it is free.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::Closed`] once closed, [`TryAcquireError::NoPermits`] if none is free.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{Semaphore, TryAcquireError};
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    /// # drop(permit);
    /// ```
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits if they are free.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::Semaphore::new(4);
    /// assert!(semaphore.try_acquire_many(5).is_err());
    /// ```
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.batch.try_acquire(n as usize)?;
        Ok(SemaphorePermit { semaphore: self, permits: n as usize })
    }

    /// As [`acquire`](Self::acquire), and blocks this thread until the permit is there.
    ///
    /// # Errors
    ///
    /// [`AcquireError`] once the semaphore is [closed](Self::close).
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks: it would hold all of them up.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::Semaphore::new(1);
    /// let permit = semaphore.blocking_acquire().unwrap(); // no tasks run on this thread
    /// assert_eq!(permit.num_permits(), 1);
    /// ```
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on(self.acquire())
    }

    /// As [`acquire_many`](Self::acquire_many), and blocks this thread until the permits are there.
    ///
    /// # Errors
    ///
    /// [`AcquireError`] once the semaphore is [closed](Self::close).
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks: it would hold all of them up.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::Semaphore::new(3);
    /// let permits = semaphore.blocking_acquire_many(2).unwrap();
    /// assert_eq!(permits.num_permits(), 2);
    /// ```
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on(self.acquire_many(n))
    }

    /// Waits for one permit that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// [`AcquireError`] once the semaphore is [closed](Self::close).
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
    /// let semaphore = std::sync::Arc::new(henge::sync::Semaphore::new(1));
    /// let permit = semaphore.clone().acquire_owned().await.unwrap();
    /// henge::spawn(async move { drop(permit) }).await.unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # }
    /// ```
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.acquire_many_owned(1).await
    }

    /// Waits for `n` permits that keep the semaphore alive.
    ///
    /// # Errors
    ///
    /// [`AcquireError`] once the semaphore is [closed](Self::close).
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
    /// let semaphore = std::sync::Arc::new(henge::sync::Semaphore::new(4));
    /// let permits = semaphore.clone().acquire_many_owned(4).await.unwrap();
    /// assert_eq!(permits.num_permits(), 4);
    /// # }
    /// ```
    pub async fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        match self.batch.acquire(n as usize).await {
            Ok(()) => Ok(OwnedSemaphorePermit { semaphore: self, permits: n as usize }),
            Err(_closed) => Err(AcquireError::new()),
        }
    }

    /// Takes one permit that keeps the semaphore alive, if it is free.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = std::sync::Arc::new(henge::sync::Semaphore::new(1));
    /// assert!(semaphore.clone().try_acquire_owned().is_ok());
    /// ```
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// Takes `n` permits that keep the semaphore alive, if they are free.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = std::sync::Arc::new(henge::sync::Semaphore::new(1));
    /// assert!(semaphore.clone().try_acquire_many_owned(2).is_err());
    /// ```
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.batch.try_acquire(n as usize)?;
        Ok(OwnedSemaphorePermit { semaphore: self, permits: n as usize })
    }

    /// As [`acquire_owned`](Self::acquire_owned), and blocks this thread until the permit is there.
    ///
    /// # Errors
    ///
    /// [`AcquireError`] once the semaphore is [closed](Self::close).
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks: it would hold all of them up.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = std::sync::Arc::new(henge::sync::Semaphore::new(1));
    /// let permit = semaphore.blocking_acquire_owned().unwrap();
    /// assert_eq!(permit.num_permits(), 1);
    /// ```
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on(self.acquire_owned())
    }

    /// As [`acquire_many_owned`](Self::acquire_many_owned), and blocks this thread until the
    /// permits are there.
    ///
    /// # Errors
    ///
    /// [`AcquireError`] once the semaphore is [closed](Self::close).
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks: it would hold all of them up.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = std::sync::Arc::new(henge::sync::Semaphore::new(3));
    /// let permits = semaphore.blocking_acquire_many_owned(2).unwrap();
    /// assert_eq!(permits.num_permits(), 2);
    /// ```
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on(self.acquire_many_owned(n))
    }

    /// Refuses new permits: everybody who waits, and whoever comes, gets an error. Permits that
    /// are held stay valid.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::Semaphore::new(1);
    /// semaphore.close();
    /// assert!(semaphore.try_acquire().is_err());
    /// ```
    pub fn close(&self) {
        self.batch.close();
    }

    /// Whether [`close`](Self::close) was called.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::Semaphore::new(1);
    /// assert!(!semaphore.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.batch.is_closed()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("permits", &self.available_permits())
            .field("closed", &self.is_closed())
            .finish()
    }
}

#[track_caller]
fn check_permits(permits: usize) {
    let most = Semaphore::MAX_PERMITS;
    assert!(permits <= most, "a semaphore may not have more than MAX_PERMITS permits ({most})");
}

impl From<NoPermit> for TryAcquireError {
    fn from(reason: NoPermit) -> Self {
        match reason {
            NoPermit::Closed => Self::Closed,
            NoPermit::Unavailable => Self::NoPermits,
        }
    }
}

/// The guard types differ in how they hold the semaphore, and in nothing else.
macro_rules! permit {
    ($(#[$doc:meta])* $name:ident $(<$life:lifetime>)?, $held:ty, $same:expr) => {
        $(#[$doc])*
        #[must_use = "the permit is given back at once when it is not held"]
        #[clippy::has_significant_drop]
        #[derive(Debug)]
        pub struct $name $(<$life>)? {
            semaphore: $held,
            permits: usize,
        }

        impl $(<$life>)? $name $(<$life>)? {
            /// Ends the permits: they are not given back.
            ///
            /// # Examples
            ///
            /// ```
            /// let semaphore = std::sync::Arc::new(henge::sync::Semaphore::new(1));
            /// semaphore.try_acquire().unwrap().forget();
            /// assert_eq!(semaphore.available_permits(), 0);
            /// ```
            pub fn forget(mut self) {
                self.permits = 0;
            }

            /// Takes the permits of `other` over.
            ///
            /// # Panics
            ///
            /// If they are of different semaphores.
            ///
            /// # Examples
            ///
            /// ```
            /// let semaphore = std::sync::Arc::new(henge::sync::Semaphore::new(2));
            /// let mut permit = semaphore.try_acquire().unwrap();
            /// permit.merge(semaphore.try_acquire().unwrap());
            /// assert_eq!(permit.num_permits(), 2);
            /// ```
            #[track_caller]
            pub fn merge(&mut self, mut other: Self) {
                assert!(
                    $same(&self.semaphore, &other.semaphore),
                    "merging permits from different semaphore instances"
                );
                // They were all the semaphore's, which has no more than `usize` can count.
                self.permits += std::mem::take(&mut other.permits);
            }

            /// Splits `n` permits off, if there are as many.
            ///
            /// # Examples
            ///
            /// ```
            /// let semaphore = std::sync::Arc::new(henge::sync::Semaphore::new(3));
            /// let mut permits = semaphore.try_acquire_many(3).unwrap();
            /// assert_eq!(permits.split(1).unwrap().num_permits(), 1);
            /// assert!(permits.split(3).is_none());
            /// ```
            pub fn split(&mut self, n: usize) -> Option<Self> {
                self.permits = self.permits.checked_sub(n)?;
                Some(Self { semaphore: self.semaphore.clone(), permits: n })
            }

            /// How many permits this is.
            ///
            /// # Examples
            ///
            /// ```
            /// let semaphore = henge::sync::Semaphore::new(3);
            /// assert_eq!(semaphore.try_acquire_many(2).unwrap().num_permits(), 2);
            /// ```
            pub fn num_permits(&self) -> usize {
                self.permits
            }
        }

        impl $(<$life>)? Drop for $name $(<$life>)? {
            fn drop(&mut self) {
                self.semaphore.batch.release(self.permits);
            }
        }
    };
}

permit! {
    /// One or more permits of a [`Semaphore`] that is borrowed. Dropping it gives them back.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{Semaphore, SemaphorePermit};
    ///
    /// /// Whoever has a permit may use the disk.
    /// async fn write(_turn: &SemaphorePermit<'_>, line: &str) -> usize {
    ///     line.len()
    /// }
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let disk = Semaphore::new(1);
    /// let turn = disk.acquire().await.unwrap();
    /// assert_eq!(write(&turn, "all that belongs together").await, 25);
    /// assert!(disk.try_acquire().is_err());
    /// drop(turn);
    /// assert_eq!(disk.available_permits(), 1);
    /// # }
    /// ```
    SemaphorePermit<'a>, &'a Semaphore, |a: &&Semaphore, b: &&Semaphore| std::ptr::eq(*a, *b)
}

permit! {
    /// One or more permits of a [`Semaphore`] that is kept alive. Dropping it gives them back.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use henge::sync::{OwnedSemaphorePermit, Semaphore};
    ///
    /// /// A connection has its permit as long as it lives, wherever it goes.
    /// struct Connection {
    ///     _permit: OwnedSemaphorePermit,
    /// }
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let limit = Arc::new(Semaphore::new(2));
    /// let permit = limit.clone().acquire_owned().await.unwrap();
    /// let connection = Connection { _permit: permit };
    /// assert_eq!(limit.available_permits(), 1);
    /// std::thread::spawn(move || drop(connection)).join().unwrap();
    /// assert_eq!(limit.available_permits(), 2);
    /// # }
    /// ```
    OwnedSemaphorePermit, Arc<Semaphore>, Arc::ptr_eq
}

impl SemaphorePermit<'_> {
    /// The semaphore of these permits.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::Semaphore::new(1);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(permit.semaphore().available_permits(), 0);
    /// ```
    pub fn semaphore(&self) -> &Semaphore {
        self.semaphore
    }
}

impl OwnedSemaphorePermit {
    /// The semaphore of these permits.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = std::sync::Arc::new(henge::sync::Semaphore::new(1));
    /// let permit = semaphore.clone().try_acquire_owned().unwrap();
    /// assert_eq!(permit.semaphore().available_permits(), 0);
    /// ```
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}
