//! A shard as other threads see it, from before its thread has started.

use std::fmt;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, OnceLock};

use henge_driver::Remote;

use super::counters::Counters;
use super::watch::Watch;
use crate::executor::gauge::Gauge;
use crate::executor::inbox::Inbox;

/// Where to send to a shard, and how it fares.
#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) counters: Arc<Counters>,
    remote: Arc<OnceLock<Remote>>,
    /// Where the runtime is watched.
    pub(crate) gauge: Option<Arc<Gauge>>,
}

impl Seat {
    /// A seat that nobody sits on. What is sent to it waits for whoever will.
    pub(super) fn new(watch: &Watch) -> Seat {
        let remote = Arc::new(OnceLock::<Remote>::new());
        let bell = Arc::clone(&remote);
        let inbox = Inbox::new(move || ring(&bell)).with_roster(watch.roster.clone());
        Seat { inbox: Arc::new(inbox), counters: Arc::default(), remote, gauge: watch.gauge() }
    }

    /// From now on the driver of this `remote` is woken when something is sent.
    pub(super) fn sit(&self, remote: &Remote) {
        // A seat is sat on once; if not, the first one keeps it.
        drop(self.remote.set(remote.clone()));
    }

    /// Wakes the shard, which sleeps or is about to, without waiting for this thread's next enter.
    pub(super) fn wake_at_once(&self) {
        if let Some(remote) = self.remote.get() {
            remote.wake_at_once();
        }
    }

    /// What a new task is compared by: those that wait for their turn, then those that live.
    pub(crate) fn load(&self) -> (u64, u64) {
        (self.counters.queued.get(), self.counters.alive.get())
    }

    /// Whether a task blocks the shard, so that one more would wait for long.
    pub(super) fn is_blocked(&self) -> bool {
        self.counters.blocked.get() != 0
    }
}

fn ring(remote: &OnceLock<Remote>) {
    if let Some(remote) = remote.get() {
        remote.wake();
        return;
    }
    // SeqCst: against the fence in the driver's `park`. Either this sees the remote, or whoever
    // sits down, and fences before it sleeps, sees what was sent before this.
    fence(Ordering::SeqCst);
    if let Some(remote) = remote.get() {
        remote.wake();
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("counters", &self.counters).finish_non_exhaustive()
    }
}
