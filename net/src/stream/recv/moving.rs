//! Receiving in a task that may be polled by another thread the next time: by direct calls, and by
//! a watch in the place of the receive.

use std::io;
use std::sync::Arc;

use henge_driver::home::Here;
use henge_driver::sys::socket;

use super::{End, LARGEST, ONCE, RecvSide};
use crate::stream::watch::{For, Look, Watch};

impl RecvSide {
    /// In the place of a receive. One that is still in flight, from when the stream did not move,
    /// is ended by the end of the visit, and tells whoever came by.
    pub(super) fn arm_watch(here: &mut Here<'_, RecvSide>) {
        if here.flight.is_some() {
            return;
        }
        let socket = Arc::clone(here.shared());
        let (side, driver) = here.parts();
        side.watch.get_or_insert_with(|| Watch::new(&socket, For::Bytes)).arm(driver);
    }

    /// Whether it is worth while to ask the socket. If not, something will tell when it is.
    pub(super) fn may_try(here: &mut Here<'_, RecvSide>) -> bool {
        here.pace.force_direct();
        if here.flight.is_some() {
            return here.has_something();
        }
        let id = here.driver().id();
        match here.watch.as_mut().map(|watch| watch.look(id)) {
            None | Some(Look::Unknown) => true,
            Some(Look::Waits) => here.has_something(),
            Some(Look::Try) => {
                here.pace.may_have_more();
                true
            }
        }
    }

    /// Sees to it that there is something to look at, at most so much.
    pub(super) fn fetch(here: &mut Here<'_, RecvSide>, most: usize) -> Option<io::Result<()>> {
        if !RecvSide::may_try(here) {
            return None;
        }
        if here.has_something() {
            return Some(Ok(()));
        }
        let mut bytes = vec![0; most.clamp(1, if most == usize::MAX { ONCE } else { LARGEST })];
        match socket::recv_now(here.shared().fd(), &mut bytes) {
            Ok(0) => here.end = End::Closed,
            Ok(n) => {
                bytes.truncate(n);
                here.queue.push_heap(bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                RecvSide::arm_watch(here);
                return None;
            }
            Err(error) => return Some(Err(error)),
        }
        Some(Ok(()))
    }
}
