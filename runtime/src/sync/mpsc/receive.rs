//! The receiver's side of the channel: its batch, and how messages come out.

use std::collections::VecDeque;
use std::mem;
use std::task::{Context, Poll};

use super::chan::{Chan, NoRoom, State};
use crate::loom::sync::{Mutex, MutexGuard};
use crate::sync::wake_batch::WakeBatch;

/// A queue that runs empty keeps this much room, or as much as four times what it is needed for.
const KEPT_CAPACITY: usize = 256;

/// Messages that the receiver has taken out of the channel, and has not received yet.
#[derive(Debug)]
pub(super) struct Batch<T> {
    /// Nobody ever waits for this mutex. It is what makes a receiver `Sync` whatever its messages
    /// are, as no shared reference to one is had from it.
    queue: Mutex<VecDeque<T>>,
    len: usize,
}

// No message is pinned in here.
impl<T> Unpin for Batch<T> {}

impl<T> Batch<T> {
    pub(super) fn new() -> Self {
        Self { queue: Mutex::new(VecDeque::new()), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn queue(&mut self) -> &mut VecDeque<T> {
        self.queue.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn pop(&mut self) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        self.len -= 1;
        self.queue().pop_front()
    }

    /// Takes all that is in the channel's queue, and leaves it the batch's empty one; the channel's
    /// first message, and a queue with too much room, which is dropped without the mutex.
    fn refill(&mut self, queue: &mut VecDeque<T>) -> (Option<T>, VecDeque<T>) {
        let own = self.queue();
        mem::swap(own, queue);
        let first = own.pop_front();
        let wanted = KEPT_CAPACITY.max(4 * own.len());
        self.len = own.len();
        let spare = if queue.capacity() > wanted { mem::take(queue) } else { VecDeque::new() };
        (first, spare)
    }
}

impl<T> Chan<T> {
    /// How many messages there are, for a receiver with this batch.
    pub(super) fn len(&self, batch: &Batch<T>) -> usize {
        batch.len() + self.state().queue.len()
    }

    /// The next message, `None` at the end.
    pub(super) fn poll_recv(&self, cx: &mut Context<'_>, batch: &mut Batch<T>) -> Poll<Option<T>> {
        if let Some(value) = self.next_of_batch(batch) {
            return Poll::Ready(Some(value));
        }
        let mut fresh = None;
        loop {
            let mut state = self.state();
            if !state.queue.is_empty() {
                return Poll::Ready(self.take(state, batch));
            }
            if self.is_over(&mut state) {
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
        batch: &mut Batch<T>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        let ahead = limit.min(batch.len);
        if ahead > 0 {
            batch.len -= ahead;
            buffer.extend(batch.queue().drain(..ahead));
            self.give_back_received(ahead);
        }
        let mut n = ahead;
        if n < limit {
            let mut state = self.state();
            let here = (limit - n).min(state.queue.len());
            if here > 0 {
                buffer.extend(state.queue.drain(..here));
                self.received(state, here);
                n += here;
            }
        }
        if n > 0 {
            return Poll::Ready(n);
        }
        self.poll_recv(cx, batch).map(|value| match value {
            Some(value) => {
                buffer.push(value);
                1
            }
            None => 0,
        })
    }

    /// The next message if there is one; whether there can ever be one if not.
    pub(super) fn try_recv(&self, batch: &mut Batch<T>) -> Result<T, NoRoom> {
        if let Some(value) = self.next_of_batch(batch) {
            return Ok(value);
        }
        let mut state = self.state();
        if state.queue.is_empty() {
            return Err(if self.is_over(&mut state) { NoRoom::Closed } else { NoRoom::Full });
        }
        self.take(state, batch).ok_or(NoRoom::Full)
    }

    /// Takes out what there is, for the receiver that goes away to drop.
    pub(super) fn drain(&self, batch: &mut Batch<T>) -> [VecDeque<T>; 2] {
        let ahead = mem::take(batch.queue());
        batch.len = 0;
        let mut state = self.state();
        let queue = mem::take(&mut state.queue);
        let receiver = state.receiver.take();
        state.settle(self.returned.count());
        state.free += ahead.len() + queue.len();
        drop(state);
        drop(receiver);
        [ahead, queue]
    }

    #[inline]
    fn next_of_batch(&self, batch: &mut Batch<T>) -> Option<T> {
        let value = batch.pop()?;
        self.give_back_received(1);
        Some(value)
    }

    /// Gives back the capacity of messages that were received out of the batch.
    #[inline]
    fn give_back_received(&self, n: usize) {
        if !self.is_unbounded() && self.returned.add(n) {
            self.serve_line();
        }
    }

    #[cold]
    fn serve_line(&self) {
        let mut state = self.state();
        let mut wakers = WakeBatch::new();
        state.hand_out_returned(self.returned.count(), &mut wakers);
        if state.line.is_empty() {
            self.returned.nobody_waits();
        }
        self.finish(state, wakers);
    }

    /// Takes the first message of a queue that has one; if it has more, all of them.
    fn take(&self, mut state: MutexGuard<'_, State<T>>, batch: &mut Batch<T>) -> Option<T> {
        let (value, spare) = if state.queue.len() > 1 {
            batch.refill(&mut state.queue)
        } else {
            (state.queue.pop_front(), VecDeque::new())
        };
        self.received(state, 1);
        drop(spare);
        value
    }

    /// Whether no message can come any more.
    fn is_over(&self, state: &mut State<T>) -> bool {
        debug_assert!(state.queue.is_empty());
        if state.receiver_closed {
            // Permits that are outstanding may yet become messages. Nobody stands in line after a
            // close, and who left it short gives back what it had collected.
            state.settle(self.returned.count());
            return self.is_unbounded() || state.free == self.max();
        }
        self.senders.are_gone()
    }

    /// Messages were received out of the queue.
    fn received(&self, mut state: MutexGuard<'_, State<T>>, n: usize) {
        if state.line.is_empty() {
            state.free += n;
            return;
        }
        let mut wakers = WakeBatch::new();
        state.hand_out(n, &mut wakers);
        self.finish(state, wakers);
    }
}
