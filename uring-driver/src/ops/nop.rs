//! Nothing, by way of the kernel.

use std::io;

use crate::cqe::Cqe;
use crate::operation::{Next, Operation};
use crate::sqe::Sqe;

/// Does nothing, and completes: one round trip through the ring.
///
/// ```
/// use henge_driver::{Driver, ops, submit};
///
/// Driver::new()?.block_on(submit(ops::Nop::new()))??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Nop(());

impl Nop {
    /// A request for nothing.
    ///
    /// ```
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// let driver = Driver::new()?;
    /// driver.block_on(submit(ops::Nop::new()))??;
    /// assert_eq!(driver.counters().completions, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> Nop {
        Nop(())
    }
}

// SAFETY: the entry points to no memory and names no descriptor.
unsafe impl Operation for Nop {
    type Output = io::Result<()>;

    fn prepare(&mut self) -> Sqe {
        Sqe::nop()
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
        Next::Done(cqe.into_result().map(drop))
    }
}
