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
    pub(super) ticket: Ticket,
    /// The driver's count of enters when it was submitted.
    pub(super) enters: u64,
    pub(super) cancelled: bool,
    /// It gives up by itself.
    pub(super) patient: bool,
}

impl SendSide {
    #[inline]
    pub(super) fn start(here: &mut Here<'_, SendSide>) {
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
    pub(super) fn send_alone(here: &mut Here<'_, SendSide>) {
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

    /// A send has ended: the next one, or the end.
    #[inline]
    pub(super) fn go_on(here: &mut Here<'_, SendSide>) {
        SendSide::start(here);
        if here.orphaned && here.is_idle() {
            SendSide::end(here);
        }
    }

    pub(super) fn cancel(here: &mut Here<'_, SendSide>) {
        if let Some(flight) = &mut here.flight
            && !flight.cancelled
        {
            flight.cancelled = true;
            let ticket = flight.ticket;
            here.driver().cancel(ticket);
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
pub(super) fn wake(writer: Option<Waker>, socket: &Socket) {
    if let Some(writer) = writer {
        writer.wake();
    }
    socket.writers.wake_all();
}
