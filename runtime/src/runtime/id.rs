//! Which runtime a thread belongs to, and which of its shards it is.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use super::context;
use super::shared::Shared;
use crate::shard_id::ShardId;

/// An opaque identifier of a runtime, unique among those that have a handle, or of a set of local
/// tasks; see [`Handle::id`](super::Handle::id) and [`LocalSet::id`](crate::task::LocalSet::id).
///
/// # Examples
/// ```
/// use henge::runtime::{Builder, Handle};
///
/// let runtimes = [0, 1].map(|_| Builder::new_current_thread().build().unwrap());
/// assert_ne!(runtimes[0].handle().id(), runtimes[1].handle().id());
/// let seen = runtimes[1].block_on(async { Handle::current().id() });
/// assert_eq!(seen, runtimes[1].handle().id());
/// ```
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct Id(NonZeroU64);

impl Id {
    pub(super) fn of(shared: &Arc<Shared>) -> Id {
        Id::at(Arc::as_ptr(shared))
    }

    /// Of what lives there, as long as it does.
    pub(crate) fn at<T>(address: *const T) -> Id {
        let address = address.addr() as u64;
        Id(NonZeroU64::new(address).unwrap_or(NonZeroU64::MAX))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of the shard that this runs on, if it runs on one:
/// [`shard::try_current`](crate::shard::try_current) by tokio's name, and by the numbers of
/// [`RuntimeMetrics`](super::RuntimeMetrics).
///
/// # Examples
/// ```
/// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
/// assert_eq!(runtime.run(|| async { henge::runtime::worker_index() }), Some(0));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn worker_index() -> Option<usize> {
    try_current().map(ShardId::index)
}

/// The shard that this runs on.
///
/// # Panics
/// On a thread that is no shard: a guest's, the blocking pool's, one of your own.
/// [`try_current`] does not.
///
/// # Examples
/// ```
/// use henge::shard;
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() {
///     assert_eq!(shard::current().index(), 0); // `main` runs there
///     let everywhere = shard::broadcast(|| async { shard::current().index() }).await;
///     assert!(everywhere.into_iter().map(Result::unwrap).eq(0..2));
/// }
/// ```
#[track_caller]
pub fn current() -> ShardId {
    match try_current() {
        Some(shard) => shard,
        None => panic!("this thread is not a shard of a henge runtime"),
    }
}

/// The shard that this runs on, if it runs on one.
///
/// # Examples
/// ```
/// assert!(henge::shard::try_current().is_none());
/// ```
pub fn try_current() -> Option<ShardId> {
    context::with_shard(|shard| shard.index()).flatten().map(ShardId::new)
}

/// How many shards the current runtime has.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// # let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(3).build()?;
/// assert_eq!(runtime.block_on(async { henge::shard::count() }), 3);
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn count() -> usize {
    match context::current() {
        Some(shared) => shared.shards(),
        None => panic!("this thread is not inside a henge runtime"),
    }
}
