//! Waiting until a descriptor can be read, without reading.

use std::io;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// Completes when there is something to read. It takes nothing, so nothing is lost if it is
/// cancelled.
///
/// ```
/// use henge_driver::sys::signal::{Listener, SIGUSR1};
/// use henge_driver::{Driver, ops, submit};
///
/// let listener = Listener::new(SIGUSR1)?;
/// let mut waiting = submit(ops::Readable::new(listener.fd()));
/// # let driver = Driver::new()?;
/// # let polled = driver.block_on(std::future::poll_fn(|cx| {
/// #     std::task::Poll::Ready(std::pin::Pin::new(&mut waiting).poll(cx))
/// # }))?;
/// # assert!(polled.is_pending());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Readable<F = &'static Fd> {
    fd: F,
}

impl<F: AsRef<Fd>> Readable<F> {
    /// For a descriptor that is never closed, or that an `Arc` keeps open.
    ///
    /// ```
    /// use std::{io::Write, os::fd::OwnedFd, sync::Arc};
    /// use henge_driver::{Driver, Fd, ops, submit};
    ///
    /// let (reader, mut writer) = std::io::pipe()?;
    /// let reader = Arc::new(Fd::from(OwnedFd::from(reader)));
    /// # let writer = std::thread::spawn(move || writer.write_all(b"there is something"));
    /// Driver::new()?.block_on(submit(ops::Readable::new(Arc::clone(&reader))))??;
    /// # writer.join().expect("no panic")?;
    /// let read = ops::ReadAt::new(reader, vec![0; 5], u64::MAX);
    /// let (result, text) = Driver::new()?.block_on(submit(read))?;
    /// assert_eq!((result?, &text[..]), (5, &b"there"[..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(fd: F) -> Readable<F> {
        Readable { fd }
    }
}

// SAFETY: the entry points to no memory; the descriptor stays open for ever, or as long as the
// operation has its `Arc`. `F` that gives another descriptor each time is waited on for the first.
unsafe impl<F: AsRef<Fd> + Send + 'static> Operation for Readable<F> {
    type Output = io::Result<()>;

    fn prepare(&mut self) -> Sqe {
        Sqe::poll_add(self.fd.as_ref(), abi::POLLIN)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        Next::Done(cqe.into_result().map(drop))
    }
}
