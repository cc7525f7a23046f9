//! The guard of a wait by `&mut self`.

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use super::TryIoError;
use super::known::{guarded, knows};
use crate::async_fd::AsyncFd;
use crate::readiness::Ready;
use crate::readiness::source::Event;

/// As [`AsyncFdReadyGuard`](super::AsyncFdReadyGuard), with access to what is watched.
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
/// assert_eq!(guard.get_inner_mut().read(&mut [0; 8])?, 5);
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "a transfer that finds nothing is to be told to the guard"]
pub struct AsyncFdReadyMutGuard<'a, T: AsRawFd> {
    fd: &'a mut AsyncFd<T>,
    /// `None` once cleared.
    event: Option<Event>,
}

impl<'a, T: AsRawFd> AsyncFdReadyMutGuard<'a, T> {
    pub(in crate::async_fd) fn new(
        fd: &'a mut AsyncFd<T>,
        event: Event,
    ) -> AsyncFdReadyMutGuard<'a, T> {
        AsyncFdReadyMutGuard { fd, event: Some(event) }
    }

    /// Calls `f`; if it answers `WouldBlock`, the readiness is cleared.
    ///
    /// # Errors
    ///
    /// [`TryIoError`] if `f` answered `WouldBlock`; all other answers are within.
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
    /// let read = guard.try_io(|a| a.get_mut().read(&mut [0; 8]));
    /// assert_eq!(read.expect("there is something")?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&mut AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        match f(self.fd) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.clear_ready();
                Err(TryIoError::new())
            }
            done => Ok(done),
        }
    }

    /// The watched descriptor.
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
    /// let again: &AsyncFd<UnixStream> = guard.get_ref();
    /// # let _ = again;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get_ref(&self) -> &AsyncFd<T> {
        self.fd
    }

    /// The watched descriptor, to be changed.
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
    /// let again: &mut AsyncFd<UnixStream> = guard.get_mut();
    /// # let _ = again;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get_mut(&mut self) -> &mut AsyncFd<T> {
        self.fd
    }

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
    /// b.write_all(b"hello")?;
    /// let mut guard = a.readable_mut().await?;
    /// let inner: &UnixStream = guard.get_inner();
    /// # let _ = inner;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get_inner(&self) -> &T {
        self.fd.get_ref()
    }

    /// What is watched, to be changed.
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
    /// let inner: &mut UnixStream = guard.get_inner_mut();
    /// # let _ = inner;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get_inner_mut(&mut self) -> &mut T {
        self.fd.get_mut()
    }
}

knows!(AsyncFdReadyMutGuard, "readable_mut");
