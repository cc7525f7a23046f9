//! Work that may block: on the runtime's pool, or in place.

use henge_driver::current;

use crate::executor::JoinHandle;
use crate::runtime::{Handle, context};

/// Runs a closure that may block or compute for long on a thread of the runtime's pool.
///
/// It starts at once if the pool has, or may start, a thread for it (512 by default), and else in
/// the order of arrival. Aborting the handle keeps a closure that has not started from running, and
/// has no effect on one that has: it runs to its end, and the handle gives its result. Shutting the
/// runtime down cancels the closures that wait, and waits for those that run.
///
/// # Panics
/// Outside of a runtime, and if the pool has no thread and the system refuses to start one.
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

/// Runs a closure that may block here, in the middle of a task: this shard stands still meanwhile.
///
/// What the closure may do that a task may not: wait for other threads, by
/// [`blocking_recv`](crate::sync::mpsc::Receiver::blocking_recv) and the like, and call
/// [`Handle::block_on`], which turns this shard from within until its future is done: timers, I/O
/// and the shard's other tasks run meanwhile. It has no budget to spend. Outside of a runtime, in
/// the blocking pool, and inside another `block_in_place` the closure is just called.
///
/// # What waits
/// The tasks of this shard are pinned, so no other thread takes them over: all of them wait until
/// the closure returns. While it blocks by [`Handle::block_on`], the shard's other tasks run,
/// except the calling task and, when nested, its caller's. A closure that waits for a task of this
/// shard in any other way waits for ever. What was queued for the kernel is submitted first; what
/// the closure queues (as by dropping a stream), and all results, wait for its end.
/// Tasks that may be [stolen](crate::steal) go to other shards at once, and wait where all shards
/// block: no thread is started in the place of one.
/// [`Handle::spawn`] puts tasks on other shards, if there are any; shutting the runtime down waits
/// for the closure. [`spawn_blocking`], which holds nobody up, is nearly always the better choice.
///
/// # Panics
/// On a runtime of one thread, and inside a [`LocalSet`](crate::task::LocalSet). In the closure,
/// [`Handle::block_on`] panics if this shard already turns from within: it does so one level deep.
///
/// # Examples
/// ```
/// use henge::runtime::Handle;
/// use henge::task;
///
/// #[henge::main(worker_threads = 1)]
/// async fn main() {
///     let other = task::spawn(async { 6 });
///     let sum = task::block_in_place(|| {
///         // A library that calls back from synchronous code needs an answer now.
///         let six = Handle::current().block_on(other);
///         six.map(|six| six * 7)
///     });
///     assert_eq!(sum.ok(), Some(42));
/// }
/// ```
#[track_caller]
pub fn block_in_place<F, R>(call: F) -> R
where
    F: FnOnce() -> R,
{
    if current::may_block() {
        return call();
    }
    assert!(
        context::with(|shard| shard.is_none_or(|shard| shard.can_block_in_place())),
        "can call blocking only when running on the multi-threaded runtime"
    );
    context::with(|shard| match shard {
        Some(shard) => shard.block_in_place(call),
        None => call(),
    })
}
