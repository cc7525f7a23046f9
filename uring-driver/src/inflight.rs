//! Which operations the kernel has: a slot each, with a generation.
//!
//! The number that travels with an entry and comes back with its completions (`user_data`) is a
//! [`Key`]: the slot and how often it had been given out. What comes back is not believed: a key
//! whose slot is empty, or used by a later operation, finds nothing, and the driver counts it.
//!
//! The table is a pure data structure of the home thread. It knows neither the kernel nor what
//! the values mean.

/// The name of an operation in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// The key of nothing.
    pub(crate) const NONE: Key = Key { index: 0, generation: 0 };

    /// The number for the kernel. Its upper half is never zero: numbers below 2³² are left for
    /// entries that have no slot.
    #[inline]
    pub(crate) const fn to_user_data(self) -> u64 {
        ((self.generation as u64) << 32) | self.index as u64
    }

    /// The number of the slot.
    #[inline]
    pub(crate) const fn slot(self) -> u32 {
        self.index
    }

    /// Reads a number from the kernel; any number gives some key, known or not.
    #[inline]
    pub(crate) const fn from_user_data(user_data: u64) -> Key {
        Key { index: user_data as u32, generation: (user_data >> 32) as u32 }
    }
}

/// The end of the list of free slots.
const NONE: u32 = u32::MAX;
const FIRST_GENERATION: u32 = 1;

#[derive(Debug)]
enum Content<T> {
    Free { next: u32 },
    Used(T),
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    content: Content<T>,
}

/// A table of values with names that do not come again.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// The slot that was freed last is given out first: its line is warm.
    free: u32,
    len: usize,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Slots<T> {
        Slots { slots: Vec::new(), free: NONE, len: 0 }
    }

    /// Keeps a value and names it.
    ///
    /// # Panics
    ///
    /// With 2³² − 1 values in the table.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            let index = self.free;
            let Content::Free { next } = slot.content else {
                unreachable!("slot {index} is on the free list and in use");
            };
            self.free = next;
            slot.content = Content::Used(value);
            return Key { index, generation: slot.generation };
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(NONE);
        assert!(index != NONE, "more operations in flight than a slot number can tell apart");
        self.slots.push(Slot { generation: FIRST_GENERATION, content: Content::Used(value) });
        Key { index, generation: FIRST_GENERATION }
    }

    /// The value of this name, if it is still there.
    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        match self.slots.get(key.index as usize) {
            Some(Slot { generation, content: Content::Used(value) })
                if *generation == key.generation =>
            {
                Some(value)
            }
            _ => None,
        }
    }

    /// Gives the value back; from now on nothing has this name.
    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        let slot = &mut self.slots[key.index as usize];
        let content = std::mem::replace(&mut slot.content, Content::Free { next: self.free });
        // Zero is never a generation: see `to_user_data`.
        slot.generation = slot.generation.wrapping_add(1).max(FIRST_GENERATION);
        self.free = key.index;
        self.len -= 1;
        match content {
            Content::Used(value) => Some(value),
            Content::Free { .. } => unreachable!("`get` found slot {} in use", key.index),
        }
    }

    /// How many values there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The values, in the order of their slots.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| match &slot.content {
            Content::Used(value) => Some(value),
            Content::Free { .. } => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{Key, Slots};

    /// A generator of the xorshift family: the same numbers for the same seed.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % bound as u64) as usize
        }
    }

    /// Against a map from names to values, with every name that was ever given out remembered.
    #[test]
    fn agrees_with_a_naive_map() {
        for seed in 1..=50 {
            let mut random = Random(seed);
            let mut slots = Slots::new();
            let mut model: HashMap<Key, u64> = HashMap::new();
            let mut given: Vec<Key> = Vec::new();
            for step in 0..2_000 {
                match random.below(5) {
                    0 | 1 => {
                        let key = slots.insert(step);
                        assert!(!given.contains(&key), "seed {seed}: {key:?} was given twice");
                        assert!(key.to_user_data() > u64::from(u32::MAX));
                        given.push(key);
                        model.insert(key, step);
                    }
                    2 | 3 if !given.is_empty() => {
                        let key = given[random.below(given.len())];
                        assert_eq!(slots.remove(key), model.remove(&key), "seed {seed}");
                    }
                    _ => {
                        let key = match random.below(2) {
                            0 if !given.is_empty() => given[random.below(given.len())],
                            _ => Key::from_user_data(random.0),
                        };
                        assert_eq!(slots.get(key), model.get(&key), "seed {seed}");
                    }
                }
                assert_eq!(slots.len(), model.len());
            }
            let mut left: Vec<u64> = slots.values().copied().collect();
            let mut expected: Vec<u64> = model.into_values().collect();
            left.sort_unstable();
            expected.sort_unstable();
            assert_eq!(left, expected, "seed {seed}");
        }
    }

    #[test]
    fn a_name_survives_the_way_through_the_kernel() {
        let mut slots = Slots::new();
        let first = slots.insert('a');
        slots.remove(first);
        let second = slots.insert('b');
        let back = Key::from_user_data(second.to_user_data());
        assert_eq!(back, second);
        assert_eq!(slots.get(back), Some(&'b'));
        assert_eq!(slots.get(first), None);
    }

    #[test]
    fn generations_wrap_past_zero() {
        let mut slots = Slots::new();
        let key = slots.insert(());
        slots.remove(key);
        slots.slots[0].generation = u32::MAX;
        let last = slots.insert(());
        assert_eq!(last.generation, u32::MAX);
        slots.remove(last);
        assert_eq!(slots.insert(()).generation, 1);
    }
}
