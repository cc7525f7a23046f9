//! The counting semaphore under the local semaphore, the locks and the bounded channel.
//!
//! Its rules are those of `sync::batch`: while somebody stands in line there are no free permits,
//! each that is released goes to the front of the line, in part if the front needs more, and what
//! a waiter has collected goes on when its future is dropped.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::executor::coop;
use crate::sync::wait_queue::WaitQueue;
use crate::sync::wake_batch::WakeBatch;

/// A counting semaphore with a fair line, for one thread.
#[derive(Debug)]
pub(crate) struct Permits {
    free: Cell<usize>,
    closed: Cell<bool>,
    /// Who waits, each with the number of permits that it still lacks.
    line: RefCell<WaitQueue<usize>>,
}

/// Why no permit was had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPermit {
    Closed,
    Unavailable,
}

/// The semaphore was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

impl Permits {
    /// tokio's bound.
    pub(super) const MAX: usize = usize::MAX >> 3;

    pub(crate) const fn new(permits: usize) -> Self {
        Self {
            free: Cell::new(permits),
            closed: Cell::new(false),
            line: RefCell::new(WaitQueue::new()),
        }
    }

    #[inline]
    pub(super) fn available(&self) -> usize {
        self.free.get()
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Takes `n` permits if they are there: nobody stands in line then.
    #[inline]
    pub(crate) fn try_acquire(&self, n: usize) -> Result<(), NoPermit> {
        if self.closed.get() {
            return Err(NoPermit::Closed);
        }
        match self.free.get().checked_sub(n) {
            Some(left) => {
                self.free.set(left);
                Ok(())
            }
            None => Err(NoPermit::Unavailable),
        }
    }

    /// Gives `n` permits back, to those in line first.
    ///
    /// # Panics
    ///
    /// When there would be more than [`Permits::MAX`].
    #[inline]
    #[track_caller]
    pub(crate) fn release(&self, n: usize) {
        if self.line.borrow().is_empty() {
            self.add(n);
        } else {
            self.release_to_line(n);
        }
    }

    #[inline]
    #[track_caller]
    fn add(&self, n: usize) {
        match self.free.get().checked_add(n).filter(|sum| *sum <= Self::MAX) {
            Some(sum) => self.free.set(sum),
            None => {
                panic!("number of added permits ({n}) would overflow MAX_PERMITS ({})", Self::MAX)
            }
        }
    }

    #[cold]
    #[track_caller]
    fn release_to_line(&self, mut n: usize) {
        let mut wakers = WakeBatch::new();
        while n > 0 {
            let mut line = self.line.borrow_mut();
            while n > 0 && !wakers.is_full() {
                let Some(lacking) = line.front_mut() else { break };
                let given = n.min(*lacking);
                *lacking -= given;
                n -= given;
                if *lacking == 0
                    && let Some((_, waker)) = line.unlink_front()
                {
                    wakers.push(waker);
                }
            }
            if line.is_empty() {
                drop(line);
                self.add(std::mem::take(&mut n));
            }
            // Who is woken may come back to this semaphore: nothing is borrowed, and what is not
            // handed out yet goes to the line as it stands afterwards.
            wakers.wake_all();
        }
    }

    /// Takes up to `n` permits away for good and says how many.
    pub(super) fn forget(&self, n: usize) -> usize {
        let taken = n.min(self.free.get());
        self.free.set(self.free.get() - taken);
        taken
    }

    /// Refuses all who wait and all who come.
    pub(super) fn close(&self) {
        self.closed.set(true);
        let mut wakers = WakeBatch::new();
        loop {
            let all = self.line.borrow_mut().take_while(&mut wakers, |_lacking| true);
            wakers.wake_all();
            if all {
                return;
            }
        }
    }

    /// Waits in line for `n` permits. The stage tells of the place whenever foreign code runs, for
    /// that may panic.
    #[cold]
    fn poll_line(
        &self,
        cx: &mut Context<'_>,
        n: usize,
        stage: &mut Stage,
    ) -> Poll<Result<(), Closed>> {
        let mut fresh = None;
        loop {
            match *stage {
                Stage::Fresh => {
                    match self.try_acquire(n) {
                        Ok(()) => return Poll::Ready(Ok(())),
                        Err(NoPermit::Closed) => return Poll::Ready(Err(Closed)),
                        Err(NoPermit::Unavailable) => {}
                    }
                    if let Some(waker) = fresh.take() {
                        let lacking = n - self.free.take();
                        *stage = Stage::InLine(self.line.borrow_mut().push_back(lacking, waker));
                        return Poll::Pending;
                    }
                }
                Stage::InLine(own) => {
                    let mut line = self.line.borrow_mut();
                    if !line.is_linked(own) {
                        let removed = line.remove(own);
                        *stage = Stage::Fresh;
                        drop(line);
                        return self.settle(n - removed.value, n);
                    }
                    if line.will_wake(own, cx.waker()) {
                        return Poll::Pending;
                    }
                    if let Some(waker) = fresh.take() {
                        let old = line.set_waker(own, waker);
                        drop(line);
                        drop(old);
                        return Poll::Pending;
                    }
                }
                Stage::Held => {
                    *stage = Stage::Fresh;
                    return self.settle(n, n);
                }
            }
            // A clone is foreign code: it runs without a borrow, and we look again.
            fresh = Some(cx.waker().clone());
        }
    }

    /// Who was told of its permits takes them, unless it comes after the end.
    fn settle(&self, collected: usize, n: usize) -> Poll<Result<(), Closed>> {
        if collected == n && !self.closed.get() {
            return Poll::Ready(Ok(()));
        }
        self.release(collected);
        Poll::Ready(Err(Closed))
    }

    /// Gives up a place in line; what was collected goes on.
    fn leave(&self, n: usize, key: usize) {
        let removed = self.line.borrow_mut().remove(key);
        self.release(n - removed.value);
        drop(removed);
    }
}

/// How far an acquisition is.
#[derive(Debug, Default)]
pub(crate) enum Stage {
    /// It has nothing: not polled, or its permits went to the caller.
    #[default]
    Fresh,
    /// In line, or told, under this key.
    InLine(usize),
    /// It has its permits, and the task's budget is used up: the caller gets them with the next
    /// poll, and nobody overtakes a task for having no budget.
    Held,
}

impl Permits {
    /// Polls for permits that somebody at this stage needs.
    #[inline]
    pub(crate) fn poll_acquire(
        &self,
        cx: &mut Context<'_>,
        needed: usize,
        stage: &mut Stage,
    ) -> Poll<Result<(), Closed>> {
        let taken = match *stage {
            Stage::Fresh => self.try_acquire(needed).is_ok(),
            Stage::InLine(_) | Stage::Held => false,
        };
        if !taken {
            ready!(self.poll_line(cx, needed, stage))?;
        }
        match coop::poll_proceed(cx) {
            Poll::Ready(progress) => {
                progress.made_progress();
                *stage = Stage::Fresh;
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                *stage = Stage::Held;
                Poll::Pending
            }
        }
    }

    /// Who needs permits no longer gives up what it has at this stage.
    #[inline]
    pub(crate) fn give_up(&self, needed: usize, stage: &mut Stage) {
        match std::mem::take(stage) {
            Stage::Fresh => {}
            Stage::InLine(key) => self.leave(needed, key),
            Stage::Held => self.release(needed),
        }
    }

    /// A future of `n` permits, which are the caller's when it is ready.
    #[inline]
    pub(super) fn acquire(&self, n: usize) -> Acquire<'_> {
        Acquire { permits: self, n, stage: Stage::Fresh }
    }
}

/// Waits for permits.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub(super) struct Acquire<'a> {
    permits: &'a Permits,
    n: usize,
    stage: Stage,
}

impl Future for Acquire<'_> {
    type Output = Result<(), Closed>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.permits.poll_acquire(cx, this.n, &mut this.stage)
    }
}

impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        self.permits.give_up(self.n, &mut self.stage);
    }
}
