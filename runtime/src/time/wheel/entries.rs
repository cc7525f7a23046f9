//! The wheel's entries: a slab with generations whose entries are links of doubly linked lists.

/// Names one entry; stale once that entry is removed, and then refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// The entry's place in the slab: small, dense, and used again after removal.
    #[inline]
    pub(crate) fn index(self) -> u32 {
        self.index
    }
}

/// No entry: ends a list, and the list of free entries.
const NIL: u32 = u32::MAX;
/// The list of an entry that is free.
const FREE: u16 = u16::MAX;

/// Both ends of a list: entries join at the tail and leave at the head, so that equal deadlines
/// fire in the order in which they were set.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    head: u32,
    tail: u32,
}

impl List {
    pub(super) const EMPTY: List = List { head: NIL, tail: NIL };

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head == NIL
    }

    #[inline]
    pub(super) fn front(&self) -> Option<u32> {
        (self.head != NIL).then_some(self.head)
    }

    /// The entry of a list that has exactly one.
    #[inline]
    pub(super) fn only(&self) -> Option<u32> {
        (self.head == self.tail && self.head != NIL).then_some(self.head)
    }
}

#[derive(Debug)]
struct Entry<T> {
    /// Counts how often this place was freed, so that a key of an earlier tenant is refused.
    generation: u32,
    /// The next entry of the list, or of the free list.
    next: u32,
    prev: u32,
    /// The list that the entry is in, in the wheel's numbering, or `FREE`.
    place: u16,
    when: u64,
    /// None while the place is free, and once the value was taken.
    value: Option<T>,
}

/// All entries. Knows lists, not what they stand for.
#[derive(Debug)]
pub(super) struct Entries<T> {
    slots: Vec<Entry<T>>,
    free: u32,
}

impl<T> Entries<T> {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Entries { slots: Vec::with_capacity(capacity), free: NIL }
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// Makes room for `additional` entries beside the `len` that are there.
    pub(super) fn reserve(&mut self, len: usize, additional: usize) {
        let free = self.slots.len() - len;
        self.slots.reserve(additional.saturating_sub(free));
    }

    /// Gives back what memory lies behind the last place that was ever used: a place that is
    /// given back forgets its generation.
    pub(super) fn shrink_to_fit(&mut self) {
        self.slots.shrink_to_fit();
    }

    /// Adds an entry to the end of `list`, the wheel's number `place`.
    ///
    /// # Panics
    ///
    /// With 2³² − 1 entries already there.
    #[inline]
    pub(super) fn insert(&mut self, list: &mut List, place: u16, when: u64, value: T) -> Key {
        let prev = list.tail;
        let index = self.free;
        let key = match self.slots.get_mut(index as usize) {
            Some(entry) => {
                self.free = entry.next;
                entry.next = NIL;
                entry.prev = prev;
                entry.place = place;
                entry.when = when;
                // A free place has no value to drop, which the compiler cannot know.
                std::mem::forget(entry.value.replace(value));
                Key { index, generation: entry.generation }
            }
            None => {
                self.grow(Entry { generation: 0, next: NIL, prev, place, when, value: Some(value) })
            }
        };
        self.append(list, key.index);
        key
    }

    /// Adds an entry where none ever was.
    #[inline(never)]
    fn grow(&mut self, entry: Entry<T>) -> Key {
        let index = u32::try_from(self.slots.len()).ok().filter(|&index| index != NIL);
        let index = index.expect("a wheel holds at most 2^32 - 1 timers");
        self.slots.push(entry);
        Key { index, generation: 0 }
    }

    /// Frees the entry, which its list has let go of. The value, unless it was taken.
    #[inline]
    pub(super) fn free(&mut self, index: u32) -> Option<T> {
        let entry = &mut self.slots[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.place = FREE;
        entry.next = self.free;
        self.free = index;
        entry.value.take()
    }

    /// The place of a key's entry in the slab, unless the key is stale.
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<u32> {
        // A place that is free has a generation that no key was given yet.
        let entry = self.slots.get(key.index as usize)?;
        (entry.generation == key.generation).then_some(key.index)
    }

    /// The key of the entry at `index`, if one is there.
    #[inline]
    pub(super) fn key(&self, index: u32) -> Option<Key> {
        let entry = self.slots.get(index as usize)?;
        (entry.place != FREE).then_some(Key { index, generation: entry.generation })
    }

    pub(super) fn into_values(self) -> impl Iterator<Item = T> {
        self.slots.into_iter().filter_map(|entry| entry.value)
    }

    #[inline]
    pub(super) fn value(&self, index: u32) -> Option<&T> {
        self.slots[index as usize].value.as_ref()
    }

    #[inline]
    pub(super) fn value_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots[index as usize].value.as_mut()
    }

    #[inline]
    pub(super) fn when(&self, index: u32) -> u64 {
        self.slots[index as usize].when
    }

    /// Takes the value out, and leaves the entry.
    #[inline]
    pub(super) fn take(&mut self, index: u32) -> Option<T> {
        self.slots[index as usize].value.take()
    }

    #[inline]
    pub(super) fn set_when(&mut self, index: u32, when: u64) {
        self.slots[index as usize].when = when;
    }

    #[inline]
    pub(super) fn place(&self, index: u32) -> u16 {
        self.slots[index as usize].place
    }

    #[inline]
    pub(super) fn set_place(&mut self, index: u32, place: u16) {
        self.slots[index as usize].place = place;
    }

    #[inline]
    pub(super) fn next(&self, index: u32) -> Option<u32> {
        let next = self.slots[index as usize].next;
        (next != NIL).then_some(next)
    }

    /// Appends the entry, which is in no list, to `list`, the wheel's number `place`.
    #[inline]
    pub(super) fn push_back(&mut self, list: &mut List, place: u16, index: u32) {
        let entry = &mut self.slots[index as usize];
        entry.next = NIL;
        entry.prev = list.tail;
        entry.place = place;
        self.append(list, index);
    }

    /// Makes an entry that has the list's tail behind it the new tail.
    #[inline]
    fn append(&mut self, list: &mut List, index: u32) {
        match list.tail {
            NIL => list.head = index,
            tail => self.slots[tail as usize].next = index,
        }
        list.tail = index;
    }

    /// Takes the entry out of `list`, which must be the one that it is in. True if that was all.
    #[inline]
    pub(super) fn unlink(&mut self, list: &mut List, index: u32) -> bool {
        let Entry { next, prev, .. } = self.slots[index as usize];
        match prev {
            NIL => list.head = next,
            prev => self.slots[prev as usize].next = next,
        }
        match next {
            NIL => list.tail = prev,
            next => self.slots[next as usize].prev = prev,
        }
        next == NIL && prev == NIL
    }
}
