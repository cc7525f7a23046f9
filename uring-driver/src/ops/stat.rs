//! Ask what is known of an open file.

use std::io;
use std::sync::Arc;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::op::{Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;
use crate::sys::file::Stat as Facts;

/// Completes with the file's size, kind, times and so on.
///
/// ```
/// use std::sync::Arc;
/// use henge_driver::{Driver, Fd, ops, submit};
/// use std::os::fd::OwnedFd;
///
/// let folder = Arc::new(Fd::from(OwnedFd::from(std::fs::File::open(".")?)));
/// let facts = Driver::new()?.block_on(submit(ops::Stat::new(folder)))??;
/// assert!(facts.is_dir());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Stat {
    fd: Arc<Fd>,
    /// On the heap, because the result is not moved out of the kernel's reach before it is final.
    facts: Box<Facts>,
}

impl Stat {
    /// Asks about the file behind `fd`.
    pub fn new(fd: Arc<Fd>) -> Stat {
        Stat { fd, facts: Box::default() }
    }
}

// SAFETY: the kernel writes one `struct statx` into the box, which is laid out so, is owned, and
// does not move with the operation. The path is a constant. The `Arc` keeps the descriptor open.
unsafe impl Operation for Stat {
    type Output = io::Result<Facts>;

    fn prepare(&mut self) -> Sqe {
        let to = (&raw mut *self.facts).cast();
        Sqe::statx(&self.fd, c"", Facts::MASK, to)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<Facts>> {
        if cqe.result() == -abi::EINTR {
            return Next::Again;
        }
        Next::Done(cqe.into_result().map(|_| *self.facts))
    }
}
