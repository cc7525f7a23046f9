//! What goes wrong with time.

use std::fmt;
use std::io;

/// The future of a [`timeout`](super::timeout()) was not ready in time.
///
/// # Examples
/// ```
/// use henge::time::{Duration, error::Elapsed, timeout};
///
/// #[henge::main(flavor = "current_thread")]
/// async fn main() {
///     let late = timeout(Duration::from_millis(1), std::future::pending::<()>()).await;
///     let error: Elapsed = late.unwrap_err();
///     assert_eq!(error.to_string(), "deadline has elapsed");
///     assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::TimedOut);
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl Elapsed {
    pub(super) fn new() -> Self {
        Elapsed(())
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        "deadline has elapsed".fmt(f)
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(_: Elapsed) -> io::Error {
        io::ErrorKind::TimedOut.into()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Shutdown,
    AtCapacity,
    Invalid,
}

/// An error of the timer itself. No function of henge returns it: a wheel takes any deadline and
/// any number of timers. It is here for libraries that name tokio's.
///
/// # Examples
/// ```
/// use henge::time::error::Error;
///
/// assert!(Error::at_capacity().is_at_capacity());
/// assert!(!Error::at_capacity().is_shutdown());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Error(Kind);

impl Error {
    /// The runtime that the timer belonged to is gone.
    ///
    /// # Examples
    /// ```
    /// assert!(henge::time::error::Error::shutdown().is_shutdown());
    /// ```
    #[must_use]
    pub fn shutdown() -> Error {
        Error(Kind::Shutdown)
    }

    /// Whether this is [`shutdown`](Error::shutdown).
    ///
    /// # Examples
    /// ```
    /// assert!(!henge::time::error::Error::invalid().is_shutdown());
    /// ```
    #[must_use]
    pub fn is_shutdown(&self) -> bool {
        self.0 == Kind::Shutdown
    }

    /// There are as many timers as there can be.
    ///
    /// # Examples
    /// ```
    /// assert!(henge::time::error::Error::at_capacity().is_at_capacity());
    /// ```
    #[must_use]
    pub fn at_capacity() -> Error {
        Error(Kind::AtCapacity)
    }

    /// Whether this is [`at_capacity`](Error::at_capacity).
    ///
    /// # Examples
    /// ```
    /// assert!(!henge::time::error::Error::invalid().is_at_capacity());
    /// ```
    #[must_use]
    pub fn is_at_capacity(&self) -> bool {
        self.0 == Kind::AtCapacity
    }

    /// The deadline is too far away.
    ///
    /// # Examples
    /// ```
    /// assert!(henge::time::error::Error::invalid().is_invalid());
    /// ```
    #[must_use]
    pub fn invalid() -> Error {
        Error(Kind::Invalid)
    }

    /// Whether this is [`invalid`](Error::invalid).
    ///
    /// # Examples
    /// ```
    /// assert!(!henge::time::error::Error::shutdown().is_invalid());
    /// ```
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.0 == Kind::Invalid
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Shutdown => "the timer's runtime has been shut down",
            Kind::AtCapacity => "timer is at capacity and cannot create a new entry",
            Kind::Invalid => "timer duration exceeds maximum duration",
        })
    }
}

impl std::error::Error for Error {}
