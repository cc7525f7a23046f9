//! The one send in flight: when it starts, and what its end leads to.

use std::io;
use std::sync::Arc;
use std::task::Waker;

use henge_driver::home::{AtHome, Here};
use henge_driver::ops::{SendInPlace, SendsInPlace};
use henge_driver::sys::socket;
use henge_driver::{Fd, Ticket};

use super::{Outgoing, PATIENCE, SendSide};
use crate::stream::socket::Socket;

pub(super) struct Flight {
    /// None for the operation in the side's own place.
    pub(super) ticket: Option<Ticket>,
    /// The driver's count of enters when it was submitted.
    pub(super) enters: u64,
    pub(super) cancelled: bool,
    /// It gives up by itself.
    pub(super) patient: bool,
}

impl SendSide {
    /// Sends what has gathered, if nothing else is in flight.
    pub(super) fn start(here: &mut Here<'_, SendSide>) {
        let patient = here.orphaned;
        let Some(mut send) = SendSide::take_off(here, patient) else { return };
        if patient {
            send = send.with_patience(PATIENCE);
        }
        here.submit(send);
    }

    /// The next send, which is in flight from now on: what has gathered, if nothing else is.
    fn take_off(here: &mut Here<'_, SendSide>, patient: bool) -> Option<SendInPlace> {
        if here.flight.is_some() || here.sends_quietly() || here.is_leaving() {
            return None;
        }
        let Outgoing { bytes, at } = here.queue.take()?;
        let enters = here.driver().enters();
        here.flight = Some(Flight { ticket: None, enters, cancelled: false, patient });
        Some(SendInPlace::new(bytes, at))
    }

    /// A send has ended: the next one, or the end.
    #[inline]
    pub(super) fn go_on(here: &mut Here<'_, SendSide>) {
        if !here.queue.is_empty() {
            SendSide::start(here);
        } else if here.orphaned {
            SendSide::end(here);
        }
    }

    pub(super) fn cancel(here: &mut Here<'_, SendSide>) {
        if let Some(flight) = &mut here.flight
            && !flight.cancelled
        {
            flight.cancelled = true;
            match flight.ticket {
                Some(ticket) => here.driver().cancel(ticket),
                None => here.cancel(),
            }
        }
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
    fn sent(home: &AtHome<'_, SendSide>, bytes: Vec<u8>) {
        let writer = home.with(|here| {
            here.flight = None;
            here.driver().scratch().give(bytes);
            SendSide::go_on(here);
            here.writer.take()
        });
        wake(writer, home.shared());
    }

    fn cut_short(home: &AtHome<'_, SendSide>, why: io::Result<()>, bytes: Vec<u8>, at: usize) {
        let writer = home.with(|here| {
            let patient = here.flight.take().is_some_and(|flight| flight.patient);
            let failed = why.is_err();
            match why {
                Err(error) if !socket::is_cancelled(&error) => here.fail(error),
                _ => SendSide::put_back(here, Outgoing { bytes, at }),
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

/// Tells those who wait by `&self`, and a writer, outside of every visit. The writer comes last: if
/// its waker panics nobody else is left out.
#[inline]
pub(super) fn wake(writer: Option<Waker>, socket: &Socket) {
    socket.writers.wake_all();
    if let Some(writer) = writer {
        writer.wake();
    }
}
