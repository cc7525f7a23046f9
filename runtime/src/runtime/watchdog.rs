//! Who looks for stalls.
//!
//! A shard runs one task at a time, and a poll cannot be interrupted: while it lasts the shard's
//! other tasks, its timers and its ring wait. Nobody on that thread can tell, so a thread beside
//! the shards does. It looks now and then at what each shard polls and since when.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use henge_driver::sys::{self, clock};

use super::seat::Seat;
use super::shared::Shared;
use super::stall::{Report, Stall};
use crate::executor::gauge::Sight;
use crate::executor::swallow;
use crate::shard_id::ShardId;

/// Looks for stalls until it is dropped.
#[derive(Debug)]
pub(super) struct Watchdog(Arc<Leash>);

/// What it looks for, and what it does then.
pub(super) struct Orders {
    /// What takes longer is a stall.
    pub(super) threshold: Duration,
    pub(super) report: Report,
    /// Whether a report says where the thread is.
    #[cfg(feature = "backtrace")]
    pub(super) backtraces: bool,
}

impl Watchdog {
    /// Starts a thread that reports each stall once, and again whenever it has doubled.
    ///
    /// # Errors
    /// If the system cannot have one more thread.
    pub(super) fn start(shared: &Arc<Shared>, orders: Orders) -> io::Result<Watchdog> {
        let leash = Arc::new(Leash::default());
        let (shared, its) = (Arc::clone(shared), Arc::clone(&leash));
        sys::thread::spawn(String::from("henge-watchdog"), None, move || {
            // Where a sandbox forbids it, the thread keeps the CPUs it has, and works all the same.
            drop(sys::cpu::unpin());
            its.watch(&shared, &orders);
        })?;
        Ok(Watchdog(leash))
    }
}

impl Drop for Watchdog {
    /// Does not wait for the thread, which may be telling somebody at this moment.
    fn drop(&mut self) {
        *self.0.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.over.notify_all();
    }
}

#[derive(Debug, Default)]
struct Leash {
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Leash {
    fn watch(&self, shared: &Shared, orders: &Orders) {
        let period = (orders.threshold / 2).max(Duration::from_millis(1));
        let mut seen: Vec<Option<Seen>> = vec![None; shared.shards()];
        let mut is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_over {
            drop(is_over);
            for (index, (seat, seen)) in shared.seats().iter().zip(&mut seen).enumerate() {
                if let Some(stall) = orders.look(index, seat, seen) {
                    swallow(|| (orders.report)(&stall));
                }
            }
            is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
            let slept = self.over.wait_timeout_while(is_over, period, |is_over| !*is_over);
            is_over = slept.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The poll of a shard that was reported last, and how long it has to last to be reported again.
#[derive(Clone, Copy)]
struct Seen {
    sight: Sight,
    again: Duration,
}

impl Orders {
    fn look(&self, index: usize, seat: &Seat, seen: &mut Option<Seen>) -> Option<Stall> {
        let gauge = seat.gauge.as_ref()?;
        let moment = clock::now();
        if seat.is_blocked() {
            // In `block_in_place`, which says so.
            return None;
        }
        let sight = gauge.sight()?;
        let lasted = gauge.lasted(sight, moment);
        let again = seen.filter(|before| before.sight == sight).map(|before| before.again);
        if lasted < again.unwrap_or(self.threshold) {
            return None;
        }
        if again.is_none() {
            // Relaxed: a number that stands for itself, and one thread writes.
            gauge.stalls.fetch_add(1, Ordering::Relaxed);
        }
        *seen = Some(Seen { sight, again: lasted * 2 });
        let origin = gauge.roster().and_then(|roster| roster.get(sight.task));
        Some(Stall {
            shard: ShardId::new(index),
            task: sight.task,
            origin,
            lasted,
            #[cfg(feature = "backtrace")]
            backtrace: gauge.thread().filter(|_| self.backtraces).and_then(|thread| {
                // Without a handler there is no backtrace, and the rest is worth telling.
                thread.backtrace(ANSWER).ok().flatten()
            }),
        })
    }
}

/// For how long a thread is waited for that is asked where it is.
#[cfg(feature = "backtrace")]
const ANSWER: Duration = Duration::from_millis(100);
