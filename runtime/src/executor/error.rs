//! Why a task has no result.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Mutex;

use super::id::Id;

/// A task was cancelled, or it panicked.
///
/// # Examples
/// ```
/// # let runtime = henge::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let error = henge::spawn(async { panic!("boom") }).await.unwrap_err();
/// assert!(error.is_panic());
/// # });
/// ```
pub struct JoinError {
    repr: Repr,
    id: Id,
}

enum Repr {
    Cancelled,
    // The payload is only Send; behind a lock the error is Sync as well.
    Panic(Mutex<Box<dyn Any + Send + 'static>>),
}

impl JoinError {
    pub(crate) fn cancelled(id: Id) -> Self {
        Self { repr: Repr::Cancelled, id }
    }

    pub(crate) fn panic(id: Id, payload: Box<dyn Any + Send + 'static>) -> Self {
        Self { repr: Repr::Panic(Mutex::new(payload)), id }
    }

    /// Whether the task was aborted, or its runtime was shut down.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = henge::spawn(std::future::pending::<()>());
    /// task.abort();
    /// let error = task.await.unwrap_err();
    /// assert!(error.is_cancelled(), "somebody wanted it to end: no fault of the task");
    /// # }
    /// ```
    pub fn is_cancelled(&self) -> bool {
        matches!(self.repr, Repr::Cancelled)
    }

    /// Whether the task panicked.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut tries = 0;
    /// let up = loop {
    ///     tries += 1;
    ///     match henge::spawn(async move { assert!(tries > 1, "the first try fails") }).await {
    ///         Err(error) if error.is_panic() => continue,
    ///         ended => break ended.is_ok(),
    ///     }
    /// };
    /// assert_eq!((up, tries), (true, 2));
    /// # }
    /// ```
    pub fn is_panic(&self) -> bool {
        matches!(self.repr, Repr::Panic(_))
    }

    /// What the task panicked with.
    ///
    /// # Panics
    /// If the task did not panic. See [`try_into_panic`](Self::try_into_panic).
    ///
    /// # Examples
    /// ```
    /// # let runtime = henge::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let error = henge::spawn(async { panic!("boom") }).await.unwrap_err();
    /// assert_eq!(*error.into_panic().downcast_ref::<&str>().unwrap(), "boom");
    /// # });
    /// ```
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        self.try_into_panic().expect("`JoinError` reason is not a panic.")
    }

    /// What the task panicked with, or the error itself if it did not.
    ///
    /// # Errors
    /// The error itself, if the task was cancelled.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = henge::spawn(async { panic!("boom") });
    /// match task.await.unwrap_err().try_into_panic() {
    ///     Ok(panic) => assert_eq!(panic.downcast_ref(), Some(&"boom")),
    ///     Err(cancelled) => unreachable!("{cancelled}"),
    /// }
    /// # }
    /// ```
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.repr {
            Repr::Panic(payload) => {
                Ok(payload.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
            }
            Repr::Cancelled => Err(self),
        }
    }

    /// Which task it was.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let good = henge::spawn(async {});
    /// let bad = henge::spawn(async { panic!("boom") });
    /// let (good_id, bad_id) = (good.id(), bad.id());
    /// let error = henge::try_join!(good, bad).unwrap_err();
    /// assert!(error.id() == bad_id && error.id() != good_id);
    /// # }
    /// ```
    pub fn id(&self) -> Id {
        self.id
    }

    /// The panic's text, if it has one: it nearly always does.
    fn message(&self) -> Option<String> {
        let Repr::Panic(payload) = &self.repr else { return None };
        let payload = payload.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&'static str>().copied()).map(str::to_owned)
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.repr, self.message()) {
            (Repr::Cancelled, _) => write!(f, "task {} was cancelled", self.id),
            (Repr::Panic(_), Some(text)) => {
                write!(f, "task {} panicked with message {text:?}", self.id)
            }
            (Repr::Panic(_), None) => write!(f, "task {} panicked", self.id),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.repr, self.message()) {
            (Repr::Cancelled, _) => write!(f, "JoinError::Cancelled({:?})", self.id),
            (Repr::Panic(_), Some(text)) => {
                write!(f, "JoinError::Panic({:?}, {text:?}, ...)", self.id)
            }
            (Repr::Panic(_), None) => write!(f, "JoinError::Panic({:?}, ...)", self.id),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(match error.repr {
            Repr::Cancelled => "task was cancelled",
            Repr::Panic(_) => "task panicked",
        })
    }
}
