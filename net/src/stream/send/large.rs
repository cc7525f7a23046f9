//! Large writes: direct sends that cannot wait, and what they do where there is no room.

use std::io::{self, IoSlice};
use std::task::Poll;

use henge_driver::Fd;
use henge_driver::home::Here;
use henge_driver::sys::socket;

use super::{SendSide, is_would_block};

impl SendSide {
    /// Sends as much as there is room for, behind what is to be sent quietly. Pending if something
    /// is under way whose end wakes the writer: a send, or a poll for room. `None` if nothing is
    /// and nothing was sent, as where this thread leaves its loop: then it is to be queued.
    pub(super) fn write_large(
        here: &mut Here<'_, SendSide>,
        pieces: &[IoSlice<'_>],
    ) -> Option<Poll<io::Result<usize>>> {
        if here.is_bare()
            && here.sends_quietly()
            && let Some(polled) = SendSide::send_both(here, pieces)
        {
            return Some(polled);
        }
        let sent = SendSide::send_directly(here, |fd| socket::send_vectored_now(fd, pieces));
        let waits = here.polling.is_some() || !here.is_bare();
        sent.map(Poll::Ready).or(waits.then_some(Poll::Pending))
    }

    /// A send that does not wait, of much. `None` if something goes before it, or if there is no
    /// room: then a poll for it is in flight, unless this thread leaves its loop.
    #[inline]
    pub(super) fn send_directly(
        here: &mut Here<'_, SendSide>,
        send: impl FnOnce(&Fd) -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        if here.polling.is_some() || !SendSide::is_free(here) {
            return None;
        }
        let sent = send(here.shared().fd());
        if is_would_block(&sent) {
            SendSide::poll_for_room(here);
            return None;
        }
        Some(sent)
    }

    /// What was to be sent quietly and `pieces` by one call: a head and its body, most often. Added
    /// to the former, much would be copied, and again with each write that comes before it is sent.
    /// `None` if exactly the former was sent.
    fn send_both(
        here: &mut Here<'_, SendSide>,
        pieces: &[IoSlice<'_>],
    ) -> Option<Poll<io::Result<usize>>> {
        let mut taken = 0;
        let sent = here.send_instead(|letter| {
            let pieces = pieces.iter().map(|piece| IoSlice::new(piece));
            let all: Vec<_> = std::iter::once(IoSlice::new(letter)).chain(pieces).collect();
            let n = socket::send_vectored_now(here.shared().fd(), &all)?;
            taken = n.saturating_sub(letter.len());
            Ok(n.min(letter.len()))
        });
        match sent {
            Some(Ok(true)) => (taken > 0).then_some(Poll::Ready(Ok(taken))),
            Some(Err(error)) => {
                here.fail(error);
                Some(Poll::Ready(here.check().map(|()| 0)))
            }
            // The rest goes with the next enter, or it is on its way.
            Some(Ok(false)) | None => {
                here.tell_when_sent();
                Some(Poll::Pending)
            }
        }
    }
}
