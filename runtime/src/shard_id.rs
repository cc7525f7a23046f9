//! Shards by number.

use std::fmt;

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
    ///
    /// # Examples
    /// ```
    /// use henge::shard::{self, ShardId};
    ///
    /// /// Who has what belongs to a key.
    /// fn owner(key: u64) -> ShardId {
    ///     ShardId::new((key % shard::count() as u64) as usize)
    /// }
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() {
    ///     let there = henge::spawn_on(owner(7), || async { shard::current() });
    ///     assert_eq!(there.await.unwrap(), ShardId::new(1));
    /// }
    /// ```
    pub const fn new(index: usize) -> ShardId {
        ShardId(index)
    }

    /// The shard's number.
    ///
    /// # Examples
    /// ```
    /// use henge::shard;
    ///
    /// #[henge::main(worker_threads = 3)]
    /// async fn main() {
    ///     let mut served = vec![0; shard::count()];
    ///     served[shard::current().index()] += 1;
    ///     assert_eq!(served, [1, 0, 0]);
    /// }
    /// ```
    pub const fn index(self) -> usize {
        self.0
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
