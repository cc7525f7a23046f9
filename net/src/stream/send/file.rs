//! Sending what is in a file.
//!
//! Each piece takes one of two ways. What the kernel has in memory goes by `sendfile`, without a
//! copy: what the call says has been sent, the socket has, and where there was no room nothing has
//! left the file, so there is nothing in between that a dropped future could lose. What is to come
//! from a device is read by the ring, so that the shard does not wait for it, and sent as an owned
//! buffer; by the next piece the kernel has read ahead.
//!
//! The other way that there is, two splices with a pipe between, always costs two of the kernel's
//! workers: `docs/decisions/0062-sendfile-by-direct-calls.md` has the figures.

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::task::{Context, Poll};

use henge_driver::home::{Here, Homed};
use henge_driver::ops::ReadAt;
use henge_driver::sys::socket;
use henge_driver::sys::splice::{self, InMemory};
use henge_driver::{Fd, current, submit};

use super::{Outgoing, SendSide, is_would_block, write_all_owned};
use crate::stream::poll_side;

/// So much is sent by one call at most: some 150 µs of the shard's time, less than a turn may take.
/// Each call wakes the peer, so smaller ones cost more a byte.
const PIECE: usize = 1 << 20;
/// So much is read at once where it is not in memory.
const COLD: usize = 128 << 10;

impl SendSide {
    /// Sends by one direct call of the caller's, after all that is queued. The call is for a
    /// non-blocking socket.
    fn send_after(
        here: &mut Here<'_, SendSide>,
        send: impl FnOnce(&Fd) -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        if let Err(error) = here.check().and_then(|()| here.shared().make_nonblocking()) {
            return Some(Err(error));
        }
        if current::is_moving() {
            return SendSide::send_moving(here, send);
        }
        SendSide::take_back_to_queue(here);
        if here.sends_quietly() {
            here.tell_when_sent();
            return None;
        }
        if here.flight.is_some() || here.polling.is_some() {
            return None;
        }
        if let Err(error) = SendSide::send_queued_first(here)? {
            return Some(Err(error));
        }
        let sent = send(here.shared().fd());
        if is_would_block(&sent) {
            SendSide::poll_for_room(here);
            return None;
        }
        Some(sent)
    }

    /// Sends what is queued by direct calls, as the beginning of something larger. What there is
    /// no room for goes by the ring, which tells when it has gone.
    fn send_queued_first(here: &mut Here<'_, SendSide>) -> Option<io::Result<()>> {
        while let Some(Outgoing { bytes, at }) = here.queue.take() {
            let n = match socket::send_more_now(here.shared().fd(), &bytes[at..]) {
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => {
                    here.fail(error);
                    return Some(here.check());
                }
            };
            if at + n < bytes.len() {
                here.queue.put_back(Outgoing { bytes, at: at + n });
                SendSide::start(here);
                return None;
            }
            here.driver().scratch().give(bytes);
        }
        Some(Ok(()))
    }
}

/// Sends a part of a file; see `TcpStream::send_file`.
pub(crate) async fn send_file(
    side: &Homed<SendSide>,
    file: BorrowedFd<'_>,
    range: Range<u64>,
) -> io::Result<u64> {
    let mut cold = Cold { file, shared: None, buffer: Vec::new() };
    let mut at = range.start;
    let mut unknown = false;
    while at < range.end {
        let piece = usize::try_from(range.end - at).map_or(PIECE, |left| left.min(PIECE));
        let found = if unknown { InMemory::Unknown } else { splice::in_memory(file, at, piece)? };
        let sent = match found {
            InMemory::End => break,
            InMemory::Bytes(piece) => {
                match poll_fn(|cx| poll_send_file(side, cx, file, at, piece)).await {
                    Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                        unknown = true;
                        continue;
                    }
                    sent => sent?,
                }
            }
            InMemory::Nothing | InMemory::Unknown => {
                unknown = found == InMemory::Unknown;
                cold.send(side, at, piece).await?
            }
        };
        if sent == 0 {
            break;
        }
        at += sent as u64;
    }
    Ok(at - range.start)
}

fn poll_send_file(
    side: &Homed<SendSide>,
    cx: &mut Context<'_>,
    file: BorrowedFd<'_>,
    offset: u64,
    len: usize,
) -> Poll<io::Result<usize>> {
    let send = |socket: &Fd| splice::sendfile_now(socket, file, offset, len);
    poll_side(side, cx, |here| SendSide::send_after(here, send)).map(Result::flatten)
}

/// Pieces of a file that have to be waited for.
struct Cold<'a> {
    file: BorrowedFd<'a>,
    /// The file again: a read that is under way keeps it open.
    shared: Option<Arc<Fd>>,
    buffer: Vec<u8>,
}

impl Cold<'_> {
    /// Sends at most `len` bytes from `offset` on; none at the end of the file.
    async fn send(&mut self, side: &Homed<SendSide>, offset: u64, len: usize) -> io::Result<usize> {
        let file = match &self.shared {
            Some(file) => Arc::clone(file),
            None => {
                let file = Arc::new(Fd::from(self.file.try_clone_to_owned()?));
                Arc::clone(self.shared.insert(file))
            }
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer.reserve_exact(COLD);
        let (read, mut buffer) = submit(ReadAt::new(file, buffer, offset)).await;
        let read = read?.min(len);
        buffer.truncate(read);
        let (sent, buffer) = write_all_owned(side, buffer).await;
        self.buffer = buffer;
        sent.map(|()| read)
    }
}
