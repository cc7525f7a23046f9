//! A receiver's wait for its next message, as a value that is polled.

use std::task::{Context, Poll, Waker};

use super::error::{RecvError, TryRecvError};
use super::shared::{Cursor, Shared};
use super::waiting::Seat;

/// Stands in line while there is nothing to receive, and gives the seat up when it is dropped.
#[derive(Debug)]
pub(super) struct Receive<'a, T> {
    shared: &'a Shared<T>,
    cursor: &'a mut Cursor,
    /// Of a round that began while there was nothing at the cursor.
    seat: Option<Seat>,
}

impl<'a, T> Receive<'a, T> {
    pub(super) fn new(shared: &'a Shared<T>, cursor: &'a mut Cursor) -> Self {
        Self { shared, cursor, seat: None }
    }

    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>>
    where
        T: Clone,
    {
        loop {
            let end = match self.shared.receive(self.cursor) {
                Ok(value) => Ok(value),
                Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Err(TryRecvError::Empty) if self.stand_in_line(cx) => return Poll::Pending,
                Err(TryRecvError::Empty) => continue,
            };
            // Whoever brought this about has ended the round, or is about to.
            self.seat = None;
            return Poll::Ready(end);
        }
    }

    /// False if there is something to receive in the end.
    fn stand_in_line(&mut self, cx: &Context<'_>) -> bool {
        let Self { shared, cursor, seat } = self;
        let mut fresh: Option<Waker> = None;
        loop {
            let mut tail = shared.tail();
            if shared.has_news(cursor) {
                return false;
            }
            let own = seat.as_ref().filter(|seat| tail.waiting.has(seat));
            if own.is_some_and(|own| tail.waiting.will_wake(own, cx.waker())) {
                return true;
            }
            let Some(waker) = fresh.take() else {
                // A clone is foreign code: it runs without the mutex, and we look again.
                drop(tail);
                fresh = Some(cx.waker().clone());
                continue;
            };
            match own {
                Some(own) => {
                    let old = tail.waiting.set_waker(own, waker);
                    drop(tail);
                    drop(old);
                }
                None => *seat = Some(tail.waiting.join(waker)),
            }
            return true;
        }
    }
}

impl<T> Drop for Receive<'_, T> {
    fn drop(&mut self) {
        // What was published since then has ended the round, or is about to.
        if let Some(seat) = self.seat.take()
            && self.shared.published() == self.cursor.next
        {
            let mut tail = self.shared.tail();
            let left = tail.waiting.leave(&seat);
            drop(tail);
            drop(left);
        }
    }
}
