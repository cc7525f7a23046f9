//! Foreign descriptors: waiting until they are ready, the transfers being somebody else's.
//!
//! For what has an event loop's interface and no operation of the ring: an inotify or a timer
//! descriptor, a tunnel device, the socket of a C library.

mod guard;
mod poll;
mod register;
mod transfer;
mod wait;

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

pub use guard::{AsyncFdReadyGuard, AsyncFdReadyMutGuard, TryIoError};
pub use register::{AsyncFdRegisterError, AsyncFdTryNewError};

use crate::readiness::source::Source;

/// A descriptor of somebody else's, to be waited for: tokio's type of the same name.
///
/// What is known of it is kept until somebody clears it, and then waits for the next *event*; see
/// the guards. The polls behind it belong to the drivers that wait, so it works on whatever shard
/// it is polled. Dropping it stops them, then drops what is watched.
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
/// let mut word = [0; 5];
/// loop {
///     let mut guard = a.readable_mut().await?;
///     match guard.try_io(|a| a.get_mut().read(&mut word)) {
///         Ok(read) => break assert_eq!(read?, 5),
///         Err(_would_block) => continue,
///     }
/// }
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct AsyncFd<T: AsRawFd> {
    source: Arc<Source>,
    /// `None` once given up.
    inner: Option<T>,
}

impl<T: AsRawFd> AsyncFd<T> {
    /// What is watched.
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
    /// assert!(a.get_ref().peer_addr()?.is_unnamed());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn get_ref(&self) -> &T {
        self.inner.as_ref().expect("it is given up by value, so once")
    }

    /// What is watched, to be changed. The descriptor must stay the same.
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
    /// a.get_mut().write_all(b"hello")?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("it is given up by value, so once")
    }

    /// Stops watching, and gives back what was watched.
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
    /// let a: UnixStream = a.into_inner();
    /// # drop(a);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_inner(mut self) -> T {
        self.source.close();
        self.inner.take().expect("it is given up by value, so once")
    }
}

impl<T: AsRawFd> Drop for AsyncFd<T> {
    fn drop(&mut self) {
        if self.inner.is_some() {
            self.source.close();
        }
    }
}

impl<T: AsRawFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.get_ref().as_raw_fd()
    }
}

impl<T: AsRawFd + AsFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd").field("inner", &self.inner).finish_non_exhaustive()
    }
}
