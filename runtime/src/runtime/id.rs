//! The shards of a runtime by number.

use std::fmt;

use super::context;

/// A shard of a runtime, by its number: `0..count()`.
///
/// # Examples
/// ```
/// use henge::shard::{self, ShardId};
///
/// # let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
/// runtime.run(|| async {
///     assert_eq!(shard::current(), ShardId::new(0));
///     let there = henge::spawn_on(ShardId::new(1), || async { shard::current() });
///     assert_eq!(there.await.map(ShardId::index).ok(), Some(1));
/// });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(usize);

impl ShardId {
    /// The shard of this number. Whether there is one turns out where it is used.
    pub const fn new(index: usize) -> ShardId {
        ShardId(index)
    }

    /// The shard's number.
    pub const fn index(self) -> usize {
        self.0
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

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
    context::with_shard(|shard| shard.index()).flatten().map(ShardId)
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
