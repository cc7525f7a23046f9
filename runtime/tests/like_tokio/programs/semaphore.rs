//! Semaphores: many permits at once, split, merged, forgotten, and the close.

use std::sync::Arc;

use super::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use crate::harness::{Log, Rng, Waiting};

pub(crate) fn semaphore(rng: &mut Rng, log: &mut Log) {
    let semaphore = Arc::new(Semaphore::new(rng.below(5)));
    let mut waiting = Waiting::<Result<OwnedSemaphorePermit, AcquireError>>::places(5);
    let mut held: Vec<OwnedSemaphorePermit> = Vec::new();
    for _ in 0..80 {
        let i = rng.below(waiting.len());
        let n = rng.below(4);
        let permits = u32::try_from(n).expect("below four");
        match rng.below(16) {
            0..=2 if waiting[i].is_idle() => {
                waiting[i].start(semaphore.clone().acquire_many_owned(permits));
            }
            3..=6 => match waiting[i].poll(rng, log) {
                Some(Ok(permit)) => {
                    log.note("acquired", permit.num_permits());
                    held.push(permit);
                }
                Some(Err(error)) => log.note("acquire", error),
                None => {}
            },
            7 => waiting[i].cancel(log),
            8 | 9 if !held.is_empty() => {
                let permit = held.swap_remove(rng.below(held.len()));
                log.note("give back", permit.num_permits());
            }
            10 => match semaphore.clone().try_acquire_many_owned(permits) {
                Ok(permit) => {
                    log.note("try", permit.num_permits());
                    held.push(permit);
                }
                Err(error) => log.note("try", error),
            },
            11 => semaphore.add_permits(n),
            12 => log.note("forget_permits", semaphore.forget_permits(n)),
            13 => {
                if let Some(permit) = held.pop() {
                    log.note("forget", permit.num_permits());
                    permit.forget();
                }
            }
            14 => match (held.pop(), held.pop()) {
                (Some(mut one), Some(other)) => {
                    one.merge(other);
                    log.note("merge", one.num_permits());
                    held.push(one);
                }
                (Some(mut one), None) => {
                    let split = one.split(n);
                    log.note("split", split.as_ref().map(OwnedSemaphorePermit::num_permits));
                    held.extend(split);
                    held.push(one);
                }
                _ => {}
            },
            _ if rng.one_in(6) => semaphore.close(),
            _ => {}
        }
        log.wakes(&mut waiting);
        log.note("state", (semaphore.available_permits(), semaphore.is_closed()));
    }
}
