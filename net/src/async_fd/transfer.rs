//! Transfers of the caller's own, tried when the descriptor is ready.

use std::io;
use std::os::fd::AsRawFd;

use super::AsyncFd;
use crate::readiness::Interest;

impl<T: AsRawFd> AsyncFd<T> {
    /// Repeats `f`, each time when the descriptor is ready, until it answers something else than
    /// `WouldBlock`.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what `f` answers.
    ///
    /// # Cancel safety
    ///
    /// `f` is not interrupted, and not called again after the future is dropped.
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
    /// let n = a.async_io(Interest::READABLE, |mut a| a.read(&mut [0; 8])).await?;
    /// assert_eq!(n, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            let mut guard = self.ready(interest).await?;
            match f(guard.get_inner()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => guard.clear_ready(),
                done => return done,
            }
        }
    }

    /// As [`async_io`](AsyncFd::async_io), with access to what is watched.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what `f` answers.
    ///
    /// # Cancel safety
    ///
    /// `f` is not interrupted, and not called again after the future is dropped.
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
    /// let n = a.async_io_mut(Interest::READABLE, |mut a| a.read(&mut [0; 8])).await?;
    /// assert_eq!(n, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn async_io_mut<R>(
        &mut self,
        interest: Interest,
        mut f: impl FnMut(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            let mut guard = self.ready_mut(interest).await?;
            match f(guard.get_inner_mut()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => guard.clear_ready(),
                done => return done,
            }
        }
    }

    /// Calls `f` if the descriptor is known to be ready; if `f` answers `WouldBlock`, it is known
    /// no more.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not known to be ready; what `f` answers.
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
    /// a.readable().await?.retain_ready();
    /// assert_eq!(a.try_io(Interest::READABLE, |mut a| a.read(&mut [0; 8]))?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.source.try_known(interest, || f(self.get_ref()))
    }

    /// As [`try_io`](AsyncFd::try_io), with access to what is watched.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not known to be ready; what `f` answers.
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
    /// a.readable().await?.retain_ready();
    /// assert_eq!(a.try_io_mut(Interest::READABLE, |mut a| a.read(&mut [0; 8]))?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_io_mut<R>(
        &mut self,
        interest: Interest,
        f: impl FnOnce(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        let AsyncFd { source, inner } = self;
        let inner = inner.as_mut().expect("it is given up by value, so once");
        source.try_known(interest, || f(inner))
    }
}
