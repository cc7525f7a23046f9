//! Operations and buffers that are counted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use henge_driver::buf::{IoBuf, IoBufMut};
use henge_driver::{Cqe, Next, Op, Operation, Sqe, Timespec, submit_now};

/// What became of a number of operations.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Last completions.
    finals: AtomicUsize,
    /// Operations dropped.
    ended: AtomicUsize,
    /// Buffers dropped.
    buffers: AtomicUsize,
}

impl Tally {
    pub(crate) fn finals(&self) -> usize {
        self.finals.load(Ordering::Relaxed)
    }

    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }

    pub(crate) fn buffers(&self) -> usize {
        self.buffers.load(Ordering::Relaxed)
    }
}

/// An operation whose end is counted.
#[derive(Debug)]
pub(crate) struct Counted<O> {
    op: O,
    tally: Arc<Tally>,
}

impl<O> Counted<O> {
    pub(crate) fn new(op: O, tally: &Arc<Tally>) -> Counted<O> {
        Counted { op, tally: Arc::clone(tally) }
    }
}

// SAFETY: does what `O` does, which has made the same promise.
unsafe impl<O: Operation> Operation for Counted<O> {
    type Output = O::Output;

    const PERSISTS: bool = O::PERSISTS;
    const IS_TIMEOUT: bool = O::IS_TIMEOUT;

    fn prepare(&mut self) -> Sqe {
        self.op.prepare()
    }

    fn complete(&mut self, cqe: Cqe) -> Next<O::Output> {
        if !cqe.has_more() {
            self.tally.finals.fetch_add(1, Ordering::Relaxed);
        }
        self.op.complete(cqe)
    }

    fn orphaned(output: O::Output) {
        O::orphaned(output);
    }

    fn time_limit(&self) -> Option<&Timespec> {
        self.op.time_limit()
    }
}

impl<O> Drop for Counted<O> {
    fn drop(&mut self) {
        self.tally.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sixteen bytes that say when they are given back.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    tally: Arc<Tally>,
}

impl Buffer {
    pub(crate) fn new(tally: &Arc<Tally>) -> Buffer {
        Buffer { bytes: Vec::with_capacity(16), tally: Arc::clone(tally) }
    }
}

// SAFETY: does what the vector does.
unsafe impl IoBuf for Buffer {
    fn stable_ptr(&self) -> *const u8 {
        self.bytes.stable_ptr()
    }
    fn bytes_init(&self) -> usize {
        self.bytes.bytes_init()
    }
    fn bytes_total(&self) -> usize {
        self.bytes.bytes_total()
    }
}

// SAFETY: likewise.
unsafe impl IoBufMut for Buffer {
    fn stable_mut_ptr(&mut self) -> *mut u8 {
        self.bytes.stable_mut_ptr()
    }
    unsafe fn set_init(&mut self, len: usize) {
        // SAFETY: our caller's promise.
        unsafe { self.bytes.set_init(len) };
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.tally.buffers.fetch_add(1, Ordering::Relaxed);
    }
}

/// A future of whatever output.
pub(crate) type Erased = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Gives an operation to this thread's driver; what it outputs is dropped.
pub(crate) fn start<O: Operation + Unpin>(op: O) -> Erased {
    let mut op: Op<O> = submit_now(op, &mut Context::from_waker(Waker::noop())).unwrap();
    Box::pin(std::future::poll_fn(move |cx| match Pin::new(&mut op).poll(cx) {
        Poll::Ready(output) => {
            drop(output);
            Poll::Ready(())
        }
        Poll::Pending => Poll::Pending,
    }))
}
