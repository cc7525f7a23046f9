//! The channel from many to all, with receivers that lag.

use super::sync::broadcast;
use crate::harness::{Home, Log, Rng, Waiting};

pub(crate) fn broadcast(rng: &mut Rng, log: &mut Log) {
    let (tx, rx) = broadcast::channel::<usize>(1 + rng.below(4));
    let weak = tx.downgrade();
    let mut senders = vec![tx];
    let mut receivers = vec![Home::new(rx)];
    let mut receives = Waiting::places(4);
    let mut watches = Waiting::places(1);
    for step in 0..100 {
        let i = rng.below(receives.len());
        let tx = senders.last().cloned();
        match (rng.below(16), tx) {
            (0..=3, Some(tx)) => log.note("send", tx.send(step)),
            (4, Some(tx)) if receivers.len() < 4 => receivers.push(Home::new(tx.subscribe())),
            (5, Some(tx)) if rng.one_in(2) => senders.push(tx),
            (5, _) => {
                senders.pop();
                log.note("a sender goes", senders.len());
            }
            (6 | 7, _) if receives[i].is_idle() && i < receivers.len() => {
                if let Some(mut rx) = receivers[i].lend() {
                    receives[i].start(async move { rx.recv().await });
                }
            }
            (8..=10, _) => {
                if let Some(message) = receives[i].poll(rng, log) {
                    log.note("received", message);
                }
            }
            (11, _) => receives[i].cancel(log),
            (12, Some(tx)) if watches[0].is_idle() => {
                watches[0].start(async move { tx.closed().await });
            }
            (13, _) => {
                if let Some(()) = watches[0].poll(rng, log) {
                    log.note("closed", ());
                }
            }
            (14, Some(tx)) => {
                let counts = (tx.receiver_count(), tx.strong_count(), tx.weak_count());
                log.note("tx", (tx.len(), tx.is_empty(), counts));
                log.note("weak", weak.upgrade().is_some());
            }
            _ => {
                let Some(mut rx) = receivers.get(i).and_then(Home::lend) else { continue };
                log.note("rx", (rx.len(), rx.is_empty(), rx.is_closed()));
                match rng.below(8) {
                    0 => drop(rx.keep()),
                    1 => *rx = rx.resubscribe(),
                    2..=5 => log.note("try_recv", rx.try_recv()),
                    _ => {}
                }
            }
        }
        log.wakes(&mut receives);
        log.wakes(&mut watches);
    }
}
