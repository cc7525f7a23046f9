//! Wakers that were taken out of a line, to be called without the mutex.
//!
//! A waker is foreign code and may panic. Those behind it stand in no line any more, so nobody else
//! would ever wake them: all are woken, what the permits and the line still need is done, and then
//! the first panic goes on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;

use crate::executor::swallow;

/// What the first waker has panicked with, which goes on when this is dropped.
#[derive(Debug)]
struct Panicked(Option<Box<dyn Any + Send>>);

impl Panicked {
    fn wake_each(&mut self, mut wakers: impl Iterator<Item = Waker>) {
        let mut rest = || wakers.by_ref().for_each(Waker::wake);
        while let Err(payload) = catch_unwind(AssertUnwindSafe(&mut rest)) {
            match self.0 {
                None => self.0 = Some(payload),
                Some(_) => swallow(|| drop(payload)),
            }
        }
    }
}

impl Drop for Panicked {
    #[inline]
    fn drop(&mut self) {
        if let Some(payload) = self.0.take() {
            if std::thread::panicking() {
                swallow(|| drop(payload));
            } else {
                resume_unwind(payload);
            }
        }
    }
}

/// Wakes all of them, in order.
pub(crate) fn wake_each(wakers: impl Iterator<Item = Waker>) {
    Panicked(None).wake_each(wakers);
}

/// Wakers taken from a queue, to be called once the mutex is free. A batch has a bound, so that a
/// crowd of waiters costs no allocation and the mutex is given to others in between.
///
/// If one of them panics, that goes on when the batch is dropped.
#[derive(Debug)]
pub(crate) struct WakeBatch {
    wakers: [Option<Waker>; Self::CAPACITY],
    len: usize,
    panicked: Panicked,
}

impl WakeBatch {
    const CAPACITY: usize = 16;

    pub(crate) fn new() -> Self {
        Self { wakers: [const { None }; Self::CAPACITY], len: 0, panicked: Panicked(None) }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len == Self::CAPACITY
    }

    /// Adds a waker. The batch must not be full.
    pub(crate) fn push(&mut self, waker: Option<Waker>) {
        if waker.is_some() {
            self.wakers[self.len] = waker;
            self.len += 1;
        }
    }

    /// Wakes everybody in the batch, in order. Must be called without the mutex.
    pub(crate) fn wake_all(&mut self) {
        self.wake_all_and(std::iter::empty());
    }

    /// The same, and others after them.
    pub(crate) fn wake_all_and(&mut self, others: impl Iterator<Item = Waker>) {
        let len = std::mem::take(&mut self.len);
        let wakers = self.wakers[..len].iter_mut().filter_map(Option::take);
        self.panicked.wake_each(wakers.chain(others));
    }
}
