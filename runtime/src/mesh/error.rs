//! Why a call has no answer.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

/// A call to another shard ended without an answer.
///
/// # Examples
/// ```
/// use henge::mesh::CallError;
/// use henge::shard::ShardId;
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() {
///     let answer = ShardId::new(1).call_sync(|| -> u32 { panic!("boom") }).await;
///     match answer {
///         Err(CallError::Panicked(panic)) => assert_eq!(panic.message(), Some("boom".into())),
///         other => unreachable!("{other:?}"),
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// What was called panicked over there. The shard lives on.
    Panicked(Panicked),
    /// The shard has ended, or did before it came to the end of the call. Whether it has begun
    /// nobody can say. From a [`Sharded`](super::Sharded) also: the service was stopped.
    Closed,
}

/// What a call panicked with.
///
/// # Examples
/// ```
/// use henge::mesh::{CallError, Panicked};
/// use henge::shard::ShardId;
///
/// fn log(panic: &Panicked) -> String {
///     format!("shard 1: {}", panic.message().as_deref().unwrap_or("a panic without words"))
/// }
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() {
///     let find = || [1, 2, 3].iter().position(|n| *n == 4).unwrap();
///     let found = ShardId::new(1).call_sync(find).await;
///     let Err(CallError::Panicked(panic)) = found else { unreachable!("there is no 4") };
///     assert!(log(&panic).starts_with("shard 1: called `Option::unwrap()`"));
/// }
/// ```
pub struct Panicked {
    // The payload is only Send; behind a lock the error is Sync as well.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl CallError {
    pub(super) fn panicked(payload: Box<dyn Any + Send>) -> CallError {
        CallError::Panicked(Panicked { payload: Mutex::new(payload) })
    }

    /// Whether the shard has ended, or the service was stopped.
    ///
    /// # Examples
    /// ```
    /// use henge::mesh::{CallError, Sharded};
    /// use henge::shard::ShardId;
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), CallError> {
    ///     let cache = Sharded::start(|_shard| async { 7 }).await?;
    ///     let late = cache.clone();
    ///     cache.stop().await;
    ///     let answer = late.invoke_on(ShardId::new(1), async |seven: &u32| *seven).await;
    ///     assert!(answer.is_err_and(|error| error.is_closed()));
    ///     Ok(())
    /// }
    /// ```
    pub fn is_closed(&self) -> bool {
        matches!(self, CallError::Closed)
    }

    /// Whether what was called panicked.
    ///
    /// # Examples
    /// ```
    /// use henge::mesh::CallError;
    /// use henge::shard::ShardId;
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), CallError> {
    ///     let there = ShardId::new(1);
    ///     let parsed = there.call_sync(|| "12a".parse::<u32>().unwrap()).await;
    ///     assert!(parsed.is_err_and(|error| error.is_panic()));
    ///     assert_eq!(there.call_sync(|| 12).await?, 12, "the shard lives on");
    ///     Ok(())
    /// }
    /// ```
    pub fn is_panic(&self) -> bool {
        matches!(self, CallError::Panicked(_))
    }
}

impl Panicked {
    /// The panic's payload, for [`resume_unwind`](std::panic::resume_unwind).
    ///
    /// # Examples
    /// ```
    /// use std::panic::{panic_any, resume_unwind};
    /// use henge::mesh::CallError;
    /// use henge::shard::ShardId;
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() {
    ///     // A task that fails as what it has called fails.
    ///     let task = henge::spawn(async {
    ///         match ShardId::new(1).call_sync(|| -> u32 { panic_any(42) }).await {
    ///             Err(CallError::Panicked(panic)) => resume_unwind(panic.into_payload()),
    ///             other => other,
    ///         }
    ///     });
    ///     let payload = task.await.unwrap_err().into_panic();
    ///     assert_eq!(payload.downcast_ref(), Some(&42));
    /// }
    /// ```
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.payload.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The panic's text, if it has one: it nearly always does.
    ///
    /// # Examples
    /// ```
    /// use std::panic::panic_any;
    /// use henge::mesh::CallError;
    /// use henge::shard::ShardId;
    ///
    /// fn text(answer: Result<(), CallError>) -> Option<String> {
    ///     match answer {
    ///         Err(CallError::Panicked(panic)) => panic.message(),
    ///         _ => None,
    ///     }
    /// }
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() {
    ///     let there = ShardId::new(1);
    ///     let spoken = there.call_sync(|| panic!("no row {}", 7)).await;
    ///     assert_eq!(text(spoken).as_deref(), Some("no row 7"));
    ///     let silent = there.call_sync(|| panic_any(42)).await;
    ///     assert_eq!(text(silent), None);
    /// }
    /// ```
    pub fn message(&self) -> Option<String> {
        let payload = self.payload.lock().unwrap_or_else(PoisonError::into_inner);
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&'static str>().copied()).map(str::to_owned)
    }
}

impl fmt::Debug for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panicked").field(&self.message()).finish()
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Closed => f.write_str("the shard has ended, or the service was stopped"),
            CallError::Panicked(panic) => match panic.message() {
                Some(text) => write!(f, "the call panicked with message {text:?}"),
                None => f.write_str("the call panicked"),
            },
        }
    }
}

impl std::error::Error for CallError {}

impl From<CallError> for io::Error {
    fn from(error: CallError) -> io::Error {
        io::Error::other(error)
    }
}
