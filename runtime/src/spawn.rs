//! Putting tasks where they run: here, or on a shard by number.

use std::future::Future;
use std::panic::Location;

use crate::runtime::{Handle, ShardId};
use crate::task::{Home, JoinHandle};

/// Spawns a task on this shard. It is polled here and dropped here, and need not be `Send`.
///
/// In a guest's `block_on` it stays on the guest's thread, and runs only while that is inside
/// `block_on`.
///
/// # Panics
/// On a thread that runs no tasks: outside of a runtime, in the blocking pool, or where a runtime
/// was only [entered](Handle::enter). [`Handle::spawn`] works there.
///
/// # Examples
/// ```
/// use std::rc::Rc;
///
/// #[henge::main]
/// async fn main() {
///     let here = Rc::new(6);
///     let task = henge::spawn(async move { *here * 7 });
///     assert_eq!(task.await.ok(), Some(42));
/// }
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    // Outside of the closure, so that the panic names the caller.
    let location = Location::caller();
    match Home::with_shards(|home| home.map(|home| home.spawn_from(location, future))) {
        Some(task) => task,
        None => panic!(
            "`henge::spawn` puts the task on the shard that it is called on, and this thread is \
             none (there is no reactor running, must be called from the context of a henge \
             runtime): use `henge::runtime::Handle::spawn`"
        ),
    }
}

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
