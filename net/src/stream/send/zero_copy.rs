//! Sending a buffer of the caller's without a copy.
//!
//! The turn to send ends with the operation's result, and then the stream may go on, move or close.
//! The buffer comes back with the notification, perhaps long after: so it comes by a slot of its
//! own, which the future and the operation share, and not by way of the side, which may have gone.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker, ready};

use henge_driver::Fd;
use henge_driver::buf::IoBuf;
use henge_driver::home::{Here, Homed};
use henge_driver::ops::{SendSink as _, SendZeroCopy, ZeroCopySink};
use henge_driver::sys::socket;

use super::owned::{Keep, To};
use super::{Flight, Outgoing, SendSide};
use crate::stream::poll_side;
use crate::stream::socket::Socket;

/// Where a buffer comes back.
pub(super) struct Slot<B>(Mutex<State<B>>);

struct State<B> {
    result: io::Result<()>,
    /// Here from the notification on.
    buffer: Option<B>,
    waker: Option<Waker>,
}

impl<B> Slot<B> {
    fn new() -> Slot<B> {
        Slot(Mutex::new(State { result: Ok(()), buffer: None, waker: None }))
    }

    fn state(&self) -> MutexGuard<'_, State<B>> {
        // Nothing of a user's runs under the lock.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn put(&self, buffer: B) {
        let waker = {
            let mut state = self.state();
            state.buffer = Some(buffer);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<(io::Result<()>, Option<B>)> {
        let waker = cx.waker().clone();
        let mut state = self.state();
        if let Some(buffer) = state.buffer.take() {
            let result = std::mem::replace(&mut state.result, Ok(()));
            return Poll::Ready((result, Some(buffer)));
        }
        let old = state.waker.replace(waker);
        drop(state);
        drop(old);
        Poll::Pending
    }
}

/// Sends all of `buffer`; see `TcpStream::set_zero_copy`. `buffer` is taken, and `slot` given, when
/// it is its turn.
pub(super) fn poll_write_all<B: IoBuf>(
    side: &Homed<SendSide>,
    cx: &mut Context<'_>,
    buffer: &mut Option<(B, usize)>,
    slot: &mut Option<Arc<Slot<B>>>,
) -> Poll<(io::Result<()>, Option<B>)> {
    if let Some(slot) = slot {
        return slot.poll(cx);
    }
    let started = ready!(poll_side(side, cx, |here| {
        if let Err(error) = here.check() {
            return Some(Err(error));
        }
        if !SendSide::is_idle(here) || here.is_leaving() {
            return None;
        }
        let (buffer, _none_sent) = buffer.take()?;
        Some(Ok(SendSide::submit_zero_copy(here, buffer)))
    }));
    match started.flatten() {
        Ok(started) => slot.insert(started).poll(cx),
        Err(error) => Poll::Ready((Err(error), buffer.take().map(|(buffer, _)| buffer))),
    }
}

impl SendSide {
    fn submit_zero_copy<B: IoBuf>(here: &mut Here<'_, SendSide>, buffer: B) -> Arc<Slot<B>> {
        let slot = Arc::new(Slot::new());
        let turn = To { side: here.reference(), keep: RestToQueue };
        let socket = Arc::downgrade(here.shared());
        let sink = ToSlot { turn: Some(turn), socket, slot: Arc::clone(&slot) };
        let driver = here.driver();
        let enters = driver.enters();
        let ticket = driver.submit_detached(SendZeroCopy::new(buffer, sink));
        here.flight =
            Some(Flight { ticket: Some(ticket), enters, cancelled: false, patient: false });
        slot
    }
}

/// What is told of a send without a copy.
struct ToSlot<B> {
    /// `None` when it is over.
    turn: Option<To<RestToQueue>>,
    /// Not to be kept open by a peer that acknowledges nothing.
    socket: Weak<Socket>,
    slot: Arc<Slot<B>>,
}

impl<B: IoBuf> ZeroCopySink<B> for ToSlot<B> {
    fn socket(&self) -> &Fd {
        match &self.turn {
            Some(to) => to.side.shared().fd(),
            None => unreachable!("asked for only until it is over"),
        }
    }

    fn sent(&mut self, result: io::Result<()>, rest: &[u8]) {
        let Some(mut turn) = self.turn.take() else { return };
        if let Err(error) = &result
            && !socket::is_cancelled(error)
        {
            let code = error.raw_os_error();
            let told = code.map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            self.slot.state().result = Err(told);
        }
        turn.sent(result, rest.to_vec(), 0);
    }

    fn released(&mut self, buffer: B, copied: bool) {
        if let Some(socket) = self.socket.upgrade() {
            socket.note_copied(copied);
        }
        self.slot.put(buffer);
    }
}

/// What a send has left that was cancelled, because the stream moves or is dropped: a copy of it
/// goes from there. Without a failure, or such an end, it is nothing.
struct RestToQueue;

impl Keep<Vec<u8>> for RestToQueue {
    fn keep(&self, side: &mut SendSide, end: io::Result<()>, rest: Vec<u8>, at: usize) {
        match end {
            Err(error) if !socket::is_cancelled(&error) => {
                side.queue.clear();
                side.closed = true;
            }
            _ if rest.is_empty() => {}
            _ => side.queue.put_back(Outgoing { bytes: rest, at }),
        }
    }
}
