//! Tasks that may run on any shard.
//!
//! A task that is spawned by [`henge::spawn`](crate::spawn) stays on its shard. That is what most
//! programs want, and what is fast; it is bad where work is uneven: one shard computes while others
//! sleep. What may move is spawned by [`spawn`]: wherever it is queued, a shard that has nothing to
//! do may come for it, also between two of its polls. What may not move, but has not begun yet, is
//! spawned by [`place`].
//!
//! Stealing is off unless the runtime is built with
//! [`stealing(true)`](crate::runtime::Builder::stealing). Without it, both choose the less loaded
//! of two shards that are drawn, once.
//!
//! Stealable tasks and the tasks of a shard take turns, so neither kind keeps the other waiting. A
//! task that computes for long keeps its shard from both, as ever; the stealable ones go elsewhere.

use std::future::{Future, pending};
use std::panic::{Location, resume_unwind};

use crate::executor::JoinHandle;
use crate::executor::spawn_meta::SpawnMeta;
use crate::runtime::{Handle, context};

pub use crate::stealing::Policy;

/// Spawns a task that any shard may poll, one at a time.
///
/// It begins in the queue of this shard, if the caller runs on one.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// #[henge::main(worker_threads = 2)]
/// async fn main() {
///     let parts: Vec<_> = (0..8u64)
///         .map(|part| {
///             let numbers = part * 1000..(part + 1) * 1000;
///             henge::steal::spawn(async move { numbers.sum::<u64>() })
///         })
///         .collect();
///     let mut sum = 0;
///     for part in parts {
///         sum += part.await.unwrap_or(0);
///     }
///     assert_eq!(sum, (0..8000).sum());
/// }
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let meta = SpawnMeta::new();
    // A shard knows its runtime; a handle of it would cost two counts that all shards share.
    let mut future = Some(future);
    let here = context::with_shard(|shard| {
        future.take().map(|future| shard.shared().spawn_stealable(meta, future))
    });
    match (here.flatten(), future) {
        (Some(task), _) => task,
        (None, Some(future)) => Handle::current().shared().spawn_stealable(meta, future),
        (None, None) => unreachable!("the future is either spawned or left"),
    }
}

/// Spawns a task on whichever shard comes for it first: the closure travels, the future is made
/// there and stays there. It need not be `Send`.
///
/// Inside, [`task::id`](crate::task::id) is that of the task which stays, not the handle's.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use std::rc::Rc;
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() {
///     let task = henge::steal::place(|| async {
///         let here = Rc::new(6); // never leaves the shard where this runs
///         henge::task::yield_now().await;
///         *here * 7
///     });
///     assert_eq!(task.await.ok(), Some(42));
/// }
/// ```
#[track_caller]
pub fn place<M, F>(make: M) -> JoinHandle<F::Output>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    match Handle::current().shared().place_by_draw(make) {
        Ok(task) => task,
        // The shard that polls this first is the one that has room.
        Err(make) => {
            let location = Location::caller();
            spawn(async move { Placed(spawn_here(location, make)).end().await })
        }
    }
}

/// Makes the task of a closure that came to this shard from `location`.
fn spawn_here<M, F>(location: &'static Location<'static>, make: M) -> JoinHandle<F::Output>
where
    M: FnOnce() -> F + 'static,
    F: Future + 'static,
{
    let meta = SpawnMeta::at(location);
    let spawned =
        context::with_shard(|shard| shard.home().spawn_from(meta, async move { make().await }));
    match spawned {
        Some(task) => task,
        None => unreachable!("stealable tasks are polled by shards"),
    }
}

/// A task that has found its shard, and ends with the one that found it.
struct Placed<T>(JoinHandle<T>);

impl<T> Placed<T> {
    async fn end(mut self) -> T {
        match (&mut self.0).await {
            Ok(output) => output,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // Its shard is closing, and so is the runtime: this task is cancelled, too.
                Err(_cancelled) => pending().await,
            },
        }
    }
}

impl<T> Drop for Placed<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
