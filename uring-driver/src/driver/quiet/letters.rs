//! The letters of a turn: what is written, and how far it has come. Addresses of places are names
//! here, and nothing else.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::RawFd;
use std::ptr::NonNull;

use crate::driver::homes::Tenant;
use crate::driver::tag;

/// The place in the list is the lower half of the 24 bits that a name has, the round the upper.
const PLACE_BITS: u32 = 12;
const MOST: usize = 1 << PLACE_BITS;
const ROUNDS: u32 = 1 << (24 - PLACE_BITS);

/// What a letter has room for without being enlarged, and for how many such room is kept.
const CAPACITY: usize = 4 << 10;
const KEPT: usize = 128;

pub(super) struct Letter {
    pub(super) bytes: Vec<u8>,
    pub(super) socket: RawFd,
    /// Whose it is; none if it was taken back, or was not done.
    pub(super) from: Option<NonNull<dyn Tenant>>,
}

impl Letter {
    #[inline]
    fn is_from(&self, place: NonNull<dyn Tenant>) -> bool {
        self.from.is_some_and(|from| from.cast::<()>() == place.cast::<()>())
    }
}

/// The letters of this turn.
#[derive(Default)]
pub(crate) struct Letters {
    /// Behind those that are in use are others whose memory is.
    all: RefCell<Vec<Letter>>,
    used: Cell<usize>,
    /// All before this one are entries.
    made: Cell<usize>,
    /// An enter has answered all.
    answered: Cell<bool>,
    /// How often the list has begun anew.
    round: Cell<u32>,
}

/// The letters of one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::driver) struct Round(u32);

impl Letters {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.used.get() == 0
    }

    /// There are letters that are no entries yet.
    #[inline]
    pub(crate) fn has_open(&self) -> bool {
        self.made.get() < self.used.get()
    }

    /// How many the kernel may have.
    pub(crate) fn len(&self) -> usize {
        let all = self.all.borrow();
        all[..self.made.get()].iter().filter(|letter| letter.from.is_some()).count()
    }

    /// Begins a letter of `len` bytes, which `fill` appends, and says which; none if there are too
    /// many, or at the wrong time.
    #[inline]
    pub(super) fn put(
        &self,
        from: NonNull<dyn Tenant>,
        socket: RawFd,
        len: usize,
        fill: impl FnOnce(&mut Vec<u8>, usize),
    ) -> Option<u32> {
        let at = self.used.get();
        if at == MOST || self.answered.get() {
            return None;
        }
        let mut all = self.all.borrow_mut();
        if at == all.len() {
            all.push(Letter { bytes: Vec::new(), socket, from: None });
        }
        let letter = &mut all[at];
        if letter.bytes.capacity() != CAPACITY || len > CAPACITY {
            letter.bytes = Vec::with_capacity(len.max(CAPACITY));
        }
        letter.bytes.clear();
        fill(&mut letter.bytes, len);
        debug_assert_eq!(letter.bytes.len(), len);
        letter.socket = socket;
        letter.from = Some(from);
        self.used.set(at + 1);
        Some(at as u32)
    }

    /// Whether a letter is this one's, and is not over.
    #[inline]
    pub(crate) fn has(&self, at: u32, from: NonNull<dyn Tenant>) -> bool {
        let at = at as usize;
        at < self.used.get() && self.all.borrow()[at].is_from(from)
    }

    /// Adds `len` bytes to a letter, or as many as there is room for, `most` in all; `fill` appends
    /// them. None if it is not one's own, or is an entry already.
    #[inline]
    pub(crate) fn add(
        &self,
        at: u32,
        from: NonNull<dyn Tenant>,
        len: usize,
        most: usize,
        fill: impl FnOnce(&mut Vec<u8>, usize),
    ) -> Option<usize> {
        self.open(at, from, |letter| {
            let n = len.min(most.saturating_sub(letter.bytes.len()));
            fill(&mut letter.bytes, n);
            n
        })
    }

    /// The bytes of a letter that is no entry yet, and will be none.
    pub(crate) fn take_back(&self, at: u32, from: NonNull<dyn Tenant>) -> Option<Vec<u8>> {
        self.open(at, from, |letter| {
            letter.from = None;
            std::mem::take(&mut letter.bytes)
        })
    }

    /// Has a letter that is no entry yet sent by `send`, which cannot wait, and answers whether all
    /// of it was; after an error, too, it is over. None if there is none.
    ///
    /// The last one leaves nothing behind, unless somebody is `told` when the round is over.
    pub(crate) fn send_now(
        &self,
        at: u32,
        from: NonNull<dyn Tenant>,
        told: bool,
        send: impl FnOnce(&[u8]) -> io::Result<usize>,
    ) -> Option<io::Result<bool>> {
        let sent = self.open(at, from, |letter| match send(&letter.bytes) {
            Ok(n) if n < letter.bytes.len() => {
                letter.bytes.drain(..n);
                Ok(false)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            done => {
                letter.from = None;
                done.map(|_all| true)
            }
        })?;
        let is_over = !matches!(sent, Ok(false));
        if is_over && !told && at as usize + 1 == self.used.get() {
            self.used.set(at as usize);
        }
        Some(sent)
    }

    #[inline]
    fn open<R>(
        &self,
        at: u32,
        from: NonNull<dyn Tenant>,
        f: impl FnOnce(&mut Letter) -> R,
    ) -> Option<R> {
        let at = at as usize;
        if at < self.made.get() || at >= self.used.get() {
            return None;
        }
        let mut all = self.all.borrow_mut();
        let letter = &mut all[at];
        letter.is_from(from).then(|| f(letter))
    }

    /// The bytes of a letter that is not over.
    pub(crate) fn unsent(&self, at: u32, from: NonNull<dyn Tenant>) -> usize {
        if self.has(at, from) { self.all.borrow()[at as usize].bytes.len() } else { 0 }
    }

    /// Whose letter this name stands for, and the bytes; it is over.
    pub(super) fn fail(&self, name: u64) -> Option<(NonNull<dyn Tenant>, Vec<u8>)> {
        let name = (name & !tag::KIND) as u32;
        let at = name as usize % MOST;
        if name >> PLACE_BITS != self.round.get() % ROUNDS || at >= self.made.get() {
            return None;
        }
        let mut all = self.all.borrow_mut();
        let letter = &mut all[at];
        let from = letter.from.take()?;
        Some((from, std::mem::take(&mut letter.bytes)))
    }

    /// An enter has answered all.
    #[inline]
    pub(crate) fn answer(&self) {
        self.answered.set(self.used.get() > 0 && !self.has_open());
    }

    /// The letters whose completions, if they have any, have come by now.
    #[inline]
    pub(in crate::driver) fn answered(&self) -> Option<Round> {
        self.answered.get().then(|| Round(self.round.get()))
    }

    /// All that had come when those of `round` were answered has been handled: they are over, and
    /// that is the answer. It is not if none were, or these are over already.
    #[inline]
    pub(super) fn finish(&self, round: Option<Round>) -> bool {
        if round.is_none() || round != self.answered() {
            return false;
        }
        if self.used.get() > KEPT {
            self.all.borrow_mut().truncate(KEPT);
        }
        self.used.set(0);
        self.made.set(0);
        self.answered.set(false);
        self.round.set(self.round.get().wrapping_add(1));
        true
    }

    /// Calls `make` with the name of each letter that is no entry yet, which it is from now on.
    #[inline]
    pub(super) fn make(&self, mut make: impl FnMut(u64, &Letter)) {
        let all = self.all.borrow();
        let (first, end) = (self.made.get(), self.used.get());
        self.made.set(end);
        let round = tag::QUIET | u64::from((self.round.get() % ROUNDS) << PLACE_BITS);
        for (at, letter) in (first as u64..).zip(&all[first..end]) {
            if letter.from.is_some() {
                make(round | at, letter);
            }
        }
    }

    /// The driver ends: all letters, if the kernel may not have done with some.
    pub(super) fn close(&self) -> Option<Vec<Letter>> {
        let all = self.all.take();
        self.used.set(0);
        (self.made.replace(0) > 0).then_some(all)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::ptr::NonNull;

    use super::{CAPACITY, KEPT, Letters, MOST, ROUNDS};
    use crate::driver::homes::Tenant;
    use crate::driver::homes::tests::Called;

    /// Of these only the addresses count.
    static PLACES: [Called; 2] = [const { Called::and(|_| ()) }; 2];

    fn place(n: usize) -> NonNull<dyn Tenant> {
        NonNull::from(&PLACES[n])
    }

    fn put(letters: &Letters, place: NonNull<dyn Tenant>, bytes: &[u8]) -> Option<u32> {
        letters.put(place, 0, bytes.len(), |letter, n| letter.extend_from_slice(&bytes[..n]))
    }

    fn add(
        letters: &Letters,
        at: u32,
        place: NonNull<dyn Tenant>,
        bytes: &[u8],
        most: usize,
    ) -> Option<usize> {
        letters.add(at, place, bytes.len(), most, |letter, n| letter.extend_from_slice(&bytes[..n]))
    }

    fn finish(letters: &Letters) -> bool {
        letters.finish(letters.answered())
    }

    fn make(letters: &Letters) -> Vec<u64> {
        let mut names = Vec::new();
        letters.make(|name, _| names.push(name));
        names
    }

    #[test]
    fn one_that_is_sent_at_once_is_over_and_leaves_nothing_to_be_sent() {
        let letters = Letters::default();
        let send = |at, of: usize, told, answer: io::Result<usize>| {
            letters.send_now(at, place(of), told, |_bytes| answer)
        };
        let first = put(&letters, place(0), b"hello").unwrap();
        assert!(send(first, 1, false, Ok(5)).is_none(), "not its own");
        assert!(matches!(send(first, 0, false, Ok(2)), Some(Ok(false))));
        assert_eq!(letters.unsent(first, place(0)), 3);
        let full = io::ErrorKind::WouldBlock;
        assert!(matches!(send(first, 0, false, Err(full.into())), Some(Ok(false))));
        assert_eq!(letters.unsent(first, place(0)), 3);
        assert!(matches!(send(first, 0, false, Ok(3)), Some(Ok(true))));
        assert!(!letters.has(first, place(0)) && letters.is_empty());

        // Somebody is to be told when this one's round is over, so there is to be one.
        let first = put(&letters, place(0), b"hello").unwrap();
        assert!(matches!(send(first, 0, true, Ok(5)), Some(Ok(true))));
        assert!(!letters.has(first, place(0)) && letters.has_open());

        let second = put(&letters, place(1), b"hello").unwrap();
        let gone = io::ErrorKind::BrokenPipe;
        assert!(matches!(send(second, 1, false, Err(gone.into())), Some(Err(_))));
        assert!(!letters.has(second, place(1)));
        letters.make(|_, _| panic!("there is none"));
        assert!(send(first, 0, false, Ok(5)).is_none(), "it is over");
    }

    #[test]
    fn bytes_are_added_until_the_entry_is_made() {
        let letters = Letters::default();
        let (a, b) = (place(0), place(1));
        let at = put(&letters, a, b"one").unwrap();
        let other = put(&letters, b, b"other").unwrap();
        assert_eq!(add(&letters, at, a, b", two, three", 8), Some(5));
        assert_eq!(add(&letters, at, a, b"no room", 8), Some(0));
        assert_eq!(add(&letters, at, b, b"not b's", 100), None);
        assert_eq!(letters.unsent(at, a), 8);
        assert_eq!(letters.take_back(other, b).unwrap(), b"other");
        assert!(!letters.has(other, b) && letters.take_back(other, b).is_none());
        make(&letters);
        assert_eq!(add(&letters, at, a, b"late", 100), None);
        assert!(letters.take_back(at, a).is_none());
        assert!(letters.has(at, a));
        assert_eq!(letters.len(), 1);
    }

    #[test]
    fn only_what_was_answered_is_over() {
        let letters = Letters::default();
        let (a, b) = (place(0), place(1));
        let first = put(&letters, a, b"first").unwrap();
        let second = put(&letters, b, b"second").unwrap();
        letters.answer();
        assert!(!finish(&letters), "they are no entries");
        let names = make(&letters);
        assert!(make(&letters).is_empty());
        assert!(!finish(&letters), "no enter has taken the entries");
        letters.answer();
        assert_eq!(put(&letters, a, b"at the wrong time"), None);
        let (from, bytes) = letters.fail(names[1]).unwrap();
        assert!(from.cast::<()>() == b.cast() && bytes == b"second");
        assert!(letters.fail(names[1]).is_none());
        assert!(letters.has(first, a) && !letters.has(second, b));
        assert!(finish(&letters) && !finish(&letters));
        assert!(!letters.has(first, a) && letters.is_empty());
    }

    #[test]
    fn who_has_not_seen_the_answer_finishes_nothing() {
        let (letters, a) = (Letters::default(), place(0));
        put(&letters, a, b"first").unwrap();
        let unanswered = letters.answered();
        make(&letters);
        letters.answer();
        assert!(!letters.finish(unanswered));
        let first = letters.answered();
        assert!(letters.finish(first));
        put(&letters, a, b"second").unwrap();
        make(&letters);
        letters.answer();
        assert!(!letters.finish(first), "these are others");
        assert!(finish(&letters));
    }

    #[test]
    fn a_name_of_another_round_is_nobodys() {
        let (letters, place) = (Letters::default(), place(0));
        let mut old = Vec::new();
        for _ in 0..ROUNDS - 1 {
            put(&letters, place, b"a").unwrap();
            old.extend(make(&letters));
            letters.answer();
            assert!(finish(&letters));
        }
        put(&letters, place, b"a").unwrap();
        make(&letters);
        assert_eq!(old.len(), ROUNDS as usize - 1);
        assert!(old.into_iter().all(|name| letters.fail(name).is_none()));
        assert_eq!(letters.len(), 1);
    }

    #[test]
    fn there_is_a_limit_and_the_memory_of_most_is_given_back() {
        let (letters, place) = (Letters::default(), place(0));
        assert!((0..MOST).all(|_| put(&letters, place, b"a").is_some()));
        assert_eq!(put(&letters, place, b"a"), None);
        make(&letters);
        letters.answer();
        assert!(finish(&letters));
        assert_eq!(letters.all.borrow().len(), KEPT);
        let large = vec![0; 2 * CAPACITY];
        put(&letters, place, &large).unwrap();
        assert_eq!(letters.all.borrow()[0].bytes.capacity(), large.len());
        make(&letters);
        letters.answer();
        assert!(finish(&letters));
        put(&letters, place, b"small").unwrap();
        assert_eq!(letters.all.borrow()[0].bytes.capacity(), CAPACITY);
    }
}
