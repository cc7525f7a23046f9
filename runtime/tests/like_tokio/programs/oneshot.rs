//! The channel for one answer.

use super::sync::oneshot::{self, error::TryRecvError};
use crate::harness::{Home, Log, Rng, Waiting};

pub(crate) fn oneshot(rng: &mut Rng, log: &mut Log) {
    let (tx, rx) = oneshot::channel::<usize>();
    let (sender, receiver) = (Home::new(tx), Home::new(rx));
    let mut receives = Waiting::places(1);
    let mut watches = Waiting::places(1);
    for step in 0..16 {
        match rng.below(14) {
            0 | 1 if receives[0].is_idle() => {
                if let Some(mut rx) = receiver.lend() {
                    receives[0].start(async move {
                        let received = (&mut *rx).await;
                        // To poll a receiver that has received is a mistake.
                        drop(rx.keep());
                        received
                    });
                }
            }
            2..=4 => {
                if let Some(received) = receives[0].poll(rng, log) {
                    log.note("received", received);
                }
            }
            5 => receives[0].cancel(log),
            6 if watches[0].is_idle() => {
                if let Some(mut tx) = sender.lend() {
                    watches[0].start(async move { tx.closed().await });
                }
            }
            7 | 8 => {
                if let Some(()) = watches[0].poll(rng, log) {
                    log.note("closed", ());
                }
            }
            9 => watches[0].cancel(log),
            10 => {
                if let Some(tx) = sender.lend() {
                    log.note("is_closed", tx.is_closed());
                    match rng.below(4) {
                        0 => log.note("send", tx.keep().send(step)),
                        1 if rng.one_in(3) => drop(tx.keep()),
                        _ => {}
                    }
                }
            }
            11 => {
                if let Some(mut rx) = receiver.lend() {
                    log.note("rx", (rx.is_empty(), rx.is_terminated()));
                    match rng.below(6) {
                        0 => rx.close(),
                        1 => drop(rx.keep()),
                        2 => {
                            let received = rx.try_recv();
                            log.note("try_recv", &received);
                            if received != Err(TryRecvError::Empty) {
                                drop(rx.keep());
                            }
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        log.wakes(&mut receives);
        log.wakes(&mut watches);
    }
}
