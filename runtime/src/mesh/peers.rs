//! The shards of a runtime as the mesh sees them: where to send to each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slab::Slab;

use crate::task::inbox::Inbox;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Peers {
    inboxes: Box<[Mutex<Arc<Inbox>>]>,
    /// Letters in a lane.
    capacity: usize,
    /// Which numbers services have.
    services: Mutex<Slab<()>>,
}

impl Peers {
    /// Shards with these inboxes, and lanes for so many letters between them.
    pub(crate) fn new(
        inboxes: impl IntoIterator<Item = Arc<Inbox>>,
        capacity: usize,
    ) -> Arc<Peers> {
        let inboxes = inboxes.into_iter().map(Mutex::new).collect();
        Arc::new(Peers { inboxes, capacity, services: Mutex::default() })
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
