//! How many calls a shard does at a time.

use std::future::Future;
use std::sync::Arc;

use super::current;
use super::error::CallError;
use crate::shard_id::ShardId;
use crate::sync::Semaphore;

/// A limit to the calls that run on a shard at a time, whoever makes them.
///
/// Calls are never lost and never lock up for want of room, however many there are: what is limited
/// here is the work that they are at the other end, where a burst of them would stand in the way of
/// everything else. Calls beyond the limit wait at the caller, in the order of the calls.
///
/// A call of a group that itself calls in the same group can wait for itself: give each level of
/// calls a group of its own.
///
/// # Examples
/// ```
/// use henge::mesh::ServiceGroup;
/// use henge::shard::ShardId;
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() -> Result<(), henge::mesh::CallError> {
///     let heavy = ServiceGroup::new(2);
///     let sum = heavy.call(ShardId::new(1), || async { (1..=100).sum::<u32>() }).await?;
///     assert_eq!(sum, 5050);
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ServiceGroup {
    /// By the number of the shard that is called.
    limits: Arc<[Arc<Semaphore>]>,
}

impl ServiceGroup {
    /// A group of which `limit` calls run on each shard at a time.
    ///
    /// # Panics
    /// If `limit` is 0, or more than [`Semaphore::MAX_PERMITS`]. On a thread on which no runtime's
    /// loop runs.
    ///
    /// # Examples
    /// ```
    /// use std::cell::Cell;
    /// use henge::mesh::{CallError, ServiceGroup};
    /// use henge::shard::ShardId;
    ///
    /// thread_local! { static INSIDE: Cell<u32> = const { Cell::new(0) } }
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), CallError> {
    ///     let (there, one_at_a_time) = (ShardId::new(1), ServiceGroup::new(1));
    ///     let work = || async {
    ///         INSIDE.set(INSIDE.get() + 1);
    ///         henge::task::yield_now().await; // where others could come in
    ///         INSIDE.replace(INSIDE.get() - 1)
    ///     };
    ///     let (a, b) = (one_at_a_time.call(there, work), one_at_a_time.call(there, work));
    ///     assert_eq!(henge::try_join!(a, b)?, (1, 1));
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn new(limit: usize) -> ServiceGroup {
        assert!(limit > 0, "a group must allow a call");
        let shards = current::peers("a group must be made").shards();
        ServiceGroup { limits: (0..shards).map(|_| Arc::new(Semaphore::new(limit))).collect() }
    }

    /// [`ShardId::call`] as one of the group.
    ///
    /// # Errors
    /// As [`ShardId::call`].
    ///
    /// # Panics
    /// As [`ShardId::call`].
    ///
    /// # Cancel safety
    /// As [`ShardId::call`]. What runs over there counts until it is dropped there.
    ///
    /// # Examples
    /// ```
    /// use henge::mesh::{CallError, ServiceGroup};
    /// use henge::shard::ShardId;
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), CallError> {
    ///     let (there, group) = (ShardId::new(1), ServiceGroup::new(1));
    ///     let failed = group.call(there, || async { panic!("boom") }).await;
    ///     assert!(failed.is_err());
    ///     // What panicked has given its place back.
    ///     assert_eq!(group.call(there, || async { 7 }).await?, 7);
    ///     Ok(())
    /// }
    /// ```
    pub async fn call<M, F>(&self, shard: ShardId, make: M) -> Result<F::Output, CallError>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        let limit = self.limits.get(shard.index());
        let Some(limit) = limit else { panic!("there is no shard {shard} in this runtime") };
        let Ok(permit) = Arc::clone(limit).acquire_owned().await else {
            return Err(CallError::Closed);
        };
        let call = shard.call(move || async move {
            let _permit = permit;
            make().await
        });
        call.await
    }
}
