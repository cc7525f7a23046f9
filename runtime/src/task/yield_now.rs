//! Giving way to others.

use std::future::poll_fn;
use std::task::Poll;

use super::current;
use super::home::Home;
use super::waker;

/// Gives way: the other tasks that are ready run first, and the shard looks at its ring.
///
/// # Cancel safety
/// Nothing is lost if it is dropped; the task is then polled once for nothing.
///
/// # Examples
/// ```
/// # let runtime = henge::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// for _part in 0..3 {
///     // … some milliseconds of work …
///     henge::task::yield_now().await;
/// }
/// # });
/// ```
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        Home::with_current(|home| match (home, current::task()) {
            (Some(home), Some(task))
                if waker::is_of(cx.waker(), task.as_ptr().as_ptr().cast_const().cast())
                    && waker::home_of(task).is_some() =>
            {
                home.give_way(task);
            }
            (Some(home), _) => home.defer(cx.waker()),
            // Under somebody else's executor.
            (None, _) => cx.waker().wake_by_ref(),
        });
        Poll::Pending
    })
    .await;
}
