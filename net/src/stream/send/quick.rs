//! What a write and a flush find nearly always, each in one short function: nothing stands before
//! it but what goes with the same enter. Where that is not so they do nothing, and the poll is one
//! of the side's by all the rules.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker};

use henge_driver::home::{Here, Homed};
use henge_driver::sys::socket;

use super::{CAP, DIRECT, SendSide};
use crate::stream::{poll_quickly, poll_side, poll_side_freely};

impl SendSide {
    /// What a write finds nearly always: nothing stands before it but what goes with the same
    /// enter, or, if it is large, nothing at all. `None` if it is anything else, for
    /// [`write`](SendSide::write).
    #[inline]
    fn write_quickly(here: &mut Here<'_, SendSide>, bytes: &[u8]) -> Option<io::Result<usize>> {
        if bytes.is_empty() || here.closed || !here.is_bare() {
            return None;
        }
        if bytes.len() >= DIRECT {
            return SendSide::send_directly(here, |fd| socket::send_now(fd, bytes));
        }
        here.send_quietly(bytes, CAP).filter(|&n| n > 0).map(Ok)
    }

    /// As [`write_quickly`](SendSide::write_quickly), of several pieces.
    #[inline]
    fn write_vectored_quickly(
        here: &mut Here<'_, SendSide>,
        pieces: &[IoSlice<'_>],
    ) -> Option<io::Result<usize>> {
        if here.closed || !here.is_bare() {
            return None;
        }
        let total: usize = pieces.iter().map(|piece| piece.len()).sum();
        if total >= DIRECT {
            return SendSide::send_directly(here, |fd| socket::send_vectored_now(fd, pieces));
        }
        if total == 0 {
            return None;
        }
        here.send_all_quietly(pieces, total, CAP).filter(|&n| n > 0).map(Ok)
    }

    /// What a flush finds nearly always: nothing, or what goes with the next enter and can be sent
    /// now. `None` if it is anything else, for [`flushed`](SendSide::flushed).
    #[inline]
    fn flushed_quickly(here: &mut Here<'_, SendSide>) -> Option<io::Result<()>> {
        if here.failed.is_some() || !here.is_bare() {
            return None;
        }
        if !here.sends_quietly() {
            return Some(Ok(()));
        }
        match here.send_instead(|bytes| socket::send_now(here.shared().fd(), bytes)) {
            Some(Ok(true)) => Some(Ok(())),
            Some(Err(error)) => {
                here.fail(error);
                Some(here.check())
            }
            Some(Ok(false)) | None => None,
        }
    }
}

/// Takes what there is room for.
#[inline]
pub(crate) fn poll_write(
    side: &Homed<SendSide>,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    let quickly = |here: &mut Here<'_, SendSide>, _waker: &Waker| {
        SendSide::write_quickly(here, bytes).map(Poll::Ready)
    };
    match poll_quickly(side, cx, quickly) {
        Some(polled) => polled,
        None => poll_write_slowly(side, cx, bytes),
    }
}

#[cold]
#[inline(never)]
fn poll_write_slowly(
    side: &Homed<SendSide>,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    poll_side(side, cx, |here| SendSide::write(here, bytes)).map(Result::flatten)
}

/// Takes what there is room for, piece by piece.
#[inline]
pub(crate) fn poll_write_vectored(
    side: &Homed<SendSide>,
    cx: &mut Context<'_>,
    pieces: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    let quickly = |here: &mut Here<'_, SendSide>, _waker: &Waker| {
        SendSide::write_vectored_quickly(here, pieces).map(Poll::Ready)
    };
    match poll_quickly(side, cx, quickly) {
        Some(polled) => polled,
        None => poll_write_vectored_slowly(side, cx, pieces),
    }
}

#[cold]
#[inline(never)]
fn poll_write_vectored_slowly(
    side: &Homed<SendSide>,
    cx: &mut Context<'_>,
    pieces: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    poll_side(side, cx, |here| SendSide::write_vectored(here, pieces)).map(Result::flatten)
}

/// Ready when the kernel has everything that was written; also in a poll that has no budget left,
/// or whoever takes a flush for a formality would fail every now and then.
#[inline]
pub(crate) fn poll_flush(side: &Homed<SendSide>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    match side.visit_settled(SendSide::flushed_quickly).flatten() {
        Some(flushed) => Poll::Ready(flushed),
        None => poll_flush_slowly(side, cx),
    }
}

#[cold]
#[inline(never)]
fn poll_flush_slowly(side: &Homed<SendSide>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    poll_side_freely(side, cx, SendSide::flushed).map(Result::flatten)
}
