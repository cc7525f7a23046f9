//! Receiving into a buffer of the caller's, which is the operation's while it is under way and then
//! comes back.
//!
//! What is there already is copied. What comes into a buffer whose future is gone goes the way of
//! all other bytes.

use std::any::Any;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use henge_driver::buf::IoBufMut;
use henge_driver::home::{Here, Homed};
use henge_driver::ops::{Recv, RecvSink};
use henge_driver::sys::socket;
use henge_driver::{Fd, buf, current};

use super::arrival::To;
use super::{End, RecvSide, again};
use crate::stream::poll_side;

/// Reads into a buffer of the caller's; see `TcpStream::read_owned`.
pub(crate) async fn read_owned<B: IoBufMut>(
    side: &Homed<RecvSide>,
    buffer: B,
) -> (io::Result<usize>, B) {
    let mut buffer = Some(buffer);
    let (result, buffer) = poll_fn(|cx| poll_read_owned(side, cx, &mut buffer)).await;
    (result, buffer.expect("the buffer comes back with the result"))
}

/// Receives into `buffer`; see `TcpStream::read_owned`. `buffer` is taken while the kernel has it.
fn poll_read_owned<B: IoBufMut>(
    side: &Homed<RecvSide>,
    cx: &mut Context<'_>,
    buffer: &mut Option<B>,
) -> Poll<(io::Result<usize>, Option<B>)> {
    let polled = poll_side(side, cx, |here| {
        let mut mine = match buffer.take() {
            Some(mine) => mine,
            None => {
                let Ok(owned) = here.filled.take()?.into_any().downcast::<Owned<B>>() else {
                    unreachable!("one `read_owned` at a time borrows the stream");
                };
                match owned.result {
                    // The stream has moved to another driver: it is received from there.
                    Err(error) if socket::is_cancelled(&error) => owned.buffer,
                    result => return Some((result, Some(owned.buffer))),
                }
            }
        };
        if let Some(taken) = RecvSide::look_owned(here, &mut mine) {
            return Some((taken, Some(mine)));
        }
        if current::is_moving() {
            let fetched = RecvSide::fetch(here, mine.bytes_total());
            let taken = match fetched {
                Some(Ok(())) => RecvSide::look_owned(here, &mut mine),
                Some(Err(error)) => Some(Err(error)),
                None => None,
            };
            if taken.is_none() {
                *buffer = Some(mine);
                return None;
            }
            return taken.map(|taken| (taken, Some(mine)));
        }
        if here.flight.is_some() {
            // The multishot first: it might take what this receive is to get.
            RecvSide::cancel(here);
            *buffer = Some(mine);
        } else if here.is_leaving() {
            *buffer = Some(mine);
        } else {
            let to = ToOwned(To(here.reference()));
            let ticket = here.driver().submit_detached(Recv::new(mine, to));
            RecvSide::armed(here, ticket, false);
        }
        None
    });
    match polled {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Ok(done)) => Poll::Ready(done),
        Poll::Ready(Err(error)) => Poll::Ready((Err(error), buffer.take())),
    }
}

impl RecvSide {
    /// What is there already is copied.
    fn look_owned<B: IoBufMut>(
        here: &mut Here<'_, RecvSide>,
        into: &mut B,
    ) -> Option<io::Result<usize>> {
        if here.filled.is_some() {
            here.reclaim();
        }
        if into.bytes_total() == 0 {
            return Some(Ok(0));
        }
        if !here.queue.is_empty() {
            let mut at = 0;
            here.queue.read(into.bytes_total(), |bytes| {
                buf::fill(into, at, bytes);
                at += bytes.len();
            });
            return Some(Ok(at));
        }
        match std::mem::replace(&mut here.end, End::Open) {
            End::Open => None,
            End::Closed => {
                here.end = End::Closed;
                Some(Ok(0))
            }
            End::Failed(error) => Some(Err(error)),
        }
    }

    /// The bytes of a `read_owned` whose future is gone go the way of all others.
    pub(super) fn reclaim(&mut self) {
        if let Some(filled) = self.filled.take() {
            match filled.bytes() {
                Ok([]) => self.end = End::Closed,
                Ok(bytes) => self.queue.push_heap(bytes.to_vec()),
                Err(error) => self.fail(error),
            }
        }
    }
}

/// A buffer of a user's with what came into it.
pub(super) trait Filled: Send {
    fn bytes(&self) -> io::Result<&[u8]>;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

struct Owned<B> {
    result: io::Result<usize>,
    buffer: B,
}

impl<B: IoBufMut> Filled for Owned<B> {
    fn bytes(&self) -> io::Result<&[u8]> {
        match &self.result {
            Ok(n) => Ok(&buf::bytes(&self.buffer)[..*n]),
            Err(error) => Err(again(error)),
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// A receive into a user's buffer.
struct ToOwned(To);

impl<B: IoBufMut> RecvSink<B> for ToOwned {
    fn socket(&self) -> &Fd {
        self.0.socket()
    }

    fn received(&mut self, result: io::Result<usize>, buffer: B) {
        self.0.deliver(|here| {
            here.filled = Some(Box::new(Owned { result, buffer }));
            RecvSide::landed(here);
        });
    }
}
