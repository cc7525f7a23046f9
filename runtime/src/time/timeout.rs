//! Giving a future a limited time.

use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use henge_driver::coop;
use pin_project_lite::pin_project;

use super::error::Elapsed;
use super::{Duration, Instant, Sleep};

/// Gives `future` at most `duration` from now.
///
/// The output is the future's, or [`Elapsed`] if it was not ready in time; the future is then
/// dropped with the `Timeout`. The future is polled first, so one that is ready wins even over a
/// duration of zero. A duration too long for the clock means no limit.
///
/// The limit is looked at when the task is polled: a future that never returns from `poll` is not
/// interrupted.
///
/// # Panics
///
/// Outside of a runtime.
///
/// # Cancel safety
///
/// Dropping it drops the future inside. That is as safe as that future's own documentation says:
/// every I/O method of henge that is cancel-safe loses nothing in a time-out.
///
/// # Examples
/// ```
/// use henge::time::{Duration, timeout};
///
/// #[henge::main(flavor = "current_thread")]
/// async fn main() {
///     assert_eq!(timeout(Duration::from_secs(1), async { 7 }).await, Ok(7));
///     let never = std::future::pending::<()>();
///     assert!(timeout(Duration::from_millis(1), never).await.is_err());
/// }
/// ```
#[track_caller]
pub fn timeout<F>(duration: Duration, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    Timeout { value: future.into_future(), delay: Sleep::after(duration) }
}

/// Gives `future` until `deadline`. As [`timeout`] otherwise.
///
/// # Panics
///
/// As [`timeout`].
///
/// # Cancel safety
///
/// As [`timeout`].
///
/// # Examples
/// ```
/// use henge::time::{Duration, Instant, timeout_at};
///
/// #[henge::main(flavor = "current_thread")]
/// async fn main() {
///     let deadline = Instant::now() + Duration::from_millis(5);
///     // Both steps together have until the deadline.
///     assert_eq!(timeout_at(deadline, async { 1 }).await, Ok(1));
///     assert!(timeout_at(deadline, std::future::pending::<()>()).await.is_err());
/// }
/// ```
#[track_caller]
pub fn timeout_at<F>(deadline: Instant, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    Timeout { value: future.into_future(), delay: Some(Sleep::new(deadline)) }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, Timeout, timeout};
    ///
    /// let limited: Timeout<_> = timeout(Duration::from_secs(1), std::future::ready("in time"));
    /// assert_eq!(limited.await, Ok("in time"));
    /// # });
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Timeout<T> {
        #[pin]
        value: T,
        // None: the end is further away than the clock can tell.
        #[pin]
        delay: Option<Sleep>,
    }
}

impl<T> Timeout<T> {
    /// The future inside.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, timeout};
    ///
    /// let limited = timeout(Duration::from_secs(1), std::future::ready(5));
    /// assert_eq!(limited.get_ref().clone().into_inner(), 5);
    /// # });
    /// ```
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The future inside.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, timeout};
    ///
    /// let mut limited = timeout(Duration::from_secs(1), std::future::ready(5));
    /// *limited.get_mut() = std::future::ready(6);
    /// assert_eq!(limited.await, Ok(6));
    /// # });
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The future inside, without its limit.
    ///
    /// # Examples
    /// ```
    /// # henge::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use henge::time::{Duration, timeout};
    ///
    /// let limited = timeout(Duration::ZERO, std::future::ready(5));
    /// assert_eq!(limited.into_inner().await, 5);
    /// # });
    /// ```
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = coop::has_budget_remaining();
        if let Poll::Ready(value) = this.value.poll(cx) {
            return Poll::Ready(Ok(value));
        }
        match this.delay.as_pin_mut() {
            Some(delay) => {
                // A future that spends the whole budget every time must not keep the limit from
                // being looked at.
                let spent = had_budget && !coop::has_budget_remaining();
                let elapsed = match spent {
                    true => pin!(coop::unconstrained(delay)).poll(cx),
                    false => delay.poll(cx),
                };
                elapsed.map(|()| Err(Elapsed::new()))
            }
            None => Poll::Pending,
        }
    }
}
