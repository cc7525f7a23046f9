//! The send side of a stream.
//!
//! # Who owns the bytes
//!
//! A write copies its bytes and is done. With nothing else under way it copies them into a letter
//! of the driver's (`Here::send_quietly`), and what is written until the ring is entered the next
//! time goes into the same one. It is sent with that enter, and over then; it has a completion only
//! if the socket could not take all of it. Then what is left is sent by an ordinary operation,
//! which waits; while there is one, the next bytes gather in this side's queue, and go as one send
//! when it is over. At most one send is in flight (I8: the order on the wire is the order of
//! calls), and its bytes belong to the driver until it is over.
//!
//! - Whoever sends in another way has the letter taken back first: its bytes are the first of the
//!   queue then.
//! - A large write with nothing queued or in flight does not copy: it is a direct send that
//!   cannot wait. If there is a letter, that goes with it. If the socket is full it takes nothing,
//!   and a poll tells when there is room; if a send is in flight it waits for the end of that.
//!   Queued, it would be in flight when the next one comes, and who writes much would copy all of
//!   it: an enter and a copy for each write, and never again a direct send.
//! - A send that is still in flight after the enter that submitted it found the socket full. Then
//!   nothing more is taken: what stands behind it is what one turn has written.
//! - Who sends without waiting (`try_write`, or by calls of its own) has the socket when nothing is
//!   queued or in flight; it learns that there is room from a poll, and only after it has found
//!   none.
//! - `flush` is done when the kernel has everything. What has gathered since the ring was entered
//!   it sends by a direct call that cannot wait, so that it waits only where the socket is full, or
//!   a send is in flight: a flush that has to be asked twice is one that fails for OpenSSL, and for
//!   all who took it for a formality. An error is told by the next call, once; what had gathered is
//!   lost with it, as in a socket's own buffer, and from then on the pipe is broken.
//! - When the handle is dropped the queue is not: it is sent by operations that give up when the
//!   peer takes nothing for [`PATIENCE`], and the socket is closed after that.

mod by_hand;
mod file;
mod flight;
mod large;
mod moving;
mod owned;
mod quick;
mod zero_copy;

use std::any::Any;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use henge_driver::home::{AtHome, Here, Homed, Resident};
use henge_driver::ops::SendInPlace;
use henge_driver::sys::socket;
use henge_driver::{Driver, Ticket, current};

use self::flight::{Flight, wake};
use super::send_queue::{Outgoing, SendQueue};
use super::socket::{AtDrop, Socket};
use super::waiting::Waiting;
use super::watch::Watch;
use super::{Awaits, poll_side_freely};

pub(crate) use by_hand::{poll_ready, poll_ready_in_line, try_io, try_write, writable};
pub(crate) use file::send_file;
pub(crate) use owned::write_all_owned;
pub(crate) use quick::{poll_flush, poll_write, poll_write_vectored};

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
///
/// In this order: what each write looks at comes first, in few cache lines.
#[repr(C)]
pub(crate) struct SendSide {
    /// Nothing can be sent any more: a failure has happened, or the end was sent.
    closed: bool,
    /// The handle is gone.
    orphaned: bool,
    /// The caller sends by calls of its own, and so wants the socket when nothing is queued.
    by_hand: bool,
    /// The last of these calls found the socket full.
    full: bool,
    queue: SendQueue,
    flight: Option<Flight>,
    failed: Option<io::Error>,
    /// The result of a `write_owned` that its future has not taken yet.
    returned: Option<Box<dyn Any + Send>>,
    writer: Waiting,
    /// The poll for room that is in flight then.
    polling: Option<Ticket>,
    /// In its place, for tasks that move.
    watch: Option<Box<Watch>>,
}

impl Awaits for SendSide {
    fn awaiting(&mut self) -> &mut Waiting {
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
        SendSide::take_back_to_queue(here);
        SendSide::stop_polling(here);
    }

    fn abandon(here: &mut Here<'_, SendSide>) {
        here.orphaned = true;
        SendSide::stop_polling(here);
        SendSide::take_back_to_queue(here);
        if SendSide::is_to_reset(here) {
            here.queue.clear();
        }
        if here.flight.is_some() {
            // Once more, with a limit to the patience.
            SendSide::cancel(here);
        } else if !here.sends_quietly() {
            SendSide::go_on(here);
        }
    }

    fn before_enter(here: &mut Here<'_, SendSide>) {
        SendSide::start(here);
    }

    fn sent_quietly(home: &AtHome<'_, SendSide>) {
        let writer = home.with(|here| {
            if here.flight.is_some() {
                // What was not sent quietly: its end is what is waited for.
                return None;
            }
            SendSide::go_on(here);
            here.writer.take()
        });
        wake(writer, home.shared());
    }

    fn not_sent_quietly(home: &AtHome<'_, SendSide>, sent: io::Result<usize>, bytes: Vec<u8>) {
        home.with(|here| {
            match sent {
                Ok(at) => SendSide::put_back(here, Outgoing { bytes, at }),
                // The socket is full: an ordinary operation waits.
                Err(error) if socket::is_for_later(&error) => {
                    SendSide::put_back(here, Outgoing { bytes, at: 0 });
                }
                Err(error) => here.fail(error),
            }
            SendSide::start(here);
        });
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
            closed: false,
            orphaned: false,
            by_hand: false,
            full: false,
            queue: SendQueue::new(),
            flight: None,
            failed: None,
            returned: None,
            writer: Waiting::new(),
            polling: None,
            watch: None,
        }
    }

    /// Nothing is queued or in flight, but for what is sent quietly.
    #[inline]
    pub(crate) fn is_bare(&self) -> bool {
        self.flight.is_none() && self.queue.is_empty()
    }

    /// Nothing is queued or in flight. If something is, whoever waits is told of its end.
    #[inline]
    fn is_idle(here: &Here<'_, SendSide>) -> bool {
        if here.sends_quietly() {
            here.tell_when_sent();
            return false;
        }
        here.is_bare()
    }

    /// What was to be sent quietly is queued instead, unless it is too late for that.
    fn take_back_to_queue(here: &mut Here<'_, SendSide>) {
        if let Some(bytes) = here.take_back() {
            here.queue.put_back(Outgoing { bytes, at: 0 });
        }
    }

    /// What was not sent is the first of the queue again, unless nobody wants it sent any more.
    fn put_back(here: &mut Here<'_, SendSide>, outgoing: Outgoing) {
        if !SendSide::is_to_reset(here) {
            here.queue.put_back(outgoing);
        }
    }

    /// The stream was dropped, and its close is to reset the connection: what is queued is dropped
    /// as well, as the kernel drops what the socket has.
    fn is_to_reset(here: &Here<'_, SendSide>) -> bool {
        let socket = here.shared();
        here.orphaned && socket.resets() && socket.at_drop() == AtDrop::Close
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
        if here.sends_quietly() {
            // When that is over.
            here.tell_when_sent();
        } else if here.flight.is_none() && !here.queue.is_empty() {
            here.before_enter();
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
        self.closed = true;
        self.failed = Some(error);
    }

    /// What the last failure has left: told once in its own words.
    #[inline]
    fn check(&mut self) -> io::Result<()> {
        if !self.closed {
            return Ok(());
        }
        Err(self.failed.take().unwrap_or_else(socket::broken_pipe))
    }

    /// Whether the socket is known to take nothing now.
    #[inline]
    fn is_full(&self, driver: &Driver) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.enters != driver.enters())
    }

    /// Nothing at all is queued or in flight.
    #[inline]
    fn is_free(here: &Here<'_, SendSide>) -> bool {
        here.is_bare() && !here.sends_quietly()
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
        if bytes.len() >= DIRECT
            && let Some(polled) = SendSide::write_large(here, &[IoSlice::new(bytes)])
        {
            return written(polled);
        }
        SendSide::put(here, bytes).map(Ok)
    }

    /// Copies as much of `bytes` as there is room for; `None` if there is none.
    #[inline]
    fn put(here: &mut Here<'_, SendSide>, bytes: &[u8]) -> Option<usize> {
        if bytes.is_empty() {
            return Some(0);
        }
        if here.is_bare() {
            match here.send_quietly(bytes, CAP) {
                Some(0) => {
                    here.tell_when_sent();
                    return None;
                }
                Some(n) => return Some(n),
                None => {}
            }
        }
        SendSide::gather(here, bytes)
    }

    /// As `put`, behind what is under way.
    fn gather(here: &mut Here<'_, SendSide>, bytes: &[u8]) -> Option<usize> {
        let room = SendSide::room(here)?;
        let n = room.min(bytes.len());
        let (side, driver) = here.parts();
        side.queue.push(&bytes[..n], || driver.scratch().take());
        SendSide::send_at_enter(here);
        Some(n)
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
        if total >= DIRECT
            && let Some(polled) = SendSide::write_large(here, pieces)
        {
            return written(polled);
        }
        let mut written = 0;
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            let Some(n) = SendSide::put(here, piece) else {
                if written == 0 {
                    return None;
                }
                break;
            };
            written += n;
            if n < piece.len() {
                break;
            }
        }
        Some(Ok(written))
    }

    #[inline]
    fn room(here: &Here<'_, SendSide>) -> Option<usize> {
        if here.is_full(here.driver()) {
            return None;
        }
        let room = CAP.saturating_sub(here.queue.len());
        (room > 0).then_some(room)
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
        if SendSide::is_free(here) {
            return Some(Ok(()));
        }
        SendSide::send_gathered(here)
    }

    /// Sends what has gathered, now. `None` if it has to be waited for: whoever waits is told.
    fn send_gathered(here: &mut Here<'_, SendSide>) -> Option<io::Result<()>> {
        match here.send_instead(|bytes| socket::send_now(here.shared().fd(), bytes)) {
            Some(Ok(true)) => return Some(Ok(())),
            Some(Err(error)) => {
                here.fail(error);
                return Some(here.check());
            }
            Some(Ok(false)) | None => {}
        }
        if here.flight.is_none() && !here.sends_quietly() {
            if let Some(sent) = SendSide::send_queue(here) {
                return Some(sent);
            }
            // The socket is full: an ordinary operation waits.
            SendSide::send_at_enter(here);
        }
        SendSide::is_idle(here).then_some(Ok(()))
    }

    /// Sends the queue by direct calls; `None` if the socket does not take all of it.
    fn send_queue(here: &mut Here<'_, SendSide>) -> Option<io::Result<()>> {
        while let Some(Outgoing { bytes, at }) = here.queue.take() {
            match socket::send_now(here.shared().fd(), &bytes[at..]) {
                Ok(n) if at + n == bytes.len() => here.driver().scratch().give(bytes),
                Ok(n) => here.queue.put_back(Outgoing { bytes, at: at + n }),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    here.queue.put_back(Outgoing { bytes, at });
                    return None;
                }
                Err(error) => {
                    here.fail(error);
                    return Some(here.check());
                }
            }
        }
        Some(Ok(()))
    }
}

/// As visits answer: `None` for what is pending.
fn written(polled: Poll<io::Result<usize>>) -> Option<io::Result<usize>> {
    match polled {
        Poll::Ready(written) => Some(written),
        Poll::Pending => None,
    }
}

fn is_would_block<T>(done: &io::Result<T>) -> bool {
    done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Flushes, and tells the peer that this was all.
pub(crate) fn poll_shutdown(side: &Homed<SendSide>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    poll_side_freely(side, cx, |here| {
        if let Err(error) = SendSide::flushed(here)? {
            return Some(Err(error));
        }
        here.closed = true;
        Some(match socket::shutdown(here.shared().fd(), Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        })
    })
    .map(Result::flatten)
}

/// The handle of a half is dropped: `at_drop` says what that means for the peer.
pub(crate) fn give_up(side: Homed<SendSide>, at_drop: AtDrop) {
    side.shared().set_at_drop(at_drop);
    drop(side);
}
