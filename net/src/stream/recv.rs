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

mod arrival;
mod by_hand;
mod moving;
mod owned;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use henge_driver::home::{Here, Homed, Resident};
use henge_driver::ops::{Recv, RecvInPlace};
use henge_driver::pool::{Piece, RecvBuf};
use henge_driver::sys::socket;
use henge_driver::{Ticket, current};
use tokio::io::ReadBuf;

use self::arrival::{To, ToHeap};
use self::owned::Filled;
use super::pace::Pace;
use super::recv_queue::{Part, RecvQueue};
use super::socket::Socket;
use super::waiting::{Known, Waiting};
use super::watch::Watch;
use super::{Awaits, poll_quickly, poll_side};

pub(crate) use by_hand::{
    peek, poll_descriptors, poll_peek, poll_ready, poll_ready_in_line, readable, try_give, try_io,
    try_read, try_read_buf,
};
pub(crate) use owned::read_owned;

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
///
/// In this order: what each read looks at comes first, in few cache lines.
#[repr(C)]
pub(crate) struct RecvSide {
    queue: RecvQueue<Piece>,
    reader: Waiting,
    pace: Pace,
    end: End,
    /// The receive, or the poll, that is in flight.
    flight: Option<Flight>,
    /// The last receive found the pool empty.
    starved: bool,
    /// What `read_owned` asked for has come, and its future has not taken it yet.
    filled: Option<Box<dyn Filled>>,
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

/// An error of the kernel's once more.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => error.kind().into(),
    }
}

impl Awaits for RecvSide {
    fn awaiting(&mut self) -> &mut Waiting {
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

    fn before_sleep(here: &mut Here<'_, RecvSide>) -> Option<Waker> {
        here.queue.settle();
        here.reader.let_go()
    }
}

impl RecvSide {
    pub(crate) fn new() -> RecvSide {
        RecvSide {
            queue: RecvQueue::new(),
            reader: Waiting::new(),
            pace: Pace::new(),
            end: End::Open,
            flight: None,
            starved: false,
            filled: None,
            watch: None,
        }
    }

    /// How many bytes have come and not been read.
    pub(crate) fn unread(&self) -> usize {
        self.queue.len()
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
        if here.flight.is_none() && !here.is_leaving() && !here.is_abandoned() {
            RecvSide::arm_anew(here);
        }
    }

    fn arm_anew(here: &mut Here<'_, RecvSide>) {
        let starved = std::mem::take(&mut here.starved);
        let polls = here.pace.is_direct();
        let driver = here.driver();
        let ticket = if polls {
            here.submit(RecvInPlace::poll())
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

    /// What a read finds nearly always where messages are small: one piece of the pool's that there
    /// is room for, or nothing, with the receive in flight and the task known. `None` if it is
    /// anything else, for [`read`](RecvSide::read).
    #[inline]
    fn read_quickly(
        here: &mut Here<'_, RecvSide>,
        waker: &Waker,
        buf: &mut ReadBuf<'_>,
    ) -> Option<Poll<io::Result<()>>> {
        if here.flight.is_none() || here.pace.is_direct() {
            return RecvSide::read_direct_quickly(here, waker, buf);
        }
        debug_assert!(here.filled.is_none(), "reclaimed before anything is armed");
        let room = buf.remaining();
        let (side, driver) = here.parts();
        let read = |piece: Piece| {
            buf.put_slice(&piece);
            driver.pool().take_back(piece);
        };
        if let Some(n) = side.queue.read_only(room, read) {
            side.pace.took(n);
            return Some(Poll::Ready(Ok(())));
        }
        if here.is_ready() {
            return None;
        }
        match here.reader.wait_by(waker) {
            Known::No => return None,
            Known::Spare => here.has_done(),
            Known::Waits => {}
        }
        here.pace.waits();
        Some(Poll::Pending)
    }

    /// What a read finds nearly always where messages are large: nothing but what is in the socket,
    /// or nothing there either, with a poll in flight and the task known.
    #[inline(never)]
    fn read_direct_quickly(
        here: &mut Here<'_, RecvSide>,
        waker: &Waker,
        buf: &mut ReadBuf<'_>,
    ) -> Option<Poll<io::Result<()>>> {
        here.pace.unforce();
        let bare = !here.is_ready() && here.filled.is_none();
        if !here.pace.is_direct() || !bare {
            return None;
        }
        if let Some(read) = RecvSide::read_direct(here, buf) {
            return Some(Poll::Ready(read));
        }
        match here.reader.wait_by(waker) {
            Known::No => return None,
            Known::Spare => here.has_done(),
            Known::Waits => {}
        }
        Some(Poll::Pending)
    }

    /// tokio's read: what is queued first, then, if that is the better way, from the socket.
    #[inline]
    fn read(here: &mut Here<'_, RecvSide>, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        if !current::is_moving() {
            here.pace.unforce();
        } else if !RecvSide::may_try(here) {
            return None;
        }
        let open = here.queue.is_empty() && matches!(here.end, End::Open);
        if here.pace.is_direct() && open && here.filled.is_none() {
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

    /// Receives into the reader's own memory. There is nothing that comes before.
    fn read_direct(here: &mut Here<'_, RecvSide>, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
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
        if here.queue.is_empty() && !matches!(here.end, End::Closed) {
            if matches!(here.end, End::Open) {
                RecvSide::arm(here);
                return None;
            }
            return here.tell_failure().map(Err);
        }
        // At one place, so that it is compiled into its caller.
        let taken = take(&mut here.queue);
        RecvSide::resume(here);
        Some(Ok(taken))
    }

    /// Why it has failed; once.
    #[cold]
    fn tell_failure(&mut self) -> Option<io::Error> {
        match std::mem::replace(&mut self.end, End::Open) {
            End::Failed(error) => Some(error),
            other => {
                self.end = other;
                None
            }
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
    let quickly =
        |here: &mut Here<'_, RecvSide>, waker: &Waker| RecvSide::read_quickly(here, waker, buf);
    match poll_quickly(side, cx, quickly) {
        Some(polled) => polled,
        None => poll_read_slowly(side, cx, buf),
    }
}

#[cold]
#[inline(never)]
fn poll_read_slowly(
    side: &Homed<RecvSide>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    poll_side(side, cx, |here| RecvSide::read(here, buf)).map(Result::flatten)
}

/// Takes a whole run of bytes; see `TcpStream::recv`.
pub(crate) async fn recv(side: &Homed<RecvSide>) -> io::Result<RecvBuf> {
    poll_fn(|cx| poll_take(side, cx, RecvQueue::lend)).await
}
