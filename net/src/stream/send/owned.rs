//! Sending a buffer of the caller's, which is the operation's while it is under way and then comes
//! back.
//!
//! It is sent when it is its turn, without a copy. Where that is cut short (the stream moves, or is
//! dropped), what was left of it is copied and goes the way of all that is written; the buffer goes
//! back to its future, or is dropped by the next one if that is gone.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use henge_driver::buf::IoBuf;
use henge_driver::home::{Here, HomeRef, Homed};
use henge_driver::ops::{Send as SendAll, SendSink};
use henge_driver::sys::socket;
use henge_driver::{Fd, buf, current};

use super::{Flight, Outgoing, SendSide, wake, zero_copy};
use crate::stream::poll_side;

/// Sends `buffer`; see `TcpStream::write_owned`. `buffer` is taken while the kernel has it.
fn poll_write_owned<B: IoBuf>(
    side: &Homed<SendSide>,
    cx: &mut Context<'_>,
    buffer: &mut Option<(B, usize)>,
) -> Poll<(io::Result<()>, Option<B>)> {
    let polled = poll_side(side, cx, |here| {
        let Some((mine, at)) = buffer.take() else {
            return match here.returned.take()?.downcast::<Returned<B>>() {
                Ok(returned) => Some((returned.result, Some(returned.buffer))),
                Err(_) => unreachable!("one `write_owned` at a time borrows the stream"),
            };
        };
        // What an abandoned `write_owned` has left.
        here.returned = None;
        if let Err(error) = here.check() {
            return Some((Err(error), Some(mine)));
        }
        if buf::bytes(&mine).len() == at {
            return Some((Ok(()), Some(mine)));
        }
        if current::is_moving() {
            let (sent, at) = SendSide::send_all_moving(here, buf::bytes(&mine), at);
            let Some(result) = sent else {
                *buffer = Some((mine, at));
                return None;
            };
            return Some((result, Some(mine)));
        }
        if SendSide::is_idle(here) && !here.is_leaving() {
            SendSide::submit_owned(here, mine, at);
        } else {
            *buffer = Some((mine, at));
        }
        None
    });
    match polled {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Ok(done)) => Poll::Ready(done),
        Poll::Ready(Err(error)) => Poll::Ready((Err(error), buffer.take().map(|(mine, _)| mine))),
    }
}

/// Sends all of a buffer of the caller's; see `TcpStream::write_all_owned`.
pub(crate) async fn write_all_owned<B: IoBuf>(
    side: &Homed<SendSide>,
    buffer: B,
) -> (io::Result<()>, B) {
    // In a task that moves nothing is left with a driver.
    let large = buf::bytes(&buffer).len() >= side.shared().zero_copy_from();
    let zero_copy = large && !current::is_moving();
    let (mut buffer, mut slot) = (Some((buffer, 0)), None);
    let (result, buffer) = poll_fn(|cx| {
        if zero_copy {
            return zero_copy::poll_write_all(side, cx, &mut buffer, &mut slot);
        }
        poll_write_owned(side, cx, &mut buffer)
    })
    .await;
    (result, buffer.expect("the buffer comes back with the result"))
}

impl SendSide {
    /// Sends a buffer of a user's. Nothing is queued or in flight.
    fn submit_owned<B: IoBuf>(here: &mut Here<'_, SendSide>, bytes: B, at: usize) {
        let send = SendAll::new(bytes, at, To { side: here.reference(), keep: ToFuture });
        let driver = here.driver();
        let enters = driver.enters();
        let ticket = driver.submit_detached(send);
        here.flight =
            Some(Flight { ticket: Some(ticket), enters, cancelled: false, patient: false });
    }
}

struct Returned<B> {
    result: io::Result<()>,
    buffer: B,
}

/// What becomes of a buffer when its send is over.
pub(super) trait Keep<B>: Send + 'static {
    fn keep(&self, side: &mut SendSide, end: io::Result<()>, buffer: B, at: usize);
}

/// A buffer of a user's: it goes back to its future, and what was not sent is copied.
struct ToFuture;

impl<B: IoBuf> Keep<B> for ToFuture {
    fn keep(&self, side: &mut SendSide, end: io::Result<()>, buffer: B, at: usize) {
        let result = match end {
            Err(error) if !socket::is_cancelled(&error) => {
                side.queue.clear();
                side.closed = true;
                Err(error)
            }
            _ => {
                // Cancelled, because the stream moves to another driver: the rest goes from there.
                let rest = &buf::bytes(&buffer)[at..];
                if !rest.is_empty() {
                    side.queue.put_back(Outgoing { bytes: rest.to_vec(), at: 0 });
                }
                Ok(())
            }
        };
        side.returned = Some(Box::new(Returned { result, buffer }));
    }
}

/// Where the end of a send is told.
pub(super) struct To<K> {
    pub(super) side: HomeRef<SendSide>,
    pub(super) keep: K,
}

impl<B: IoBuf, K: Keep<B>> SendSink<B> for To<K> {
    fn socket(&self) -> &Fd {
        self.side.shared().fd()
    }

    fn goes_on(&mut self) -> bool {
        let cancelled = self.side.with(|here| here.flight.as_ref().is_some_and(|f| f.cancelled));
        cancelled == Some(false)
    }

    #[inline]
    fn sent(&mut self, result: io::Result<()>, buffer: B, at: usize) {
        let writer = self.side.with(|here| {
            here.flight = None;
            self.keep.keep(here, result, buffer, at);
            SendSide::go_on(here);
            here.writer.take()
        });
        wake(writer.flatten(), self.side.shared());
    }
}
