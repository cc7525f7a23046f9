//! Errors of the watch channel.

use std::fmt;

/// Nobody receives; the value comes back.
///
/// # Examples
///
/// ```
/// let (tx, rx) = henge::sync::watch::channel(0);
/// drop(rx);
/// assert_eq!(tx.send(1).unwrap_err().0, 1);
/// ```
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct SendError<T>(pub T);

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl<T> std::error::Error for SendError<T> {}

/// There is no sender any more.
///
/// # Examples
///
/// ```
/// let (tx, rx) = henge::sync::watch::channel(0);
/// drop(tx);
/// assert_eq!(rx.has_changed().unwrap_err().to_string(), "channel closed");
/// ```
#[derive(Debug, Clone)]
pub struct RecvError(());

impl RecvError {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl std::error::Error for RecvError {}
