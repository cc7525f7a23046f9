//! Waiting once until a socket is ready, without transferring anything.

use std::io;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{Next, Operation};
use crate::sqe::Sqe;
use crate::sys::poll::events;

/// Who waits by a [`PollOnce`]. Called at home, outside of every borrow.
pub trait PollSink: Send + 'static {
    /// The socket; the sink keeps it open.
    fn socket(&self) -> &Fd;

    /// The socket is ready, or will never be: a transfer would not wait. The last call.
    fn ready(&mut self, result: io::Result<()>);
}

/// Completes when a transfer would not wait. It takes nothing from the socket, so nothing is lost
/// if it is cancelled, or comes late.
#[derive(Debug)]
pub struct PollOnce<S> {
    sink: S,
    events: u32,
}

impl<S: PollSink> PollOnce<S> {
    /// Until there is something to receive.
    pub fn readable(sink: S) -> PollOnce<S> {
        PollOnce { sink, events: events::IN }
    }

    /// Until there is room to send.
    pub fn writable(sink: S) -> PollOnce<S> {
        PollOnce { sink, events: events::OUT }
    }
}

// SAFETY: the entry points to no memory.
unsafe impl<S: PollSink> Operation for PollOnce<S> {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        Sqe::poll_add(self.sink.socket(), self.events)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        self.sink.ready(cqe.into_result().map(drop));
        Next::Done(())
    }
}
