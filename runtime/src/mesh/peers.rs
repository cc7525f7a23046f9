//! The shards of a runtime as the mesh sees them: where to send to each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slab::Slab;

use super::lane::Letter;
use super::ring::{self, Gauge};
use crate::executor::inbox::Inbox;

/// Tells how full a lane is.
type Depth = Gauge<Arc<dyn Letter>>;

/// By the source.
type Depths = Vec<(usize, Depth)>;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Peers {
    inboxes: Box<[Mutex<Arc<Inbox>>]>,
    /// Letters in a lane.
    capacity: usize,
    /// Of the lanes to each shard.
    depths: Box<[Mutex<Depths>]>,
    /// Which numbers services have.
    services: Mutex<Slab<()>>,
}

impl Peers {
    /// Whether there may be lanes for so many letters.
    pub(crate) fn may_have(capacity: usize) -> bool {
        ring::may_have::<Arc<dyn Letter>>(capacity)
    }

    /// Shards with these inboxes, and lanes for so many letters between them.
    pub(crate) fn new(
        inboxes: impl IntoIterator<Item = Arc<Inbox>>,
        capacity: usize,
    ) -> Arc<Peers> {
        let inboxes: Box<[_]> = inboxes.into_iter().map(Mutex::new).collect();
        let depths = inboxes.iter().map(|_| Mutex::default()).collect();
        Arc::new(Peers { inboxes, capacity, depths, services: Mutex::default() })
    }

    pub(super) fn shards(&self) -> usize {
        self.inboxes.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The inbox of a shard, if there is one of this number.
    pub(super) fn inbox(&self, index: usize) -> Option<Arc<Inbox>> {
        self.inboxes.get(index).map(|inbox| Arc::clone(&lock(inbox)))
    }

    /// A shard that has ended begins again, on another thread, with a new inbox.
    pub(crate) fn reseat(&self, index: usize, inbox: Arc<Inbox>) {
        if let Some(seat) = self.inboxes.get(index) {
            *lock(seat) = inbox;
        }
    }

    /// Shows how full the lane between these two is, or shows it no more.
    pub(super) fn show_depth(&self, from: usize, to: usize, depth: Option<Depth>) {
        if let Some(depths) = self.depths.get(to) {
            let mut depths = lock(depths);
            depths.retain(|(source, _)| *source != from);
            depths.extend(depth.map(|depth| (from, depth)));
        }
    }

    /// How many letters are in the lane between these two.
    pub(crate) fn depth(&self, from: usize, to: usize) -> usize {
        let depths = self.depths.get(to).map(lock);
        let lane = |(source, depth): &(usize, Depth)| (*source == from).then(|| depth.len());
        depths.and_then(|depths| depths.iter().find_map(lane)).unwrap_or(0)
    }

    /// A number for a service that no other one has.
    pub(super) fn number_service(&self) -> usize {
        lock(&self.services).insert(())
    }

    /// All shards have dropped their parts of this service.
    pub(super) fn forget_service(&self, number: usize) {
        lock(&self.services).remove(number);
    }
}

/// What is guarded is whole at every moment, whoever panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
