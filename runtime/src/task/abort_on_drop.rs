//! Handles that abort their task when they are dropped.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::executor::{AbortHandle, JoinError, JoinHandle};

/// A [`JoinHandle`] that aborts its task when it is dropped, instead of letting it run on.
///
/// # Examples
///
/// ```
/// use henge::task::AbortOnDropHandle;
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = AbortOnDropHandle::new(henge::spawn(async { 1 }));
/// assert_eq!(task.await.unwrap(), 1);
///
/// let task = AbortOnDropHandle::new(henge::spawn(std::future::pending::<()>()));
/// drop(task); // and with it goes the future
/// # }
/// ```
#[must_use = "the task is aborted when the handle is dropped"]
pub struct AbortOnDropHandle<T> {
    /// `None` once detached.
    handle: Option<JoinHandle<T>>,
}

impl<T> AbortOnDropHandle<T> {
    /// Makes the task end with this handle.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::task::AbortOnDropHandle;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = AbortOnDropHandle::new(henge::spawn(async { 1 }));
    /// assert!(!task.is_finished());
    /// # }
    /// ```
    pub fn new(handle: JoinHandle<T>) -> Self {
        Self { handle: Some(handle) }
    }

    fn handle(&self) -> &JoinHandle<T> {
        self.handle.as_ref().expect("a handle is detached by value, so it is gone after that")
    }

    /// Aborts the task, as [`JoinHandle::abort`].
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::task::AbortOnDropHandle;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = AbortOnDropHandle::new(henge::spawn(std::future::pending::<()>()));
    /// task.abort();
    /// assert!(task.await.unwrap_err().is_cancelled());
    /// # }
    /// ```
    pub fn abort(&self) {
        self.handle().abort();
    }

    /// Whether the task is done, as [`JoinHandle::is_finished`].
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::task::{AbortOnDropHandle, yield_now};
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = AbortOnDropHandle::new(henge::spawn(async {}));
    /// yield_now().await;
    /// assert!(task.is_finished());
    /// # }
    /// ```
    pub fn is_finished(&self) -> bool {
        self.handle().is_finished()
    }

    /// A handle that can abort the task, and does not when it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::task::AbortOnDropHandle;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = AbortOnDropHandle::new(henge::spawn(std::future::pending::<()>()));
    /// task.abort_handle().abort();
    /// assert!(task.await.is_err());
    /// # }
    /// ```
    pub fn abort_handle(&self) -> AbortHandle {
        self.handle().abort_handle()
    }

    /// Gives the handle back: the task runs on when that is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::task::AbortOnDropHandle;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = AbortOnDropHandle::new(henge::spawn(async { 1 }));
    /// assert_eq!(task.detach().await.unwrap(), 1);
    /// # }
    /// ```
    pub fn detach(mut self) -> JoinHandle<T> {
        self.handle.take().expect("a handle is detached once")
    }
}

impl<T> Drop for AbortOnDropHandle<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }
}

impl<T> Future for AbortOnDropHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self.handle.as_mut().expect("what is detached is not polled");
        Pin::new(handle).poll(cx)
    }
}

impl<T> AsRef<JoinHandle<T>> for AbortOnDropHandle<T> {
    fn as_ref(&self) -> &JoinHandle<T> {
        self.handle()
    }
}

impl<T> fmt::Debug for AbortOnDropHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortOnDropHandle").field("id", &self.handle().id()).finish()
    }
}

/// An [`AbortHandle`] that aborts its task when it is dropped.
///
/// # Examples
///
/// ```
/// use henge::task::AbortOnDrop;
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = henge::spawn(std::future::pending::<()>());
/// drop(AbortOnDrop::new(task.abort_handle()));
/// assert!(task.await.unwrap_err().is_cancelled());
/// # }
/// ```
#[must_use = "the task is aborted when the handle is dropped"]
pub struct AbortOnDrop {
    /// `None` once detached.
    handle: Option<AbortHandle>,
}

impl AbortOnDrop {
    /// Makes the task end with this handle.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::task::AbortOnDrop;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = henge::spawn(async { 1 });
    /// let guard = AbortOnDrop::new(task.abort_handle());
    /// assert_eq!(task.await.unwrap(), 1);
    /// drop(guard); // too late to do anything
    /// # }
    /// ```
    pub fn new(handle: AbortHandle) -> Self {
        Self { handle: Some(handle) }
    }

    fn handle(&self) -> &AbortHandle {
        self.handle.as_ref().expect("a handle is detached by value, so it is gone after that")
    }

    /// Aborts the task, as [`AbortHandle::abort`].
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::task::AbortOnDrop;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = henge::spawn(std::future::pending::<()>());
    /// let guard = AbortOnDrop::new(task.abort_handle());
    /// guard.abort();
    /// assert!(task.await.is_err());
    /// # }
    /// ```
    pub fn abort(&self) {
        self.handle().abort();
    }

    /// Whether the task is done, as [`AbortHandle::is_finished`].
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::task::AbortOnDrop;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = henge::spawn(async {});
    /// let guard = AbortOnDrop::new(task.abort_handle());
    /// task.await.unwrap();
    /// assert!(guard.is_finished());
    /// # }
    /// ```
    pub fn is_finished(&self) -> bool {
        self.handle().is_finished()
    }

    /// Gives the handle back: the task runs on when that is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::task::AbortOnDrop;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = henge::spawn(async { 1 });
    /// drop(AbortOnDrop::new(task.abort_handle()).detach());
    /// assert_eq!(task.await.unwrap(), 1);
    /// # }
    /// ```
    pub fn detach(mut self) -> AbortHandle {
        self.handle.take().expect("a handle is detached once")
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }
}

impl fmt::Debug for AbortOnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortOnDrop").field("id", &self.handle().id()).finish()
    }
}
