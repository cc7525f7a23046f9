//! The same call to every shard.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::call::Call;
use super::current;
use super::error::CallError;
use crate::shard_id::ShardId;

/// Makes and runs a future on every shard, and yields what they end with, by the shard's number.
///
/// All shards are called at once, this one too. It ends when all have answered.
///
/// # Errors
/// In the answers, each as of [`ShardId::call`].
///
/// # Panics
/// On a thread on which no runtime's loop runs.
///
/// # Cancel safety
/// Dropping it cancels the futures on all shards, and does not wait for them.
///
/// # Examples
/// ```
/// use henge::shard;
///
/// #[henge::main(worker_threads = 3)]
/// async fn main() {
///     let answers = shard::broadcast(|| async { shard::current().index() }).await;
///     let answers: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
///     assert_eq!(answers, [0, 1, 2]);
/// }
/// ```
pub async fn broadcast<M, F>(make: M) -> Vec<Result<F::Output, CallError>>
where
    M: Fn() -> F + Clone + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    all(|shard| shard.call(make.clone())).await
}

/// Makes and runs a future on every shard, and folds what they end with, in the order of the
/// shards' numbers.
///
/// # Errors
/// The first, by the number of its shard, when all have ended.
///
/// # Panics
/// On a thread on which no runtime's loop runs.
///
/// # Cancel safety
/// As [`broadcast`].
///
/// # Examples
/// ```
/// use std::cell::Cell;
/// use henge::shard;
///
/// thread_local! { static SERVED: Cell<u64> = const { Cell::new(14) } }
///
/// #[henge::main(worker_threads = 3)]
/// async fn main() -> Result<(), henge::mesh::CallError> {
///     let served = shard::map_reduce(|| async { SERVED.get() }, 0, |sum, own| sum + own).await?;
///     assert_eq!(served, 42);
///     Ok(())
/// }
/// ```
pub async fn map_reduce<M, F, A>(
    make: M,
    init: A,
    mut fold: impl FnMut(A, F::Output) -> A,
) -> Result<A, CallError>
where
    M: Fn() -> F + Clone + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    let mut whole = init;
    for part in broadcast(make).await {
        whole = fold(whole, part?);
    }
    Ok(whole)
}

/// One call to every shard, all at once; the answers by the shards' numbers.
pub(super) async fn all<T: Send + 'static>(
    mut call: impl FnMut(ShardId) -> Call<T>,
) -> Vec<Result<T, CallError>> {
    let shards = current::peers("shards must be called").shards();
    let mut all = All {
        calls: (0..shards).map(|index| (call(ShardId::new(index)), None)).collect(),
        missing: shards,
        polled_by: None,
    };
    poll_fn(|cx| all.poll(cx)).await
}

type Answer<T> = Result<T, CallError>;

struct All<T> {
    /// Each with its answer.
    calls: Vec<(Call<T>, Option<Answer<T>>)>,
    missing: usize,
    polled_by: Option<Waker>,
}

impl<T: Send + 'static> All<T> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Vec<Answer<T>>> {
        // Those that have nothing to say need not hear of the same waker again, or many answers
        // that come one by one would cost as much as their number squared.
        let known = self.polled_by.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if !known {
            self.polled_by = Some(cx.waker().clone());
        }
        for (call, answer) in &mut self.calls {
            if answer.is_none()
                && (!known || call.has_news())
                && let Poll::Ready(ended) = Pin::new(call).poll(cx)
            {
                *answer = Some(ended);
                self.missing -= 1;
            }
        }
        if self.missing > 0 {
            return Poll::Pending;
        }
        Poll::Ready(self.calls.drain(..).filter_map(|(_, answer)| answer).collect())
    }
}
