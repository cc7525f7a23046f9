//! Work that may block, on the runtime's pool.

use crate::runtime::Handle;
use crate::task::JoinHandle;

/// Runs a closure that may block or compute for long on a thread of the runtime's pool.
///
/// It starts at once if the pool has, or may start, a thread for it (512 by default), and else in
/// the order of arrival. Aborting the handle keeps a closure that has not started from running; one
/// that has runs to its end, and its result is dropped. Shutting the runtime down drops the
/// closures that wait, and waits for those that run.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// # #[henge::main]
/// # async fn main() -> Result<(), henge::task::JoinError> {
/// let digest = henge::task::spawn_blocking(|| (1..=20u64).product::<u64>()).await?;
/// assert_eq!(digest, 2_432_902_008_176_640_000);
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn spawn_blocking<F, T>(call: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Handle::current().spawn_blocking(call)
}
