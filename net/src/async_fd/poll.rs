//! Waiting for the one task that reads, and the one that writes.

use std::io;
use std::os::fd::AsRawFd;
use std::task::{Context, Poll, ready};

use super::{AsyncFd, AsyncFdReadyGuard, AsyncFdReadyMutGuard};
use crate::readiness::Interest;
use crate::readiness::source::Who;

impl<T: AsRawFd> AsyncFd<T> {
    /// Ready with a guard when the descriptor is readable; only the task that called last is woken.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what the kernel answers.
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
    /// std::future::poll_fn(|cx| {
    ///     a.poll_read_ready(cx).map_ok(|mut guard| guard.clear_ready())
    /// })
    /// .await?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_read_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.source.poll_ready(cx, Who::Reader, Interest::READABLE))?;
        Poll::Ready(Ok(AsyncFdReadyGuard::new(self, event)))
    }

    /// As [`poll_read_ready`](AsyncFd::poll_read_ready), with access to what is watched.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what the kernel answers.
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
    /// std::future::poll_fn(|cx| {
    ///     a.poll_read_ready_mut(cx).map_ok(|mut guard| guard.clear_ready())
    /// })
    /// .await?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_read_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.source.poll_ready(cx, Who::Reader, Interest::READABLE))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard::new(self, event)))
    }

    /// Ready with a guard when the descriptor is writable; only the task that called last is woken.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what the kernel answers.
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
    /// std::future::poll_fn(|cx| {
    ///     a.poll_write_ready(cx).map_ok(|mut guard| guard.clear_ready())
    /// })
    /// .await?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_write_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.source.poll_ready(cx, Who::Writer, Interest::WRITABLE))?;
        Poll::Ready(Ok(AsyncFdReadyGuard::new(self, event)))
    }

    /// As [`poll_write_ready`](AsyncFd::poll_write_ready), with access to what is watched.
    ///
    /// # Errors
    ///
    /// No driver on this thread; what the kernel answers.
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
    /// std::future::poll_fn(|cx| {
    ///     a.poll_write_ready_mut(cx).map_ok(|mut guard| guard.clear_ready())
    /// })
    /// .await?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_write_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.source.poll_ready(cx, Who::Writer, Interest::WRITABLE))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard::new(self, event)))
    }
}
