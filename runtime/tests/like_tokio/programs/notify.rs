//! Notifications: of one, of the last, of all; futures that are made, enabled, polled and dropped.

use std::sync::Arc;

use super::sync::Notify;
use super::sync::futures::OwnedNotified;
use crate::harness::{Log, Rng, Waiting};

/// A future that can be enabled before it is first polled.
async fn enabled(notified: OwnedNotified, enable: bool) -> Option<bool> {
    let mut notified = std::pin::pin!(notified);
    let there = enable.then(|| notified.as_mut().enable());
    notified.await;
    there
}

pub(crate) fn notify(rng: &mut Rng, log: &mut Log) {
    let notify = Arc::new(Notify::new());
    let mut waiting = Waiting::places(6);
    for _ in 0..80 {
        let i = rng.below(waiting.len());
        match rng.below(12) {
            0..=2 if waiting[i].is_idle() => {
                let notified = notify.clone().notified_owned();
                waiting[i].start(enabled(notified, rng.one_in(3)));
            }
            3..=6 => {
                if let Some(there) = waiting[i].poll(rng, log) {
                    log.note("notified", there);
                }
            }
            7 => waiting[i].cancel(log),
            8 | 9 => notify.notify_one(),
            10 => notify.notify_last(),
            _ => notify.notify_waiters(),
        }
        log.wakes(&mut waiting);
    }
}
