//! What senders and receivers share, and who touches what.
//!
//! Messages have positions, counted from the first one ever sent; a receiver knows the position
//! that it reads next. There are three things, so that a receiver that is behind meets a sender
//! nowhere:
//!
//! - The *tail*, one mutex: how many receivers there are, who waits for a message, and who may put
//!   one in. A sender holds it from the position that it takes to the end of the round of those
//!   who wait; a receiver only to stand in line.
//! - The *slots* ([`slots`](super::slots)), a mutex each. They are locked within the tail's mutex
//!   or without it, never the other way round.
//! - `published`, the position of the next message: written within the tail's mutex once the
//!   message is in its slot, and read by everybody. A receiver remembers what it read there, and
//!   reads its way up to it with a slot's mutex a message and nothing else.
//!
//! No wake is lost: a receiver stands in line within the tail's mutex, where it has seen that there
//! is no message for it and that there are senders. A message that comes afterwards was published
//! within that mutex, by a sender that then takes out all who are there. The count of senders falls
//! to zero before the one who did that takes the mutex for the same purpose. It follows that who
//! stood in line and sees a further position was taken out, or is about to be.

use std::ops::DerefMut;
use std::sync::atomic::Ordering;

use crossbeam_utils::CachePadded;

use super::error::TryRecvError;
use super::slots::Slots;
use super::waiting::{Called, Waiting};
use crate::loom::sync::atomic::AtomicU64;
use crate::loom::sync::{Mutex, MutexGuard};
use crate::sync::place::Line;
use crate::sync::sender_count::SenderCount;
use crate::sync::wait_queue::WaitQueue;
use crate::sync::wake_batch::wake_each;

#[derive(Debug)]
pub(super) struct Shared<T> {
    slots: Slots<T>,
    pub(super) senders: SenderCount,
    /// The position of the next message to be sent.
    published: CachePadded<AtomicU64>,
    tail: CachePadded<Mutex<Tail>>,
}

#[derive(Debug)]
pub(super) struct Tail {
    pub(super) receivers: usize,
    /// Receivers that wait for a message.
    pub(super) waiting: Waiting,
    /// Senders that wait for the last receiver to go. Whoever goes last tells all of them in one
    /// step, so that who waits anew is not told again.
    closed_line: WaitQueue<()>,
}

/// Where a receiver is.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The position of the message to be read next.
    pub(super) next: u64,
    /// What `published` was when this receiver last looked.
    seen: u64,
}

impl Cursor {
    /// Where the first message is the one that was, or will be, sent at this position.
    pub(super) fn new(next: u64) -> Self {
        Self { next, seen: next }
    }
}

impl<T> Shared<T> {
    /// With one sender. The capacity must be a power of two.
    pub(super) fn new(capacity: usize, receivers: usize) -> Self {
        Self {
            slots: Slots::new(capacity),
            senders: SenderCount::one(),
            published: CachePadded::new(AtomicU64::new(0)),
            tail: CachePadded::new(Mutex::new(Tail {
                receivers,
                waiting: Waiting::new(),
                closed_line: WaitQueue::new(),
            })),
        }
    }

    #[inline]
    pub(super) fn tail(&self) -> MutexGuard<'_, Tail> {
        // No foreign code runs under this mutex, so a poisoned one is as good as any.
        self.tail.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The position of the next message to be sent.
    #[inline]
    pub(super) fn published(&self) -> u64 {
        // Acquire: pairs with the store in `send`, so what is before it is in its slot.
        self.published.load(Ordering::Acquire)
    }

    /// Sends to all receivers and says how many there are.
    #[inline]
    pub(super) fn send(&self, value: T) -> Result<usize, T> {
        let tail = self.tail();
        let receivers = tail.receivers;
        if receivers == 0 {
            drop(tail);
            return Err(value);
        }
        // Relaxed: written within the mutex that we hold.
        let position = self.published.load(Ordering::Relaxed);
        let overwritten = self.slots.put(position, value, receivers);
        // Release: pairs with `published`.
        self.published.store(position + 1, Ordering::Release);
        if tail.waiting.is_empty() {
            drop(tail);
        } else {
            call(tail);
        }
        drop(overwritten);
        Ok(receivers)
    }

    /// The message at the cursor, which moves on.
    #[inline]
    pub(super) fn receive(&self, cursor: &mut Cursor) -> Result<T, TryRecvError>
    where
        T: Clone,
    {
        // A receiver that lagged may be one further than what is published.
        if cursor.next >= cursor.seen {
            cursor.seen = self.published();
            if cursor.next >= cursor.seen {
                // In this order: what the last sender has sent is to be seen before its end.
                let over = self.senders.are_gone();
                cursor.seen = self.published();
                if cursor.next >= cursor.seen {
                    return Err(if over { TryRecvError::Closed } else { TryRecvError::Empty });
                }
            }
        }
        let position = cursor.next;
        // Now: a message whose clone panics was read, too.
        cursor.next += 1;
        self.slots.read(position).map_err(|instead| {
            // What is in the slot may not be published yet, but is there to be read.
            cursor.seen = self.published().max(instead + 1);
            cursor.next = cursor.seen - self.slots.capacity();
            TryRecvError::Lagged(cursor.next - position)
        })
    }

    /// How many messages wait for a receiver, missed ones included.
    pub(super) fn ahead_of(&self, cursor: &Cursor) -> usize {
        usize::try_from(self.published().saturating_sub(cursor.next)).unwrap_or(usize::MAX)
    }

    /// Whether a receiver that has found nothing would find a message now, or the end.
    #[inline]
    pub(super) fn has_news(&self, cursor: &Cursor) -> bool {
        self.published() > cursor.next || self.senders.are_gone()
    }

    /// One more receiver, of what is sent from now on.
    pub(super) fn join(&self) -> Cursor {
        let mut tail = self.tail();
        tail.receivers += 1;
        // Relaxed: written within the mutex that we hold.
        Cursor::new(self.published.load(Ordering::Relaxed))
    }

    /// A receiver that has read up to `next` goes away.
    pub(super) fn leave(&self, next: u64) {
        let mut tail = self.tail();
        tail.receivers -= 1;
        // Relaxed: written within the mutex that we hold. What is sent afterwards does not count on
        // this receiver.
        let end = self.published.load(Ordering::Relaxed);
        let mut told = Vec::new();
        if tail.receivers == 0 {
            while let Some((_, waker)) = tail.closed_line.unlink_front() {
                told.extend(waker);
            }
        }
        drop(tail);
        // All of them are counted before foreign code runs: who is woken finds nothing unread.
        let unread = next.max(self.oldest(end))..end;
        let unwanted: Vec<T> = unread.filter_map(|position| self.slots.skip(position)).collect();
        wake_each(told.into_iter());
        drop(unwanted);
    }

    /// The oldest position that can be kept when the next message is sent at `end`.
    fn oldest(&self, end: u64) -> u64 {
        end.saturating_sub(self.slots.capacity())
    }

    pub(super) fn receivers(&self) -> usize {
        self.tail().receivers
    }

    /// How many kept messages somebody has yet to read.
    pub(super) fn unread(&self) -> usize {
        // With the mutex, so that no message takes the place of another meanwhile.
        let _tail = self.tail();
        // Relaxed: written within the mutex that we hold.
        let end = self.published.load(Ordering::Relaxed);
        let (mut low, mut high) = (self.oldest(end), end);
        // Readers go forward, so what everybody has read comes first.
        while low < high {
            let middle = low + (high - low) / 2;
            if self.slots.is_unread(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        usize::try_from(end - low).unwrap_or(usize::MAX)
    }

    /// A sender goes away; the last one ends the receivers' waiting.
    pub(super) fn drop_sender(&self) {
        if self.senders.remove() {
            call(self.tail());
        }
    }
}

/// Wakes everybody who waits for a message.
#[cold]
fn call(mut tail: MutexGuard<'_, Tail>) {
    let called: Called = tail.waiting.call();
    drop(tail);
    called.wake();
}

/// The line of senders that wait for the last receiver to go.
#[derive(Debug)]
pub(super) struct Senders<'a, T>(pub(super) &'a Shared<T>);

impl<T> Line for Senders<'_, T> {
    type State = Tail;
    type Value = ();

    fn lock(&self) -> impl DerefMut<Target = Tail> {
        self.0.tail()
    }

    fn queue(tail: &mut Tail) -> &mut WaitQueue<()> {
        &mut tail.closed_line
    }
}
