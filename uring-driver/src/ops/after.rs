//! Do something on the home's thread after a span of time.

use std::time::Duration;

use crate::cqe::Cqe;
use crate::operation::{Next, Operation};
use crate::sqe::{Sqe, Timespec};

/// Calls a closure at home when the time is over, or when it is cancelled: a pause of those who
/// have no timers.
///
/// ```
/// use henge_driver::{Driver, ops};
/// use std::{cell::Cell, time::Duration};
///
/// thread_local! { static CALLED: Cell<bool> = const { Cell::new(false) } }
///
/// let driver = Driver::new()?;
/// driver.submit_detached(ops::After::new(Duration::from_millis(1), || CALLED.set(true)));
/// while !CALLED.get() {
///     driver.park(None, || false)?; // on this thread
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct After<F> {
    span: Timespec,
    then: Option<F>,
}

impl<F: FnOnce() + Send + 'static> After<F> {
    /// Calls `then` after `span`, counted from the moment that the kernel sees it.
    ///
    /// ```
    /// use henge_driver::{Driver, ops, submit};
    /// use std::time::Duration;
    ///
    /// let (say, said) = std::sync::mpsc::channel();
    /// let after = ops::After::new(Duration::from_millis(1), move || say.send("over").unwrap());
    /// Driver::new()?.block_on(submit(after))?;
    /// assert_eq!(said.recv(), Ok("over"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(span: Duration, then: F) -> After<F> {
        After { span: Timespec::from(span), then: Some(then) }
    }
}

// SAFETY: the span is a field of the operation; the kernel only reads it.
unsafe impl<F: FnOnce() + Send + 'static> Operation for After<F> {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        Sqe::timeout(&raw const self.span)
    }

    fn complete(&mut self, _cqe: Cqe) -> Next<()> {
        if let Some(then) = self.then.take() {
            then();
        }
        Next::Done(())
    }
}
