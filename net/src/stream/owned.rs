//! Halves of a stream that own it together: what TCP's and Unix's are names of.

use std::sync::Arc;

use henge_driver::home::Homed;

use super::core::Stream;
use super::recv::RecvSide;
use super::send::{self, SendSide};
use super::socket::AtDrop;

/// The writing half. Dropping it sends what is queued and then ends the stream for the peer.
#[derive(Debug)]
pub(crate) struct OwnedWrite {
    /// `None` once given up.
    send: Option<Homed<SendSide>>,
    at_drop: AtDrop,
}

impl OwnedWrite {
    pub(crate) fn new(send: Homed<SendSide>) -> OwnedWrite {
        OwnedWrite { send: Some(send), at_drop: AtDrop::End }
    }

    #[inline]
    pub(crate) fn side(&self) -> &Homed<SendSide> {
        self.send.as_ref().expect("a half is given up by value, so once")
    }

    /// Gives it up without ending the stream for the peer.
    pub(crate) fn forget(mut self) {
        self.at_drop = AtDrop::Nothing;
    }
}

impl Drop for OwnedWrite {
    fn drop(&mut self) {
        if let Some(side) = self.send.take() {
            send::give_up(side, self.at_drop);
        }
    }
}

/// Puts the halves of a stream together again, if they are of one stream.
pub(crate) fn reunite(
    recv: Homed<RecvSide>,
    mut write: OwnedWrite,
) -> Result<Stream, (Homed<RecvSide>, OwnedWrite)> {
    if !Arc::ptr_eq(recv.shared(), write.side().shared()) {
        return Err((recv, write));
    }
    let send = write.send.take().expect("a half is given up by value, so once");
    Ok(Stream { recv, send })
}
