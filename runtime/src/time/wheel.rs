//! A hierarchical timing wheel: deadlines in ticks, no clock, no wakers, no unsafe.
//!
//! Six levels of 64 slots. Level 0 has a slot a tick, each further level a slot for all of the
//! level below; what lies beyond level 5 waits in one list more, *far*. An entry goes to the level
//! of the highest group of six bits in which its deadline differs from the wheel's time:
//!
//! ```text
//!  deadline   000…0 │ group 5 │ group 4 │ group 3 │ group 2 │ group 1 │ group 0
//!             far     level 5   level 4   level 3   level 2   level 1   level 0
//! ```
//!
//! So at every level all entries lie *ahead* of the wheel's time and within its current block: the
//! next slot is the lowest bit of the level's occupancy, and whatever level 0 holds comes before
//! whatever level 1 holds, and so on. When the time reaches a slot above level 0, its entries go
//! to lower levels by the same rule (a *cascade*); an entry does that at most six times, and most
//! are removed before the first. Inserting, removing and finding the next slot are a handful of
//! instructions each, however many entries there are.
//!
//! An entry belongs to whoever inserted it, until removed: [`Wheel::pop`] takes it out of its slot
//! and leaves it in the slab, *idle*, so that its owner sees that it has fired.

mod entries;
#[cfg(all(test, not(henge_loom)))]
mod tests;

use entries::{Entries, List};

pub(crate) use entries::Key;

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 6;
/// Bits of a deadline that the levels tell apart.
const SPAN_BITS: u32 = BITS * LEVELS as u32;
/// The list of deadlines beyond the top level: slot 0 of a level that has no other.
const FAR: u16 = (LEVELS * SLOTS) as u16;
/// The list of entries that were due when they were set.
const DUE: u16 = FAR + 1;
/// In no list: popped.
const IDLE: u16 = DUE + 1;
const LISTS: usize = IDLE as usize;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Wheel<T> {
    /// All that is due at or before this tick has been handed out, but for what is in `DUE` and
    /// in this very tick's slot.
    now: u64,
    /// Which levels have entries; bit 6 is the far list.
    levels: u8,
    /// Which slots of a level have entries.
    occupied: [u64; LEVELS + 1],
    /// The slots of all levels, then far and due.
    lists: [List; LISTS],
    entries: Entries<T>,
    /// Entries that are in a list.
    pending: usize,
    /// Entries that are in none.
    idle: usize,
}

impl<T> Wheel<T> {
    /// An empty wheel that stands at tick 0.
    pub(crate) fn new() -> Self {
        Wheel::starting_at(0, 0)
    }

    /// An empty wheel that stands at tick `now`, with room for `capacity` entries.
    pub(crate) fn starting_at(now: u64, capacity: usize) -> Self {
        Wheel {
            now,
            levels: 0,
            occupied: [0; LEVELS + 1],
            lists: [List::EMPTY; LISTS],
            entries: Entries::with_capacity(capacity),
            pending: 0,
            idle: 0,
        }
    }

    /// The tick up to which everything was handed out.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// Entries in the slab, popped ones that were not removed included.
    pub(crate) fn len(&self) -> usize {
        self.pending + self.idle
    }

    /// Entries that will be popped.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    pub(crate) fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        self.entries.reserve(self.len(), additional);
    }

    pub(crate) fn shrink_to_fit(&mut self) {
        self.entries.shrink_to_fit();
    }

    /// Adds an entry that is due at tick `when`, be it in the past or never.
    #[inline]
    pub(crate) fn insert(&mut self, when: u64, value: T) -> Key {
        self.pending += 1;
        let place = self.occupy(when);
        self.entries.insert(&mut self.lists[place as usize], place, when, value)
    }

    /// Removes the entry, popped or not. None if the key is stale, or the value was taken.
    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let index = self.entries.find(key)?;
        self.detach(index);
        self.entries.free(index)
    }

    /// Removes the entry at this place of the slab, if there is one, by whoever knows that it is
    /// theirs.
    pub(crate) fn remove_at(&mut self, index: u32) -> Option<T> {
        self.remove(self.entries.key(index)?)
    }

    /// The values of all entries that have one, popped ones included, in the order of the slab.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.entries.into_values()
    }

    /// Takes the entry out of its slot, as if popped, and leaves it in the slab.
    pub(crate) fn suspend(&mut self, key: Key) {
        if let Some(index) = self.entries.find(key) {
            self.detach(index);
            self.lay_aside(index);
        }
    }

    /// Gives the entry a new deadline, and puts it back if it was popped. False if the key is
    /// stale.
    pub(crate) fn reset(&mut self, key: Key, when: u64) -> bool {
        let Some(index) = self.entries.find(key) else { return false };
        self.detach(index);
        self.entries.set_when(index, when);
        self.pending += 1;
        self.place(index, when);
        true
    }

    /// The entry's deadline. None if the key is stale.
    pub(crate) fn when(&self, key: Key) -> Option<u64> {
        Some(self.entries.when(self.entries.find(key)?))
    }

    /// Whether the entry waits to be popped. None if the key is stale.
    pub(crate) fn is_pending(&self, key: Key) -> Option<bool> {
        let index = self.entries.find(key)?;
        Some(self.entries.place(index) != IDLE)
    }

    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        self.entries.value(self.entries.find(key)?)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let index = self.entries.find(key)?;
        self.entries.value_mut(index)
    }

    /// Takes the value out of the entry, which stays. None if that was done before, or the key is
    /// stale.
    #[inline]
    pub(crate) fn take(&mut self, key: Key) -> Option<T> {
        let index = self.entries.find(key)?;
        self.entries.take(index)
    }

    /// A tick at which [`pop`](Self::pop) should be called next: never later than the earliest
    /// deadline, and equal to it when that lies within 64 ticks or has its slot for itself.
    #[inline]
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        if !self.lists[DUE as usize].is_empty() {
            return Some(self.now);
        }
        let (place, start) = self.next_slot()?;
        match self.lists[place as usize].only() {
            Some(index) => Some(self.entries.when(index)),
            None => Some(start),
        }
    }

    /// The entry that a `pop` far enough ahead would return, found without moving the wheel: looks
    /// at every entry of one slot.
    pub(crate) fn peek(&self) -> Option<Key> {
        let list = match self.lists[DUE as usize].is_empty() {
            false => &self.lists[DUE as usize],
            true => &self.lists[self.next_slot()?.0 as usize],
        };
        let mut earliest = list.front()?;
        if self.entries.place(earliest) != DUE {
            let mut at = earliest;
            while let Some(next) = self.entries.next(at) {
                if self.entries.when(next) < self.entries.when(earliest) {
                    earliest = next;
                }
                at = next;
            }
        }
        self.entries.key(earliest)
    }

    /// Moves the wheel towards `now` up to the next due entry, takes that out of its slot and
    /// returns it; None once nothing more is due. Earlier deadlines come first, equal ones in the
    /// order in which they were set; what was already due when set comes before all others. A `now`
    /// before the wheel's own time counts as that.
    pub(crate) fn pop(&mut self, now: u64) -> Option<Key> {
        if let Some(index) = self.lists[DUE as usize].front() {
            return self.hand_out(index);
        }
        while let Some((place, mut start)) = self.next_slot() {
            if place == FAR && start <= now {
                // Straight to the block of the earliest: there are 2^28 blocks.
                start = self.earliest_of_far() >> SPAN_BITS << SPAN_BITS;
            }
            if start > now {
                break;
            }
            self.now = start;
            if usize::from(place) < SLOTS {
                let index = self.lists[place as usize].front()?;
                return self.hand_out(index);
            }
            self.cascade(place);
            // A cascade may have brought what is due right now.
            if let Some(index) = self.lists[DUE as usize].front() {
                return self.hand_out(index);
            }
        }
        self.now = self.now.max(now);
        None
    }

    /// Takes the entry, which is due, out of its slot.
    fn hand_out(&mut self, index: u32) -> Option<Key> {
        self.detach(index);
        self.lay_aside(index);
        self.entries.key(index)
    }

    /// The first occupied slot and the tick at which it begins.
    #[inline]
    fn next_slot(&self) -> Option<(u16, u64)> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros();
        if level as usize == LEVELS {
            // Whatever is far is in a later block, so there is one.
            return Some((FAR, ((self.now >> SPAN_BITS) + 1) << SPAN_BITS));
        }
        let slot = self.occupied[level as usize].trailing_zeros();
        let (low, high) = (level * BITS, (level + 1) * BITS);
        let start = (self.now >> high << high) | (u64::from(slot) << low);
        Some(((level * SLOTS as u32 + slot) as u16, start))
    }

    /// Puts an entry that is in no list where its deadline belongs.
    #[inline]
    fn place(&mut self, index: u32, when: u64) {
        let place = self.occupy(when);
        self.entries.push_back(&mut self.lists[place as usize], place, index);
    }

    /// The list for what is due at `when`, from now on one that has entries.
    #[inline]
    fn occupy(&mut self, when: u64) -> u16 {
        if when <= self.now {
            return DUE;
        }
        // They differ; that the lowest bit is set whether they differ there or not changes nothing,
        // and tells the compiler that it is not looking for a bit in zero.
        let differs = 63 - ((when ^ self.now) | 1).leading_zeros();
        let (level, slot) = if differs >= SPAN_BITS {
            (LEVELS as u32, 0)
        } else {
            let level = differs / BITS;
            (level, (when >> (level * BITS)) as u32 & (SLOTS as u32 - 1))
        };
        self.occupied[level as usize] |= 1 << slot;
        self.levels |= 1 << level;
        (level * SLOTS as u32 + slot) as u16
    }

    /// Takes the entry out of the list that it is in, if any. It is in none now, and nobody knows.
    #[inline]
    fn detach(&mut self, index: u32) {
        let place = self.entries.place(index);
        if place == IDLE {
            self.idle -= 1;
            return;
        }
        self.pending -= 1;
        let is_empty = self.entries.unlink(&mut self.lists[place as usize], index);
        if is_empty && place != DUE {
            self.vacate(place);
        }
    }

    /// Keeps an entry that is in no list.
    #[inline]
    fn lay_aside(&mut self, index: u32) {
        self.entries.set_place(index, IDLE);
        self.idle += 1;
    }

    fn vacate(&mut self, place: u16) {
        let (level, slot) = (usize::from(place) / SLOTS, usize::from(place) % SLOTS);
        self.occupied[level] &= !(1 << slot);
        if self.occupied[level] == 0 {
            self.levels &= !(1 << level);
        }
    }

    fn earliest_of_far(&self) -> u64 {
        let mut at = self.lists[FAR as usize].front();
        let mut earliest = u64::MAX;
        while let Some(index) = at {
            earliest = earliest.min(self.entries.when(index));
            at = self.entries.next(index);
        }
        earliest
    }

    /// Distributes a slot that has begun over the levels below it, in the order of the list.
    fn cascade(&mut self, place: u16) {
        let mut at = self.lists[place as usize].front();
        self.lists[place as usize] = List::EMPTY;
        self.vacate(place);
        while let Some(index) = at {
            at = self.entries.next(index);
            self.place(index, self.entries.when(index));
        }
    }
}
