//! The counting semaphore of one shard, and its permits.

use std::fmt;
use std::rc::Rc;

use super::permits::{NoPermit, Permits};
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
/// use std::rc::Rc;
/// use henge::sync::local::Semaphore;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let semaphore = Rc::new(Semaphore::new(3));
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
    permits: Permits,
}

impl Semaphore {
    /// The most permits that a semaphore can hold: `usize::MAX >> 3`.
    pub const MAX_PERMITS: usize = Permits::MAX;

    /// A semaphore with `permits` permits.
    ///
    /// # Panics
    ///
    /// If `permits` is more than [`Semaphore::MAX_PERMITS`].
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::local::Semaphore::new(2);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        check_permits(permits);
        Self { permits: Permits::new(permits) }
    }

    /// A semaphore for a thread's static.
    ///
    /// # Panics
    ///
    /// If `permits` is more than [`Semaphore::MAX_PERMITS`].
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::local::Semaphore;
    /// thread_local! {
    ///     static GATE: Semaphore = const { Semaphore::const_new(1) };
    /// }
    /// GATE.with(|gate| assert!(gate.try_acquire().is_ok()));
    /// ```
    pub const fn const_new(permits: usize) -> Self {
        assert!(permits <= Self::MAX_PERMITS);
        Self { permits: Permits::new(permits) }
    }

    /// How many permits are free now.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::local::Semaphore::new(2);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # drop(permit);
    /// ```
    pub fn available_permits(&self) -> usize {
        self.permits.available()
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
    /// let semaphore = henge::sync::local::Semaphore::new(0);
    /// semaphore.add_permits(2);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.permits.release(n);
    }

    /// Takes up to `n` free permits away for good, and returns how many there were to take.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::local::Semaphore::new(2);
    /// assert_eq!(semaphore.forget_permits(5), 2);
    /// ```
    pub fn forget_permits(&self, n: usize) -> usize {
        self.permits.forget(n)
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
    /// let semaphore = henge::sync::local::Semaphore::new(1);
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
    /// let semaphore = henge::sync::local::Semaphore::new(5);
    /// let permits = semaphore.acquire_many(3).await.unwrap();
    /// assert_eq!(permits.num_permits(), 3);
    /// # }
    /// ```
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        match self.permits.acquire(n as usize).await {
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
    /// use henge::sync::TryAcquireError;
    /// use henge::sync::local::Semaphore;
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
    /// let semaphore = henge::sync::local::Semaphore::new(4);
    /// assert!(semaphore.try_acquire_many(5).is_err());
    /// ```
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.permits.try_acquire(n as usize).map_err(refused)?;
        Ok(SemaphorePermit { semaphore: self, permits: n as usize })
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
    /// let semaphore = std::rc::Rc::new(henge::sync::local::Semaphore::new(1));
    /// let permit = semaphore.clone().acquire_owned().await.unwrap();
    /// henge::spawn(async move { drop(permit) }).await.unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # }
    /// ```
    pub async fn acquire_owned(self: Rc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
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
    /// let semaphore = std::rc::Rc::new(henge::sync::local::Semaphore::new(4));
    /// let permits = semaphore.clone().acquire_many_owned(4).await.unwrap();
    /// assert_eq!(permits.num_permits(), 4);
    /// # }
    /// ```
    pub async fn acquire_many_owned(
        self: Rc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        match self.permits.acquire(n as usize).await {
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
    /// let semaphore = std::rc::Rc::new(henge::sync::local::Semaphore::new(1));
    /// assert!(semaphore.clone().try_acquire_owned().is_ok());
    /// ```
    pub fn try_acquire_owned(self: Rc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
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
    /// let semaphore = std::rc::Rc::new(henge::sync::local::Semaphore::new(1));
    /// assert!(semaphore.clone().try_acquire_many_owned(2).is_err());
    /// ```
    pub fn try_acquire_many_owned(
        self: Rc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.permits.try_acquire(n as usize).map_err(refused)?;
        Ok(OwnedSemaphorePermit { semaphore: self, permits: n as usize })
    }

    /// Refuses new permits: everybody who waits, and whoever comes, gets an error. Permits that
    /// are held stay valid.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::local::Semaphore::new(1);
    /// semaphore.close();
    /// assert!(semaphore.try_acquire().is_err());
    /// ```
    pub fn close(&self) {
        self.permits.close();
    }

    /// Whether [`close`](Self::close) was called.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = henge::sync::local::Semaphore::new(1);
    /// assert!(!semaphore.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.permits.is_closed()
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

fn refused(reason: NoPermit) -> TryAcquireError {
    match reason {
        NoPermit::Closed => TryAcquireError::Closed,
        NoPermit::Unavailable => TryAcquireError::NoPermits,
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
            /// let semaphore = std::rc::Rc::new(henge::sync::local::Semaphore::new(1));
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
            /// let semaphore = std::rc::Rc::new(henge::sync::local::Semaphore::new(2));
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
                self.permits += std::mem::take(&mut other.permits);
            }

            /// Splits `n` permits off, if there are as many.
            ///
            /// # Examples
            ///
            /// ```
            /// let semaphore = std::rc::Rc::new(henge::sync::local::Semaphore::new(3));
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
            /// let semaphore = henge::sync::local::Semaphore::new(3);
            /// assert_eq!(semaphore.try_acquire_many(2).unwrap().num_permits(), 2);
            /// ```
            pub fn num_permits(&self) -> usize {
                self.permits
            }
        }

        impl $(<$life>)? Drop for $name $(<$life>)? {
            fn drop(&mut self) {
                self.semaphore.permits.release(self.permits);
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
    /// use henge::sync::local::Semaphore;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let slots = Semaphore::new(2);
    /// for _ in 0..5 {
    ///     let permit = slots.acquire().await.unwrap();
    ///     assert_eq!((permit.num_permits(), slots.available_permits()), (1, 1));
    ///     // Given back here, also by `?` or a panic.
    /// }
    /// assert_eq!(slots.available_permits(), 2);
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
    /// use std::rc::Rc;
    /// use henge::sync::local::{OwnedSemaphorePermit, Semaphore};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let slots = Rc::new(Semaphore::new(1));
    /// let permit: OwnedSemaphorePermit = slots.clone().acquire_owned().await.unwrap();
    /// let task = henge::spawn(async move {
    ///     let _permit = permit; // as long as the task runs
    ///     henge::task::yield_now().await;
    /// });
    /// assert!(slots.try_acquire().is_err());
    /// task.await.unwrap();
    /// assert!(slots.try_acquire().is_ok());
    /// # }
    /// ```
    OwnedSemaphorePermit, Rc<Semaphore>, Rc::ptr_eq
}

impl OwnedSemaphorePermit {
    /// The semaphore of these permits.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = std::rc::Rc::new(henge::sync::local::Semaphore::new(1));
    /// let permit = semaphore.clone().try_acquire_owned().unwrap();
    /// assert_eq!(permit.semaphore().available_permits(), 0);
    /// ```
    pub fn semaphore(&self) -> &Rc<Semaphore> {
        &self.semaphore
    }
}
