//! The channel under the bounded and the unbounded flavour.
//!
//! What both sides change sits in one mutex, so that a message costs the sender one lock and
//! nothing else: the queue, the free capacity, the line of senders that wait for it, and the
//! receiver's waker. The count of senders is an atomic beside it, as clones are common and touch
//! nothing else.
//!
//! The receiver takes a single message out in place. Where there are more it takes all of them, as
//! its *batch*, and then receives without the mutex (`receive`), so that a receiver that is behind
//! does not stand in the way of its senders. The capacity of a message of the batch comes back
//! when it is received, by a word of its own (`returned`).
//!
//! Rules:
//!
//! - `free + unsettled + batch + queue + outstanding permits = max` for a bounded channel, where
//!   `unsettled` is what has come back by the word since `settled`.
//! - While somebody stands in line `free` is 0: capacity that comes back goes to the front first.
//! - While somebody stands in line the word says so.
//! - The receiver has seen the end when batch and queue are empty, no permit is outstanding, and
//!   either side is closed.
//! - Values and wakers are dropped, and wakers called, only when the mutex is free.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use crossbeam_utils::CachePadded;

use super::returned::{Count, Returned};
use crate::loom::sync::{Mutex, MutexGuard};
use crate::sync::sender_count::SenderCount;
use crate::sync::wait_queue::WaitQueue;
use crate::sync::wake_batch::WakeBatch;

#[derive(Debug)]
pub(super) struct Chan<T> {
    state: Mutex<State<T>>,
    /// What comes back of the capacity without the mutex, and not in the senders' cache line.
    pub(super) returned: CachePadded<Returned>,
    pub(super) senders: SenderCount,
    max: usize,
}

#[derive(Debug)]
pub(super) struct State<T> {
    pub(super) queue: VecDeque<T>,
    pub(super) free: usize,
    /// What has come back by the word up to here is in `free`, or was handed out.
    settled: Count,
    /// Senders waiting for capacity, each with what it still lacks.
    pub(super) line: WaitQueue<usize>,
    /// Those who wait for the receiver to go away.
    closed_line: WaitQueue<()>,
    pub(super) receiver: Option<Waker>,
    pub(super) receiver_closed: bool,
}

/// What a message could not be put in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    Full,
    Closed,
}

impl<T> Chan<T> {
    /// Capacity of the unbounded flavour: nobody can fill it, even if none comes back.
    pub(super) const UNBOUNDED: usize = usize::MAX;

    pub(super) fn new(max: usize) -> Self {
        Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                free: max,
                settled: Count::START,
                line: WaitQueue::new(),
                closed_line: WaitQueue::new(),
                receiver: None,
                receiver_closed: false,
            }),
            returned: CachePadded::new(Returned::new()),
            senders: SenderCount::one(),
            max,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<T>> {
        // No foreign code runs under this mutex, so a poisoned one is as good as any.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    pub(super) fn is_unbounded(&self) -> bool {
        self.max == Self::UNBOUNDED
    }

    pub(super) fn free(&self) -> usize {
        let mut state = self.state();
        state.settle(self.returned.count());
        state.free
    }

    pub(super) fn is_receiver_closed(&self) -> bool {
        self.state().receiver_closed
    }

    pub(super) fn drop_sender(&self) {
        if self.senders.remove() {
            let receiver = self.state().receiver.take();
            if let Some(receiver) = receiver {
                receiver.wake();
            }
        }
    }

    /// Puts a message in.
    pub(super) fn try_send(&self, value: T) -> Result<(), (NoRoom, T)> {
        let mut state = self.state();
        if state.receiver_closed {
            drop(state);
            return Err((NoRoom::Closed, value));
        }
        if !state.has_room(1, &self.returned) {
            drop(state);
            return Err((NoRoom::Full, value));
        }
        state.free -= 1;
        Self::push(state, value);
        Ok(())
    }

    /// Puts a message in for which a permit is held.
    pub(super) fn send_permitted(&self, value: T) {
        Self::push(self.state(), value);
    }

    fn push(mut state: MutexGuard<'_, State<T>>, value: T) {
        state.queue.push_back(value);
        let receiver = state.receiver.take();
        drop(state);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// Takes `n` permits, all or none.
    pub(super) fn try_reserve(&self, n: usize) -> Result<(), NoRoom> {
        let mut state = self.state();
        if state.receiver_closed {
            return Err(NoRoom::Closed);
        }
        if !state.has_room(n, &self.returned) {
            return Err(NoRoom::Full);
        }
        state.free -= n;
        Ok(())
    }

    /// Gives `n` permits back.
    pub(super) fn release(&self, n: usize) {
        if n == 0 {
            return;
        }
        let mut state = self.state();
        state.settle(self.returned.count());
        let mut wakers = WakeBatch::new();
        let receiver = state.give_back(n, &mut wakers, self.max);
        self.finish(state, wakers);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// Lets go of the mutex and wakes; goes on while a batch could not take everybody.
    pub(super) fn finish<'s>(&'s self, mut state: MutexGuard<'s, State<T>>, mut wakers: WakeBatch) {
        loop {
            let more = wakers.is_full();
            drop(state);
            wakers.wake_all();
            if !more {
                return;
            }
            state = self.state();
            let free = std::mem::take(&mut state.free);
            state.hand_out(free, &mut wakers);
            if state.receiver_closed {
                state.refuse_all(&mut wakers);
            }
        }
    }

    /// The receiver takes no more than what is queued and permitted.
    pub(super) fn close(&self) {
        let mut state = self.state();
        if state.receiver_closed {
            return;
        }
        state.receiver_closed = true;
        let mut wakers = WakeBatch::new();
        state.refuse_all(&mut wakers);
        self.finish(state, wakers);
    }

    /// Waits in line for `n` permits.
    pub(super) fn poll_reserve(
        &self,
        cx: &mut Context<'_>,
        n: usize,
        key: &mut Option<usize>,
    ) -> Poll<Result<(), NoRoom>> {
        let mut fresh = None;
        loop {
            let mut state = self.state();
            match *key {
                None if state.receiver_closed => return Poll::Ready(Err(NoRoom::Closed)),
                None if state.has_room(n, &self.returned) => {
                    state.free -= n;
                    return Poll::Ready(Ok(()));
                }
                None => {
                    if let Some(waker) = fresh.take() {
                        let mut taken = 0;
                        if state.line.is_empty() {
                            let count = self.returned.await_more();
                            state.settle(count);
                            taken = state.free.min(n);
                            state.free -= taken;
                            if taken == n {
                                // Enough has come back since we looked.
                                self.returned.nobody_waits();
                                drop(state);
                                drop(waker);
                                return Poll::Ready(Ok(()));
                            }
                        }
                        *key = Some(state.line.push_back(n - taken, waker));
                        return Poll::Pending;
                    }
                }
                Some(own) if !state.line.is_linked(own) => {
                    let removed = state.line.remove(own);
                    *key = None;
                    let closed = state.receiver_closed;
                    drop(state);
                    if removed.value == 0 && !closed {
                        return Poll::Ready(Ok(()));
                    }
                    // It left the line short, or comes too late: the receiver has closed.
                    self.release(n - removed.value);
                    return Poll::Ready(Err(NoRoom::Closed));
                }
                Some(own) => {
                    if state.line.will_wake(own, cx.waker()) {
                        return Poll::Pending;
                    }
                    if let Some(waker) = fresh.take() {
                        let old = state.line.set_waker(own, waker);
                        drop(state);
                        drop(old);
                        return Poll::Pending;
                    }
                }
            }
            // A clone is foreign code: it runs without the mutex, and we look again.
            drop(state);
            fresh = Some(cx.waker().clone());
        }
    }

    /// Leaves the line; what was collected goes on.
    pub(super) fn cancel_reserve(&self, n: usize, key: usize) {
        let mut state = self.state();
        let removed = state.line.remove(key);
        drop(state);
        self.release(n - removed.value);
        drop(removed);
    }

    /// Waits until the receiver has closed.
    pub(super) fn poll_closed(&self, cx: &mut Context<'_>, key: &mut Option<usize>) -> Poll<()> {
        let mut fresh = None;
        loop {
            let mut state = self.state();
            if state.receiver_closed {
                let removed = key.take().map(|own| state.closed_line.remove(own));
                drop(state);
                drop(removed);
                return Poll::Ready(());
            }
            match (*key, fresh.take()) {
                (Some(own), _) if state.closed_line.will_wake(own, cx.waker()) => {
                    return Poll::Pending;
                }
                (Some(own), Some(waker)) => {
                    let old = state.closed_line.set_waker(own, waker);
                    drop(state);
                    drop(old);
                    return Poll::Pending;
                }
                (None, Some(waker)) => {
                    *key = Some(state.closed_line.push_back((), waker));
                    return Poll::Pending;
                }
                (_, None) => {
                    drop(state);
                    fresh = Some(cx.waker().clone());
                }
            }
        }
    }

    /// Stops waiting for the receiver to close.
    pub(super) fn cancel_closed(&self, key: usize) {
        let removed = self.state().closed_line.remove(key);
        drop(removed);
    }
}

impl<T> State<T> {
    /// Makes what has come back by the word free for who comes now, unless somebody is in line:
    /// then it is the line's, and the receiver is about to hand it out.
    pub(super) fn settle(&mut self, count: Count) {
        if self.line.is_empty() {
            self.free += count.since(self.settled);
            self.settled = count;
        }
    }

    /// The same for the receiver, who hands out to the line.
    pub(super) fn hand_out_returned(&mut self, count: Count, wakers: &mut WakeBatch) {
        let n = count.since(self.settled);
        self.settled = count;
        self.hand_out(n, wakers);
    }

    /// Whether `n` permits are free for who comes now. No permits always are.
    fn has_room(&mut self, n: usize, returned: &Returned) -> bool {
        if n > self.free {
            self.settle(returned.count());
        }
        n == 0 || self.free >= n && self.line.is_empty()
    }

    /// Capacity for those in line, front first; what is left is free.
    pub(super) fn hand_out(&mut self, mut n: usize, wakers: &mut WakeBatch) {
        while n > 0 && !wakers.is_full() {
            let Some(lacking) = self.line.front_mut() else { break };
            let given = n.min(*lacking);
            *lacking -= given;
            n -= given;
            if *lacking > 0 {
                break;
            }
            if let Some((_, waker)) = self.line.unlink_front() {
                wakers.push(waker);
            }
        }
        self.free += n;
    }

    /// Permits come back unused. Returns the receiver's waker if it waits for the last of them.
    fn give_back(&mut self, n: usize, wakers: &mut WakeBatch, max: usize) -> Option<Waker> {
        self.hand_out(n, wakers);
        if self.receiver_closed && self.queue.is_empty() && self.free == max {
            return self.receiver.take();
        }
        None
    }

    /// The receiver has closed: everybody in both lines is told, as far as the batch goes.
    fn refuse_all(&mut self, wakers: &mut WakeBatch) {
        while !wakers.is_full() {
            let Some((_, waker)) = self.line.unlink_front() else { break };
            wakers.push(waker);
        }
        while !wakers.is_full() {
            let Some((_, waker)) = self.closed_line.unlink_front() else { break };
            wakers.push(waker);
        }
    }
}
