//! Putting a task on this shard.

use std::future::Future;
use std::panic::Location;

use crate::executor::{Home, JoinHandle};

/// Spawns a task on this shard. It is polled here and dropped here, and need not be `Send`.
///
/// In a guest's `block_on` it stays on the guest's thread, and runs only while that is inside
/// `block_on`.
///
/// # Panics
/// On a thread that runs no tasks: outside of a runtime, in the blocking pool, or where a runtime
/// was only [entered](crate::runtime::Handle::enter).
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
