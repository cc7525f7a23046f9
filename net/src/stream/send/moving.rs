//! Sending in a task that may be polled by another thread the next time: by direct calls, and by a
//! watch where there is no room.
//!
//! Nothing is written behind: what a write says was taken, the kernel has.

use std::io;
use std::sync::Arc;

use henge_driver::Fd;
use henge_driver::home::Here;
use henge_driver::sys::poll::{self, events};
use henge_driver::sys::socket;

use super::{SendSide, is_would_block};
use crate::readiness::Ready;
use crate::stream::watch::{For, Look, Watch};

impl SendSide {
    fn arm_watch(here: &mut Here<'_, SendSide>) {
        let socket = Arc::clone(here.shared());
        let (side, driver) = here.parts();
        side.watch.get_or_insert_with(|| Watch::new(&socket, For::Room)).arm(driver);
    }

    /// Whether it is worth while to ask the socket. If not, something will tell when it is.
    fn may_try(here: &mut Here<'_, SendSide>) -> bool {
        if here.flight.is_some() || here.polling.is_some() || here.sends_quietly() {
            // From when the stream did not move: the end of the visit ends it, and what it has not
            // sent comes back.
            return false;
        }
        let id = here.driver().id();
        here.watch.as_mut().is_none_or(|watch| watch.look(id) != Look::Waits)
    }

    /// Sends what was queued when the stream did not move.
    pub(super) fn settle_moving(here: &mut Here<'_, SendSide>) -> Option<io::Result<()>> {
        SendSide::take_back_to_queue(here);
        if SendSide::is_idle(here) {
            return Some(Ok(()));
        }
        if !SendSide::may_try(here) {
            return None;
        }
        let sent = SendSide::send_queue(here);
        if sent.is_none() {
            SendSide::arm_watch(here);
        }
        sent
    }

    /// Sends by one direct call, after all that is queued.
    pub(super) fn send_moving(
        here: &mut Here<'_, SendSide>,
        send: impl FnOnce(&Fd) -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        if let Err(error) = SendSide::settle_moving(here)? {
            return Some(Err(error));
        }
        if !SendSide::may_try(here) {
            return None;
        }
        let sent = send(here.shared().fd());
        if is_would_block(&sent) {
            SendSide::arm_watch(here);
            return None;
        }
        Some(sent)
    }

    /// Sends all of `bytes` from `at` on, or as much as there is room for; says how far it came.
    pub(super) fn send_all_moving(
        here: &mut Here<'_, SendSide>,
        bytes: &[u8],
        mut at: usize,
    ) -> (Option<io::Result<()>>, usize) {
        while at < bytes.len() {
            match SendSide::send_moving(here, |fd| socket::send_now(fd, &bytes[at..])) {
                Some(Ok(n)) => at += n,
                Some(Err(error)) => {
                    here.queue.clear();
                    here.closed = true;
                    return (Some(Err(error)), at);
                }
                None => return (None, at),
            }
        }
        (Some(Ok(())), at)
    }

    /// Whether a write would take something.
    pub(super) fn look_moving(here: &mut Here<'_, SendSide>) -> Option<io::Result<Ready>> {
        if let Err(error) = SendSide::settle_moving(here)? {
            return Some(Err(error));
        }
        if !SendSide::may_try(here) {
            return None;
        }
        match poll::now(here.shared().fd(), events::OUT) {
            Ok(0) => {
                SendSide::arm_watch(here);
                None
            }
            Ok(_) => {
                here.full = false;
                Some(Ok(Ready::WRITABLE))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
