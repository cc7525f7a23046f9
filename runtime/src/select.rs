//! Waiting for the first of several futures.

/// Waits for several branches at once, and runs the handler of the first that is ready. The others
/// are dropped.
///
/// The branches, `if` preconditions, `else`, `biased;` and the refutable patterns are those of
/// [`tokio::select!`](https://docs.rs/tokio/latest/tokio/macro.select.html), which this is, with
/// one difference: it counts by this runtime's budget, so that a task whose branches are always
/// ready lets others run.
///
/// # Cancel safety
/// That of the branches that lose. In a loop, make only such futures anew in each round that lose
/// nothing if they are dropped, and keep the others outside of it.
///
/// # Examples
/// ```
/// use henge::time::{Duration, sleep};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let (sender, receiver) = henge::sync::oneshot::channel();
/// henge::spawn(async move { _ = sender.send("soon") });
/// let answer = henge::select! {
///     answer = receiver => answer.unwrap_or("never"),
///     () = sleep(Duration::from_secs(60)) => "too late",
/// };
/// assert_eq!(answer, "soon");
/// # }
/// ```
#[macro_export]
macro_rules! select {
    ($($branches:tt)*) => {{
        $crate::__private::has_budget().await;
        $crate::__private::select! { $($branches)* }
    }};
}

/// What the expansion of [`select!`](crate::select) uses.
#[doc(hidden)]
pub mod private {
    use std::future::poll_fn;
    use std::task::{Poll, ready};

    pub use tokio::select;

    /// Waits until the task has something left of its budget.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    pub async fn has_budget() {
        // What is looked at is not spent: the branches do that.
        poll_fn(|cx| {
            drop(ready!(henge_driver::coop::poll_proceed(cx)));
            Poll::Ready(())
        })
        .await;
    }
}
