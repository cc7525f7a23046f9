//! Putting tasks on a shard by its number.

use std::future::Future;

use crate::executor::JoinHandle;
use crate::runtime::{Handle, ShardId};

/// Spawns a task on another shard of this runtime: the closure travels, the future is made there
/// and stays there.
///
/// # Panics
/// Outside of a runtime, or if it has no such shard.
///
/// # Examples
/// ```
/// use henge::shard::ShardId;
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() {
///     let there = henge::spawn_on(ShardId::new(1), || async {
///         let local = std::rc::Rc::new(6); // never leaves shard 1
///         *local * 7
///     });
///     assert_eq!(there.await.ok(), Some(42));
/// }
/// ```
#[track_caller]
pub fn spawn_on<M, F>(shard: ShardId, make: M) -> JoinHandle<F::Output>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    Handle::current().shared().spawn_on(shard.index(), make)
}
