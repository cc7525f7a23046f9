//! A time-out of the kernel's.

use std::io;
use std::time::Duration;

use crate::cqe::Cqe;
use crate::operation::{Next, Operation};
use crate::sqe::{Sqe, Timespec};
use crate::sys::abi;

/// Completes after a span of time. For timers by the thousand use a wheel: each of these costs the
/// kernel a timer of its own.
///
/// ```
/// use std::time::Duration;
/// use henge_driver::{Driver, ops, submit};
///
/// Driver::new()?.block_on(submit(ops::Timeout::new(Duration::from_millis(1))))??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Timeout {
    span: Timespec,
}

impl Timeout {
    /// Runs from the moment that the kernel sees it.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// let (span, begin) = (Duration::from_millis(5), Instant::now());
    /// Driver::new()?.block_on(submit(ops::Timeout::new(span)))??;
    /// assert!(begin.elapsed() >= span);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(span: Duration) -> Timeout {
        Timeout { span: Timespec::from(span) }
    }
}

// SAFETY: the span is a field of the operation; the kernel only reads it.
unsafe impl Operation for Timeout {
    /// `Err` if it was cancelled.
    type Output = io::Result<()>;

    const IS_TIMEOUT: bool = true;

    fn prepare(&mut self) -> Sqe {
        Sqe::timeout(&raw const self.span)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        Next::Done(match cqe.result() {
            result if result == -abi::ETIME => Ok(()),
            _ => cqe.into_result().map(drop),
        })
    }
}
