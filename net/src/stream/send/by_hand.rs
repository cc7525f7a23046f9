//! Sending by calls of the caller's own, or by one that cannot wait, and the readiness for it.
//!
//! Who does so has the socket while nothing is queued or in flight, and learns that there is room
//! from a poll, once it has found none.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use henge_driver::home::{Here, HomeRef, Homed};
use henge_driver::ops::{PollOnce, PollSink};
use henge_driver::sys::poll::{self, events};
use henge_driver::sys::socket;
use henge_driver::{Fd, current};

use super::{SendSide, is_would_block, wake};
use crate::readiness::Ready;
use crate::stream::{poll_in_line, poll_side};
use crate::waiters::Place;

/// Sends what fits, at once, if nothing is queued before it; else nothing: `WouldBlock`.
pub(crate) fn try_write(side: &Homed<SendSide>, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    let written = side.try_with(|here| {
        here.by_hand = true;
        here.check()?;
        if !SendSide::is_idle(here) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let sent = socket::send_vectored_now(here.shared().fd(), pieces);
        here.full = is_would_block(&sent);
        sent
    });
    written.unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))
}

/// Lets the caller send by a call of its own; see `TcpStream::try_io`.
pub(crate) fn try_io<R>(
    side: &Homed<SendSide>,
    send: impl FnOnce() -> io::Result<R>,
) -> io::Result<R> {
    let allowed = side.try_with(|here| {
        here.by_hand = true;
        here.closed || SendSide::is_idle(here)
    });
    if allowed != Some(true) {
        // What is queued goes first.
        return Err(io::ErrorKind::WouldBlock.into());
    }
    side.shared().make_nonblocking()?;
    let sent = send();
    if is_would_block(&sent) {
        let _elsewhere = side.try_with(|here| here.full = true);
    }
    sent
}

impl SendSide {
    /// Whether a write would take something, or fail; arms a poll if that cannot be known.
    fn look_ready(here: &mut Here<'_, SendSide>) -> Option<io::Result<Ready>> {
        if here.closed {
            return Some(Ok(Ready::WRITABLE | Ready::WRITE_CLOSED));
        }
        if current::is_moving() {
            return SendSide::look_moving(here);
        }
        if !here.by_hand {
            if here.polling.is_some() {
                // A large write has found the socket full.
                return None;
            }
            return SendSide::room(here).map(|_room| Ok(Ready::WRITABLE));
        }
        if !SendSide::is_idle(here) || here.polling.is_some() {
            return None;
        }
        if here.full {
            match poll::now(here.shared().fd(), events::OUT) {
                Ok(0) => {
                    SendSide::poll_for_room(here);
                    return None;
                }
                Ok(_) => here.full = false,
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(Ready::WRITABLE))
    }

    pub(super) fn poll_for_room(here: &mut Here<'_, SendSide>) {
        if !here.is_leaving() {
            let poll = PollOnce::writable(ToWriter(here.reference()));
            here.polling = Some(here.driver().submit_detached(poll));
        }
    }
}

/// Ready when a write would take something, or fail; see `TcpStream::writable`.
pub(crate) async fn writable(side: &Homed<SendSide>) -> io::Result<Ready> {
    let mut place = Place::new(&side.shared().writers);
    poll_fn(|cx| poll_ready_in_line(side, cx, &mut place)).await
}

/// Ready when a write would take something, or fail.
pub(crate) fn poll_ready(side: &Homed<SendSide>, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
    poll_side(side, cx, SendSide::look_ready).map(Result::flatten)
}

/// As [`poll_ready`], for one of several that wait by `&self`.
pub(crate) fn poll_ready_in_line(
    side: &Homed<SendSide>,
    cx: &mut Context<'_>,
    place: &mut Place<'_>,
) -> Poll<io::Result<Ready>> {
    poll_in_line(side, cx, place, SendSide::look_ready)
}

/// The end of a poll for room.
struct ToWriter(HomeRef<SendSide>);

impl PollSink for ToWriter {
    fn socket(&self) -> &Fd {
        self.0.shared().fd()
    }

    fn ready(&mut self, _result: io::Result<()>) {
        // Whatever came of it, the writer learns more from the socket.
        let writer = self.0.with(|here| {
            here.polling = None;
            here.writer.take()
        });
        wake(writer.flatten(), self.0.shared());
    }
}
