//! The kept messages: a ring of slots, each with a mutex of its own.
//!
//! The message at position `p` is in slot `p mod capacity`, from the send until all have read it or
//! the message at `p + capacity` takes its place. A slot knows the position of what it holds, so a
//! reader that comes too late sees it, and how many have yet to read it.
//!
//! A reader clones the message with the slot's mutex held, for nothing else keeps several readers
//! from cloning one value at the same time, which only values that are `Sync` allow. The last
//! reader takes the value out and clones it for itself, so where there is one receiver no foreign
//! code runs under a mutex. Values are dropped without it in any case.

use crate::loom::sync::{Mutex, MutexGuard};

#[derive(Debug)]
pub(super) struct Slots<T> {
    ring: Box<[Mutex<Slot<T>>]>,
}

#[derive(Debug)]
struct Slot<T> {
    position: u64,
    /// How many receivers have yet to read the message.
    unread: usize,
    /// `None` when everybody has read it.
    value: Option<T>,
}

impl<T> Slots<T> {
    /// The capacity must be a power of two.
    pub(super) fn new(capacity: usize) -> Self {
        let slot = || Mutex::new(Slot { position: 0, unread: 0, value: None });
        Self { ring: (0..capacity).map(|_| slot()).collect() }
    }

    pub(super) fn capacity(&self) -> u64 {
        self.ring.len() as u64
    }

    #[inline]
    fn slot(&self, position: u64) -> MutexGuard<'_, Slot<T>> {
        let slot = &self.ring[position as usize & (self.ring.len() - 1)];
        // Poisoned by a clone that panicked, which leaves the message as it was.
        slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Puts a message in for so many receivers. What it takes the place of, if somebody has not
    /// read that, is returned to be dropped without any mutex.
    #[inline]
    #[must_use = "the message that was there is dropped outside the mutex"]
    pub(super) fn put(&self, position: u64, value: T, receivers: usize) -> Option<T> {
        let mut slot = self.slot(position);
        slot.position = position;
        slot.unread = receivers;
        slot.value.replace(value)
    }

    /// Reads a message, which was put in, for one receiver. If it is there no more, the error is
    /// the position of the one that is.
    #[inline]
    pub(super) fn read(&self, position: u64) -> Result<T, u64>
    where
        T: Clone,
    {
        let mut slot = self.slot(position);
        if slot.position != position {
            return Err(slot.position);
        }
        // First of all: where the clone panics it was read, too.
        slot.unread -= 1;
        let value = if slot.unread == 0 {
            let last = slot.value.take();
            drop(slot);
            // Each gets a clone, the last reader too: that is what a value with a `Clone` of its
            // own may count on.
            last.clone()
        } else {
            slot.value.clone()
        };
        Ok(value.expect("a kept message has a value until all have read it"))
    }

    /// Counts a message as read by one receiver, which does not want it. If it was the last one the
    /// value is returned, to be dropped.
    pub(super) fn skip(&self, position: u64) -> Option<T> {
        let mut slot = self.slot(position);
        if slot.position != position {
            return None;
        }
        slot.unread -= 1;
        if slot.unread == 0 { slot.value.take() } else { None }
    }

    /// Whether somebody has yet to read the message that the slot of this position holds.
    pub(super) fn is_unread(&self, position: u64) -> bool {
        self.slot(position).unread > 0
    }
}
