//! Waiting, in as many tasks as one likes.

use std::future::poll_fn;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use super::{AsyncFd, AsyncFdReadyGuard, AsyncFdReadyMutGuard};
use crate::readiness::Interest;
use crate::readiness::source::{Event, Source, Waiting};

impl<T: AsRawFd> AsyncFd<T> {
    /// Waits until the descriptor is ready for something of `interest`.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a readiness stays known until it is cleared.
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
    /// let mut guard = a.ready(Interest::READABLE | Interest::WRITABLE).await?;
    /// assert!(guard.ready().is_writable());
    /// guard.retain_ready();
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        let event = event(&self.source, interest).await?;
        Ok(AsyncFdReadyGuard::new(self, event))
    }

    /// As [`ready`](AsyncFd::ready), with access to what is watched.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a readiness stays known until it is cleared.
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
    /// let mut guard = a.ready_mut(Interest::READABLE | Interest::WRITABLE).await?;
    /// assert!(guard.ready().is_writable());
    /// guard.retain_ready();
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn ready_mut(
        &mut self,
        interest: Interest,
    ) -> io::Result<AsyncFdReadyMutGuard<'_, T>> {
        let event = event(&self.source, interest).await?;
        Ok(AsyncFdReadyMutGuard::new(self, event))
    }

    /// Waits until the descriptor is readable.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a readiness stays known until it is cleared.
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
    /// b.write_all(b"x")?;
    /// let mut guard = a.readable().await?;
    /// guard.clear_ready();
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readable<'a>(&'a self) -> io::Result<AsyncFdReadyGuard<'a, T>> {
        self.ready(Interest::READABLE).await
    }

    /// As [`readable`](AsyncFd::readable), with access to what is watched.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a readiness stays known until it is cleared.
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
    /// b.write_all(b"x")?;
    /// let mut guard = a.readable_mut().await?;
    /// guard.clear_ready();
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readable_mut<'a>(&'a mut self) -> io::Result<AsyncFdReadyMutGuard<'a, T>> {
        self.ready_mut(Interest::READABLE).await
    }

    /// Waits until the descriptor is writable.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a readiness stays known until it is cleared.
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
    /// let mut guard = a.writable().await?;
    /// guard.clear_ready();
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writable<'a>(&'a self) -> io::Result<AsyncFdReadyGuard<'a, T>> {
        self.ready(Interest::WRITABLE).await
    }

    /// As [`writable`](AsyncFd::writable), with access to what is watched.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a readiness stays known until it is cleared.
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
    /// let mut guard = a.writable_mut().await?;
    /// guard.clear_ready();
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writable_mut<'a>(&'a mut self) -> io::Result<AsyncFdReadyMutGuard<'a, T>> {
        self.ready_mut(Interest::WRITABLE).await
    }
}

/// Borrows the source alone, so that who waits with a `&mut AsyncFd<T>` need not share `T`.
async fn event(source: &Arc<Source>, interest: Interest) -> io::Result<Event> {
    let mut waiting = Waiting::new(source);
    poll_fn(|cx| source.poll_ready(cx, waiting.who(), interest)).await
}
