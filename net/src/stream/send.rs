//! The send side of a stream.
//!
//! # Who owns the bytes
//!
//! A write copies into this side's queue and is done. Before the ring is entered the next time,
//! everything that has gathered goes into one send; while that is in flight, the next bytes
//! gather. At most one send is in flight (I8: the order on the wire is the order of calls), and
//! its bytes belong to the operation until its last completion.
//!
//! - What one stream alone has gathered for an enter is sent by a direct call as well: a server of
//!   one connection makes no entries, and gets no completions of its own sends.
//! - A large write with nothing queued or in flight does not copy: it is a direct send that
//!   cannot wait.
//! - A send that is still in flight after the enter that submitted it found the socket full. Then
//!   nothing more is taken: what stands behind it is what one turn has written.
//! - Who sends without waiting (`try_write`, or by calls of its own) has the socket when nothing is
//!   queued or in flight; it learns that there is room from a poll, and only after it has found
//!   none.
//! - `flush` is done when the kernel has everything. An error is told by the next call, once;
//!   what had gathered is lost with it, as in a socket's own buffer, and from then on the pipe is
//!   broken.
//! - When the handle is dropped the queue is not: it is sent by operations that give up when the
//!   peer takes nothing for [`PATIENCE`], and the socket is closed after that.

mod file;
mod moving;
mod zero_copy;

use std::any::Any;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use henge_driver::buf::IoBuf;
use henge_driver::home::{AtHome, Here, HomeRef, Homed, Resident};
use henge_driver::ops::{PollOnce, PollSink, Send as SendAll, SendInPlace, SendSink, SendsInPlace};
use henge_driver::sys::poll::{self, events};
use henge_driver::sys::socket;
use henge_driver::{Driver, Fd, Ticket, buf, current};

use super::send_queue::{Outgoing, SendQueue};
use super::socket::{AtDrop, Socket};
use super::watch::Watch;
use super::{Awaits, poll_in_line, poll_side};
use crate::readiness::{Interest, Ready};
use crate::waiters::Place;

pub(crate) use file::send_file;

/// So many bytes gather at most.
const CAP: usize = 64 << 10;
/// From this size on a write into an idle stream is a direct send: it costs a system call, and
/// saves the copy. Measured with an echo on loopback: at 4 KiB direct sends cost 4 to 9 % with
/// fifty connections, below it 9 to 14 % with a thousand, because they give up the batching of the
/// ring; at 16 KiB the copy costs more than the call.
const DIRECT: usize = 8 << 10;
/// How long a peer may take nothing of what a dropped stream has left to send.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be sent, and the one send in flight.
pub(crate) struct SendSide {
    queue: SendQueue,
    flight: Option<Flight>,
    failed: Option<io::Error>,
    /// A failure has happened: nothing can be sent any more.
    broken: bool,
    /// The result of a `write_owned` that its future has not taken yet.
    returned: Option<Box<dyn Any + Send>>,
    writer: Option<Waker>,
    shut: bool,
    /// The handle is gone.
    orphaned: bool,
    /// The caller sends by calls of its own, and so wants the socket when nothing is queued.
    by_hand: bool,
    /// The last of these calls found the socket full.
    full: bool,
    /// The poll for room that is in flight then.
    polling: Option<Ticket>,
    /// In its place, for tasks that move.
    watch: Option<Box<Watch>>,
}

struct Flight {
    ticket: Ticket,
    /// The driver's count of enters when it was submitted.
    enters: u64,
    cancelled: bool,
    /// It gives up by itself.
    patient: bool,
}

impl Awaits for SendSide {
    fn awaiting(&mut self) -> &mut Option<Waker> {
        &mut self.writer
    }

    fn watch(&mut self) -> &mut Option<Box<Watch>> {
        &mut self.watch
    }
}

impl Resident for SendSide {
    type Shared = Arc<Socket>;
    type Operation = SendInPlace;

    fn arrived(here: &mut Here<'_, SendSide>) {
        SendSide::gathered(here);
    }

    fn recall(here: &mut Here<'_, SendSide>) {
        SendSide::cancel(here);
        SendSide::stop_polling(here);
    }

    fn abandon(here: &mut Here<'_, SendSide>) {
        here.orphaned = true;
        SendSide::stop_polling(here);
        if here.flight.is_some() {
            // Once more, with a limit to the patience.
            SendSide::cancel(here);
        } else if here.queue.is_empty() {
            SendSide::end(here);
        } else {
            SendSide::start(here);
        }
    }

    fn before_enter(here: &mut Here<'_, SendSide>, alone: bool) {
        if alone {
            SendSide::send_alone(here);
        }
        SendSide::start(here);
    }

    fn unsent(&self) -> usize {
        self.queue.len()
    }

    fn dropped_nowhere(&mut self, socket: &Arc<Socket>) {
        SendSide::end_at(socket, false);
    }
}

impl SendSide {
    pub(crate) fn new() -> SendSide {
        SendSide {
            queue: SendQueue::new(),
            flight: None,
            failed: None,
            broken: false,
            returned: None,
            writer: None,
            shut: false,
            orphaned: false,
            by_hand: false,
            full: false,
            polling: None,
            watch: None,
        }
    }

    /// Nothing is queued or in flight.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.flight.is_none() && self.queue.is_empty()
    }

    /// The bytes that have gathered are to go with the next enter.
    #[inline]
    fn gathered(here: &mut Here<'_, SendSide>) {
        if current::is_moving() {
            // Whoever is here sends it by direct calls, before what it has itself to send.
            return;
        }
        SendSide::send_at_enter(here);
    }

    #[inline]
    fn send_at_enter(here: &mut Here<'_, SendSide>) {
        if here.flight.is_none() && !here.queue.is_empty() {
            here.before_enter();
        }
    }

    #[inline]
    fn start(here: &mut Here<'_, SendSide>) {
        if here.is_idle() || here.flight.is_some() || here.is_leaving() {
            return;
        }
        SendSide::start_anew(here);
    }

    fn start_anew(here: &mut Here<'_, SendSide>) {
        let Some(Outgoing { bytes, at }) = here.queue.take() else { return };
        let patient = here.orphaned;
        let mut send = SendInPlace::new(bytes, at);
        if patient {
            send = send.with_patience(PATIENCE);
        }
        let enters = here.driver().enters();
        let ticket = here.submit(send);
        here.flight = Some(Flight { ticket, enters, cancelled: false, patient });
    }

    /// The only one who has something for this enter sends it directly: that costs what an enter
    /// does, and leaves no completion to enter for once more. Not where somebody waits for the end
    /// of it, since nothing of a user's may run here.
    fn send_alone(here: &mut Here<'_, SendSide>) {
        let awaited = here.writer.is_some() || here.shared().writers.has_any();
        if awaited || here.orphaned || here.flight.is_some() || here.is_leaving() {
            return;
        }
        let Some(Outgoing { bytes, at }) = here.queue.take() else { return };
        match socket::send_now(here.shared().fd(), &bytes[at..]) {
            Ok(n) if at + n == bytes.len() => here.driver().scratch().give(bytes),
            Ok(n) => here.queue.put_back(Outgoing { bytes, at: at + n }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                here.queue.put_back(Outgoing { bytes, at });
            }
            Err(error) => here.fail(error),
        }
    }

    /// Sends a buffer of a user's. Nothing is queued or in flight.
    fn submit_owned<B: IoBuf>(here: &mut Here<'_, SendSide>, bytes: B, at: usize) {
        let send = SendAll::new(bytes, at, To { side: here.reference(), keep: ToFuture });
        let driver = here.driver();
        let enters = driver.enters();
        let ticket = driver.submit_detached(send);
        here.flight = Some(Flight { ticket, enters, cancelled: false, patient: false });
    }

    /// A send has ended: the next one, or the end.
    #[inline]
    fn go_on(here: &mut Here<'_, SendSide>) {
        SendSide::start(here);
        if here.orphaned && here.is_idle() {
            SendSide::end(here);
        }
    }

    fn cancel(here: &mut Here<'_, SendSide>) {
        if let Some(flight) = &mut here.flight
            && !flight.cancelled
        {
            flight.cancelled = true;
            let ticket = flight.ticket;
            here.driver().cancel(ticket);
        }
    }

    fn stop_polling(here: &mut Here<'_, SendSide>) {
        if let Some(ticket) = here.polling {
            here.driver().cancel(ticket);
        }
    }

    /// The handle is gone, and so is everything that was written.
    fn end(here: &mut Here<'_, SendSide>) {
        // Each of them holds the socket for as long as the driver does not turn.
        let held = here.polling.is_some() || here.waits_for_enter();
        SendSide::end_at(here.shared(), held);
    }

    fn end_at(socket: &Socket, held: bool) {
        match socket.at_drop() {
            AtDrop::Close => socket.hang_up(held),
            AtDrop::End => {
                let _gone = socket::shutdown(socket.fd(), Shutdown::Write);
            }
            AtDrop::Nothing => {}
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.queue.clear();
        self.broken = true;
        self.failed = Some(error);
    }

    /// What the last failure has left: told once in its own words.
    #[inline]
    fn check(&mut self) -> io::Result<()> {
        if !self.broken && !self.shut {
            return Ok(());
        }
        Err(self.failed.take().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()))
    }

    /// Whether the socket is known to take nothing now.
    #[inline]
    fn is_full(&self, driver: &Driver) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.enters != driver.enters())
    }

    /// Takes as much of `bytes` as there is room for; `None` if there is none.
    #[inline]
    fn write(here: &mut Here<'_, SendSide>, bytes: &[u8]) -> Option<io::Result<usize>> {
        if let Err(error) = here.check() {
            return Some(Err(error));
        }
        if current::is_moving() {
            return SendSide::send_moving(here, |fd| socket::send_now(fd, bytes));
        }
        if bytes.len() >= DIRECT && here.is_idle() {
            match socket::send_now(here.shared().fd(), bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Some(done),
            }
        }
        let room = SendSide::room(here)?;
        let n = room.min(bytes.len());
        SendSide::gather(here, &bytes[..n]);
        SendSide::send_at_enter(here);
        Some(Ok(n))
    }

    /// As `write`, with several pieces.
    fn write_vectored(
        here: &mut Here<'_, SendSide>,
        pieces: &[IoSlice<'_>],
    ) -> Option<io::Result<usize>> {
        if let Err(error) = here.check() {
            return Some(Err(error));
        }
        if current::is_moving() {
            return SendSide::send_moving(here, |fd| socket::send_vectored_now(fd, pieces));
        }
        let total: usize = pieces.iter().map(|piece| piece.len()).sum();
        if total >= DIRECT && here.is_idle() {
            match socket::send_vectored_now(here.shared().fd(), pieces) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Some(done),
            }
        }
        let room = SendSide::room(here)?;
        let mut left = room;
        for piece in pieces {
            let n = piece.len().min(left);
            SendSide::gather(here, &piece[..n]);
            left -= n;
        }
        SendSide::send_at_enter(here);
        Some(Ok(room - left))
    }

    #[inline]
    fn room(here: &Here<'_, SendSide>) -> Option<usize> {
        if here.is_full(here.driver()) {
            return None;
        }
        let room = CAP.saturating_sub(here.queue.len());
        (room > 0).then_some(room)
    }

    #[inline]
    fn gather(here: &mut Here<'_, SendSide>, bytes: &[u8]) {
        if !bytes.is_empty() {
            let (side, driver) = here.parts();
            side.queue.push(bytes, || driver.scratch().take());
        }
    }

    /// Done when the kernel has everything; `None` while it has not.
    #[inline]
    fn flushed(here: &mut Here<'_, SendSide>) -> Option<io::Result<()>> {
        if let Some(error) = here.failed.take() {
            return Some(Err(error));
        }
        if current::is_moving() {
            return SendSide::settle_moving(here);
        }
        here.is_idle().then_some(Ok(()))
    }
}

/// Takes what there is room for.
#[inline]
pub(crate) fn poll_write(
    side: &Homed<SendSide>,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    poll_side(side, cx, |here| SendSide::write(here, bytes)).map(Result::flatten)
}

/// Takes what there is room for, piece by piece.
pub(crate) fn poll_write_vectored(
    side: &Homed<SendSide>,
    cx: &mut Context<'_>,
    pieces: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    poll_side(side, cx, |here| SendSide::write_vectored(here, pieces)).map(Result::flatten)
}

/// Sends what fits, at once, if nothing is queued before it; else nothing: `WouldBlock`.
pub(crate) fn try_write(side: &Homed<SendSide>, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    let written = side.try_with(|here| {
        here.by_hand = true;
        here.check()?;
        if !here.is_idle() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let sent = socket::send_vectored_now(here.shared().fd(), pieces);
        here.full = is_would_block(&sent);
        sent
    });
    written.unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))
}

fn is_would_block<T>(done: &io::Result<T>) -> bool {
    done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Ready when the kernel has everything that was written.
#[inline]
pub(crate) fn poll_flush(side: &Homed<SendSide>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    poll_side(side, cx, SendSide::flushed).map(Result::flatten)
}

/// Flushes, and tells the peer that this was all.
pub(crate) fn poll_shutdown(side: &Homed<SendSide>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    poll_side(side, cx, |here| {
        if let Err(error) = SendSide::flushed(here)? {
            return Some(Err(error));
        }
        here.shut = true;
        Some(match socket::shutdown(here.shared().fd(), Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        })
    })
    .map(Result::flatten)
}

/// Sends `buffer`; see `TcpStream::write_owned`. `buffer` is taken while the kernel has it.
pub(crate) fn poll_write_owned<B: IoBuf>(
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
        if here.is_idle() && !here.is_leaving() {
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
    /// Whether a write would take something, or fail; arms a poll if that cannot be known.
    fn look_ready(here: &mut Here<'_, SendSide>) -> Option<io::Result<Ready>> {
        if here.broken || here.shut {
            return Some(Ok(Ready::WRITABLE | Ready::WRITE_CLOSED));
        }
        if current::is_moving() {
            return SendSide::look_moving(here);
        }
        if !here.by_hand {
            return SendSide::room(here).map(|_room| Ok(Ready::WRITABLE));
        }
        if !here.is_idle() || here.polling.is_some() {
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

    fn poll_for_room(here: &mut Here<'_, SendSide>) {
        if !here.is_leaving() {
            let poll = PollOnce::writable(ToWriter(here.reference()));
            here.polling = Some(here.driver().submit_detached(poll));
        }
    }
}

/// Lets the caller send by a call of its own; see `TcpStream::try_io`.
pub(crate) fn try_io<R>(
    side: &Homed<SendSide>,
    send: impl FnOnce() -> io::Result<R>,
) -> io::Result<R> {
    let allowed = side.try_with(|here| {
        here.by_hand = true;
        here.broken || here.shut || here.is_idle()
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

/// Ready when a write would take something, or fail; see `TcpStream::writable`.
pub(crate) async fn writable(side: &Homed<SendSide>) -> io::Result<Ready> {
    let mut place = Place::new(&side.shared().writers);
    poll_fn(|cx| poll_ready_in_line(side, cx, &mut place)).await
}

/// Waits until a half is ready; see `OwnedWriteHalf::ready`.
pub(crate) async fn ready(side: &Homed<SendSide>, interest: Interest) -> io::Result<Ready> {
    if !interest.is_writable() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this half only writes"));
    }
    writable(side).await
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

/// The handle of a half is dropped: `at_drop` says what that means for the peer.
pub(crate) fn give_up(side: Homed<SendSide>, at_drop: AtDrop) {
    side.shared().set_at_drop(at_drop);
    drop(side);
}

struct Returned<B> {
    result: io::Result<()>,
    buffer: B,
}

/// What becomes of a buffer when its send is over.
trait Keep<B>: Send + 'static {
    fn keep(&self, side: &mut SendSide, end: io::Result<()>, buffer: B, at: usize);
}

/// A buffer of a user's: it goes back to its future, and what was not sent is copied.
struct ToFuture;

impl<B: IoBuf> Keep<B> for ToFuture {
    fn keep(&self, side: &mut SendSide, end: io::Result<()>, buffer: B, at: usize) {
        let result = match end {
            Err(error) if !socket::is_cancelled(&error) => {
                side.queue.clear();
                side.broken = true;
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
struct To<K> {
    side: HomeRef<SendSide>,
    keep: K,
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

impl SendsInPlace for SendSide {
    #[inline]
    fn socket(shared: &Arc<Socket>) -> &Fd {
        shared.fd()
    }

    fn goes_on(home: &AtHome<'_, SendSide>) -> bool {
        home.with(|here| here.flight.as_ref().is_some_and(|flight| !flight.cancelled))
    }

    #[inline]
    fn sent(home: &AtHome<'_, SendSide>, result: io::Result<()>, bytes: Vec<u8>, at: usize) {
        let writer = home.with(|here| {
            let patient = here.flight.take().is_some_and(|flight| flight.patient);
            let failed = result.is_err();
            match result {
                Err(error) if !socket::is_cancelled(&error) => here.fail(error),
                _ if at == bytes.len() => here.driver().scratch().give(bytes),
                _ => here.queue.put_back(Outgoing { bytes, at }),
            }
            if patient && failed {
                // The peer is gone, or takes nothing; nobody is left to be told.
                here.queue.clear();
            }
            SendSide::go_on(here);
            here.writer.take()
        });
        wake(writer, home.shared());
    }
}

/// Tells a writer, and those who wait by `&self`, outside of every visit.
#[inline]
fn wake(writer: Option<Waker>, socket: &Socket) {
    if let Some(writer) = writer {
        writer.wake();
    }
    socket.writers.wake_all();
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
