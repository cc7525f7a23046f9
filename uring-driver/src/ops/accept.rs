//! Accept connections until cancelled.

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{Next, Operation};
use crate::sqe::Sqe;

/// Who gets the connections of an [`AcceptMultishot`]. Called at home, outside of every borrow.
pub trait Acceptor: Send + 'static {
    /// The listening socket; the acceptor keeps it open.
    fn listener(&self) -> &Fd;

    /// One connection, or the reason why there was none. Without `more` this was the last call:
    /// the operation has ended.
    fn accepted(&mut self, connection: io::Result<Fd>, more: bool);
}

/// Accepts until it is cancelled or fails.
#[derive(Debug)]
pub struct AcceptMultishot<A>(A);

impl<A: Acceptor> AcceptMultishot<A> {
    /// Accepts for `acceptor`.
    pub fn new(acceptor: A) -> AcceptMultishot<A> {
        AcceptMultishot(acceptor)
    }
}

// SAFETY: the entry points to no memory.
unsafe impl<A: Acceptor> Operation for AcceptMultishot<A> {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        Sqe::accept_multishot(self.0.listener())
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        let connection = cqe.into_result().map(|fd| {
            // SAFETY: the kernel has just installed this descriptor for us, in the table of this
            // process, and told nobody else.
            Fd::from(unsafe { OwnedFd::from_raw_fd(fd.cast_signed()) })
        });
        self.0.accepted(connection, cqe.has_more());
        if cqe.has_more() { Next::More(()) } else { Next::Done(()) }
    }
}
