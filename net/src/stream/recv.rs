//! The receive side of a stream.
//!
//! # Who owns the bytes
//!
//! A multishot receive is armed by the first read that finds nothing, and stays armed: what comes
//! goes into buffers of the driver's pool and from there into this side's queue. The futures of
//! reads only look into the queue, so dropping one loses nothing.
//!
//! ```text
//!              read finds nothing                  cap reached: cancel
//!   ┌──────┐ ─────────────────────▶ ┌───────────┐ ────────────────────▶ ┌────────────┐
//!   │ idle │                        │ multishot │                       │ cancelling │
//!   └──────┘ ◀───────────────────── └───────────┘                       └────────────┘
//!     ▲  ▲      ended: error, end     │  ENOBUFS                             │
//!     │  │                            ▼                                      │
//!     │  │                          ┌──────┐                                 │
//!     │  └───────────────────────── │ once │ (heap memory, or read_owned's)  │
//!     │            got something    └──────┘                                 │
//!     └──────────────────────────────────────────────────────────────────────┘
//!                               last completion
//! ```
//!
//! At most one of them is in flight (I8: order). What a turn leaves unread is copied to heap
//! memory before the driver sleeps, because the pool's buffers are shared by all streams; and a
//! stream of which too much is unread is not received from until it has been read (I6). What a
//! reader has been lent (`recv`) counts to the stream's share of the pool; past that, what comes is
//! copied out of the pool at once.
//!
//! Where much comes at a time ([`Pace`]), the copy out of the pool costs more than a system call:
//! a read then receives directly into its own buffer, by a call that cannot wait, and where that
//! finds nothing a poll in the place of the receive tells when to try again. What has not been
//! read stays in the socket. Whoever asks for readiness, or receives by calls of its own, gets the
//! same: the multishot is ended first, and what it has brought goes before what is in the socket.

mod by_hand;
mod moving;

use std::any::Any;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use henge_driver::buf::IoBufMut;
use henge_driver::home::{AtHome, Here, HomeRef, Homed, Resident};
use henge_driver::ops::{PollOnce, PollSink, ReceivesInPlace, Recv, RecvInPlace, RecvSink};
use henge_driver::pool::{Piece, RecvBuf};
use henge_driver::sys::socket;
use henge_driver::{Fd, Ticket, buf, current};
use tokio::io::ReadBuf;

use super::pace::Pace;
use super::recv_queue::{Part, RecvQueue};
use super::socket::Socket;
use super::watch::Watch;
use super::{Awaits, poll_side};

pub(crate) use by_hand::{
    peek, poll_descriptors, poll_peek, poll_ready, poll_ready_in_line, readable, ready, try_give,
    try_io, try_read, try_read_buf,
};

/// So many bytes may wait for their reader before receiving stops.
const CAP: usize = 64 << 10;
/// Receiving goes on when no more than so many are left.
const LOW: usize = CAP / 2;
/// So many of the pool's buffers may be held by bytes that wait, and by those lent to the reader.
const MAX_PARTS: usize = 16;
/// Into so much heap memory a receive goes that found the pool empty.
const ONCE: usize = 16 << 10;
/// So much at most a direct receive takes: memory that has never been written is zeroed first.
const LARGEST: usize = 256 << 10;

impl Part for Piece {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline]
    fn advance(&mut self, n: usize) {
        Piece::advance(self, n);
    }
}

/// What has been received, and the one receive in flight.
pub(crate) struct RecvSide {
    queue: RecvQueue<Piece>,
    /// The receive, or the poll, that is in flight.
    flight: Option<Flight>,
    end: End,
    /// The last receive found the pool empty.
    starved: bool,
    pace: Pace,
    /// What `read_owned` asked for has come, and its future has not taken it yet.
    filled: Option<Box<dyn Filled>>,
    reader: Option<Waker>,
    /// In the place of a flight, for tasks that move.
    watch: Option<Box<Watch>>,
}

struct Flight {
    ticket: Ticket,
    cancelled: bool,
    /// It only waits, and takes nothing.
    polls: bool,
}

enum End {
    Open,
    /// The peer has ended the stream: every read from now on says so.
    Closed,
    /// To be told once.
    Failed(io::Error),
}

/// A buffer of a user's with what came into it.
trait Filled: Send {
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

/// An error of the kernel's once more.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => error.kind().into(),
    }
}

impl Awaits for RecvSide {
    fn awaiting(&mut self) -> &mut Option<Waker> {
        &mut self.reader
    }

    fn watch(&mut self) -> &mut Option<Box<Watch>> {
        &mut self.watch
    }
}

impl Resident for RecvSide {
    type Shared = Arc<Socket>;
    type Operation = RecvInPlace;

    fn recall(here: &mut Here<'_, RecvSide>) {
        RecvSide::cancel(here);
    }

    fn abandon(here: &mut Here<'_, RecvSide>) {
        RecvSide::cancel(here);
    }

    fn before_sleep(here: &mut Here<'_, RecvSide>) {
        here.queue.settle();
    }
}

impl RecvSide {
    pub(crate) fn new() -> RecvSide {
        RecvSide {
            queue: RecvQueue::new(),
            flight: None,
            end: End::Open,
            starved: false,
            pace: Pace::new(),
            filled: None,
            reader: None,
            watch: None,
        }
    }

    /// How many bytes have come and not been read.
    pub(crate) fn unread(&self) -> usize {
        self.queue.len()
    }

    /// The bytes of a `read_owned` whose future is gone go the way of all others.
    fn reclaim(&mut self) {
        if let Some(filled) = self.filled.take() {
            match filled.bytes() {
                Ok([]) => self.end = End::Closed,
                Ok(bytes) => self.queue.push_heap(bytes.to_vec()),
                Err(error) => self.fail(error),
            }
        }
    }

    fn fail(&mut self, error: io::Error) {
        if socket::is_out_of_buffers(&error) {
            // Grown by now, perhaps; else the next receive goes to heap memory.
            self.starved = !current::with(|driver| driver.pool().has_room()).unwrap_or(false);
        } else if !socket::is_cancelled(&error) {
            self.end = End::Failed(error);
        }
    }

    /// Whoever waits, if there is news for them.
    #[inline]
    fn whom_to_tell(&mut self) -> Option<Waker> {
        let news = self.is_ready() || self.filled.is_some() || self.flight.is_none();
        if news { self.reader.take() } else { None }
    }

    /// There is something to tell a reader.
    #[inline]
    fn is_ready(&self) -> bool {
        !self.queue.is_empty() || !matches!(self.end, End::Open)
    }

    #[inline]
    fn arm(here: &mut Here<'_, RecvSide>) {
        if current::is_moving() {
            return RecvSide::arm_watch(here);
        }
        if here.flight.is_none() && !here.is_leaving() {
            RecvSide::arm_anew(here);
        }
    }

    fn arm_anew(here: &mut Here<'_, RecvSide>) {
        let starved = std::mem::take(&mut here.starved);
        let polls = here.pace.is_direct();
        let driver = here.driver();
        let ticket = if polls {
            driver.submit_detached(PollOnce::readable(ToReader(To(here.reference()))))
        } else if starved {
            let to = ToHeap(To(here.reference()));
            driver.submit_detached(Recv::new(Vec::with_capacity(ONCE), to))
        } else {
            here.submit(RecvInPlace::new(driver.pool().group()))
        };
        RecvSide::armed(here, ticket, polls);
    }

    fn armed(here: &mut Here<'_, RecvSide>, ticket: Ticket, polls: bool) {
        here.flight = Some(Flight { ticket, cancelled: false, polls });
        here.shared().set_receiving(true);
    }

    fn cancel(here: &mut Here<'_, RecvSide>) {
        if let Some(flight) = &mut here.flight
            && !flight.cancelled
        {
            flight.cancelled = true;
            let ticket = flight.ticket;
            here.driver().cancel(ticket);
        }
    }

    /// The receive has ended.
    fn landed(here: &mut Here<'_, RecvSide>) {
        here.flight = None;
        here.shared().set_receiving(false);
        let awaited = here.reader.is_some() || here.shared().readers.has_any();
        if awaited && !here.is_ready() && here.filled.is_none() {
            RecvSide::arm(here);
        }
    }

    /// The reader has taken something: goes on if receiving had stopped for want of room.
    #[inline]
    fn resume(here: &mut Here<'_, RecvSide>) {
        if here.flight.is_none()
            && here.queue.len() <= LOW
            && matches!(here.end, End::Open)
            && !here.pace.is_direct()
        {
            RecvSide::arm(here);
        }
    }

    /// tokio's read: what is queued first, then, if that is the better way, from the socket.
    #[inline]
    fn read(here: &mut Here<'_, RecvSide>, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        if !current::is_moving() {
            here.pace.unforce();
        } else if !RecvSide::may_try(here) {
            return None;
        }
        if here.pace.is_direct() && here.queue.is_empty() {
            return RecvSide::read_direct(here, buf);
        }
        let before = buf.filled().len();
        let read = RecvSide::look(here, |queue| {
            queue.read(buf.remaining(), |bytes| buf.put_slice(bytes));
        });
        match read {
            Some(_) => here.pace.took(buf.filled().len() - before),
            None => here.pace.waits(),
        }
        read
    }

    /// Receives into the reader's own memory. The queue is empty.
    fn read_direct(here: &mut Here<'_, RecvSide>, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        if here.filled.is_some() || !matches!(here.end, End::Open) {
            return RecvSide::look(here, |queue| {
                queue.read(buf.remaining(), |bytes| buf.put_slice(bytes));
            });
        }
        if let Some(flight) = &here.flight {
            if !flight.polls {
                // The last multishot might take what this read is to get: it ends first.
                RecvSide::cancel(here);
            }
            return None;
        }
        if !here.pace.has_drained() {
            let room = buf.initialize_unfilled_to(buf.remaining().min(LARGEST));
            let asked = room.len();
            match socket::recv_now(here.shared().fd(), room) {
                Ok(0) => {
                    here.end = End::Closed;
                    return Some(Ok(()));
                }
                Ok(n) => {
                    buf.advance(n);
                    here.pace.took_directly(n, asked);
                    return Some(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Some(Err(error)),
            }
        }
        here.pace.waits();
        RecvSide::arm(here);
        None
    }

    /// One look for something to tell a reader; arms a receive if there is nothing.
    ///
    /// From the queue alone: for those who want the pool's buffers, or who share the stream.
    #[inline]
    fn look<R>(
        here: &mut Here<'_, RecvSide>,
        take: impl FnOnce(&mut RecvQueue<Piece>) -> R,
    ) -> Option<io::Result<R>> {
        if here.filled.is_some() {
            here.reclaim();
        }
        if !here.queue.is_empty() {
            let taken = take(&mut here.queue);
            RecvSide::resume(here);
            return Some(Ok(taken));
        }
        match std::mem::replace(&mut here.end, End::Open) {
            End::Open => {
                RecvSide::arm(here);
                None
            }
            End::Closed => {
                here.end = End::Closed;
                Some(Ok(take(&mut here.queue)))
            }
            End::Failed(error) => Some(Err(error)),
        }
    }
}

/// Takes what there is; pending until something is, or the stream has ended.
#[inline]
pub(crate) fn poll_take<R>(
    side: &Homed<RecvSide>,
    cx: &mut Context<'_>,
    take: impl FnOnce(&mut RecvQueue<Piece>) -> R,
) -> Poll<io::Result<R>> {
    poll_side(side, cx, |here| {
        if current::is_moving() {
            if let Err(error) = RecvSide::fetch(here, usize::MAX)? {
                return Some(Err(error));
            }
        } else {
            here.pace.leave_direct();
        }
        RecvSide::look(here, take)
    })
    .map(Result::flatten)
}

/// tokio's read: copies what there is, as far as there is room.
#[inline]
pub(crate) fn poll_read(
    side: &Homed<RecvSide>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    if buf.remaining() == 0 {
        return Poll::Ready(Ok(()));
    }
    poll_side(side, cx, |here| RecvSide::read(here, buf)).map(Result::flatten)
}

/// Takes a whole run of bytes; see `TcpStream::recv`.
pub(crate) async fn recv(side: &Homed<RecvSide>) -> io::Result<RecvBuf> {
    poll_fn(|cx| poll_take(side, cx, RecvQueue::lend)).await
}

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
pub(crate) fn poll_read_owned<B: IoBufMut>(
    side: &Homed<RecvSide>,
    cx: &mut Context<'_>,
    buffer: &mut Option<B>,
) -> Poll<(io::Result<usize>, Option<B>)> {
    let polled = poll_side(side, cx, |here| {
        let Some(mut mine) = buffer.take() else {
            let filled = here.filled.take()?.into_any().downcast::<Owned<B>>();
            return Some(match filled {
                Ok(owned) => (owned.result, Some(owned.buffer)),
                Err(_) => unreachable!("one `read_owned` at a time borrows the stream"),
            });
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
}

/// Where a receive brings its bytes.
struct To(HomeRef<RecvSide>);

impl To {
    /// Enters what came, and wakes whoever waits, outside of the visit.
    #[inline]
    fn deliver(&self, enter: impl FnOnce(&mut Here<'_, RecvSide>)) {
        let reader = self.0.with(|here| {
            enter(here);
            here.whom_to_tell()
        });
        wake(reader.flatten(), self.0.shared());
    }

    fn socket(&self) -> &Fd {
        self.0.shared().fd()
    }
}

/// Tells a reader, and those who wait by `&self`, outside of every visit.
#[inline]
fn wake(reader: Option<Waker>, socket: &Socket) {
    if let Some(reader) = reader {
        reader.wake();
    }
    socket.readers.wake_all();
}

impl ReceivesInPlace for RecvSide {
    #[inline]
    fn socket(shared: &Arc<Socket>) -> &Fd {
        shared.fd()
    }

    #[inline]
    fn received(home: &AtHome<'_, RecvSide>, piece: io::Result<Option<Piece>>, more: bool) {
        let reader = home.with(|here| {
            match piece {
                Ok(Some(piece)) if !piece.is_empty() => {
                    here.queue.push(piece);
                    here.before_sleep();
                    if here.queue.held() > MAX_PARTS {
                        here.queue.settle();
                    }
                }
                Ok(_) => here.end = End::Closed,
                Err(error) => here.fail(error),
            }
            if !more {
                RecvSide::landed(here);
            } else if here.queue.len() >= CAP {
                RecvSide::cancel(here);
            }
            here.whom_to_tell()
        });
        wake(reader, home.shared());
    }
}

/// A receive into heap memory, where the pool had none.
struct ToHeap(To);

impl RecvSink<Vec<u8>> for ToHeap {
    fn socket(&self) -> &Fd {
        self.0.socket()
    }

    fn received(&mut self, result: io::Result<usize>, buffer: Vec<u8>) {
        self.0.deliver(|here| {
            match result {
                Ok(0) => here.end = End::Closed,
                Ok(_) => here.queue.push_heap(buffer),
                Err(error) => here.fail(error),
            }
            RecvSide::landed(here);
        });
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

/// The end of a poll: there is nothing to enter, the reader receives by itself.
struct ToReader(To);

impl PollSink for ToReader {
    fn socket(&self) -> &Fd {
        self.0.socket()
    }

    fn ready(&mut self, _result: io::Result<()>) {
        // Whatever came of it, the reader learns more from the socket.
        self.0.deliver(|here| {
            here.pace.may_have_more();
            here.flight = None;
            here.shared().set_receiving(false);
        });
    }
}
