//! One database: keys, their values, and when they expire.

use std::hint::black_box;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::expiry::Expiry;
use super::{Bytes, Clock, Collection, Error, Kept, Part, Str, Typed, Value};

/// What stands behind a key.
#[derive(Debug)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// When it expires, in milliseconds since 1970; [`NEVER`] for most. With this, and a short key
    /// and value, an entry is one line of the cache.
    expires: u64,
}

const NEVER: u64 = u64::MAX;

impl Entry {
    /// When it expires, in milliseconds since 1970.
    pub fn expires(&self) -> Option<u64> {
        (self.expires != NEVER).then_some(self.expires)
    }

    fn set_expires(&mut self, at: Option<u64>) -> Option<u64> {
        let old = self.expires();
        self.expires = at.unwrap_or(NEVER);
        old
    }
}

/// One database.
///
/// The dictionary keeps its entries in one dense array, and a removal moves the last entry into the
/// gap. [`scan`](Db::scan) walks that array downwards.
#[derive(Debug)]
pub struct Db {
    entries: IndexMap<Bytes, Entry, RandomState>,
    expiry: Expiry,
    part: Part,
    clock: Clock,
    random: u64,
    expired: u64,
    /// Commands of the past are run again: time stands still, so that nothing expires but what did.
    replays: bool,
    trail: Option<Box<Trail>>,
}

/// What a command did that its words do not say: for who writes down what changes.
#[derive(Debug, Default)]
pub struct Trail {
    /// Keys that were found to have expired.
    pub gone: Vec<Bytes>,
    /// Words that do the same at any time, and without chance.
    pub instead: Option<Vec<Vec<u8>>>,
}

impl Db {
    /// An empty database for `part` of the data, which tells the time by `clock`.
    pub fn new(part: Part, clock: Clock) -> Db {
        use std::hash::BuildHasher;
        Db {
            entries: IndexMap::default(),
            expiry: Expiry::default(),
            part,
            clock,
            random: RandomState::default().hash_one(clock()) | 1,
            expired: 0,
            replays: false,
            trail: None,
        }
    }

    /// The time in milliseconds since 1970.
    pub fn now(&self) -> u64 {
        if self.replays { 0 } else { (self.clock)() }
    }

    /// Whether commands of the past are run again.
    pub(super) fn set_replays(&mut self, replays: bool) {
        self.replays = replays;
    }

    /// Remembers from now on what [`Trail`] says.
    pub(super) fn leave_trail(&mut self) {
        self.trail = Some(Box::default());
    }

    /// What the last command did that its words do not say.
    pub(super) fn take_trail(&mut self) -> Trail {
        self.trail.as_deref_mut().map(std::mem::take).unwrap_or_default()
    }

    /// These words are to be written down instead of the command's own: they do the same at any
    /// time. None: nothing has changed.
    pub fn instead<'a>(&mut self, words: impl IntoIterator<Item = &'a [u8]>) {
        if let Some(trail) = &mut self.trail {
            trail.instead = Some(words.into_iter().map(<[u8]>::to_vec).collect());
        }
    }

    /// All keys with what stands behind them, as they are now.
    pub(super) fn snapshot(&self) -> Vec<Kept> {
        let copy =
            |(key, entry): (&Bytes, &Entry)| (key.clone(), entry.value.clone(), entry.expires());
        self.entries.iter().map(copy).collect()
    }

    /// Takes over the keys of another that `owns` says.
    pub(super) fn absorb(&mut self, other: Db, owns: impl Fn(&[u8]) -> bool) {
        for (key, entry) in other.entries.into_iter().filter(|(key, _)| owns(key)) {
            let expires = entry.expires();
            self.moved(&key, None, expires);
            self.entries.insert(key, entry);
        }
    }

    /// Which part of the data it holds.
    pub fn part(&self) -> Part {
        self.part
    }

    /// Looks keys up that will be asked for next. A look-up waits for three lines of the cache,
    /// each of which tells where the next one is; the lines of several keys come at the same time,
    /// if nothing else is done in between.
    pub fn expect<'a>(&self, keys: impl Iterator<Item = &'a [u8]>) {
        for key in keys {
            black_box(self.entries.get_index_of(key));
        }
    }

    /// The entry of a key that has not expired.
    pub fn entry(&mut self, key: &[u8]) -> Option<&mut Entry> {
        let index = self.live(key)?;
        Some(&mut self.entries[index])
    }

    /// The value of `key` as a `T`.
    ///
    /// # Errors
    ///
    /// [`Error::WRONG_TYPE`] when it holds something else.
    pub fn get<T: Typed>(&mut self, key: &[u8]) -> Result<Option<&T>, Error> {
        match self.entry(key) {
            None => Ok(None),
            Some(entry) => T::of(&entry.value).map(Some).ok_or(Error::WRONG_TYPE),
        }
    }

    /// The value of `key` as a `T` that a reply can keep.
    ///
    /// # Errors
    ///
    /// [`Error::WRONG_TYPE`] when it holds something else.
    pub fn shared<T: Collection>(&mut self, key: &[u8]) -> Result<Option<&Arc<T>>, Error> {
        match self.entry(key) {
            None => Ok(None),
            Some(entry) => T::shared(&entry.value).map(Some).ok_or(Error::WRONG_TYPE),
        }
    }

    /// The value of `key` as a `T`, to be changed.
    ///
    /// # Errors
    ///
    /// [`Error::WRONG_TYPE`] when it holds something else.
    pub fn get_mut<T: Typed>(&mut self, key: &[u8]) -> Result<Option<&mut T>, Error> {
        match self.entry(key) {
            None => Ok(None),
            Some(entry) => T::of_mut(&mut entry.value).map(Some).ok_or(Error::WRONG_TYPE),
        }
    }

    /// The value of `key` as a `T`, made empty where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::WRONG_TYPE`] when it holds something else.
    pub fn get_or_new<T: Typed>(&mut self, key: &[u8]) -> Result<&mut T, Error> {
        let index = match self.live(key) {
            Some(index) => index,
            None => {
                self.entries.insert_full(key.into(), Entry { value: T::empty(), expires: NEVER }).0
            }
        };
        T::of_mut(&mut self.entries[index].value).ok_or(Error::WRONG_TYPE)
    }

    /// Sets `key` to the string `bytes`, and its deadline to `expires`.
    pub fn set_string(&mut self, key: &[u8], bytes: &[u8], expires: Option<u64>) {
        match self.entries.get_mut(key) {
            Some(entry) => {
                match &mut entry.value {
                    Value::Str(string) => string.assign(bytes),
                    other => *other = Value::Str(Str::new(bytes)),
                }
                let old = entry.set_expires(expires);
                self.moved(key, old, expires);
            }
            None => {
                let mut entry = Entry { value: Value::Str(Str::new(bytes)), expires: NEVER };
                entry.set_expires(expires);
                self.entries.insert(key.into(), entry);
                self.moved(key, None, expires);
            }
        }
    }

    /// Gives a key another deadline, or none; whether there is such a key.
    pub fn set_expiry(&mut self, key: &[u8], expires: Option<u64>) -> bool {
        let Some(entry) = self.entry(key) else { return false };
        let old = entry.set_expires(expires);
        self.moved(key, old, expires);
        true
    }

    /// Removes a key; its entry, if it had not expired.
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let index = self.live(key)?;
        self.remove_at(index)
    }

    /// How many keys there are, the expired that were not looked at since included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many keys have a deadline.
    pub fn expiring(&self) -> usize {
        self.expiry.len()
    }

    /// How many keys have expired since the start.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// Removes all keys.
    pub fn clear(&mut self) {
        self.entries = IndexMap::default();
        self.expiry.clear();
    }

    /// All keys that have not expired.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let now = self.now();
        self.entries.iter().filter(move |(_, e)| e.expires > now).map(|(key, _)| &**key)
    }

    /// Looks at up to `count` entries below index `from`, which counts as the number of entries if
    /// it is larger; returns where to go on, zero being the end.
    ///
    /// Going down sees every key that is there from first call to last: a removal fills the gap
    /// with the last entry, which either was seen, or comes to stand lower and is still to come.
    pub fn scan(&self, from: usize, count: usize, mut see: impl FnMut(&[u8], &Entry)) -> usize {
        let now = self.now();
        let from = from.min(self.entries.len());
        let to = from.saturating_sub(count);
        for (key, entry) in self.entries[to..from].iter().rev() {
            if entry.expires > now {
                see(key, entry);
            }
        }
        to
    }

    /// The soonest deadline, in milliseconds since 1970.
    pub fn next_expiry(&self) -> Option<u64> {
        self.expiry.next()
    }

    /// Removes up to `limit` keys whose time has come; how many there were.
    pub fn expire(&mut self, limit: usize) -> usize {
        if self.expiry.len() == 0 {
            return 0;
        }
        let now = self.now();
        let mut removed = 0;
        while removed < limit {
            let Some(key) = self.expiry.pop(now) else { break };
            if let Some((key, _)) = self.entries.swap_remove_entry(&*key)
                && let Some(trail) = &mut self.trail
            {
                trail.gone.push(key);
            }
            removed += 1;
        }
        self.expired += removed as u64;
        removed
    }

    /// A number below `bound`, for picking a member.
    pub fn random_below(&mut self, bound: usize) -> usize {
        // xorshift64, and a multiplication instead of a remainder.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        ((u128::from(self.random) * bound as u128) >> 64) as usize
    }

    /// Where `key` stands; if its time has come it goes now.
    fn live(&mut self, key: &[u8]) -> Option<usize> {
        let index = self.entries.get_index_of(key)?;
        let expires = self.entries[index].expires;
        // The clock is read for keys that expire, and only for those.
        if expires != NEVER && expires <= self.now() {
            self.remove_at(index);
            self.expired += 1;
            if let Some(trail) = &mut self.trail {
                trail.gone.push(key.into());
            }
            return None;
        }
        Some(index)
    }

    fn remove_at(&mut self, index: usize) -> Option<Entry> {
        let (key, entry) = self.entries.swap_remove_index(index)?;
        self.moved(&key, entry.expires(), None);
        Some(entry)
    }

    fn moved(&mut self, key: &[u8], old: Option<u64>, new: Option<u64>) {
        if old == new {
            return;
        }
        if let Some(at) = old {
            self.expiry.remove(at, key);
        }
        if let Some(at) = new {
            self.expiry.insert(at, key);
        }
    }
}
