//! The channel that keeps the latest value.

use super::sync::watch;
use crate::harness::{Home, Log, Rng, Waiting};

pub(crate) fn watch(rng: &mut Rng, log: &mut Log) {
    let (tx, rx) = watch::channel(0_usize);
    let sender = Home::new(tx);
    let mut receivers = vec![Home::new(rx)];
    let mut receives = Waiting::places(4);
    let mut watches = Waiting::places(1);
    for step in 0..100 {
        let i = rng.below(receives.len());
        match rng.below(16) {
            0 | 1 if receives[i].is_idle() && i < receivers.len() => {
                let until = rng.one_in(2);
                if let Some(mut rx) = receivers[i].lend() {
                    receives[i].start(async move {
                        if until {
                            rx.wait_for(|value| value % 4 == 1).await.map(|value| Some(*value))
                        } else {
                            rx.changed().await.map(|()| None)
                        }
                    });
                }
            }
            2..=5 => {
                if let Some(result) = receives[i].poll(rng, log) {
                    log.note("changed", result);
                }
            }
            6 => receives[i].cancel(log),
            7 if watches[0].is_idle() => {
                if let Some(tx) = sender.lend() {
                    watches[0].start(async move { tx.closed().await });
                }
            }
            8 => {
                if let Some(()) = watches[0].poll(rng, log) {
                    log.note("closed", ());
                }
            }
            9 => watches[0].cancel(log),
            10 | 11 => {
                let Some(tx) = sender.lend() else { continue };
                log.note("tx", (*tx.borrow(), tx.is_closed(), tx.receiver_count()));
                match rng.below(12) {
                    0..=3 => log.note("send", tx.send(step)),
                    4 => log.note("send_replace", tx.send_replace(step)),
                    5 => tx.send_modify(|value| *value += 1),
                    6 => {
                        let odd = tx.send_if_modified(|value| {
                            *value += 1;
                            *value % 2 == 1
                        });
                        log.note("send_if_modified", odd);
                    }
                    7 | 8 if receivers.len() < 4 => receivers.push(Home::new(tx.subscribe())),
                    9 if rng.one_in(4) => drop(tx.keep()),
                    _ => {}
                }
            }
            _ => {
                let Some(mut rx) = receivers.get(i).and_then(Home::lend) else { continue };
                log.note("has_changed", rx.has_changed());
                match rng.below(10) {
                    0 if rng.one_in(2) => drop(rx.keep()),
                    1 => log.note("borrow", (*rx.borrow(), rx.borrow().has_changed())),
                    2 | 3 => log.note("borrow_and_update", *rx.borrow_and_update()),
                    4 => rx.mark_changed(),
                    5 => rx.mark_unchanged(),
                    6 => {
                        let copy = rx.clone();
                        log.note("same_channel", copy.same_channel(&rx));
                        *rx = copy;
                    }
                    _ => {}
                }
            }
        }
        log.wakes(&mut receives);
        log.wakes(&mut watches);
    }
}
