//! The budget of a poll: so that a task whose I/O is always ready lets others run.
//!
//! Whoever polls tasks gives each poll a budget; every leaf future of henge spends one unit when it
//! makes progress. With nothing left a leaf future wakes its task and is pending.

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::thread::{LOCAL, UNLIMITED};

/// The usual budget of one poll of a task.
///
/// ```
/// use henge_driver::coop;
///
/// coop::budget(coop::BUDGET, || {
///     // … one poll of a task …
///     assert!(coop::has_budget_remaining());
/// });
/// ```
pub const BUDGET: u8 = 128;

/// The right to spend a unit of the budget, which the future does if it says that it made progress.
/// Dropped, it costs nothing: a future that is pending leaves the budget as it was.
///
/// ```
/// use henge_driver::coop::{self, RestoreOnPending};
/// use std::task::{Context, Poll, Waker, ready};
///
/// /// The poll of a leaf future: of a queue, say.
/// fn poll_next(queue: &mut Vec<u32>, cx: &mut Context<'_>) -> Poll<u32> {
///     let spent: RestoreOnPending = ready!(coop::poll_proceed(cx));
///     match queue.pop() {
///         Some(item) => {
///             spent.made_progress();
///             Poll::Ready(item)
///         }
///         None => Poll::Pending, // for which nothing is spent
///     }
/// }
///
/// let mut cx = Context::from_waker(Waker::noop());
/// coop::budget(1, || {
///     assert!(poll_next(&mut Vec::new(), &mut cx).is_pending());
///     assert!(poll_next(&mut vec![1, 2], &mut cx).is_ready());
///     assert!(poll_next(&mut vec![1, 2], &mut cx).is_pending(), "others first");
/// });
/// ```
//
// The unit is taken when it is spent, so that a poll which only looks costs one load.
#[derive(Debug)]
#[must_use]
pub struct RestoreOnPending {
    spent: Cell<bool>,
    /// The budget is the thread's.
    _here: PhantomData<*const ()>,
}

impl RestoreOnPending {
    /// The future is ready: the unit is spent. Saying so again spends no more.
    ///
    /// ```
    /// use henge_driver::coop;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let mut cx = Context::from_waker(Waker::noop());
    /// coop::budget(2, || {
    ///     let Poll::Ready(spent) = coop::poll_proceed(&mut cx) else { panic!("there is one") };
    ///     drop(spent); // nothing came of it, and nothing is spent
    ///     assert!(coop::has_budget_remaining());
    ///     let Poll::Ready(spent) = coop::poll_proceed(&mut cx) else { panic!("there is one") };
    ///     spent.made_progress();
    ///     spent.made_progress();
    ///     assert!(coop::has_budget_remaining());
    ///     let Poll::Ready(spent) = coop::poll_proceed(&mut cx) else { panic!("there is one") };
    ///     spent.made_progress();
    ///     assert!(!coop::has_budget_remaining());
    /// });
    /// ```
    #[inline]
    pub fn made_progress(&self) {
        if !self.spent.replace(true) {
            spend(1);
        }
    }

    /// The future is ready, and accounts for several units: for those, too, that it has not asked
    /// for each time that it was ready before, or will not ask for. It may spend more than there
    /// are, which leaves nothing.
    ///
    /// ```
    /// use henge_driver::coop;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let mut cx = Context::from_waker(Waker::noop());
    /// coop::budget(5, || {
    ///     let Poll::Ready(spent) = coop::poll_proceed(&mut cx) else { panic!("there are five") };
    ///     spent.spend(4);
    ///     assert!(coop::has_budget_remaining());
    ///     let Poll::Ready(spent) = coop::poll_proceed(&mut cx) else { panic!("there is one") };
    ///     spent.spend(4);
    ///     assert!(!coop::has_budget_remaining());
    /// });
    /// ```
    #[inline]
    pub fn spend(self, units: u8) {
        spend(units);
    }
}

#[inline]
fn spend(units: u8) {
    // Below zero if what the future polled inside has spent the last one.
    LOCAL.with(move |local| local.budget.set(local.budget.get() - i64::from(units)));
}

/// Asks for one unit of the budget. With none left the task is woken, to be polled again when
/// others have had their turn, and the answer is `Pending`.
///
/// ```
/// use std::task::{Context, Waker};
/// use henge_driver::coop;
///
/// let mut cx = Context::from_waker(Waker::noop());
/// coop::budget(1, || {
///     let std::task::Poll::Ready(spent) = coop::poll_proceed(&mut cx) else { panic!() };
///     spent.made_progress();
///     assert!(coop::poll_proceed(&mut cx).is_pending());
/// });
/// ```
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    if !has_budget_remaining() {
        cx.waker().wake_by_ref();
        return Poll::Pending;
    }
    Poll::Ready(RestoreOnPending { spent: Cell::new(false), _here: PhantomData })
}

/// Is there something left? True where nobody counts.
///
/// ```
/// use henge_driver::coop;
///
/// assert!(coop::has_budget_remaining()); // nobody counts here
/// coop::budget(0, || assert!(!coop::has_budget_remaining()));
/// ```
#[inline]
pub fn has_budget_remaining() -> bool {
    LOCAL.with(|local| local.budget.get() > 0)
}

/// Runs `f`, usually one poll of a task, with this budget, and puts the one from before back
/// afterwards.
///
/// ```
/// use henge_driver::coop;
/// use std::task::{Context, Waker};
///
/// let mut cx = Context::from_waker(Waker::noop());
/// let polled = coop::budget(3, || {
///     let mut polled = 0;
///     // A future that is always ready, and its task.
///     while coop::poll_proceed(&mut cx).map(|spent| spent.made_progress()).is_ready() {
///         polled += 1;
///     }
///     polled
/// });
/// assert_eq!(polled, 3);
/// ```
#[inline]
pub fn budget<R>(units: u8, f: impl FnOnce() -> R) -> R {
    set(i64::from(units), f)
}

/// Gives each of many polls in a row a budget of its own, and puts the one from before back when
/// it is dropped: what a loop that polls tasks uses, since it costs one store a poll.
///
/// ```
/// use henge_driver::coop::{self, Budgets};
///
/// let budgets = Budgets::new();
/// for _task in 0..3 {
///     budgets.renew(1);
///     // … poll it …
///     assert!(coop::has_budget_remaining());
/// }
/// ```
#[derive(Debug)]
#[must_use = "the budget from before is put back when it is dropped"]
pub struct Budgets {
    before: i64,
    /// It belongs to the thread.
    here: PhantomData<*const ()>,
}

impl Budgets {
    /// Remembers the budget from before.
    ///
    /// ```
    /// use henge_driver::coop::{self, Budgets};
    ///
    /// {
    ///     let budgets = Budgets::new();
    ///     budgets.renew(0);
    ///     assert!(!coop::has_budget_remaining());
    /// }
    /// assert!(coop::has_budget_remaining()); // as before
    /// ```
    #[expect(clippy::new_without_default, reason = "it remembers where it was made")]
    #[inline]
    pub fn new() -> Budgets {
        Budgets { before: LOCAL.with(|local| local.budget.get()), here: PhantomData }
    }

    /// The next poll may spend this much.
    ///
    /// ```
    /// use henge_driver::coop::{self, Budgets};
    /// use std::task::{Context, Waker};
    ///
    /// let mut cx = Context::from_waker(Waker::noop());
    /// let budgets = Budgets::new();
    /// for _task in 0..2 {
    ///     budgets.renew(1);
    ///     let proceeds = coop::poll_proceed(&mut cx).map(|spent| spent.made_progress());
    ///     assert!(proceeds.is_ready());
    ///     assert!(coop::poll_proceed(&mut cx).is_pending());
    /// }
    /// ```
    #[inline]
    pub fn renew(&self, units: u8) {
        LOCAL.with(move |local| local.budget.set(i64::from(units)));
    }
}

impl Drop for Budgets {
    #[inline]
    fn drop(&mut self) {
        LOCAL.with(|local| local.budget.set(self.before));
    }
}

#[inline]
fn set<R>(units: i64, f: impl FnOnce() -> R) -> R {
    struct Reset(i64);
    impl Drop for Reset {
        #[inline]
        fn drop(&mut self) {
            LOCAL.with(|local| local.budget.set(self.0));
        }
    }
    let _reset = Reset(LOCAL.with(move |local| local.budget.replace(units)));
    f()
}

/// Polls `future` without a budget: it may take as long as it likes.
///
/// # Cancel safety
///
/// That of `future`.
///
/// ```
/// use henge_driver::{Driver, coop};
///
/// let driver = Driver::new()?;
/// driver.block_on(coop::unconstrained(async {
///     coop::budget(0, || ()); // whatever others have
///     assert!(coop::has_budget_remaining());
/// }))?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn unconstrained<F: Future>(future: F) -> Unconstrained<F> {
    Unconstrained { future }
}

/// The future of [`unconstrained`].
///
/// ```
/// use henge_driver::coop::{self, Unconstrained};
/// use std::future::Ready;
/// use std::pin::Pin;
/// use std::task::{Context, Poll, Waker};
///
/// let mut answer: Unconstrained<Ready<u32>> = coop::unconstrained(std::future::ready(42));
/// let polled = coop::budget(0, || {
///     Pin::new(&mut answer).poll(&mut Context::from_waker(Waker::noop()))
/// });
/// assert_eq!(polled, Poll::Ready(42));
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Unconstrained<F> {
    future: F,
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is pinned with `self`: it is never moved out, there is no `Drop`, and
        // `Unconstrained` is `Unpin` only if `F` is.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        set(UNLIMITED, || future.poll(cx))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::{budget, has_budget_remaining, poll_proceed, unconstrained};

    fn spend(cx: &mut Context<'_>) -> Poll<()> {
        poll_proceed(cx).map(|spent| spent.made_progress())
    }

    #[test]
    fn ends_and_comes_back() {
        let mut cx = Context::from_waker(Waker::noop());
        budget(2, || {
            assert!(spend(&mut cx).is_ready());
            budget(1, || {
                assert!(spend(&mut cx).is_ready());
                assert!(!has_budget_remaining());
            });
            assert!(spend(&mut cx).is_ready());
            assert!(spend(&mut cx).is_pending());
        });
        for _ in 0..1_000 {
            assert!(spend(&mut cx).is_ready(), "nobody counts outside");
        }
    }

    #[test]
    fn what_made_no_progress_costs_nothing() {
        let mut cx = Context::from_waker(Waker::noop());
        budget(1, || {
            for _ in 0..10 {
                assert!(poll_proceed(&mut cx).is_ready());
            }
            assert!(has_budget_remaining());
        });
    }

    #[test]
    fn unconstrained_does_not_count() {
        let mut cx = Context::from_waker(Waker::noop());
        budget(1, || {
            let mut many = pin!(unconstrained(poll_fn(|cx| {
                (0..100)
                    .all(|_| spend(cx).is_ready())
                    .then_some(())
                    .map_or(Poll::Pending, Poll::Ready)
            })));
            assert!(many.as_mut().poll(&mut cx).is_ready());
            assert!(has_budget_remaining());
        });
    }
}
