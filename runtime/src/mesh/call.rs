//! Calls to a shard: the closure travels, the answer comes back.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use henge_driver::coop;

use super::cell::{Job, Reply, Ticket};
use super::current;
use super::error::CallError;
use crate::executor::Home;
use crate::executor::spawn_meta::SpawnMeta;
use crate::shard_id::ShardId;

impl ShardId {
    /// Makes a future on this shard, runs it there as a task, and yields what it ends with.
    ///
    /// The closure travels; the future never does, and need not be `Send`. The answer is written
    /// into memory that belongs to the call, so it takes no room in any queue while it is under
    /// way, however many calls there are, and calls may call back to any depth. To be sent, a call
    /// needs a place in the lane to the shard; where that is full, it waits for one.
    ///
    /// # Errors
    /// [`CallError::Panicked`] if the future panics, and [`CallError::Closed`] if the shard ends
    /// before it does.
    ///
    /// # Panics
    /// If the runtime has no such shard. On a thread on which no runtime's loop runs. When it is
    /// polled after its end.
    ///
    /// # Cancel safety
    /// Nothing is done before the first poll. Dropping it later cancels the future over there: it
    /// is dropped, on its shard, when that comes to it, and not waited for; one that has not been
    /// made by then never is. An answer that is under way is dropped.
    ///
    /// # Examples
    /// ```
    /// use henge::shard::{self, ShardId};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), henge::mesh::CallError> {
    ///     let there = ShardId::new(1);
    ///     let answer = there.call(|| async {
    ///         let local = std::rc::Rc::new(shard::current()); // never leaves shard 1
    ///         henge::task::yield_now().await;
    ///         local.index()
    ///     });
    ///     assert_eq!(answer.await?, 1);
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn call<M, F>(self, make: M) -> Call<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        Call::new(self, Lasting(make, Location::caller()))
    }

    /// Calls a closure on this shard and yields what it returns, without a task over there.
    ///
    /// It runs between two tasks of the shard, all of which wait for it: what takes longer than a
    /// few microseconds should be a [`call`](Self::call).
    ///
    /// # Errors
    /// As [`call`](Self::call).
    ///
    /// # Panics
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    /// As [`call`](Self::call); a closure that has begun runs to its end.
    ///
    /// # Examples
    /// ```
    /// use std::cell::Cell;
    /// use henge::shard::ShardId;
    ///
    /// thread_local! { static COUNT: Cell<u64> = const { Cell::new(0) } }
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), henge::mesh::CallError> {
    ///     let there = ShardId::new(1);
    ///     there.call_sync(|| COUNT.set(41)).await?;
    ///     assert_eq!(there.call_sync(|| COUNT.get() + 1).await?, 42);
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn call_sync<M, T>(self, call: M) -> Call<T>
    where
        M: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Call::new(self, Immediate(call))
    }
}

/// The future of [`ShardId::call`] and [`ShardId::call_sync`].
///
/// # Examples
/// ```
/// use henge::mesh::{Call, CallError};
/// use henge::shard::{self, ShardId};
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() -> Result<(), CallError> {
///     let mut call: Call<ShardId> = ShardId::new(1).call_sync(shard::current);
///     // Only borrowed, it is not cancelled when something else was first.
///     let there = loop {
///         henge::select! {
///             answer = &mut call => break answer?,
///             () = henge::task::yield_now() => {} // … something useful meanwhile …
///         }
///     };
///     assert_eq!(there.index(), 1);
///     Ok(())
/// }
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Call<T> {
    to: ShardId,
    ticket: Ticket<T>,
}

impl<T: Send + 'static> Call<T> {
    #[track_caller]
    fn new(to: ShardId, job: impl Job<Output = T>) -> Call<T> {
        let shards = current::peers("a call must be made").shards();
        assert!(to.index() < shards, "there is no shard {to}: this runtime has {shards}");
        Call { to, ticket: Ticket::new(job) }
    }
}

impl<T: 'static> Call<T> {
    /// Whether a poll by the task that polled it last would do anything.
    pub(super) fn has_news(&self) -> bool {
        self.ticket.has_news()
    }
}

impl<T: 'static> Future for Call<T> {
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let unit = ready!(coop::poll_proceed(cx));
        let to = self.to.index();
        let answer = ready!(self.ticket.poll(to, cx));
        unit.made_progress();
        Poll::Ready(answer)
    }
}

impl<T> Unpin for Call<T> {}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("to", &self.to).finish_non_exhaustive()
    }
}

/// Something that is called at the target, and does not last.
struct Immediate<M>(M);

impl<M, T> Job for Immediate<M>
where
    M: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;
    const LASTS: bool = false;

    fn start(self, _home: &Home, reply: Reply<Self>) {
        // Whoever gets the panic was not there while it happened, and sees nothing half changed.
        reply.finish(catch_unwind(AssertUnwindSafe(self.0)));
    }
}

/// A future that is made at the target and runs there as a task.
struct Lasting<M>(M, &'static Location<'static>);

impl<M, F> Job for Lasting<M>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    type Output = F::Output;
    const LASTS: bool = true;

    fn start(self, home: &Home, reply: Reply<Self>) {
        drop(home.spawn_from(SpawnMeta::at(self.1), run(self.0, reply)));
    }
}

/// The task of a call. It ends at the next poll once the caller has gone, who wakes it.
async fn run<J, M, F>(make: M, reply: Reply<J>)
where
    J: Job<Output = F::Output>,
    M: FnOnce() -> F,
    F: Future,
{
    let result = {
        let mut future = pin!(async { make().await });
        poll_fn(|cx| {
            if reply.is_gone() {
                return Poll::Ready(None);
            }
            // The future is dropped when it has panicked: nobody sees it half changed.
            match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                Ok(Poll::Pending) => {
                    reply.wake_if_gone(cx.waker());
                    Poll::Pending
                }
                Ok(Poll::Ready(output)) => Poll::Ready(Some(Ok(output))),
                Err(panic) => Poll::Ready(Some(Err(panic))),
            }
        })
        .await
    };
    if let Some(result) = result {
        reply.finish(result);
    }
}
