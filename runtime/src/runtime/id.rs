//! The shards of the current runtime.

use super::context;
use crate::shard_id::ShardId;

/// The shard that this runs on.
///
/// # Panics
/// On a thread that is no shard: a guest's, the blocking pool's, one of your own.
/// [`try_current`] does not.
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
