//! Who searches, who sleeps, and who is woken: how the shards of a runtime find stealable work
//! without all looking for it, and without any of it being left lying.
//!
//! A shard is *busy*, *searching* (it has nothing, and goes round the others' rings), or *asleep*.
//! One word counts those that search and those that sleep; who sleeps stands in a list.
//!
//! ```text
//!            try_search                      sleep
//!    busy ---------------> searching ------------------> asleep
//!     ^  ^-- found --------'      ^                       |  |
//!     |                           '------ wake_one -------'  |
//!     '------------------ rise, by itself -------------------'
//! ```
//!
//! The rules, after Go's and tokio's schedulers:
//!
//! 1. At most half of the shards search: more would get in each other's way, and in that of those
//!    that work.
//! 2. Whoever makes work calls [`Idle::wake_one`], which wakes a shard if none searches and one
//!    sleeps. Who was woken searches.
//! 3. A searcher that finds something, and is the last one that searched, wakes one more
//!    ([`Idle::found`]): so as many are woken as there is work for, one by one.
//! 4. A shard that goes to sleep while nobody searches looks everywhere once more
//!    ([`Idle::sleep`]). If it sees something it searches, so that rule 3 applies: there may be
//!    more than it takes.
//! 5. Who searches does nothing else: before it runs anything, it has `found` something. (A shard
//!    that was woken, counted as searching, and ran a task first which was long kept all others
//!    asleep meanwhile.)
//!
//! # No work is left while shards sleep
//! More exactly: once work was made, and its maker has called `wake_one`, then at any later moment
//! it was taken, or all shards are awake, or one searches, is on its way to (woken), or is about to
//! look everywhere (rule 4).
//!
//! The maker M makes the work visible, fences (F), and reads the word. A shard S that goes to sleep
//! changes the word by a read-modify-write, fences (F'), and if that says that nobody searches it
//! looks at all queues. Fences are in one total order, so
//!
//! - (A) if M's read saw the word from before S's change, then F comes before F' (else the read
//!   would have seen the change), and what M made is visible to what S looks at after F'.
//!
//! What can M's read show?
//!
//! - *Nobody searches, somebody sleeps.* M takes a sleeper off the list, under its lock, and counts
//!   it as searching in the same step. If somebody else was faster, the word shows one of the other
//!   cases.
//! - *Nobody sleeps.* Then whoever sleeps later changes the word later. If nobody searches at that
//!   change, it looks after it, and by (A) sees the work. If somebody does, see the next case.
//! - *Somebody searches.* The number of searchers becomes zero by some later change, that of the
//!   last one, S. If S went to sleep, it looks everywhere, by (A) sees the work, and searches
//!   again (unless others do: then take those). If S has found something, it calls `wake_one`,
//!   which is where we began, at a later word: either a sleeper is now a searcher, or somebody else
//!   is, or nobody sleeps. Each round takes some work off the queues, so there is an end to it.
//!
//! A shard that searches and is told something else to do (its ring, its pinned tasks) calls
//! `found` as well, which is only ever one wake too many.
//!
//! Where rule 3 is switched off, what is left is weaker: the work that M relied on a searcher for
//! may stay in M's own ring until M comes to it, or in the common queue until a shard that works
//! does, at its next look there.
//!
//! # The wake itself
//! `wake_one` sets a flag of the sleeper's, and the caller then wakes its driver. The sleeper looks
//! at that flag in the last look of `Driver::park`, after it has published that it sleeps: so the
//! proof of `docs/sleep-wake.md` applies, with the flag as the work (W1). The wake is a system call
//! made at once, and not a message that rides on the waker's next enter: the waker is about to be
//! busy, which is why it wakes.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::loom::sync::atomic::{AtomicBool, AtomicU64, fence};
use crate::loom::sync::{Mutex, MutexGuard};

/// One that searches, in the lower half of the word.
const SEARCHING: u64 = 1;
/// One that sleeps, in the upper half.
const SLEEPING: u64 = 1 << 32;

fn searching(word: u64) -> u64 {
    word & (SLEEPING - 1)
}

fn sleeping(word: u64) -> u64 {
    word / SLEEPING
}

/// See the top of the file.
#[derive(Debug)]
pub(crate) struct Idle {
    word: AtomicU64,
    /// Who sleeps, the last one last: it is woken first, its caches being the warmest.
    sleepers: Mutex<Vec<usize>>,
    /// One a shard: it was taken off the list, and searches.
    woken: Box<[AtomicBool]>,
    /// How many may search at once.
    most: u64,
}

/// What a shard that wants to sleep is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Asleep {
    /// Sleep.
    Sleep,
    /// Nobody searches: look everywhere before it sleeps.
    LookFirst,
}

impl Idle {
    pub(crate) fn new(shards: usize, most_searching: usize) -> Self {
        Self {
            word: AtomicU64::new(0),
            sleepers: Mutex::new(Vec::with_capacity(shards)),
            woken: (0..shards).map(|_| AtomicBool::new(false)).collect(),
            most: most_searching as u64,
        }
    }

    fn sleepers(&self) -> MutexGuard<'_, Vec<usize>> {
        // Nothing that panics runs under the lock.
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A shard without work asks to search. False if enough do.
    pub(crate) fn try_search(&self) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        while searching(word) < self.most {
            // SeqCst: one order of all that changes the word, as the proof has it.
            let changed = Ordering::SeqCst;
            match self.word.compare_exchange(word, word + SEARCHING, changed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// A searcher has found something, or has something else to do. Says whom to wake instead, if
    /// there is to be `one_more`.
    #[must_use = "it counts as searching, and is to be woken"]
    pub(crate) fn found(&self, one_more: bool) -> Option<usize> {
        // SeqCst: as in `try_search`.
        let word = self.word.fetch_sub(SEARCHING, Ordering::SeqCst);
        if one_more && searching(word) == 1 { self.wake_one() } else { None }
    }

    /// Work was made: whom to wake for it, if anybody. That one counts as searching from now on.
    #[inline]
    #[must_use = "it counts as searching, and is to be woken"]
    pub(crate) fn wake_one(&self) -> Option<usize> {
        // SeqCst: F of the proof.
        fence(Ordering::SeqCst);
        let word = self.word.load(Ordering::Relaxed);
        if searching(word) > 0 || sleeping(word) == 0 {
            return None;
        }
        self.take_sleeper()
    }

    #[cold]
    fn take_sleeper(&self) -> Option<usize> {
        let mut sleepers = self.sleepers();
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            // Under the lock nobody falls asleep or rises, but others may begin to search.
            if searching(word) > 0 || sleeping(word) == 0 {
                return None;
            }
            let woken = word + SEARCHING - SLEEPING;
            // SeqCst: as in `try_search`.
            let changed = Ordering::SeqCst;
            match self.word.compare_exchange(word, woken, changed, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        let index = sleepers.pop()?;
        // Relaxed: the fences of the wake that follows are what makes it seen.
        self.woken[index].store(true, Ordering::Relaxed);
        Some(index)
    }

    /// The shard goes to sleep; `searches` if it is one of the searchers, which it then is no more.
    pub(crate) fn sleep(&self, index: usize, searches: bool) -> Asleep {
        let mut sleepers = self.sleepers();
        sleepers.push(index);
        let step = SLEEPING - if searches { SEARCHING } else { 0 };
        // SeqCst: as in `try_search`.
        let word = self.word.fetch_add(step, Ordering::SeqCst) + step;
        drop(sleepers);
        // SeqCst: F' of the proof.
        fence(Ordering::SeqCst);
        if searching(word) == 0 { Asleep::LookFirst } else { Asleep::Sleep }
    }

    /// Whether the sleeper was taken off the list: what it looks at last before it sleeps.
    #[inline]
    pub(crate) fn is_woken(&self, index: usize) -> bool {
        self.woken[index].load(Ordering::Relaxed)
    }

    /// The shard sleeps no more. True if it was woken by [`wake_one`](Idle::wake_one), and so is
    /// one of the searchers.
    pub(crate) fn rise(&self, index: usize) -> bool {
        let mut sleepers = self.sleepers();
        match sleepers.iter().rposition(|sleeper| *sleeper == index) {
            Some(at) => {
                sleepers.remove(at);
                // SeqCst: as in `try_search`.
                self.word.fetch_sub(SLEEPING, Ordering::SeqCst);
                false
            }
            None => {
                self.woken[index].store(false, Ordering::Relaxed);
                true
            }
        }
    }

    /// How many search at the moment.
    #[cfg(all(test, not(henge_loom)))]
    fn searching(&self) -> u64 {
        searching(self.word.load(Ordering::Relaxed))
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use super::{Asleep, Idle};

    #[test]
    fn no_more_than_the_limit_search() {
        let idle = Idle::new(4, 2);
        assert!(idle.try_search());
        assert!(idle.try_search());
        assert!(!idle.try_search());
        assert_eq!(idle.found(true), None);
        assert!(idle.try_search());
    }

    #[test]
    fn one_is_woken_if_none_searches_and_the_last_to_find_wakes_the_next() {
        let idle = Idle::new(4, 2);
        assert_eq!(idle.wake_one(), None, "all are awake");
        for index in [1, 2, 3] {
            assert_eq!(idle.sleep(index, false), Asleep::LookFirst);
        }
        assert_eq!(idle.wake_one(), Some(3), "the last to fall asleep");
        assert!(idle.is_woken(3));
        assert_eq!(idle.wake_one(), None, "one searches");
        assert!(idle.rise(3));
        assert!(!idle.is_woken(3));
        assert!(idle.try_search());
        assert_eq!(idle.found(true), None, "another still searches");
        assert_eq!(idle.found(true), Some(2));
        assert_eq!(idle.searching(), 1);
        assert!(idle.rise(2));
        assert_eq!(idle.found(false), None, "it is not to be");
    }

    #[test]
    fn the_last_searcher_looks_before_it_sleeps() {
        let idle = Idle::new(3, 2);
        assert!(idle.try_search());
        assert!(idle.try_search());
        assert_eq!(idle.sleep(0, true), Asleep::Sleep);
        assert_eq!(idle.sleep(1, true), Asleep::LookFirst);
        assert!(!idle.rise(0), "by itself");
        assert_eq!(idle.wake_one(), Some(1));
        assert!(idle.rise(1));
    }
}

#[cfg(all(test, henge_loom))]
mod loom_tests {
    use loom::sync::atomic::{AtomicUsize, Ordering};
    use loom::sync::{Arc, Notify};
    use loom::thread;

    use super::{Asleep, Idle};

    /// A runtime in small: work is a number of items, a shard's sleep is a notification.
    struct Model {
        idle: Idle,
        work: AtomicUsize,
        /// Stands for the drivers' sleeping flags and eventfds, which have a model of their own.
        beds: Vec<Notify>,
        searchers: AtomicUsize,
        most: usize,
    }

    impl Model {
        fn new(shards: usize, most: usize) -> Arc<Model> {
            Arc::new(Model {
                idle: Idle::new(shards, most),
                work: AtomicUsize::new(0),
                beds: (0..shards).map(|_| Notify::new()).collect(),
                searchers: AtomicUsize::new(0),
                most,
            })
        }

        fn make(&self, n: usize) {
            // Relaxed: the fences alone must make it seen.
            self.work.fetch_add(n, Ordering::Relaxed);
            self.wake(self.idle.wake_one());
        }

        fn wake(&self, whom: Option<usize>) {
            if let Some(index) = whom {
                self.beds[index].notify();
            }
        }

        fn take(&self) -> bool {
            let mut work = self.work.load(Ordering::Relaxed);
            while work > 0 {
                let (taken, missed) = (Ordering::Relaxed, Ordering::Relaxed);
                match self.work.compare_exchange(work, work - 1, taken, missed) {
                    Ok(_) => return true,
                    Err(now) => work = now,
                }
            }
            false
        }

        /// A shard that has nothing of its own: searches and sleeps until it has found `items`.
        fn shard(&self, index: usize, items: usize) {
            let mut found = 0;
            let mut searches = false;
            while found < items {
                if !searches {
                    searches = self.idle.try_search();
                }
                if searches {
                    let others = self.searchers.fetch_add(1, Ordering::Relaxed);
                    assert!(others < self.most, "no more search than may");
                    let took = self.take();
                    self.searchers.fetch_sub(1, Ordering::Relaxed);
                    if took {
                        found += 1;
                        searches = false;
                        self.wake(self.idle.found(true));
                        continue;
                    }
                }
                let look = self.idle.sleep(index, std::mem::take(&mut searches));
                if look == Asleep::LookFirst && self.work.load(Ordering::Relaxed) > 0 {
                    searches = self.idle.rise(index);
                    continue;
                }
                // What was rung for an earlier sleep, or for nothing, is slept on.
                while !self.idle.is_woken(index) {
                    self.beds[index].wait();
                }
                searches = self.idle.rise(index);
                assert!(searches, "it was taken off the list");
            }
        }
    }

    fn model(f: impl Fn() + Sync + Send + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(3));
        builder.check(f);
    }

    /// A shard that slept through its work would sleep for ever, which loom reports.
    #[test]
    fn loom_work_from_elsewhere_finds_a_shard_awake_or_wakes_one() {
        model(|| {
            let model = Model::new(1, 1);
            let maker = {
                let model = model.clone();
                thread::spawn(move || {
                    model.make(1);
                    model.make(1);
                })
            };
            model.shard(0, 2);
            maker.join().unwrap();
        });
    }

    #[test]
    fn loom_each_of_two_shards_finds_one_of_two_items() {
        model(|| {
            let model = Model::new(2, 1);
            let other = {
                let model = model.clone();
                thread::spawn(move || model.shard(1, 1))
            };
            let maker = {
                let model = model.clone();
                // One wake for both: who finds the first has to wake the other.
                thread::spawn(move || model.make(2))
            };
            model.shard(0, 1);
            other.join().unwrap();
            maker.join().unwrap();
        });
    }

    #[test]
    fn loom_two_makers_and_two_shards() {
        model(|| {
            let model = Model::new(2, 2);
            let other = {
                let model = model.clone();
                thread::spawn(move || model.shard(1, 1))
            };
            let maker = {
                let model = model.clone();
                thread::spawn(move || model.make(1))
            };
            model.make(1);
            model.shard(0, 1);
            other.join().unwrap();
            maker.join().unwrap();
        });
    }
}
