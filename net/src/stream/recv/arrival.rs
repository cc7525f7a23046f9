//! What comes by the ring, and whom it wakes.

use std::io;
use std::sync::Arc;
use std::task::Waker;

use henge_driver::Fd;
use henge_driver::home::{AtHome, Here, HomeRef};
use henge_driver::ops::{ReceivesInPlace, RecvSink};
use henge_driver::pool::Piece;

use super::{CAP, End, MAX_PARTS, RecvSide};
use crate::stream::socket::Socket;

impl ReceivesInPlace for RecvSide {
    #[inline]
    fn socket(shared: &Arc<Socket>) -> &Fd {
        shared.fd()
    }

    #[inline]
    fn came(home: &AtHome<'_, RecvSide>, piece: Piece) {
        let told = home.with(|here| {
            here.queue.push_only(piece, CAP)?;
            here.before_sleep();
            Ok(here.reader.take())
        });
        match told {
            Ok(reader) => wake(home, reader),
            Err(piece) => RecvSide::received(home, Ok(Some(piece)), true),
        }
    }

    #[inline(never)]
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
        wake(home, reader);
    }

    fn readable(home: &AtHome<'_, RecvSide>) {
        // Whatever came of it, the reader learns more from the socket.
        let reader = home.with(|here| {
            here.pace.may_have_more();
            here.flight = None;
            here.shared().set_receiving(false);
            here.reader.take()
        });
        wake(home, reader);
    }
}

/// Wakes those who wait by `&self`; and the reader, whose waker it keeps for the next time. That
/// comes last: if it panics nobody else is left out.
#[inline]
fn wake(home: &AtHome<'_, RecvSide>, reader: Option<Waker>) {
    home.shared().readers.wake_all();
    if let Some(reader) = reader {
        reader.wake_by_ref();
        let spare = home.with(|here| {
            here.before_sleep();
            here.has_to_do();
            here.reader.give_back(reader)
        });
        drop(spare);
    }
}

/// Where a receive brings its bytes.
pub(super) struct To(pub(super) HomeRef<RecvSide>);

impl To {
    /// Enters what came, and wakes whoever waits, outside of the visit.
    #[inline]
    pub(super) fn deliver(&self, enter: impl FnOnce(&mut Here<'_, RecvSide>)) {
        let reader = self.0.with(|here| {
            enter(here);
            here.whom_to_tell()
        });
        self.0.shared().readers.wake_all();
        if let Some(reader) = reader.flatten() {
            reader.wake();
        }
    }

    pub(super) fn socket(&self) -> &Fd {
        self.0.shared().fd()
    }
}

/// A receive into heap memory, where the pool had none.
pub(super) struct ToHeap(pub(super) To);

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
