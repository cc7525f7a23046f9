//! Channels from many to one, bounded and not.

use super::sync::mpsc;
use crate::harness::{Home, Log, Rng, Waiting};

/// What a sender that waited has got.
enum Got {
    Sent(Result<(), mpsc::error::SendError<usize>>),
    Reserved(Result<mpsc::OwnedPermit<usize>, mpsc::error::SendError<()>>),
    Closed,
}

pub(crate) fn bounded_mpsc(rng: &mut Rng, log: &mut Log) {
    let (tx, rx) = mpsc::channel::<usize>(1 + rng.below(3));
    let weak = tx.downgrade();
    let mut senders = vec![tx];
    let receiver = Home::new(rx);
    let mut sends = Waiting::places(4);
    let mut receives = Waiting::places(1);
    let mut permits: Vec<mpsc::OwnedPermit<usize>> = Vec::new();
    for step in 0..100 {
        let i = rng.below(sends.len());
        let tx = senders.last().cloned();
        match (rng.below(20), tx) {
            (0, Some(tx)) if sends[i].is_idle() => {
                sends[i].start(async move { Got::Sent(tx.send(step).await) });
            }
            (1, Some(tx)) if sends[i].is_idle() => {
                sends[i].start(async move { Got::Reserved(tx.reserve_owned().await) });
            }
            (2, Some(tx)) if sends[i].is_idle() => {
                sends[i].start(async move {
                    tx.closed().await;
                    Got::Closed
                });
            }
            (3..=6, _) => match sends[i].poll(rng, log) {
                Some(Got::Sent(result)) => log.note("sent", result),
                Some(Got::Reserved(Ok(permit))) => {
                    log.note("reserved", ());
                    permits.push(permit);
                }
                Some(Got::Reserved(Err(error))) => log.note("reserve", error),
                Some(Got::Closed) => log.note("closed", ()),
                None => {}
            },
            (7, _) => sends[i].cancel(log),
            (8, Some(tx)) => log.note("try_send", tx.try_send(step)),
            (9, Some(tx)) => match tx.try_reserve_owned() {
                Ok(permit) => {
                    log.note("try_reserve", ());
                    permits.push(permit);
                }
                Err(mpsc::error::TrySendError::Full(_)) => log.note("try_reserve", "full"),
                Err(mpsc::error::TrySendError::Closed(_)) => log.note("try_reserve", "closed"),
            },
            (10, _) if !permits.is_empty() => {
                let permit = permits.swap_remove(rng.below(permits.len()));
                match rng.below(3) {
                    0 => drop(permit),
                    1 => drop(permit.release()),
                    _ => drop(permit.send(step)),
                }
                log.note("a permit goes", permits.len());
            }
            (11, Some(tx)) if rng.one_in(2) => senders.push(tx),
            (11, _) => {
                senders.pop();
                log.note("a sender goes", senders.len());
            }
            (12, _) => log.note("weak", weak.upgrade().map(|tx| (tx.capacity(), tx.is_closed()))),
            (13, Some(tx)) => match tx.try_reserve_many(rng.below(4)) {
                Ok(many) => {
                    log.note("try_reserve_many", many.len());
                    for permit in many.take(2) {
                        permit.send(step);
                    }
                }
                Err(error) => log.note("try_reserve_many", error),
            },
            (14 | 15, _) if receives[0].is_idle() => {
                let many = rng.below(3);
                if let Some(mut rx) = receiver.lend() {
                    receives[0].start(async move {
                        let mut messages = Vec::new();
                        if many == 0 {
                            messages.extend(rx.recv().await);
                        } else {
                            rx.recv_many(&mut messages, many).await;
                        }
                        messages
                    });
                }
            }
            (16 | 17, _) => {
                if let Some(messages) = receives[0].poll(rng, log) {
                    log.note("received", messages);
                }
            }
            (18, _) => receives[0].cancel(log),
            _ => {
                if let Some(mut rx) = receiver.lend() {
                    log.note("rx", (rx.len(), rx.is_empty(), rx.is_closed(), rx.capacity()));
                    match rng.below(12) {
                        0 => rx.close(),
                        1 if rng.one_in(3) => drop(rx.keep()),
                        2..=5 => log.note("try_recv", rx.try_recv()),
                        _ => log.note("counts", (rx.sender_strong_count(), rx.sender_weak_count())),
                    }
                }
            }
        }
        log.wakes(&mut sends);
        log.wakes(&mut receives);
    }
}

pub(crate) fn unbounded_mpsc(rng: &mut Rng, log: &mut Log) {
    let (tx, rx) = mpsc::unbounded_channel::<usize>();
    let mut senders = vec![tx];
    let receiver = Home::new(rx);
    let mut watches = Waiting::places(2);
    let mut receives = Waiting::places(1);
    for step in 0..60 {
        let i = rng.below(watches.len());
        let tx = senders.last().cloned();
        match (rng.below(14), tx) {
            (0..=3, Some(tx)) => log.note("send", tx.send(step)),
            (4, Some(tx)) if watches[i].is_idle() => {
                watches[i].start(async move { tx.closed().await });
            }
            (5, _) => {
                if let Some(()) = watches[i].poll(rng, log) {
                    log.note("closed", ());
                }
            }
            (6, _) => watches[i].cancel(log),
            (7, Some(tx)) if rng.one_in(2) => senders.push(tx),
            (7, _) => {
                senders.pop();
                log.note("a sender goes", senders.len());
            }
            (8, _) if receives[0].is_idle() => {
                if let Some(mut rx) = receiver.lend() {
                    receives[0].start(async move { rx.recv().await });
                }
            }
            (9..=11, _) => {
                if let Some(message) = receives[0].poll(rng, log) {
                    log.note("received", message);
                }
            }
            (12, _) => receives[0].cancel(log),
            _ => {
                if let Some(mut rx) = receiver.lend() {
                    log.note("rx", (rx.len(), rx.is_empty(), rx.is_closed()));
                    match rng.below(12) {
                        0 => rx.close(),
                        1 if rng.one_in(3) => drop(rx.keep()),
                        2..=5 => log.note("try_recv", rx.try_recv()),
                        _ => {}
                    }
                }
            }
        }
        log.wakes(&mut watches);
        log.wakes(&mut receives);
    }
}
