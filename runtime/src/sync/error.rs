//! Errors of the semaphore and the locks. The channels' are in the channels' modules.

use std::fmt;

/// The semaphore was closed.
///
/// # Examples
///
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let semaphore = henge::sync::Semaphore::new(0);
/// semaphore.close();
/// assert_eq!(semaphore.acquire().await.unwrap_err().to_string(), "semaphore closed");
/// # }
/// ```
#[derive(Debug)]
pub struct AcquireError(());

impl AcquireError {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("semaphore closed")
    }
}

impl std::error::Error for AcquireError {}

/// No permit was taken.
///
/// # Examples
///
/// ```
/// use henge::sync::{Semaphore, TryAcquireError};
/// let semaphore = Semaphore::new(0);
/// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
/// ```
#[derive(Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore was closed.
    Closed,
    /// There are not as many free permits.
    NoPermits,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "semaphore closed",
            Self::NoPermits => "no permits available",
        })
    }
}

impl std::error::Error for TryAcquireError {}

/// The lock is held by somebody else.
///
/// # Examples
///
/// ```
/// let mutex = henge::sync::Mutex::new(());
/// let guard = mutex.try_lock().unwrap();
/// assert_eq!(mutex.try_lock().unwrap_err().to_string(), "operation would block");
/// # drop(guard);
/// ```
#[derive(Debug)]
pub struct TryLockError(());

impl TryLockError {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("operation would block")
    }
}

impl std::error::Error for TryLockError {}
