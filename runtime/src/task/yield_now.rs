//! Giving way to others.

use std::future::poll_fn;
use std::task::Poll;

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
        if let Some((home, task)) = waker::running(cx.waker()) {
            home.give_way(task);
            return Poll::Pending;
        }
        Home::with_current(|home| match home {
            Some(home) => home.defer(cx.waker()),
            // Under somebody else's executor.
            None => cx.waker().wake_by_ref(),
        });
        Poll::Pending
    })
    .await;
}
