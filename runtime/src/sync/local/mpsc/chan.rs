//! The local channel under the bounded and the unbounded flavour.
//!
//! A message is a permit (`room`), a push and a wake. The receiver gives the permit back when it
//! takes the message. It has seen the end when the queue is empty and either all senders are gone,
//! or it has closed and all permits are back.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use super::super::permits::{Closed, NoPermit, Permits, Stage};
use super::error::SendError;
use crate::sync::place::{Line, Place};
use crate::sync::wait_queue::WaitQueue;

/// The queue gives its room back when it runs empty with more than this.
const KEPT_CAPACITY: usize = 256;

pub(super) struct Chan<T> {
    queue: RefCell<VecDeque<T>>,
    room: Permits,
    max: usize,
    receiver: Cell<Option<Waker>>,
    senders: Cell<usize>,
    weak_senders: Cell<usize>,
    /// Those who wait for the receiver to go away.
    closed_line: RefCell<WaitQueue<()>>,
}

impl<T> Chan<T> {
    /// Capacity of the unbounded flavour: nobody can fill it.
    pub(super) const UNBOUNDED: usize = Permits::MAX;

    pub(super) fn new(max: usize) -> Self {
        Self {
            queue: RefCell::new(VecDeque::new()),
            room: Permits::new(max),
            max,
            receiver: Cell::new(None),
            senders: Cell::new(1),
            weak_senders: Cell::new(0),
            closed_line: RefCell::new(WaitQueue::new()),
        }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    pub(super) fn free(&self) -> usize {
        self.room.available()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    pub(super) fn is_receiver_closed(&self) -> bool {
        self.room.is_closed()
    }

    pub(super) fn senders(&self) -> usize {
        self.senders.get()
    }

    pub(super) fn weak_senders(&self) -> usize {
        self.weak_senders.get()
    }

    pub(super) fn add_sender(&self) {
        self.senders.set(self.senders.get() + 1);
    }

    pub(super) fn add_weak(&self) {
        self.weak_senders.set(self.weak_senders.get() + 1);
    }

    pub(super) fn drop_weak(&self) {
        self.weak_senders.set(self.weak_senders.get() - 1);
    }

    /// Makes a weak sender strong, if there is a strong one yet.
    pub(super) fn upgrade(&self) -> bool {
        let live = self.senders.get() > 0;
        if live {
            self.add_sender();
        }
        live
    }

    pub(super) fn drop_sender(&self) {
        self.senders.set(self.senders.get() - 1);
        if self.senders.get() == 0 {
            self.wake_receiver();
        }
    }

    #[inline]
    fn wake_receiver(&self) {
        if let Some(receiver) = self.receiver.take() {
            receiver.wake();
        }
    }

    /// Takes `n` permits, all or none.
    #[inline]
    pub(super) fn try_reserve(&self, n: usize) -> Result<(), NoPermit> {
        self.room.try_acquire(n)
    }

    /// A future of `n` permits.
    #[inline]
    pub(super) fn reserve(&self, n: usize) -> Reserve<'_, T> {
        Reserve { chan: self, n, stage: Stage::default() }
    }

    /// A future that sends a message.
    #[inline]
    pub(super) fn send(&self, value: T) -> Send<'_, T> {
        Send { reserve: self.reserve(1), value: Some(value) }
    }

    /// Puts a message in for which a permit is held.
    #[inline]
    pub(super) fn send_permitted(&self, value: T) {
        self.queue.borrow_mut().push_back(value);
        self.wake_receiver();
    }

    /// Gives `n` permits back unused.
    pub(super) fn release(&self, n: usize) {
        self.room.release(n);
        self.tell_if_over();
    }

    /// Wakes a receiver that has closed and waited for the last permit.
    #[inline]
    fn tell_if_over(&self) {
        if self.room.is_closed() && self.len() == 0 && self.is_over() {
            self.wake_receiver();
        }
    }

    /// The same for permits that came back in passing: before, so many were free.
    fn tell_if_freed(&self, before: usize) {
        if self.free() != before {
            self.tell_if_over();
        }
    }

    /// Whether an empty queue stays empty.
    fn is_over(&self) -> bool {
        if self.room.is_closed() {
            // Permits that are outstanding may yet become messages.
            return self.room.available() == self.max;
        }
        self.senders.get() == 0
    }

    /// The next message if there is one; whether there can ever be one if not.
    #[inline]
    pub(super) fn try_recv(&self) -> Result<T, NoPermit> {
        let mut queue = self.queue.borrow_mut();
        match queue.pop_front() {
            Some(value) => {
                self.received(queue, 1);
                Ok(value)
            }
            None if self.is_over() => Err(NoPermit::Closed),
            None => Err(NoPermit::Unavailable),
        }
    }

    #[inline]
    fn received(&self, mut queue: impl DerefMut<Target = VecDeque<T>>, n: usize) {
        if queue.is_empty() && queue.capacity() > KEPT_CAPACITY {
            *queue = VecDeque::new();
        }
        drop(queue);
        self.room.release(n);
    }

    /// The next message, `None` at the end.
    #[inline]
    pub(super) fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match self.try_recv() {
            Ok(value) => Poll::Ready(Some(value)),
            Err(NoPermit::Closed) => Poll::Ready(None),
            Err(NoPermit::Unavailable) => self.wait(cx),
        }
    }

    fn wait(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // The slot is empty while the clone and the drop, which are foreign code, run.
        let waker = match self.receiver.take() {
            Some(own) if own.will_wake(cx.waker()) => own,
            other => {
                drop(other);
                let waker = cx.waker().clone();
                // They may have sent something, and found nobody to wake.
                match self.try_recv() {
                    Ok(value) => return Poll::Ready(Some(value)),
                    Err(NoPermit::Closed) => return Poll::Ready(None),
                    Err(NoPermit::Unavailable) => waker,
                }
            }
        };
        self.receiver.set(Some(waker));
        Poll::Pending
    }

    /// Up to `limit` messages into `buffer`; 0 at the end.
    pub(super) fn poll_recv_many(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        let mut queue = self.queue.borrow_mut();
        let n = limit.min(queue.len());
        if n > 0 {
            buffer.extend(queue.drain(..n));
            self.received(queue, n);
            return Poll::Ready(n);
        }
        drop(queue);
        self.poll_recv(cx).map(|value| {
            let before = buffer.len();
            buffer.extend(value);
            buffer.len() - before
        })
    }

    /// The receiver takes no more than what is queued and permitted.
    pub(super) fn close(&self) {
        if !self.room.is_closed() {
            self.room.close();
            ClosedLine(self).wake_while(|()| true, |_line| ());
        }
    }

    /// Takes out what is queued, for the receiver that goes away to drop.
    pub(super) fn drain(&self) -> VecDeque<T> {
        drop(self.receiver.take());
        let queue = self.queue.take();
        self.room.release(queue.len());
        queue
    }

    /// Waits until the receiver has closed.
    pub(super) async fn closed(&self) {
        let mut place = Place::new(ClosedLine(self));
        poll_fn(|cx| place.poll(cx, |_line| if self.room.is_closed() { Ok(()) } else { Err(()) }))
            .await;
    }
}

struct ClosedLine<'a, T>(&'a Chan<T>);

impl<T> Line for ClosedLine<'_, T> {
    type State = WaitQueue<()>;
    type Value = ();

    fn lock(&self) -> impl DerefMut<Target = WaitQueue<()>> {
        self.0.closed_line.borrow_mut()
    }

    fn queue(state: &mut WaitQueue<()>) -> &mut WaitQueue<()> {
        state
    }
}

/// Waits for permits of a channel. Written by hand, as nested async functions cost more than the
/// channel.
#[must_use = "futures do nothing unless polled"]
pub(super) struct Reserve<'a, T> {
    chan: &'a Chan<T>,
    n: usize,
    stage: Stage,
}

impl<T> Future for Reserve<'_, T> {
    type Output = Result<(), Closed>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let this = &mut *self;
        let free = this.chan.free();
        let acquired = ready!(this.chan.room.poll_acquire(cx, this.n, &mut this.stage));
        if acquired.is_err() {
            this.chan.tell_if_freed(free);
        }
        Poll::Ready(acquired)
    }
}

impl<T> Drop for Reserve<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.stage, Stage::Fresh) {
            let free = self.chan.free();
            self.chan.room.give_up(self.n, &mut self.stage);
            self.chan.tell_if_freed(free);
        }
    }
}

/// Sends a message, waiting for room where there is none.
#[must_use = "futures do nothing unless polled"]
pub(super) struct Send<'a, T> {
    reserve: Reserve<'a, T>,
    /// `None` once sent.
    value: Option<T>,
}

// Nothing in it is pinned.
impl<T> Unpin for Send<'_, T> {}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let reserved = ready!(Pin::new(&mut this.reserve).poll(cx));
        let value = this.value.take().expect("polled after it was ready");
        Poll::Ready(match reserved {
            Ok(()) => {
                this.reserve.chan.send_permitted(value);
                Ok(())
            }
            Err(Closed) => Err(SendError(value)),
        })
    }
}
