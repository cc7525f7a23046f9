//! A future's place in a line: the poll that looks, stands in line, and looks again.
//!
//! Looking and standing in line happen under one mutex, so whoever changes what is looked for and
//! takes the mutex afterwards finds everybody who has not seen the change. Wakers are cloned,
//! called and dropped without the mutex: they are foreign code.

use std::ops::{Deref, DerefMut};
use std::task::{Context, Poll, Waker};

use crate::sync::wait_queue::WaitQueue;
use crate::sync::wake_batch::WakeBatch;

/// A [`WaitQueue`] somewhere inside a mutex, or, on one shard, inside a `RefCell`.
pub(crate) trait Line {
    /// What the mutex guards.
    type State;
    /// What a waiter in this line carries.
    type Value;

    fn lock(&self) -> impl DerefMut<Target = Self::State>;

    fn queue(state: &mut Self::State) -> &mut WaitQueue<Self::Value>;

    /// Wakes from the front as long as `due` says so, a batch at a time, and then runs `settled`
    /// under the mutex. Who comes back in the meantime stands at the end, so `due` should tell
    /// such a one from those who wait longer.
    fn wake_while(
        &self,
        mut due: impl FnMut(&Self::Value) -> bool,
        settled: impl FnOnce(&mut Self::State),
    ) {
        let mut wakers = WakeBatch::new();
        loop {
            let mut state = self.lock();
            if Self::queue(&mut state).take_while(&mut wakers, &mut due) {
                settled(&mut state);
                drop(state);
                wakers.wake_all();
                return;
            }
            drop(state);
            wakers.wake_all();
        }
    }
}

/// Whatever points to a line: a reference, or a count of an `Arc` or an `Rc`.
impl<P: Deref<Target: Line>> Line for P {
    type State = <P::Target as Line>::State;
    type Value = <P::Target as Line>::Value;

    fn lock(&self) -> impl DerefMut<Target = Self::State> {
        (**self).lock()
    }

    fn queue(state: &mut Self::State) -> &mut WaitQueue<Self::Value> {
        P::Target::queue(state)
    }
}

/// A place in a line, given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<L: Line> {
    line: L,
    key: Option<usize>,
}

impl<L: Line> Place<L> {
    pub(crate) fn new(line: L) -> Self {
        Self { line, key: None }
    }

    pub(crate) fn line(&self) -> &L {
        &self.line
    }

    /// Asks `check`, under the mutex, whether there is something to return; if not, stands in line
    /// with the value that it gives. Who was told, and finds nothing, stands in line again.
    pub(crate) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        check: impl FnMut(&mut L::State) -> Result<R, L::Value>,
    ) -> Poll<R> {
        self.poll_with(cx, None, check)
    }

    /// As [`poll`](Self::poll), for who has looked without the mutex and found nothing: a waker is
    /// cloned beforehand, and the mutex taken once.
    pub(crate) fn poll_after_look<R>(
        &mut self,
        cx: &mut Context<'_>,
        check: impl FnMut(&mut L::State) -> Result<R, L::Value>,
    ) -> Poll<R> {
        let fresh = self.key.is_none().then(|| cx.waker().clone());
        self.poll_with(cx, fresh, check)
    }

    fn poll_with<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut fresh: Option<Waker>,
        mut check: impl FnMut(&mut L::State) -> Result<R, L::Value>,
    ) -> Poll<R> {
        loop {
            let mut state = self.line.lock();
            let checked = check(&mut state);
            let queue = L::queue(&mut state);
            let value = match checked {
                Ok(result) => {
                    let left = self.key.take().map(|own| queue.remove(own));
                    drop(state);
                    drop(left);
                    return Poll::Ready(result);
                }
                Err(value) => value,
            };
            if let Some(own) = self.key
                && !queue.is_linked(own)
            {
                self.key = None;
                let left = queue.remove(own);
                drop(state);
                drop(left);
                continue;
            }
            match (self.key, fresh.take()) {
                (Some(own), _) if queue.will_wake(own, cx.waker()) => return Poll::Pending,
                (Some(own), Some(waker)) => {
                    let old = queue.set_waker(own, waker);
                    drop(state);
                    drop(old);
                    return Poll::Pending;
                }
                (None, Some(waker)) => {
                    self.key = Some(queue.push_back(value, waker));
                    return Poll::Pending;
                }
                (_, None) => {
                    drop(state);
                    fresh = Some(cx.waker().clone());
                }
            }
        }
    }
}

impl<L: Line> Drop for Place<L> {
    fn drop(&mut self) {
        if let Some(own) = self.key.take() {
            let mut state = self.line.lock();
            let left = L::queue(&mut state).remove(own);
            drop(state);
            drop(left);
        }
    }
}
