//! Do something on the home's thread after a span of time.

use std::time::Duration;

use crate::cqe::Cqe;
use crate::operation::{Next, Operation};
use crate::sqe::{Sqe, Timespec};

/// Calls a closure at home when the time is over, or when it is cancelled: a pause of those who
/// have no timers.
#[derive(Debug)]
pub struct After<F> {
    span: Timespec,
    then: Option<F>,
}

impl<F: FnOnce() + Send + 'static> After<F> {
    /// Calls `then` after `span`, counted from the moment that the kernel sees it.
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
