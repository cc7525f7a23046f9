//! Errors of the broadcast channel.

use std::fmt;

/// Nobody receives; the message comes back.
///
/// # Examples
///
/// ```
/// let (tx, rx) = henge::sync::broadcast::channel(1);
/// drop(rx);
/// assert_eq!(tx.send(1).unwrap_err().0, 1);
/// ```
#[derive(Debug)]
pub struct SendError<T>(pub T);

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl<T: fmt::Debug> std::error::Error for SendError<T> {}

/// There is no next message.
///
/// # Examples
///
/// ```
/// use henge::sync::broadcast::{channel, error::RecvError};
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = channel(2);
/// for n in 0..5 {
///     tx.send(n).unwrap();
/// }
/// assert_eq!(rx.recv().await, Err(RecvError::Lagged(3)));
/// assert_eq!(rx.recv().await, Ok(3));
/// # }
/// ```
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum RecvError {
    /// All messages were received, and there is no sender any more.
    Closed,
    /// The receiver was too slow and has missed so many messages. The next one that it gets is the
    /// oldest that is kept.
    Lagged(u64),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("channel closed"),
            Self::Lagged(missed) => write!(f, "channel lagged by {missed}"),
        }
    }
}

impl std::error::Error for RecvError {}

/// There is no message to be had without waiting.
///
/// # Examples
///
/// ```
/// use henge::sync::broadcast::{channel, error::TryRecvError};
/// let (_tx, mut rx) = channel::<()>(2);
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
/// ```
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum TryRecvError {
    /// All messages were received.
    Empty,
    /// All messages were received, and there is no sender any more.
    Closed,
    /// The receiver was too slow and has missed so many messages. The next one that it gets is the
    /// oldest that is kept.
    Lagged(u64),
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("channel empty"),
            Self::Closed => f.write_str("channel closed"),
            Self::Lagged(missed) => write!(f, "channel lagged by {missed}"),
        }
    }
}

impl std::error::Error for TryRecvError {}
