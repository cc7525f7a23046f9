//! A yield for runtimes that have none of their own.

use std::future::poll_fn;
use std::task::Poll;

/// Wakes itself and gives the others a turn.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
