//! Guards: what was known of a descriptor, and the right to say that it is so no more.

mod exclusive;
mod known;
mod shared;

use std::error::Error;
use std::fmt;

pub use exclusive::AsyncFdReadyMutGuard;
pub use shared::AsyncFdReadyGuard;

/// A transfer answered `WouldBlock`, and the readiness has been cleared.
///
/// # Examples
///
/// ```
/// # use henge_net::async_fd::AsyncFd;
/// # use henge_net::readiness::{Interest, Ready};
/// # use std::io::{Read, Write};
/// # use std::os::unix::net::UnixStream;
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (a, mut b) = UnixStream::pair()?;
/// a.set_nonblocking(true)?;
/// let mut a = AsyncFd::new(a)?;
/// use henge_net::async_fd::TryIoError;
///
/// b.write_all(b"x")?;
/// let mut guard = a.readable().await?;
/// let blocked: Result<_, TryIoError> =
///     guard.try_io(|_| std::io::Result::<()>::Err(std::io::ErrorKind::WouldBlock.into()));
/// assert!(blocked.is_err());
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TryIoError(());

impl TryIoError {
    fn new() -> TryIoError {
        TryIoError(())
    }
}

impl fmt::Display for TryIoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the transfer would have waited")
    }
}

impl Error for TryIoError {}
