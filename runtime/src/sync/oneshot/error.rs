//! Errors of the one-message channel.

use std::fmt;

/// The sender was dropped without sending.
///
/// # Examples
///
/// ```
/// let (tx, rx) = henge::sync::oneshot::channel::<()>();
/// drop(tx);
/// assert_eq!(rx.blocking_recv().unwrap_err().to_string(), "channel closed");
/// ```
#[derive(Debug, Eq, PartialEq, Clone)]
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

/// There is no message to be had without waiting.
///
/// # Examples
///
/// ```
/// use henge::sync::oneshot::{channel, error::TryRecvError};
/// let (_tx, mut rx) = channel::<()>();
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
/// ```
#[derive(Debug, Eq, PartialEq, Clone)]
pub enum TryRecvError {
    /// It may yet come.
    Empty,
    /// It cannot come any more, or was received.
    Closed,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "channel empty",
            Self::Closed => "channel closed",
        })
    }
}

impl std::error::Error for TryRecvError {}
