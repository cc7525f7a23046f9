//! Giving way to others.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

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
pub fn yield_now() -> impl Future<Output = ()> + Send + Sync {
    YieldNow { yielded: false }
}

/// Written by hand, since the compiler's own states between the caller's and this one cost as much
/// as all that it does.
struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.yielded, true) {
            return Poll::Ready(());
        }
        if !waker::give_way(cx.waker()) {
            give_way_elsewhere(cx.waker());
        }
        Poll::Pending
    }
}

/// For a task of somebody else's, or something inside of one that has wakers of its own.
#[cold]
fn give_way_elsewhere(waker: &Waker) {
    Home::with_current(|home| match home {
        Some(home) => home.defer(waker),
        // Under somebody else's executor.
        None => waker.wake_by_ref(),
    });
}
