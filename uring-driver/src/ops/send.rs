//! Send all of a buffer, however many rounds that takes.

use std::io;
use std::marker::Send as Sendable;
use std::time::Duration;

use crate::buf::IoBuf;
use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{Next, Operation};
use crate::sqe::{Sqe, Timespec};
use crate::sys::abi;

/// Who sends. Called at home, outside of every borrow.
pub trait SendSink<B>: Sendable + 'static {
    /// The socket; the sink keeps it open.
    fn socket(&self) -> &Fd;

    /// The kernel has taken a part. Whether to go on with the rest.
    fn goes_on(&mut self) -> bool;

    /// It is over: all bytes before `at` have been sent. The last call.
    fn sent(&mut self, result: io::Result<()>, buffer: B, at: usize);
}

/// Sends a buffer, in order and whole, unless it fails or is cancelled.
#[derive(Debug)]
pub struct Send<B, S> {
    buffer: Option<B>,
    at: usize,
    sink: S,
    limit: Option<Timespec>,
}

impl<B: IoBuf, S: SendSink<B>> Send<B, S> {
    /// Sends what is initialised of `buffer` from its byte `at` on.
    pub fn new(buffer: B, at: usize, sink: S) -> Send<B, S> {
        Send { buffer: Some(buffer), at, sink, limit: None }
    }

    /// Gives up when the peer has taken nothing for so long.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Send<B, S> {
        self.limit = Some(Timespec::from(patience));
        self
    }

    fn left(&self) -> usize {
        self.buffer.as_ref().map_or(0, |buffer| buffer.bytes_init().saturating_sub(self.at))
    }

    fn end(&mut self, result: io::Result<()>) -> Next<()> {
        if let Some(buffer) = self.buffer.take() {
            self.sink.sent(result, buffer, self.at);
        }
        Next::Done(())
    }
}

// SAFETY: the entry points to bytes of `buffer` behind `at`, which are initialised (at most
// `bytes_init` of them); the buffer is owned by the operation until the last completion, and
// where its bytes lie does not change (the contract of `IoBuf`).
unsafe impl<B: IoBuf, S: SendSink<B>> Operation for Send<B, S> {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        let left = u32::try_from(self.left()).unwrap_or(u32::MAX);
        match &self.buffer {
            Some(buffer) => {
                let from = buffer.stable_ptr().wrapping_add(self.at);
                Sqe::send(self.sink.socket(), from, left, abi::MSG_WAITALL)
            }
            None => unreachable!("prepared again only while it has its buffer"),
        }
    }

    fn time_limit(&self) -> Option<&Timespec> {
        self.limit.as_ref()
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        match cqe.into_result() {
            Ok(n) => {
                self.at += n as usize;
                if self.left() == 0 {
                    return self.end(Ok(()));
                }
                if n == 0 {
                    return self.end(Err(io::ErrorKind::WriteZero.into()));
                }
                if self.sink.goes_on() { Next::Again } else { self.end(Ok(())) }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted && self.sink.goes_on() => {
                Next::Again
            }
            Err(error) => self.end(Err(error)),
        }
    }

    fn unsent(&self) -> u64 {
        self.left() as u64
    }
}
