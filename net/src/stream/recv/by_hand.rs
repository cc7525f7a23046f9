//! Receiving by direct calls: readiness, and everything that takes from the socket itself.
//!
//! A multishot in flight might take what such a call is to see, so it ends first; what it has
//! brought until then is in the queue, and comes before what is in the socket. Where a call finds
//! nothing, a poll in the place of the receive tells when to try again.

use std::future::poll_fn;
use std::io::{self, IoSliceMut};
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use henge_driver::home::{Here, Homed};
use henge_driver::sys::message::{self, Control};
use henge_driver::sys::poll::{self, events};
use henge_driver::sys::socket;
use henge_driver::{Fd, coop, current};
use tokio::io::ReadBuf;

use super::{End, LARGEST, RecvSide, again};
use crate::readiness::Ready;
use crate::stream::scatter::Scatter;
use crate::stream::{poll_in_line, poll_side};
use crate::waiters::Place;

impl RecvSide {
    /// Whether a read would tell something; the bytes of an abandoned `read_owned` count.
    pub(super) fn has_something(&mut self) -> bool {
        if self.filled.is_some() {
            self.reclaim();
        }
        self.is_ready()
    }

    /// What a read would find; arms a poll if it would find nothing.
    fn look_ready(here: &mut Here<'_, RecvSide>) -> Option<io::Result<Ready>> {
        if here.has_something() {
            let closed = matches!(here.end, End::Closed);
            let ended = if closed { Ready::READ_CLOSED } else { Ready::EMPTY };
            return Some(Ok(Ready::READABLE | ended));
        }
        RecvSide::from_socket(here, |fd| {
            match Ready::from_events(poll::now(fd, events::IN | events::RDHUP)?) {
                Ready::EMPTY => Err(io::ErrorKind::WouldBlock.into()),
                ready => Ok(ready),
            }
        })
    }

    /// Copies what there is and leaves it.
    fn peek(here: &mut Here<'_, RecvSide>, buf: &mut [u8]) -> Option<io::Result<usize>> {
        if !here.has_something() {
            return RecvSide::from_socket(here, |fd| socket::peek_now(fd, buf));
        }
        if here.queue.is_empty()
            && let End::Failed(error) = &here.end
        {
            return Some(Err(again(error)));
        }
        let mut to = 0;
        Some(Ok(here.queue.peek(buf.len(), |bytes| {
            buf[to..to + bytes.len()].copy_from_slice(bytes);
            to += bytes.len();
        })))
    }

    /// Asks the socket itself, with nothing queued; arms a poll if it would have to wait.
    fn from_socket<R>(
        here: &mut Here<'_, RecvSide>,
        ask: impl FnOnce(&Fd) -> io::Result<R>,
    ) -> Option<io::Result<R>> {
        if current::is_moving() {
            if !RecvSide::may_try(here) {
                return None;
            }
        } else {
            here.pace.go_direct();
        }
        if let Some(flight) = &here.flight {
            if !flight.polls {
                // It might take what this call is to see: it ends first.
                RecvSide::cancel(here);
            }
            return None;
        }
        match ask(here.shared().fd()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                RecvSide::arm(here);
                None
            }
            told => Some(told),
        }
    }
}

/// Ready when a read would return something; see `TcpStream::readable`.
pub(crate) async fn readable(side: &Homed<RecvSide>) -> io::Result<Ready> {
    let mut place = Place::new(&side.shared().readers);
    poll_fn(|cx| poll_ready_in_line(side, cx, &mut place)).await
}

/// Copies what there is and leaves it; see `TcpStream::peek`.
pub(crate) async fn peek(side: &Homed<RecvSide>, buf: &mut [u8]) -> io::Result<usize> {
    let mut place = Place::new(&side.shared().readers);
    poll_fn(|cx| {
        let spent = ready!(coop::poll_proceed(cx));
        let peeked = ready!(poll_in_line(side, cx, &mut place, |here| RecvSide::peek(here, buf)));
        spent.made_progress();
        Poll::Ready(peeked)
    })
    .await
}

/// As [`peek`], for the one task that reads.
pub(crate) fn poll_peek(
    side: &Homed<RecvSide>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<usize>> {
    let peeked = poll_side(side, cx, |here| {
        let room = buf.initialize_unfilled_to(buf.remaining().min(LARGEST));
        RecvSide::peek(here, room)
    });
    let n = ready!(peeked)??;
    buf.advance(n);
    Poll::Ready(Ok(n))
}

/// Ready when a read would return something.
pub(crate) fn poll_ready(side: &Homed<RecvSide>, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
    poll_side(side, cx, RecvSide::look_ready).map(Result::flatten)
}

/// As [`poll_ready`], for one of several that wait by `&self`.
pub(crate) fn poll_ready_in_line(
    side: &Homed<RecvSide>,
    cx: &mut Context<'_>,
    place: &mut Place<'_>,
) -> Poll<io::Result<Ready>> {
    poll_in_line(side, cx, place, RecvSide::look_ready)
}

/// Receives bytes, and the descriptors that were sent with them.
pub(crate) fn poll_descriptors(
    side: &Homed<RecvSide>,
    cx: &mut Context<'_>,
    pieces: &mut [IoSliceMut<'_>],
    control: &mut Control,
    descriptors: &mut Vec<OwnedFd>,
) -> Poll<io::Result<usize>> {
    let room = pieces.iter().map(|piece| piece.len()).sum();
    let received = poll_side(side, cx, |here| {
        if here.has_something() {
            return RecvSide::look(here, |queue| {
                let mut to = Scatter::new(pieces);
                queue.read(room, |bytes| to.put(bytes))
            });
        }
        RecvSide::from_socket(here, |fd| {
            let received = message::recv_now(fd, None, pieces, control, false)?;
            descriptors.extend(received.descriptors);
            Ok(received.bytes)
        })
    });
    received.map(Result::flatten)
}

/// Reads what there is, or nothing: `WouldBlock`.
pub(crate) fn try_read(side: &Homed<RecvSide>, pieces: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    let room: usize = pieces.iter().map(|piece| piece.len()).sum();
    if room == 0 {
        return Ok(0);
    }
    let read = side.try_with(|here| {
        if here.has_something() {
            return RecvSide::look(here, |queue| {
                let mut to = Scatter::new(pieces);
                queue.read(room, |bytes| to.put(bytes))
            });
        }
        if here.flight.as_ref().is_some_and(|flight| !flight.polls) {
            return None;
        }
        let received = socket::recv_vectored_now(here.shared().fd(), pieces);
        if matches!(received, Ok(0)) {
            here.end = End::Closed;
        }
        Some(received)
    });
    read.flatten().unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))
}

/// As [`try_read`], behind what is in `buf` already.
pub(crate) fn try_read_buf<B: BufMut>(side: &Homed<RecvSide>, buf: &mut B) -> io::Result<usize> {
    crate::buf::fill(buf, LARGEST, |room| try_read(side, &mut [IoSliceMut::new(room)]))
}

/// Lets the caller receive from the socket itself; see `TcpStream::try_io`.
pub(crate) fn try_io<R>(
    side: &Homed<RecvSide>,
    receive: impl FnOnce() -> io::Result<R>,
) -> io::Result<R> {
    let allowed = side.try_with(|here| {
        if here.has_something() && !here.queue.is_empty() {
            return Err(io::Error::other(
                "bytes have been received already that are to be read first",
            ));
        }
        here.pace.go_direct();
        if here.flight.as_ref().is_some_and(|flight| !flight.polls) {
            RecvSide::cancel(here);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    });
    allowed.unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))?;
    side.shared().make_nonblocking()?;
    receive()
}

/// Gives the first run of what is queued, at most `most` bytes of it, to `give`, which says how
/// many it has taken. `None` if nothing is queued.
pub(crate) fn try_give(
    side: &Homed<RecvSide>,
    most: usize,
    give: impl FnOnce(&[u8]) -> io::Result<usize>,
) -> Option<io::Result<usize>> {
    let given = side.try_with(|here| {
        if !here.has_something() || here.queue.is_empty() {
            return None;
        }
        let (mut give, mut given) = (Some(give), None);
        here.queue.peek(most, |run| {
            if let Some(give) = give.take() {
                given = Some(give(run));
            }
        });
        if let Some(Ok(n)) = given {
            here.queue.read(n, |_run| ());
        }
        given
    });
    given.flatten()
}
