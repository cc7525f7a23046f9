//! A semaphore that is polled: for those who implement futures and streams by hand.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, TryAcquireError};

type Acquire = dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send + Sync;

/// A [`Semaphore`] that is polled for permits, and a stream of them.
///
/// It keeps its place in line between two polls. Clones have places of their own.
///
/// # Examples
///
/// ```
/// use std::future::poll_fn;
/// use std::sync::Arc;
/// use henge::sync::{PollSemaphore, Semaphore};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut semaphore = PollSemaphore::new(Arc::new(Semaphore::new(1)));
/// let permit = poll_fn(|cx| semaphore.poll_acquire(cx)).await.unwrap();
/// assert_eq!(semaphore.available_permits(), 0);
/// # drop(permit);
/// # }
/// ```
pub struct PollSemaphore {
    semaphore: Arc<Semaphore>,
    /// The place in line, and for how many permits.
    waiting: Option<(u32, Pin<Box<Acquire>>)>,
}

impl PollSemaphore {
    /// Wraps a semaphore.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{PollSemaphore, Semaphore};
    /// let semaphore = PollSemaphore::new(Semaphore::new(2).into());
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    pub fn new(semaphore: Arc<Semaphore>) -> Self {
        Self { semaphore, waiting: None }
    }

    /// Closes the semaphore; see [`Semaphore::close`].
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{PollSemaphore, Semaphore};
    /// let semaphore = PollSemaphore::new(Semaphore::new(2).into());
    /// semaphore.close();
    /// assert!(semaphore.clone_inner().is_closed());
    /// ```
    pub fn close(&self) {
        self.semaphore.close();
    }

    /// The semaphore that is wrapped.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{PollSemaphore, Semaphore};
    /// let semaphore = PollSemaphore::new(Semaphore::new(2).into());
    /// let permit = semaphore.clone_inner().try_acquire_owned();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # drop(permit);
    /// ```
    pub fn clone_inner(&self) -> Arc<Semaphore> {
        Arc::clone(&self.semaphore)
    }

    /// Unwraps the semaphore. A place in line is given up.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{PollSemaphore, Semaphore};
    /// let semaphore = PollSemaphore::new(Semaphore::new(2).into());
    /// assert_eq!(semaphore.into_inner().available_permits(), 2);
    /// ```
    pub fn into_inner(self) -> Arc<Semaphore> {
        self.semaphore
    }

    /// Polls for a permit; `None` once the semaphore is closed. The waker of the last call is the
    /// one that is woken.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    /// use henge::sync::{PollSemaphore, Semaphore};
    ///
    /// let mut semaphore = PollSemaphore::new(Semaphore::new(0).into());
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert!(semaphore.poll_acquire(&mut cx).is_pending());
    /// semaphore.add_permits(1);
    /// assert!(matches!(semaphore.poll_acquire(&mut cx), Poll::Ready(Some(_))));
    /// ```
    pub fn poll_acquire(&mut self, cx: &mut Context<'_>) -> Poll<Option<OwnedSemaphorePermit>> {
        self.poll_acquire_many(cx, 1)
    }

    /// Polls for `permits` permits, which are taken together; `None` once the semaphore is closed.
    /// The waker of the last call is the one that is woken, and if that call asks for another
    /// number of permits than the one before it goes to the end of the line.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    /// use henge::sync::{PollSemaphore, Semaphore};
    ///
    /// let mut semaphore = PollSemaphore::new(Semaphore::new(3).into());
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert!(semaphore.poll_acquire_many(&mut cx, 4).is_pending());
    /// let Poll::Ready(Some(permits)) = semaphore.poll_acquire_many(&mut cx, 3) else {
    ///     panic!("there are three");
    /// };
    /// assert_eq!(permits.num_permits(), 3);
    /// ```
    pub fn poll_acquire_many(
        &mut self,
        cx: &mut Context<'_>,
        permits: u32,
    ) -> Poll<Option<OwnedSemaphorePermit>> {
        // Who asks for another number gives its place up first, as it may hold what is asked for.
        self.waiting.take_if(|(asked, _)| *asked != permits);
        if self.waiting.is_none() {
            // What is there needs no allocation.
            match self.clone_inner().try_acquire_many_owned(permits) {
                Ok(permit) => return Poll::Ready(Some(permit)),
                Err(TryAcquireError::Closed) => return Poll::Ready(None),
                Err(TryAcquireError::NoPermits) => {}
            }
        }
        let semaphore = &self.semaphore;
        let (_, place) = self.waiting.get_or_insert_with(|| {
            (permits, Box::pin(Arc::clone(semaphore).acquire_many_owned(permits)))
        });
        let acquired = ready!(place.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(acquired.ok())
    }

    /// How many permits are free now.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{PollSemaphore, Semaphore};
    /// assert_eq!(PollSemaphore::new(Semaphore::new(2).into()).available_permits(), 2);
    /// ```
    pub fn available_permits(&self) -> usize {
        self.semaphore.available_permits()
    }

    /// Adds `n` permits.
    ///
    /// # Panics
    ///
    /// If there would be more than [`Semaphore::MAX_PERMITS`].
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{PollSemaphore, Semaphore};
    /// let semaphore = PollSemaphore::new(Semaphore::new(0).into());
    /// semaphore.add_permits(2);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.semaphore.add_permits(n);
    }
}

impl Stream for PollSemaphore {
    type Item = OwnedSemaphorePermit;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<OwnedSemaphorePermit>> {
        self.poll_acquire(cx)
    }
}

impl Clone for PollSemaphore {
    /// The same semaphore, without a place in line.
    fn clone(&self) -> Self {
        Self::new(self.clone_inner())
    }
}

impl AsRef<Semaphore> for PollSemaphore {
    fn as_ref(&self) -> &Semaphore {
        &self.semaphore
    }
}

impl fmt::Debug for PollSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollSemaphore").field("semaphore", &self.semaphore).finish()
    }
}
