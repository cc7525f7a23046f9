//! A share of the pool: so many closures at a time, whoever asks.

use std::sync::Arc;

use super::call::spawn_blocking;
use crate::executor::{AbortHandle, JoinError};
use crate::sync::Semaphore;

/// Bounds how many closures of one kind the blocking pool has at a time.
///
/// The pool is one for the whole runtime. Without a bound, a burst of slow closures (thumbnails,
/// say) takes all of its threads, and everybody else's quick ones wait behind them. With one, the
/// burst waits here, in the order of arrival, where it takes no thread and no place in the pool's
/// queue.
///
/// Clones share the bound. It belongs to no runtime: it may be a `static` behind a
/// [`LazyLock`](std::sync::LazyLock), and used on every shard.
///
/// A closure that waits for another one of the same limit can wait for ever, as with the pool
/// itself: give each level of such work a limit of its own.
///
/// # Examples
/// ```
/// use henge::blocking::Limit;
/// use henge::task::JoinSet;
///
/// # #[henge::main]
/// # async fn main() {
/// // At most two at a time, whatever the pool has.
/// let thumbnails = Limit::new(2);
/// let mut tasks = JoinSet::new();
/// for image in 0..10_u64 {
///     let thumbnails = thumbnails.clone();
///     tasks.spawn(async move { thumbnails.run(move || image.pow(2)).await });
/// }
/// let all: Result<Vec<u64>, _> = tasks.join_all().await.into_iter().collect();
/// assert_eq!(all.map(|all| all.iter().sum()).ok(), Some(285_u64));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Limit {
    permits: Arc<Semaphore>,
    max: usize,
}

impl Limit {
    /// A limit of `max` closures at a time. Whatever is more than the pool can have
    /// ([`max_blocking_threads`](crate::runtime::Builder::max_blocking_threads)) bounds its queue.
    ///
    /// # Panics
    /// If `max` is zero: nothing would ever run.
    ///
    /// # Examples
    /// ```
    /// let limit = henge::blocking::Limit::new(4);
    /// assert_eq!((limit.max(), limit.running()), (4, 0));
    /// ```
    #[track_caller]
    pub fn new(max: usize) -> Limit {
        assert!(max > 0, "a limit of zero closures would run none");
        let max = max.min(Semaphore::MAX_PERMITS);
        Limit { permits: Arc::new(Semaphore::new(max)), max }
    }

    /// Runs a closure in the pool as soon as fewer than [`max`](Self::max) of this limit are there.
    ///
    /// Whoever calls first is first. The closure's place is free again when it has returned, or
    /// panicked, or was dropped, before this future resolves.
    ///
    /// # Errors
    /// As a [`JoinHandle`](crate::task::JoinHandle): if the closure panics, with what it panicked
    /// with; and if the runtime shuts down before the closure has started.
    ///
    /// # Panics
    /// As [`spawn_blocking`](crate::task::spawn_blocking), when it is this closure's turn.
    ///
    /// # Cancel safety
    /// A closure that has not started when the future is dropped is never called. One that has runs
    /// to its end, keeps its place until then, and its result is dropped.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main]
    /// # async fn main() -> Result<(), henge::task::JoinError> {
    /// let hashes = henge::blocking::Limit::new(2);
    /// let password = String::from("correct horse");
    /// let cost = hashes.run(move || password.len() << 10).await?;
    /// assert_eq!(cost, 13 << 10);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run<F, T>(&self, call: F) -> Result<T, JoinError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let Ok(permit) = self.permits.clone().acquire_owned().await else {
            unreachable!("this semaphore is private, and nothing here closes it");
        };
        let task = spawn_blocking(move || {
            let _place = permit;
            call()
        });
        let _abort = AbortOnDrop(task.abort_handle());
        task.await
    }

    /// How many closures of this limit the pool may have at a time.
    ///
    /// # Examples
    /// ```
    /// let limit = henge::blocking::Limit::new(4);
    /// // As many parts as can run at a time.
    /// let rows: Vec<u32> = (0..100).collect();
    /// let parts = rows.chunks(rows.len().div_ceil(limit.max()));
    /// assert_eq!(parts.len(), 4);
    /// ```
    pub fn max(&self) -> usize {
        self.max
    }

    /// How many it has at this moment: those that run, and those that wait for a thread.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let limit = henge::blocking::Limit::new(2);
    /// let inside = limit.clone();
    /// assert_eq!(limit.run(move || inside.running()).await.unwrap(), 1);
    /// assert_eq!(limit.running(), 0);
    /// # }
    /// ```
    pub fn running(&self) -> usize {
        self.max - self.permits.available_permits()
    }
}

/// A closure that nobody waits for any more need not start.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
