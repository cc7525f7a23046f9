//! How a descriptor comes to be watched.

use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use henge_driver::sys::poll;

use super::AsyncFd;
use crate::readiness::Interest;
use crate::readiness::source::Source;

impl<T: AsRawFd> AsyncFd<T> {
    /// Watches `inner` for being readable and writable. The descriptor should be non-blocking, and
    /// stay the same and open for as long as `inner` lives; where it does not, what is told may be
    /// about another file, and nothing worse.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the descriptor is not open.
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
    /// b.write_all(b"hello")?;
    /// let mut guard = a.readable_mut().await?;
    /// assert!(guard.try_io(|a| a.get_mut().read(&mut [0; 8])).is_ok());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(inner: T) -> io::Result<AsyncFd<T>> {
        AsyncFd::with_interest(inner, Interest::READABLE | Interest::WRITABLE)
    }

    /// As [`new`](AsyncFd::new), for these interests. Others can be waited for all the same; these
    /// are watched from the start, if this thread has a driver.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the descriptor is not open.
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
    /// let b = AsyncFd::with_interest(b, Interest::WRITABLE)?;
    /// b.writable().await?.retain_ready();
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_interest(inner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
        AsyncFd::try_with_interest(inner, interest).map_err(io::Error::from)
    }

    /// As [`new`](AsyncFd::new), and gives `inner` back if it fails.
    ///
    /// # Errors
    ///
    /// As [`new`](AsyncFd::new), with `inner`.
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
    /// let closed = AsyncFd::try_new(-1).unwrap_err();
    /// assert_eq!(closed.into_parts().0, -1);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_new(inner: T) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::try_with_interest(inner, Interest::READABLE | Interest::WRITABLE)
    }

    /// As [`with_interest`](AsyncFd::with_interest), and gives `inner` back if it fails.
    ///
    /// # Errors
    ///
    /// As [`new`](AsyncFd::new), with `inner`.
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
    /// assert!(AsyncFd::try_with_interest(-1, Interest::READABLE).is_err());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        let number = inner.as_raw_fd();
        if !poll::is_open(number) {
            let why = io::Error::new(io::ErrorKind::InvalidInput, "the descriptor is not open");
            return Err(AsyncFdRegisterError { inner, why });
        }
        let source = Source::borrowed(number);
        // Without a driver it is watched when somebody waits.
        let _no_driver = source.watch(interest);
        Ok(AsyncFd { source, inner: Some(inner) })
    }

    /// tokio's name for [`try_new`](AsyncFd::try_new). It is unsafe there; here nothing can go
    /// wrong that would concern memory.
    ///
    /// # Errors
    ///
    /// As [`new`](AsyncFd::new), with `inner`.
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
    /// let b = AsyncFd::register(b).map_err(std::io::Error::from)?;
    /// b.writable().await?.retain_ready();
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn register(inner: T) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::try_new(inner)
    }

    /// tokio's name for [`try_with_interest`](AsyncFd::try_with_interest); see
    /// [`register`](AsyncFd::register).
    ///
    /// # Errors
    ///
    /// As [`new`](AsyncFd::new), with `inner`.
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
    /// let b = AsyncFd::register_with_interest(b, Interest::WRITABLE);
    /// let b = b.map_err(std::io::Error::from)?;
    /// b.writable().await?.retain_ready();
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn register_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::try_with_interest(inner, interest)
    }
}

/// A descriptor could not be watched; it comes back.
///
/// # Examples
///
/// ```
/// use henge_net::async_fd::AsyncFd;
///
/// let (number, why) = AsyncFd::try_new(-1).unwrap_err().into_parts();
/// assert_eq!(number, -1);
/// assert_eq!(why.kind(), std::io::ErrorKind::InvalidInput);
/// ```
pub struct AsyncFdRegisterError<T> {
    inner: T,
    why: io::Error,
}

/// tokio's older name of [`AsyncFdRegisterError`].
///
/// # Examples
///
/// ```
/// use henge_net::async_fd::{AsyncFd, AsyncFdTryNewError};
///
/// let closed: Result<AsyncFd<i32>, AsyncFdTryNewError<i32>> = AsyncFd::try_new(-1);
/// assert_eq!(closed.unwrap_err().to_string(), "the descriptor is not open");
/// ```
pub type AsyncFdTryNewError<T> = AsyncFdRegisterError<T>;

impl<T> AsyncFdRegisterError<T> {
    /// What was to be watched, and why it is not.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::async_fd::AsyncFd;
    ///
    /// let (number, _why) = AsyncFd::try_new(-1).unwrap_err().into_parts();
    /// assert_eq!(number, -1);
    /// ```
    pub fn into_parts(self) -> (T, io::Error) {
        (self.inner, self.why)
    }
}

impl<T> fmt::Display for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<T> fmt::Debug for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<T> Error for AsyncFdRegisterError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.why)
    }
}

impl<T> From<AsyncFdRegisterError<T>> for io::Error {
    fn from(error: AsyncFdRegisterError<T>) -> io::Error {
        error.why
    }
}
