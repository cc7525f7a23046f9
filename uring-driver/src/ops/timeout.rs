//! A time-out of the kernel's.

use std::io;
use std::time::Duration;

use super::limit::Limit;
use crate::cqe::Cqe;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::Sqe;
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
    span: Limit,
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
        Timeout { span: Limit::new(span) }
    }
}

// SAFETY: the span is a field of the operation; the kernel only reads it.
unsafe impl Operation for Timeout {
    /// `Err` if it was cancelled.
    type Output = io::Result<()>;

    const AT_LEAVE: AtLeave = AtLeave::Renews;
    const IS_TIMEOUT: bool = true;

    fn prepare(&mut self) -> Sqe {
        self.span.begin();
        Sqe::timeout(self.span.left())
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        Next::Done(match cqe.result() {
            result if result == -abi::ETIME => Ok(()),
            _ => cqe.into_result().map(drop),
        })
    }
}
