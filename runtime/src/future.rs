//! What futures can be asked for in a chain of calls.

use std::future::Future;

use crate::sync::CancellationToken;
use crate::time::{Duration, Instant, Timeout, timeout, timeout_at};

/// Methods of all futures.
///
/// # Examples
///
/// ```
/// use henge::future::FutureExt;
/// use henge::time::Duration;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(async { 1 }.timeout(Duration::from_secs(60)).await, Ok(1));
/// # }
/// ```
pub trait FutureExt: Future {
    /// Waits for the future no longer than `limit`; see [`timeout`].
    ///
    /// # Cancel safety
    ///
    /// That of the future.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::future::FutureExt;
    /// use henge::time::Duration;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert!(std::future::pending::<()>().timeout(Duration::from_millis(1)).await.is_err());
    /// # }
    /// ```
    #[track_caller]
    fn timeout(self, limit: Duration) -> Timeout<Self>
    where
        Self: Sized,
    {
        timeout(limit, self)
    }

    /// Waits for the future no longer than until `deadline`; see [`timeout_at`].
    ///
    /// # Cancel safety
    ///
    /// That of the future.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::future::FutureExt;
    /// use henge::time::Instant;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert!(std::future::pending::<()>().timeout_at(Instant::now()).await.is_err());
    /// # }
    /// ```
    fn timeout_at(self, deadline: Instant) -> Timeout<Self>
    where
        Self: Sized,
    {
        timeout_at(deadline, self)
    }

    /// Runs the future until it is ready, or until the token is cancelled, which is `None`; see
    /// [`CancellationToken::run_until_cancelled`].
    ///
    /// # Cancel safety
    ///
    /// That of the future, which is dropped where it stands when the token is cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::future::FutureExt;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = henge::sync::CancellationToken::new();
    /// assert_eq!(async { 1 }.with_cancellation_token(&token).await, Some(1));
    /// token.cancel();
    /// assert_eq!(async { 1 }.with_cancellation_token(&token).await, None);
    /// # }
    /// ```
    fn with_cancellation_token(
        self,
        cancellation_token: &CancellationToken,
    ) -> impl Future<Output = Option<Self::Output>>
    where
        Self: Sized,
    {
        cancellation_token.run_until_cancelled(self)
    }

    /// As [`with_cancellation_token`](Self::with_cancellation_token), with a future that holds the
    /// token.
    ///
    /// # Cancel safety
    ///
    /// That of the future, which is dropped where it stands when the token is cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::future::FutureExt;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = henge::sync::CancellationToken::new();
    /// let work = std::future::pending::<()>().with_cancellation_token_owned(token.child_token());
    /// let task = henge::spawn(work);
    /// token.cancel();
    /// assert_eq!(task.await.unwrap(), None);
    /// # }
    /// ```
    fn with_cancellation_token_owned(
        self,
        cancellation_token: CancellationToken,
    ) -> impl Future<Output = Option<Self::Output>>
    where
        Self: Sized,
    {
        cancellation_token.run_until_cancelled_owned(self)
    }
}

impl<F: Future + ?Sized> FutureExt for F {}
