//! The budget of a poll: so that a task whose I/O is always ready lets others run.
//!
//! Each poll of a task may make 128 steps: receiving a message, reading what is there, a timer that
//! is due. What would be the next step then is pending, and the task is polled again when others
//! have had their turn. Leaf futures of henge and of this module count; a loop that awaits none of
//! them can call [`consume_budget`] itself.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

#[doc(inline)]
pub use henge_driver::coop::{
    RestoreOnPending, Unconstrained, has_budget_remaining, poll_proceed, unconstrained,
};
use pin_project_lite::pin_project;

/// Makes one step of the budget, and lets others run if none is left.
///
/// # Cancel safety
/// Nothing is lost if it is dropped.
///
/// # Examples
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut sum = 0_u64;
/// for n in 0..10_000 {
///     sum += n;
///     henge::task::coop::consume_budget().await;
/// }
/// # assert_eq!(sum, 49_995_000);
/// # }
/// ```
pub async fn consume_budget() {
    poll_fn(|cx| {
        ready!(poll_proceed(cx)).made_progress();
        Poll::Ready(())
    })
    .await;
}

/// Makes a future cost one step of the budget whenever it is ready: for leaf futures that do not
/// count by themselves.
///
/// # Cancel safety
/// That of `future`.
///
/// # Examples
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut rounds = 0;
/// while rounds < 1_000 {
///     // Others run every 128 rounds.
///     henge::task::coop::cooperative(std::future::ready(())).await;
///     rounds += 1;
/// }
/// # }
/// ```
pub fn cooperative<F: Future>(future: F) -> Coop<F> {
    Coop { future }
}

pin_project! {
    /// The future of [`cooperative`].
    ///
    /// # Examples
    /// ```
    /// use henge::task::coop::{Coop, cooperative};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let other = henge::spawn(async {});
    /// while !other.is_finished() {
    ///     // Always ready: without the budget the other would never have a turn.
    ///     let step: Coop<_> = cooperative(std::future::ready(()));
    ///     step.await;
    /// }
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Coop<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Coop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let unit = ready!(poll_proceed(cx));
        let output = ready!(self.project().future.poll(cx));
        unit.made_progress();
        Poll::Ready(output)
    }
}
