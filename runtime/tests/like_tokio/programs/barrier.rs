//! Barriers.

use std::sync::Arc;

use super::sync::Barrier;
use crate::harness::{Log, Rng, Waiting};

pub(crate) fn barrier(rng: &mut Rng, log: &mut Log) {
    let barrier = Arc::new(Barrier::new(rng.below(4)));
    let mut waiting = Waiting::places(6);
    for _ in 0..80 {
        let i = rng.below(waiting.len());
        match rng.below(8) {
            0..=2 if waiting[i].is_idle() => {
                let barrier = barrier.clone();
                waiting[i].start(async move { barrier.wait().await.is_leader() });
            }
            3 => waiting[i].cancel(log),
            _ => {
                if let Some(leads) = waiting[i].poll(rng, log) {
                    log.note("leads", leads);
                }
            }
        }
        log.wakes(&mut waiting);
    }
}
