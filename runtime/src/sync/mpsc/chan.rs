//! The channel under the bounded and the unbounded flavour.
//!
//! Everything that both sides change sits in one mutex, so that a message costs one lock on each
//! side and nothing else: the queue, the free capacity, the line of senders that wait for it, and
//! the receiver's waker. The count of senders is an atomic beside it, as clones are common and
//! touch nothing else.
//!
//! Rules:
//!
//! - `free + queue.len() + outstanding permits = max` for a bounded channel.
//! - While somebody stands in line `free` is 0: capacity that comes back goes to the front first.
//! - The receiver has seen the end when the queue is empty, no permit is outstanding, and either
//!   side is closed.
//! - Values and wakers are dropped, and wakers called, only when the mutex is free.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::{Mutex, MutexGuard};
use crate::sync::wait_queue::{WaitQueue, WakeBatch};

/// The queue gives its room back when it runs empty with more than this.
const KEPT_CAPACITY: usize = 256;

#[derive(Debug)]
pub(super) struct Chan<T> {
    state: Mutex<State<T>>,
    /// Senders that keep the channel open.
    senders: AtomicUsize,
    /// Senders that do not.
    weak_senders: AtomicUsize,
    max: usize,
}

#[derive(Debug)]
pub(super) struct State<T> {
    queue: VecDeque<T>,
    free: usize,
    /// Senders waiting for capacity, each with what it still lacks.
    line: WaitQueue<usize>,
    /// Those who wait for the receiver to go away.
    closed_line: WaitQueue<()>,
    receiver: Option<Waker>,
    receiver_closed: bool,
}

/// What a message could not be put in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    Full,
    Closed,
}

impl<T> Chan<T> {
    /// Capacity of the unbounded flavour: nobody can fill it.
    pub(super) const UNBOUNDED: usize = usize::MAX >> 3;

    pub(super) fn new(max: usize) -> Self {
        Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                free: max,
                line: WaitQueue::new(),
                closed_line: WaitQueue::new(),
                receiver: None,
                receiver_closed: false,
            }),
            senders: AtomicUsize::new(1),
            weak_senders: AtomicUsize::new(0),
            max,
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // No foreign code runs under this mutex, so a poisoned one is as good as any.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    pub(super) fn free(&self) -> usize {
        self.state().free
    }

    pub(super) fn len(&self) -> usize {
        self.state().queue.len()
    }

    pub(super) fn is_receiver_closed(&self) -> bool {
        self.state().receiver_closed
    }

    pub(super) fn senders(&self) -> usize {
        self.senders.load(Ordering::Relaxed)
    }

    pub(super) fn weak_senders(&self) -> usize {
        self.weak_senders.load(Ordering::Relaxed)
    }

    pub(super) fn add_sender(&self) {
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_weak(&self) {
        self.weak_senders.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn drop_weak(&self) {
        self.weak_senders.fetch_sub(1, Ordering::Relaxed);
    }

    /// Makes a weak sender strong, if there is a strong one yet.
    pub(super) fn upgrade(&self) -> bool {
        let mut senders = self.senders.load(Ordering::Relaxed);
        while senders > 0 {
            match self.senders.compare_exchange_weak(
                senders,
                senders + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => senders = now,
            }
        }
        false
    }

    pub(super) fn drop_sender(&self) {
        // AcqRel: whoever takes the count to zero has seen all that the other senders did, and
        // tells the receiver after them.
        if self.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
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
        if state.free == 0 {
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
        if !state.has_room(n) {
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
        let mut wakers = WakeBatch::new();
        let receiver = state.give_back(n, &mut wakers, self.max);
        self.finish(state, wakers);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// Lets go of the mutex and wakes; goes on while a batch could not take everybody.
    fn finish<'s>(&'s self, mut state: MutexGuard<'s, State<T>>, mut wakers: WakeBatch) {
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

    /// The next message, `None` at the end.
    pub(super) fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut fresh = None;
        loop {
            let mut state = self.state();
            if let Some(value) = state.queue.pop_front() {
                self.received(state, 1);
                return Poll::Ready(Some(value));
            }
            if self.is_over(&state) {
                return Poll::Ready(None);
            }
            if state.receiver.as_ref().is_some_and(|own| own.will_wake(cx.waker())) {
                return Poll::Pending;
            }
            match fresh.take() {
                Some(waker) => {
                    let old = state.receiver.replace(waker);
                    drop(state);
                    drop(old);
                    return Poll::Pending;
                }
                // A clone is foreign code: it runs without the mutex, and we look again.
                None => {
                    drop(state);
                    fresh = Some(cx.waker().clone());
                }
            }
        }
    }

    /// Up to `limit` messages into `buffer`; 0 at the end.
    pub(super) fn poll_recv_many(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        let mut state = self.state();
        let n = limit.min(state.queue.len());
        if n > 0 {
            buffer.extend(state.queue.drain(..n));
            self.received(state, n);
            return Poll::Ready(n);
        }
        drop(state);
        self.poll_recv(cx).map(|value| match value {
            Some(value) => {
                buffer.push(value);
                1
            }
            None => 0,
        })
    }

    /// The next message if there is one; whether there can ever be one if not.
    pub(super) fn try_recv(&self) -> Result<T, NoRoom> {
        let mut state = self.state();
        match state.queue.pop_front() {
            Some(value) => {
                self.received(state, 1);
                Ok(value)
            }
            None if self.is_over(&state) => Err(NoRoom::Closed),
            None => Err(NoRoom::Full),
        }
    }

    fn is_over(&self, state: &State<T>) -> bool {
        debug_assert!(state.queue.is_empty());
        if state.receiver_closed {
            // Permits that are outstanding may yet become messages. Nobody stands in line after a
            // close, and who left it short gives back what it had collected.
            return state.free == self.max;
        }
        // Acquire: pairs with the release in `drop_sender`; what those senders sent before is in
        // the queue, which is looked at under the mutex.
        self.senders.load(Ordering::Acquire) == 0
    }

    fn received(&self, mut state: MutexGuard<'_, State<T>>, n: usize) {
        let spare = if state.queue.is_empty() && state.queue.capacity() > KEPT_CAPACITY {
            std::mem::take(&mut state.queue)
        } else {
            VecDeque::new()
        };
        if state.line.is_empty() {
            state.free += n;
            drop(state);
        } else {
            let mut wakers = WakeBatch::new();
            state.hand_out(n, &mut wakers);
            self.finish(state, wakers);
        }
        drop(spare);
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

    /// Takes out what is queued, for the receiver that goes away to drop.
    pub(super) fn drain(&self) -> VecDeque<T> {
        let mut state = self.state();
        let queue = std::mem::take(&mut state.queue);
        let receiver = state.receiver.take();
        state.free += queue.len();
        drop(state);
        drop(receiver);
        queue
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
                None if state.has_room(n) => {
                    state.free -= n;
                    return Poll::Ready(Ok(()));
                }
                None => {
                    if let Some(waker) = fresh.take() {
                        let taken = if state.line.is_empty() { state.free.min(n) } else { 0 };
                        state.free -= taken;
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
    /// Whether `n` permits are free for who comes now. No permits always are.
    fn has_room(&self, n: usize) -> bool {
        n == 0 || self.free >= n && self.line.is_empty()
    }

    /// Capacity for those in line, front first; what is left is free.
    fn hand_out(&mut self, mut n: usize, wakers: &mut WakeBatch) {
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
