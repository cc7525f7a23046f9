//! The counting semaphore under the public semaphore, the locks and the bounded channel.
//!
//! One atomic word holds the permits and two flags, a mutex the line of waiters:
//!
//! ```text
//!   word = permits << 2 | WAITERS << 1 | CLOSED
//! ```
//!
//! - While WAITERS is clear nobody stands in line, and both sides work on the word alone: acquire
//!   subtracts, release adds.
//! - WAITERS is set and cleared only with the mutex held, in the same atomic step that takes the
//!   last permits or gives the rest back. So a release either adds to the word before a waiter
//!   looks, or sees the flag and goes through the mutex. No permit is lost between the two.
//! - While WAITERS is set the word holds no permits: each that is released goes to the front of the
//!   line, in part if the front needs more. Nobody overtakes.
//!
//! A waiter's value is the number of permits that it still lacks; at zero it leaves the line. What
//! a waiter has collected is given back when its future is dropped.
//!
//! Who was given its permits and comes to fetch them after `close` gives them back and gets the
//! error, as in tokio.

use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::executor::coop;
use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::{Mutex, MutexGuard};
use crate::sync::wait_queue::WaitQueue;
use crate::sync::wake_batch::WakeBatch;

const CLOSED: usize = 0b01;
const WAITERS: usize = 0b10;
const SHIFT: usize = 2;

/// A counting semaphore with a fair line.
#[derive(Debug)]
pub(crate) struct Batch {
    word: AtomicUsize,
    line: Mutex<WaitQueue<usize>>,
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

impl Batch {
    /// tokio's bound: three bits of the word are spare.
    pub(crate) const MAX_PERMITS: usize = usize::MAX >> 3;

    #[cfg(not(henge_loom))]
    pub(crate) const fn new(permits: usize) -> Self {
        assert!(permits <= Self::MAX_PERMITS);
        Self { word: AtomicUsize::new(permits << SHIFT), line: Mutex::new(WaitQueue::new()) }
    }

    #[cfg(henge_loom)]
    pub(crate) fn new(permits: usize) -> Self {
        assert!(permits <= Self::MAX_PERMITS);
        Self { word: AtomicUsize::new(permits << SHIFT), line: Mutex::new(WaitQueue::new()) }
    }

    /// Permits that anybody may take now.
    pub(crate) fn available(&self) -> usize {
        // Acquire: who sees a permit sees what its last holder did (pairs with the releases below).
        self.word.load(Ordering::Acquire) >> SHIFT
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Acquire: pairs with the release in `close`.
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    fn line(&self) -> MutexGuard<'_, WaitQueue<usize>> {
        // No foreign code runs under this mutex, so a poisoned one is as good as any.
        self.line.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Takes `n` permits if they are there and nobody stands in line.
    #[inline]
    pub(crate) fn try_acquire(&self, n: usize) -> Result<(), NoPermit> {
        // Acquire, here and in the exchange: pairs with the releases of the permits' last holders.
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            if word & CLOSED != 0 {
                return Err(NoPermit::Closed);
            }
            if word >> SHIFT < n {
                return Err(NoPermit::Unavailable);
            }
            // There are permits, so nobody stands in line. Acquire: as above.
            match self.word.compare_exchange_weak(
                word,
                word - (n << SHIFT),
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return Ok(()),
                Err(now) => word = now,
            }
        }
    }

    /// Gives `n` permits back, to those in line first.
    ///
    /// # Panics
    ///
    /// When the permits would exceed [`Batch::MAX_PERMITS`].
    #[inline]
    #[track_caller]
    pub(crate) fn release(&self, n: usize) {
        if n == 0 {
            return;
        }
        let mut word = self.word.load(Ordering::Relaxed);
        while word & WAITERS == 0 {
            let permits = check_sum(word >> SHIFT, n);
            // Release: the next holder sees what this one did.
            match self.word.compare_exchange_weak(
                word,
                permits << SHIFT | word & CLOSED,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        self.release_to_line(self.line(), n);
    }

    #[cold]
    #[track_caller]
    fn release_to_line<'s>(&'s self, mut line: MutexGuard<'s, WaitQueue<usize>>, mut n: usize) {
        let mut wakers = WakeBatch::new();
        loop {
            while !wakers.is_full() {
                let Some(lacking) = line.front_mut() else { break };
                let given = n.min(*lacking);
                *lacking -= given;
                n -= given;
                if *lacking > 0 {
                    break;
                }
                if let Some((_, waker)) = line.unlink_front() {
                    wakers.push(waker);
                }
            }
            if wakers.is_full() && !line.is_empty() {
                drop(line);
                wakers.wake_all();
                line = self.line();
                continue;
            }
            if line.is_empty() {
                self.add_and_clear(n);
            } else {
                debug_assert_eq!(n, 0, "the front of the line takes what there is");
            }
            break;
        }
        drop(line);
        wakers.wake_all();
    }

    /// The line is empty: the rest goes to the word, and the flag falls. Needs the mutex held.
    #[track_caller]
    fn add_and_clear(&self, n: usize) {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let permits = check_sum(word >> SHIFT, n);
            // Release: the next holder sees what this one did.
            match self.word.compare_exchange_weak(
                word,
                permits << SHIFT | word & CLOSED,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// Takes up to `n` permits away for good and says how many.
    pub(crate) fn forget(&self, n: usize) -> usize {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let taken = n.min(word >> SHIFT);
            // Acquire: as in `try_acquire`, the permits change hands.
            match self.word.compare_exchange_weak(
                word,
                word - (taken << SHIFT),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return taken,
                Err(now) => word = now,
            }
        }
    }

    /// Refuses all who wait and all who come.
    pub(crate) fn close(&self) {
        let mut line = self.line();
        // Release: who sees the flag sees what was done before (pairs with `is_closed`).
        self.word.fetch_or(CLOSED, Ordering::Release);
        let mut wakers = WakeBatch::new();
        loop {
            while !wakers.is_full() {
                let Some((_, waker)) = line.unlink_front() else { break };
                wakers.push(waker);
            }
            let more = !line.is_empty();
            if !more {
                self.add_and_clear(0);
            }
            drop(line);
            wakers.wake_all();
            if !more {
                return;
            }
            line = self.line();
        }
    }

    /// A future of `n` permits.
    #[inline]
    pub(crate) fn acquire(&self, n: usize) -> Acquire<'_> {
        Acquire { batch: self, needed: n, stage: Stage::default(), _pinned: PhantomPinned }
    }
}

#[track_caller]
fn check_sum(permits: usize, added: usize) -> usize {
    let sum = permits.checked_add(added).filter(|sum| *sum <= Batch::MAX_PERMITS);
    match sum {
        Some(sum) => sum,
        None => panic!(
            "number of added permits ({added}) would overflow MAX_PERMITS ({})",
            Batch::MAX_PERMITS
        ),
    }
}

/// How far an acquisition is.
#[derive(Debug, Default)]
pub(crate) enum Stage {
    /// It has nothing: not polled, or its permits went to the caller.
    #[default]
    Fresh,
    /// In line, or notified, under this key. What it has collected so far is `needed` less the
    /// value in the line.
    InLine(usize),
    /// It has its permits, and the task's budget was used up: the caller gets them with the next
    /// poll. Without this stage a task that is out of budget would lose its turn.
    Held,
}

pin_project! {
    /// Waits for permits; they are the caller's when it is ready.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub(crate) struct Acquire<'a> {
        batch: &'a Batch,
        needed: usize,
        stage: Stage,
        // tokio's futures of this kind are not `Unpin` either.
        #[pin]
        _pinned: PhantomPinned,
    }

    impl PinnedDrop for Acquire<'_> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.batch.give_up(*this.needed, this.stage);
        }
    }
}

impl Future for Acquire<'_> {
    type Output = Result<(), Closed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.batch.poll_acquire(cx, *this.needed, this.stage)
    }
}

impl Batch {
    /// Polls for permits that somebody at this stage needs.
    #[inline]
    pub(crate) fn poll_acquire(
        &self,
        cx: &mut Context<'_>,
        needed: usize,
        stage: &mut Stage,
    ) -> Poll<Result<(), Closed>> {
        // The permits come first and the budget second, so that a task without budget has its
        // place in line all the same.
        let taken = match *stage {
            Stage::Fresh => self.try_acquire(needed).is_ok(),
            Stage::InLine(_) | Stage::Held => false,
        };
        if !taken {
            ready!(self.poll_slow(cx, needed, stage))?;
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
            Stage::InLine(own) => self.leave_line(needed, own),
            Stage::Held => self.release(needed),
        }
    }

    /// Everything but an acquisition that succeeds at once. When it is ready and there was no
    /// error, the permits are the caller's.
    #[cold]
    fn poll_slow(
        &self,
        cx: &mut Context<'_>,
        needed: usize,
        stage: &mut Stage,
    ) -> Poll<Result<(), Closed>> {
        match *stage {
            Stage::Fresh => self.poll_first(cx, needed, stage),
            Stage::InLine(own) => self.poll_again(cx, needed, own, stage),
            Stage::Held => self.settle(needed, stage),
        }
    }

    /// The permits are there. Who was too late to fetch them before the end gives them back.
    fn settle(&self, needed: usize, stage: &mut Stage) -> Poll<Result<(), Closed>> {
        *stage = Stage::Fresh;
        if self.is_closed() {
            self.release(needed);
            return Poll::Ready(Err(Closed));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_first(
        &self,
        cx: &mut Context<'_>,
        needed: usize,
        stage: &mut Stage,
    ) -> Poll<Result<(), Closed>> {
        // Cloned before the mutex: a clone is foreign code.
        let waker = cx.waker().clone();
        let mut line = self.line();
        let mut word = self.word.load(Ordering::Relaxed);
        let lacking = loop {
            if word & CLOSED != 0 {
                drop(line);
                return Poll::Ready(Err(Closed));
            }
            let permits = word >> SHIFT;
            let taken = permits.min(needed);
            let flag = if taken < needed { WAITERS } else { word & WAITERS };
            // Acquire: pairs with the releases of the permits that are taken here. The flag goes up
            // in the same step, so that the next release finds the line.
            match self.word.compare_exchange_weak(
                word,
                (permits - taken) << SHIFT | flag,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => break needed - taken,
                Err(now) => word = now,
            }
        };
        if lacking == 0 {
            drop(line);
            return Poll::Ready(Ok(()));
        }
        *stage = Stage::InLine(line.push_back(lacking, waker));
        Poll::Pending
    }

    fn poll_again(
        &self,
        cx: &mut Context<'_>,
        needed: usize,
        own: usize,
        stage: &mut Stage,
    ) -> Poll<Result<(), Closed>> {
        let mut fresh = None;
        loop {
            let mut line = self.line();
            if !line.is_linked(own) {
                let removed = line.remove(own);
                drop(line);
                if removed.value == 0 {
                    return self.settle(needed, stage);
                }
                // It left the line short of permits: closed.
                *stage = Stage::Fresh;
                self.release(needed - removed.value);
                return Poll::Ready(Err(Closed));
            }
            if line.will_wake(own, cx.waker()) {
                return Poll::Pending;
            }
            match fresh.take() {
                Some(waker) => {
                    let old = line.set_waker(own, waker);
                    drop(line);
                    drop(old);
                    return Poll::Pending;
                }
                None => {
                    drop(line);
                    fresh = Some(cx.waker().clone());
                }
            }
        }
    }

    /// The future goes, in line or notified and never polled again: either way what it has
    /// collected goes on.
    #[cold]
    fn leave_line(&self, needed: usize, own: usize) {
        let mut line = self.line();
        let removed = line.remove(own);
        let collected = needed - removed.value;
        if collected > 0 || line.is_empty() {
            self.release_to_line(line, collected);
        } else {
            drop(line);
        }
        drop(removed);
    }
}
