//! What was promised to be done whether or not anybody waits for it, where the kernel has given it
//! back to a future that is gone: it is submitted anew all the same.

use std::sync::{Arc, Mutex, PoisonError};

use crate::current;
use crate::driver::Driver;
use crate::operation::Operation;
use crate::remote::list::Link;
use crate::remote::{Posted, Remote};

/// An operation on its way to the driver where it was under way before.
struct Adrift<O> {
    link: Link,
    op: Mutex<Option<O>>,
}

impl<O: Operation> Posted for Adrift<O> {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, driver: &Driver) {
        let op = self.op.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(op) = op {
            driver.submit_unawaited(op);
        }
    }
}

/// Submits an operation here, or where there is no driver, to the one that it comes from, whose
/// thread may have to return to it first. If that has ended, so has what it was asked for.
pub(super) fn go_on<O: Operation>(op: O, from: &Remote) {
    let mut op = Some(op);
    let here = current::with(|driver| {
        if let Some(op) = op.take() {
            driver.submit_unawaited(op);
        }
    });
    if here.is_err() {
        let adrift = Adrift { link: Link::new(), op: Mutex::new(op) };
        let _ended = from.post(Arc::new(adrift));
    }
}
