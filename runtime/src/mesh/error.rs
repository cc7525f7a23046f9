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
    /// nobody can say.
    Closed,
}

/// What a call panicked with.
pub struct Panicked {
    // The payload is only Send; behind a lock the error is Sync as well.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl CallError {
    pub(super) fn panicked(payload: Box<dyn Any + Send>) -> CallError {
        CallError::Panicked(Panicked { payload: Mutex::new(payload) })
    }

    /// Whether the shard has ended.
    pub fn is_closed(&self) -> bool {
        matches!(self, CallError::Closed)
    }

    /// Whether what was called panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self, CallError::Panicked(_))
    }
}

impl Panicked {
    /// The panic's payload, for [`resume_unwind`](std::panic::resume_unwind).
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.payload.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The panic's text, if it has one: it nearly always does.
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
            CallError::Closed => f.write_str("the shard has ended"),
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
