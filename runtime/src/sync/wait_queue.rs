//! A queue of waiting futures: the one waiter list under every lock and channel of this module.
//!
//! It is a pure data structure, a doubly linked list inside a slab, and lives in the mutex of the
//! primitive that owns it. A future that waits holds a key, never a pointer, so a future that is
//! leaked leaves a slot behind and nothing worse.
//!
//! A slot's life, and who moves it on (all under the owner's mutex):
//!
//! ```text
//!            push_back                unlink_front                 remove
//!   (free) ────────────▶ linked ─────────────────────▶ notified ────────────▶ (free)
//!              future       │           the notifier                future
//!                           └────────── remove (the future was dropped) ─────▶ (free)
//! ```
//!
//! Wakers are moved out, never called or dropped in here: both run foreign code, which may come
//! back to the same primitive.

use std::task::Waker;

use slab::Slab;

use super::wake_batch::WakeBatch;

const NONE: usize = usize::MAX;

#[derive(Debug)]
struct Slot<T> {
    previous: usize,
    next: usize,
    linked: bool,
    waker: Option<Waker>,
    value: T,
}

/// A first-in-first-out queue of waiters, each with a value of the primitive's.
#[derive(Debug)]
pub(crate) struct WaitQueue<T> {
    slots: Slab<Slot<T>>,
    head: usize,
    tail: usize,
}

/// What a removed waiter leaves: the caller drops the waker after it has let go of the mutex.
#[derive(Debug)]
#[must_use = "the waker is dropped outside the mutex"]
pub(crate) struct Removed<T> {
    pub(crate) value: T,
    pub(crate) waker: Option<Waker>,
}

impl<T> WaitQueue<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Slab::new(), head: NONE, tail: NONE }
    }

    /// Whether nobody waits to be notified.
    pub(crate) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    /// Appends a waiter and returns its key.
    pub(crate) fn push_back(&mut self, value: T, waker: Waker) -> usize {
        let slot =
            Slot { previous: self.tail, next: NONE, linked: true, waker: Some(waker), value };
        let key = self.slots.insert(slot);
        match self.tail {
            NONE => self.head = key,
            tail => self.slots[tail].next = key,
        }
        self.tail = key;
        key
    }

    /// The value of the waiter at the front.
    pub(crate) fn front_mut(&mut self) -> Option<&mut T> {
        match self.head {
            NONE => None,
            head => Some(&mut self.slots[head].value),
        }
    }

    /// Takes the front waiter out of the line. Its slot stays until its future removes it.
    pub(crate) fn unlink_front(&mut self) -> Option<(&mut T, Option<Waker>)> {
        match self.head {
            NONE => None,
            head => Some(self.take_out(head)),
        }
    }

    /// Takes the last waiter out of the line. Its slot stays until its future removes it.
    pub(crate) fn unlink_back(&mut self) -> Option<(&mut T, Option<Waker>)> {
        match self.tail {
            NONE => None,
            tail => Some(self.take_out(tail)),
        }
    }

    /// Removes the front waiter, slot and all: for a line whose futures know by other means that
    /// they were notified.
    pub(crate) fn pop_front(&mut self) -> Option<Removed<T>> {
        match self.head {
            NONE => None,
            head => Some(self.remove(head)),
        }
    }

    fn take_out(&mut self, key: usize) -> (&mut T, Option<Waker>) {
        self.unlink(key);
        let slot = &mut self.slots[key];
        (&mut slot.value, slot.waker.take())
    }

    /// Takes waiters out from the front as long as `due` says so, and gives the batch their wakers.
    /// False if the batch is full and there may be more.
    pub(crate) fn take_while(
        &mut self,
        wakers: &mut WakeBatch,
        mut due: impl FnMut(&T) -> bool,
    ) -> bool {
        while self.front_mut().is_some_and(|value| due(value)) {
            if wakers.is_full() {
                return false;
            }
            if let Some((_, waker)) = self.unlink_front() {
                wakers.push(waker);
            }
        }
        true
    }

    /// Whether the waiter still stands in line.
    pub(crate) fn is_linked(&self, key: usize) -> bool {
        self.slots[key].linked
    }

    /// Whether the waiter's waker would do for the task behind `waker`.
    pub(crate) fn will_wake(&self, key: usize, waker: &Waker) -> bool {
        self.slots[key].waker.as_ref().is_some_and(|own| own.will_wake(waker))
    }

    /// Gives the waiter a new waker. The old one is returned, to be dropped outside the mutex.
    #[must_use = "the old waker is dropped outside the mutex"]
    pub(crate) fn set_waker(&mut self, key: usize, waker: Waker) -> Option<Waker> {
        self.slots[key].waker.replace(waker)
    }

    /// Frees a waiter's slot, in line or notified.
    pub(crate) fn remove(&mut self, key: usize) -> Removed<T> {
        if self.slots[key].linked {
            self.unlink(key);
        }
        let slot = self.slots.remove(key);
        // A crowd that has gone should not keep its room for ever.
        if self.slots.is_empty() && self.slots.capacity() > 64 {
            self.slots.shrink_to_fit();
        }
        Removed { value: slot.value, waker: slot.waker }
    }

    fn unlink(&mut self, key: usize) {
        let (previous, next) = {
            let slot = &mut self.slots[key];
            slot.linked = false;
            (slot.previous, slot.next)
        };
        match previous {
            NONE => self.head = next,
            previous => self.slots[previous].next = next,
        }
        match next {
            NONE => self.tail = previous,
            next => self.slots[next].previous = previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Plays random operations on the queue and on a `VecDeque`, which must agree.
    #[test]
    fn agrees_with_a_naive_queue() {
        for seed in 1..=50_u64 {
            let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut random = move |n: usize| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state % n as u64) as usize
            };
            let mut queue = WaitQueue::new();
            let mut line: VecDeque<(usize, u64)> = VecDeque::new();
            let mut notified: Vec<(usize, u64)> = Vec::new();
            for n in 0..400_u64 {
                match random(5) {
                    0 | 1 => {
                        let key = queue.push_back(n, Waker::noop().clone());
                        line.push_back((key, n));
                    }
                    2 => {
                        let ours = queue.unlink_front().map(|(value, waker)| {
                            assert!(waker.is_some());
                            *value
                        });
                        let theirs = line.pop_front();
                        assert_eq!(ours, theirs.map(|(_, value)| value));
                        notified.extend(theirs);
                    }
                    3 if !line.is_empty() => {
                        let (key, value) =
                            line.remove(random(line.len())).expect("within the line");
                        let removed = queue.remove(key);
                        assert_eq!(removed.value, value);
                    }
                    _ if !notified.is_empty() => {
                        let (key, value) = notified.swap_remove(random(notified.len()));
                        assert!(!queue.is_linked(key));
                        assert_eq!(queue.remove(key).value, value);
                    }
                    _ => {}
                }
                assert_eq!(queue.is_empty(), line.is_empty());
                assert_eq!(queue.front_mut().copied(), line.front().map(|(_, value)| *value));
                assert_eq!(queue.slots.len(), line.len() + notified.len());
            }
        }
    }

    #[test]
    fn a_crowd_that_has_gone_keeps_no_room() {
        let mut queue = WaitQueue::new();
        let keys: Vec<_> = (0..1_000).map(|n| queue.push_back(n, Waker::noop().clone())).collect();
        for key in keys {
            drop(queue.remove(key));
        }
        assert!(queue.slots.capacity() <= 64);
    }
}
