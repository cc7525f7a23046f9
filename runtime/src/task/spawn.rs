//! Putting a task on this shard.

use std::future::Future;

use crate::executor::spawn_meta::SpawnMeta;
use crate::executor::{Home, JoinHandle};
use crate::runtime;

/// Spawns a task on this shard. It is polled here and dropped here, and need not be `Send`.
///
/// In a guest's `block_on` it stays on the guest's thread, and runs only while that is inside
/// `block_on`.
///
/// Outside of `block_on` it works where a runtime of one thread is
/// [entered](crate::runtime::Handle::enter), on the thread that this lives on, or was built on if
/// it lives nowhere yet: the task waits for that thread's next `block_on`.
///
/// # Panics
/// On a thread that runs no tasks: outside of a runtime, in the blocking pool, or where a runtime
/// of other threads was only entered.
/// [`Handle::spawn`](crate::runtime::Handle::spawn) works there.
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
#[inline]
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_named(SpawnMeta::new(), future)
}

/// As [`spawn`], for callers that know more of it.
#[inline]
#[track_caller]
pub(super) fn spawn_named<F>(meta: SpawnMeta<'_>, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    match spawn_from(meta, future) {
        Some(task) => task,
        None => panic!(
            "`henge::spawn` puts the task on the shard that it is called on, and this thread is \
             none (there is no reactor running, must be called from the context of a henge \
             runtime): use `henge::runtime::Handle::spawn`"
        ),
    }
}

/// Spawns a task on the shard whose loop runs on this thread, else on the one that lives here and
/// is entered. None if there is neither.
#[inline]
pub(super) fn spawn_from<F>(meta: SpawnMeta<'_>, future: F) -> Option<JoinHandle<F::Output>>
where
    F: Future + 'static,
    F::Output: 'static,
{
    Home::with_shards(|home| match home {
        Some(home) => Some(home.spawn_from(meta, future)),
        None => spawn_entered(meta, future),
    })
}

#[cold]
fn spawn_entered<F>(meta: SpawnMeta<'_>, future: F) -> Option<JoinHandle<F::Output>>
where
    F: Future + 'static,
    F::Output: 'static,
{
    match runtime::with_entered(|home| home.spawn_from(meta, future)) {
        Ok(task) => task,
        Err(error) => panic!("this thread cannot spawn on the runtime: {error}"),
    }
}
