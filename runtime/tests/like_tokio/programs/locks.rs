//! Mutexes and read-write locks.

use std::sync::Arc;

use super::sync::{Mutex, OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use crate::harness::{Log, Rng, Waiting};

pub(crate) fn mutex(rng: &mut Rng, log: &mut Log) {
    let mutex = Arc::new(Mutex::new(0));
    let mut waiting = Waiting::<OwnedMutexGuard<usize>>::places(5);
    let mut held = None;
    for step in 0..80 {
        let i = rng.below(waiting.len());
        match rng.below(8) {
            0 | 1 if waiting[i].is_idle() => waiting[i].start(mutex.clone().lock_owned()),
            2..=4 => {
                if let Some(guard) = waiting[i].poll(rng, log) {
                    log.note("locked", &guard);
                    held = Some(guard);
                }
            }
            5 => waiting[i].cancel(log),
            6 => {
                if let Some(mut guard) = held.take() {
                    *guard = step;
                    log.note("unlock", &mutex);
                }
            }
            _ => match mutex.clone().try_lock_owned() {
                Ok(guard) => {
                    log.note("try_lock", &guard);
                    held = Some(guard);
                }
                Err(error) => log.note("try_lock", error),
            },
        }
        log.wakes(&mut waiting);
    }
}

enum Held {
    Reads(OwnedRwLockReadGuard<usize>),
    Writes(OwnedRwLockWriteGuard<usize>),
}

pub(crate) fn rwlock(rng: &mut Rng, log: &mut Log) {
    let most = u32::try_from(1 + rng.below(4)).expect("at most four");
    let lock = Arc::new(RwLock::with_max_readers(0, most));
    let mut waiting = Waiting::places(5);
    let mut held = Vec::new();
    for step in 0..80 {
        let i = rng.below(waiting.len());
        match rng.below(12) {
            0 | 1 if waiting[i].is_idle() => {
                let read = lock.clone().read_owned();
                waiting[i].start(async { Held::Reads(read.await) });
            }
            2 if waiting[i].is_idle() => {
                let write = lock.clone().write_owned();
                waiting[i].start(async { Held::Writes(write.await) });
            }
            3..=5 => {
                if let Some(guard) = waiting[i].poll(rng, log) {
                    match &guard {
                        Held::Reads(guard) => log.note("reads", guard),
                        Held::Writes(guard) => log.note("writes", guard),
                    }
                    held.push(guard);
                }
            }
            6 => waiting[i].cancel(log),
            7 | 8 if !held.is_empty() => {
                let n = rng.below(held.len());
                if let Held::Writes(guard) = &mut held[n] {
                    **guard = step;
                }
                drop(held.swap_remove(n));
                log.note("let go", &lock);
            }
            9 => {
                if let Some(Held::Writes(_)) = held.last()
                    && let Some(Held::Writes(guard)) = held.pop()
                {
                    held.push(Held::Reads(guard.downgrade()));
                    log.note("downgrade", &lock);
                }
            }
            10 => match lock.clone().try_read_owned() {
                Ok(guard) => {
                    log.note("try_read", &guard);
                    held.push(Held::Reads(guard));
                }
                Err(error) => log.note("try_read", error),
            },
            _ => match lock.clone().try_write_owned() {
                Ok(guard) => {
                    log.note("try_write", &guard);
                    held.push(Held::Writes(guard));
                }
                Err(error) => log.note("try_write", error),
            },
        }
        log.wakes(&mut waiting);
    }
}
