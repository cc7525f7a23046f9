//! A first-in-first-out ring that grows: the run queue of one shard.
//!
//! Plain memory, one owner. A ring and not an intrusive list: a task may be queued here and
//! stand in the inbox by its own link at the same time, and popping does not wait for the cache
//! line of the task before.

/// Slots of a ring that is not growing: 2 KiB of pointers.
const RESTING: usize = 256;

/// A growable ring of `T`.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    /// Power of two in length. What lies outside `head..tail` is stale and never read.
    slots: Box<[Option<T>]>,
    /// Both count up for ever; a slot is found by masking.
    head: usize,
    tail: usize,
}

impl<T: Copy> Ring<T> {
    pub(crate) fn new() -> Self {
        Self { slots: vec![None; RESTING].into_boxed_slice(), head: 0, tail: 0 }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.tail.wrapping_sub(self.head)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head == self.tail
    }

    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        let full = self.len() == self.slots.len();
        // There is such a slot always; a look that cannot panic keeps a push as short as it is.
        match self.slots.get_mut(self.tail & self.slots.len().wrapping_sub(1)) {
            Some(slot) if !full => {
                *slot = Some(value);
                self.tail = self.tail.wrapping_add(1);
            }
            _ => self.grow_and_push(value),
        }
    }

    /// The last thing that a push does, which keeps nothing for what comes after it.
    #[cold]
    fn grow_and_push(&mut self, value: T) {
        self.grow();
        self.push(value);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let slot = self.head & (self.slots.len() - 1);
        self.head = self.head.wrapping_add(1);
        self.slots[slot]
    }

    /// Moves everything that stands in `other` to the end of `self`, in order.
    pub(crate) fn append(&mut self, other: &mut Self) {
        if self.is_empty() {
            std::mem::swap(self, other);
            return;
        }
        while !other.is_empty() {
            if self.len() == self.slots.len() {
                self.grow();
            }
            // The longest run that wraps around in neither, nor overruns what is in this one.
            let from = other.head & (other.slots.len() - 1);
            let to = self.tail & (self.slots.len() - 1);
            let run = other.len().min(other.slots.len() - from);
            let run = run.min(self.slots.len() - to).min(self.slots.len() - self.len());
            self.slots[to..to + run].copy_from_slice(&other.slots[from..from + run]);
            self.tail = self.tail.wrapping_add(run);
            other.head = other.head.wrapping_add(run);
        }
    }

    /// Gives back what a burst made it grow to. Does nothing unless the ring is empty.
    pub(crate) fn rest(&mut self) {
        if self.is_empty() && self.slots.len() > RESTING {
            *self = Self::new();
        }
    }

    /// Slots allocated at the moment.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    #[cold]
    fn grow(&mut self) {
        let mut slots = Vec::with_capacity(self.slots.len() * 2);
        while let Some(value) = self.pop() {
            slots.push(Some(value));
        }
        self.head = 0;
        self.tail = slots.len();
        slots.resize(self.slots.len() * 2, None);
        self.slots = slots.into_boxed_slice();
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::collections::VecDeque;

    use super::{RESTING, Ring};

    /// A xorshift step: the tests need variety, not randomness.
    fn next(seed: &mut u64) -> u64 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed
    }

    #[test]
    fn behaves_like_a_deque() {
        for start in 1..=20_u64 {
            let mut seed = start.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut ring = Ring::new();
            let mut model = VecDeque::new();
            for step in 0..20_000_u64 {
                // Long runs of one kind, so that the ring grows and empties.
                let bias = if (step / 1_500) % 2 == 0 { 11 } else { 5 };
                if next(&mut seed) % 16 < bias {
                    ring.push(step);
                    model.push_back(step);
                } else {
                    assert_eq!(ring.pop(), model.pop_front());
                }
                assert_eq!(ring.len(), model.len());
                assert_eq!(ring.is_empty(), model.is_empty());
                if next(&mut seed).is_multiple_of(500) {
                    ring.rest();
                }
            }
            while let Some(expected) = model.pop_front() {
                assert_eq!(ring.pop(), Some(expected));
            }
            assert_eq!(ring.pop(), None);
        }
    }

    #[test]
    fn append_keeps_the_order_of_both() {
        for (mine, theirs) in [(0, 0), (0, 3), (3, 0), (2, 300), (300, 2)] {
            let (mut a, mut b) = (Ring::new(), Ring::new());
            (0..mine).for_each(|n| a.push(n));
            (mine..mine + theirs).for_each(|n| b.push(n));
            a.append(&mut b);
            assert!(b.is_empty());
            for expected in 0..mine + theirs {
                assert_eq!(a.pop(), Some(expected));
            }
            assert_eq!(a.pop(), None);
        }
    }

    #[test]
    fn rest_gives_the_memory_of_a_burst_back() {
        let mut ring = Ring::new();
        (0..10_000).for_each(|n| ring.push(n));
        ring.rest();
        assert!(ring.capacity() >= 10_000, "an occupied ring keeps its slots");
        while ring.pop().is_some() {}
        ring.rest();
        assert_eq!(ring.capacity(), RESTING);
    }
}
