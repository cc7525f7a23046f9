//! Guards: what was known of a descriptor, and the right to say that it is so no more.

use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use super::AsyncFd;
use crate::readiness::Ready;
use crate::readiness::source::Event;

/// What was known when the wait ended. Nothing is cleared by dropping it.
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
/// let guard = a.readable().await?;
/// assert!(guard.ready().is_readable());
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "a transfer that finds nothing is to be told to the guard"]
pub struct AsyncFdReadyGuard<'a, T: AsRawFd> {
    fd: &'a AsyncFd<T>,
    /// `None` once cleared.
    event: Option<Event>,
}

/// As [`AsyncFdReadyGuard`], with access to what is watched.
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

impl fmt::Display for TryIoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the transfer would have waited")
    }
}

impl Error for TryIoError {}

impl<'a, T: AsRawFd> AsyncFdReadyGuard<'a, T> {
    pub(super) fn new(fd: &'a AsyncFd<T>, event: Event) -> AsyncFdReadyGuard<'a, T> {
        AsyncFdReadyGuard { fd, event: Some(event) }
    }

    /// The descriptor is not ready any more: the next wait is for a new event. Call it when a
    /// transfer has found nothing; a readiness that was told since stays known.
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
    /// let mut guard = a.readable().await?;
    /// guard.clear_ready();
    /// b.write_all(b"more")?;
    /// a.readable().await?.retain_ready(); // by the new event
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn clear_ready(&mut self) {
        if let Some(event) = self.event.take() {
            self.fd.source.clear(event);
        }
    }

    /// As `clear_ready`, for a part of what the guard knows.
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
    /// let mut guard = a.readable().await?;
    /// guard.clear_ready_matching(Ready::READABLE);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        if let Some(event) = &mut self.event {
            let mut part = *event;
            part.ready = part.ready & ready;
            event.ready = event.ready - ready;
            self.fd.source.clear(part);
        }
    }

    /// The descriptor is still ready: says in a word that nothing is cleared.
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
    /// let mut guard = a.readable().await?;
    /// guard.retain_ready();
    /// a.readable().await?.retain_ready(); // at once
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn retain_ready(&mut self) {
        // Nothing is cleared unasked.
    }

    /// What the descriptor is ready for.
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
    /// let mut guard = a.readable().await?;
    /// assert!(guard.ready().is_readable());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ready(&self) -> Ready {
        self.event.map_or(Ready::EMPTY, |event| event.ready)
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
    /// let mut guard = a.readable().await?;
    /// let read = guard.try_io(|a| a.get_ref().read(&mut [0; 8]));
    /// assert_eq!(read.expect("there is something")?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&'a AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        match f(self.fd) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.clear_ready();
                Err(TryIoError(()))
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
    /// let mut guard = a.readable().await?;
    /// let again: &AsyncFd<UnixStream> = guard.get_ref();
    /// # let _ = again;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get_ref(&self) -> &'a AsyncFd<T> {
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
    /// let mut guard = a.readable().await?;
    /// let inner: &UnixStream = guard.get_inner();
    /// # let _ = inner;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get_inner(&self) -> &'a T {
        self.fd.get_ref()
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFdReadyGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFdReadyGuard")
            .field("fd", &self.fd)
            .field("ready", &self.ready())
            .finish()
    }
}

impl<'a, T: AsRawFd> AsyncFdReadyMutGuard<'a, T> {
    pub(super) fn new(fd: &'a mut AsyncFd<T>, event: Event) -> AsyncFdReadyMutGuard<'a, T> {
        AsyncFdReadyMutGuard { fd, event: Some(event) }
    }

    /// The descriptor is not ready any more: the next wait is for a new event. Call it when a
    /// transfer has found nothing; a readiness that was told since stays known.
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
    /// guard.clear_ready();
    /// b.write_all(b"more")?;
    /// a.readable().await?.retain_ready(); // by the new event
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn clear_ready(&mut self) {
        if let Some(event) = self.event.take() {
            self.fd.source.clear(event);
        }
    }

    /// As `clear_ready`, for a part of what the guard knows.
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
    /// guard.clear_ready_matching(Ready::READABLE);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        if let Some(event) = &mut self.event {
            let mut part = *event;
            part.ready = part.ready & ready;
            event.ready = event.ready - ready;
            self.fd.source.clear(part);
        }
    }

    /// The descriptor is still ready: says in a word that nothing is cleared.
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
    /// guard.retain_ready();
    /// a.readable().await?.retain_ready(); // at once
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn retain_ready(&mut self) {
        // Nothing is cleared unasked.
    }

    /// What the descriptor is ready for.
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
    /// assert!(guard.ready().is_readable());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ready(&self) -> Ready {
        self.event.map_or(Ready::EMPTY, |event| event.ready)
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
                Err(TryIoError(()))
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

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFdReadyMutGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFdReadyMutGuard")
            .field("fd", &self.fd)
            .field("ready", &self.ready())
            .finish()
    }
}
