//! Being told, again and again, that a descriptor has become ready.

use std::io;
use std::os::fd::RawFd;

use crate::cqe::Cqe;
use crate::operation::{Next, Operation};
use crate::sqe::Sqe;

/// Who is told by a [`PollMultishot`]. Called at home, outside of every borrow.
pub trait Watcher: Send + 'static {
    /// The descriptor that is watched. It should be open when the entry is submitted; a number that
    /// names another file by then tells of that one.
    fn descriptor(&self) -> RawFd;

    /// The events (see [`events`](super::events)) that were there, or why there will be
    /// none. Without `more` this was the last call: the operation has ended.
    fn told(&mut self, events: io::Result<u32>, more: bool);
}

/// Tells of each event until it is cancelled or fails: first of what is there, then of what comes,
/// and not again of what is still there.
#[derive(Debug)]
pub struct PollMultishot<W> {
    watcher: W,
    events: u32,
}

impl<W: Watcher> PollMultishot<W> {
    /// Tells `watcher` of `events`; errors and hang-ups come unasked.
    pub fn new(watcher: W, events: u32) -> PollMultishot<W> {
        PollMultishot { watcher, events }
    }
}

// SAFETY: the entry points to no memory. Its descriptor is a number that the kernel looks up when
// it is submitted, and holds the file of from then on: one that was closed before is no danger to
// memory, since a poll transfers nothing.
unsafe impl<W: Watcher> Operation for PollMultishot<W> {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        Sqe::poll_number(self.watcher.descriptor(), self.events).with_poll_multishot()
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        self.watcher.told(cqe.into_result(), cqe.has_more());
        if cqe.has_more() { Next::More(()) } else { Next::Done(()) }
    }
}
