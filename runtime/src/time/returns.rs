//! How a timer entry comes back to its wheel from another thread.
//!
//! A [`Sleep`](super::Sleep) that was polled owns an entry in one thread's wheel, the *home*. On
//! that thread it touches the wheel directly. Dropped, reset or polled anywhere else it may not:
//! it gives the entry back by this list and forgets it. Every entry of the wheel has a link here,
//! by its index, so giving back allocates nothing and is never refused.
//!
//! ```text
//!            give_back                    take
//!   owned ─────────────► on the list ───────────► freed by home
//!     │                       │ close
//!     │ give_back, closed     ▼
//!     └────────────────► counted as returned; the last one recycles the list
//! ```
//!
//! The list is a stack that others push to with a compare-and-swap and the home empties with one
//! swap. An index is pushed by the one owner of its entry and not used again before the home has
//! taken it, so no push ever sees a link that somebody else is about to write.
//!
//! A list must outlive every `Sleep` that refers to it, and a reference count would cost two
//! atomic operations for each timer made and dropped. So lists live for ever, and are used again:
//! when its wheel goes, the list is closed with the number of entries still out; each of them is
//! counted down when it comes back, and the last puts the list in the pool for the next wheel.
//! There are never more lists than wheels were alive at once, unless sleeps were forgotten.

use std::fmt;
use std::num::NonZeroU32;
#[cfg(not(henge_loom))]
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

#[cfg(henge_loom)]
use loom::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::host::Host;

/// Ends the list.
const NIL: u32 = (1 << 31) - 1;
/// The head of a list whose wheel is gone.
const CLOSED: u32 = NIL - 1;
/// In a link: this entry's waker is to be woken, for its deadline was changed.
const WAKE: u32 = 1 << 31;
/// The first chunk of links has 64 of them, each further one twice as many.
const FIRST_BITS: u32 = 6;
const CHUNKS: usize = (32 - FIRST_BITS) as usize;

static POOL: Mutex<Pool> = Mutex::new(Pool { all: Vec::new(), free: Vec::new(), wheels: 0 });

/// The lists of the process.
struct Pool {
    all: Vec<&'static Returns>,
    /// Those without a wheel, for the next one.
    free: Vec<&'static Returns>,
    /// How many wheels there were.
    wheels: u32,
}

impl Pool {
    fn lock() -> MutexGuard<'static, Pool> {
        POOL.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One wheel's list of returned entries.
pub(crate) struct Returns {
    head: AtomicU32,
    /// Once closed: entries that have not come back, and one for `close` itself.
    out: AtomicUsize,
    links: [OnceLock<Box<[AtomicU32]>>; CHUNKS],
    home: Mutex<Home>,
}

/// Whose list it is.
#[derive(Default)]
struct Home {
    /// The wheel that has the list, or had it last.
    wheel: Option<Origin>,
    /// How it is got to look at its list.
    wake: Option<Wake>,
    /// The runtime of the wheel. It may go on when a guest's wheel is gone.
    host: Option<Weak<dyn Host>>,
}

type Wake = Box<dyn Fn() + Send + Sync>;

/// The wheel of the thread that a timer was made on, which may be gone. Four bytes: they are
/// written into every timer that is made, and read of few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin(NonZeroU32);

impl Origin {
    /// The runtime of the wheel, if that is still there.
    pub(super) fn host(self) -> Option<Arc<dyn Host>> {
        let pool = Pool::lock();
        pool.all.iter().find_map(|returns| {
            let home = returns.home();
            home.host.as_ref().filter(|_| home.wheel == Some(self))?.upgrade()
        })
    }
}

/// An entry that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Returned {
    pub(super) index: u32,
    /// Whether whoever polled the entry last is to be woken.
    pub(super) wake: bool,
}

impl Returns {
    fn new() -> Self {
        Returns {
            head: AtomicU32::new(NIL),
            out: AtomicUsize::new(0),
            links: [const { OnceLock::new() }; CHUNKS],
            home: Mutex::default(),
        }
    }

    /// A list for a new wheel: one from the pool, or a new one that is never freed.
    pub(super) fn acquire() -> &'static Returns {
        let mut pool = Pool::lock();
        let returns = pool.free.pop().unwrap_or_else(|| {
            let new: &'static Returns = Box::leak(Box::new(Returns::new()));
            pool.all.push(new);
            new
        });
        // After so many wheels that the numbers begin again, a timer of the first may be waited for
        // by the runtime of another.
        pool.wheels = pool.wheels.checked_add(1).unwrap_or(1);
        *returns.home() =
            Home { wheel: NonZeroU32::new(pool.wheels).map(Origin), ..Home::default() };
        returns
    }

    fn home(&self) -> MutexGuard<'_, Home> {
        self.home.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wheel that has this list now.
    pub(super) fn origin(&self) -> Option<Origin> {
        self.home().wheel
    }

    /// Sees to it that entry `index` has a link, and returns the first index that has none. Home
    /// only, before the entry is given out; indices come in order.
    #[cold]
    pub(super) fn reserve(&self, index: u32) -> u32 {
        assert!(index < CLOSED, "a shard holds at most 2^31 - 2 timers");
        let (chunk, offset) = locate(index);
        let links = self.links[chunk].get_or_init(|| {
            (0..1usize << (chunk as u32 + FIRST_BITS)).map(|_| AtomicU32::new(NIL)).collect()
        });
        index - offset as u32 + links.len() as u32
    }

    /// How the home is to be woken when an entry comes back whose task waits for it.
    pub(super) fn set_home(&self, wake: Wake) {
        self.home().wake = Some(wake);
    }

    /// The runtime that has the wheel.
    pub(super) fn set_host(&self, host: Weak<dyn Host>) {
        self.home().host = Some(host);
    }

    /// Gives the entry `index` back, from any thread but the home. With `wake` whoever polled it
    /// last is woken, by the home.
    pub(super) fn give_back(&'static self, index: u32, wake: bool) {
        if self.push(index, wake) {
            if wake && let Some(wake) = &self.home().wake {
                wake();
            }
        } else {
            self.count_down(1);
        }
    }

    /// False if the list is closed.
    fn push(&self, index: u32, wake: bool) -> bool {
        let link = self.link(index);
        // Acquire: whoever sees CLOSED must see the count that `close` stored before.
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            if head == CLOSED {
                return false;
            }
            link.store(head | if wake { WAKE } else { 0 }, Ordering::Relaxed);
            // Release: the home reads the link. Acquire on failure: as above.
            let pushed =
                self.head.compare_exchange_weak(head, index, Ordering::Release, Ordering::Acquire);
            match pushed {
                Ok(_) => return true,
                Err(now) => head = now,
            }
        }
    }

    /// Whether anything came back. One load.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head.load(Ordering::Relaxed) == NIL
    }

    /// All that came back, the latest first. Home only, whose entries they are again.
    pub(super) fn take(&self) -> impl Iterator<Item = Returned> {
        // Acquire: the links that the pushers wrote.
        self.walk(self.head.swap(NIL, Ordering::Acquire))
    }

    /// Ends the list with its wheel, in which `len` entries were left.
    pub(super) fn close(&'static self, len: usize) {
        self.home().wake = None;
        self.out.store(len + 1, Ordering::Relaxed);
        // Acquire: the links that the pushers wrote. Release: the count, for late comers.
        let returned = self.walk(self.head.swap(CLOSED, Ordering::AcqRel)).count();
        self.count_down(returned + 1);
    }

    fn count_down(&'static self, by: usize) {
        // Acquire and Release: whoever is last must have everybody's accesses behind it, for it
        // makes the list somebody else's.
        if self.out.fetch_sub(by, Ordering::AcqRel) == by {
            self.head.store(NIL, Ordering::Relaxed);
            Pool::lock().free.push(self);
        }
    }

    fn walk(&self, head: u32) -> impl Iterator<Item = Returned> {
        let mut at = head;
        std::iter::from_fn(move || {
            if at == NIL {
                return None;
            }
            let index = at;
            let link = self.link(index).load(Ordering::Relaxed);
            at = link & !WAKE;
            Some(Returned { index, wake: link & WAKE != 0 })
        })
    }

    fn link(&self, index: u32) -> &AtomicU32 {
        let (chunk, offset) = locate(index);
        let links = self.links[chunk].get().expect("an entry that is out has a link");
        &links[offset]
    }
}

impl fmt::Debug for Returns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returns").field("head", &self.head).finish_non_exhaustive()
    }
}

/// The chunk of a link, and its place there.
fn locate(index: u32) -> (usize, usize) {
    let shifted = index + (1 << FIRST_BITS);
    let top = 31 - shifted.leading_zeros();
    ((top - FIRST_BITS) as usize, (shifted - (1 << top)) as usize)
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_its_own_link() {
        assert_eq!(locate(0), (0, 0));
        assert_eq!(locate(63), (0, 63));
        assert_eq!(locate(64), (1, 0));
        assert_eq!(locate(64 + 127), (1, 127));
        assert_eq!(locate(64 + 128), (2, 0));
        let (chunk, offset) = locate(CLOSED - 1);
        assert!(chunk < CHUNKS && offset < 1 << (chunk as u32 + FIRST_BITS));
    }
}

#[cfg(all(test, henge_loom))]
mod loom_tests {
    use loom::thread;

    use super::*;

    /// How often the list is in the pool. Removes it, for loom's atomics end with the execution.
    fn recycled(returns: &'static Returns) -> usize {
        let mut pool = Pool::lock();
        let before = pool.free.len();
        pool.free.retain(|other| !std::ptr::eq(*other, returns));
        before - pool.free.len()
    }

    fn list(entries: u32) -> &'static Returns {
        let returns: &'static Returns = Box::leak(Box::new(Returns::new()));
        let mut reserved = 0;
        while reserved < entries {
            reserved = returns.reserve(reserved);
        }
        returns
    }

    /// Entries come back before, while and after the home looks, and closes.
    #[test]
    fn loom_every_entry_comes_back_once_and_the_last_recycles() {
        loom::model(|| {
            let returns = list(2);
            let others: Vec<_> =
                (0..2).map(|n| thread::spawn(move || returns.give_back(n, n == 1))).collect();
            let mut seen: Vec<_> = returns.take().collect();
            seen.sort_by_key(|returned| returned.index);
            assert!(seen.iter().all(|returned| returned.wake == (returned.index == 1)));
            seen.dedup();
            returns.close(2 - seen.len());
            for other in others {
                other.join().unwrap();
            }
            assert_eq!(recycled(returns), 1);
        });
    }

    /// An index that the home has taken is given out and comes back again.
    #[test]
    fn loom_an_index_is_used_again() {
        let mut model = loom::model::Builder::new();
        // Four threads: unbounded, this takes half a minute and finds no more.
        model.preemption_bound = Some(3);
        model.check(|| {
            let returns = list(2);
            let first = thread::spawn(move || returns.give_back(0, false));
            let other = thread::spawn(move || returns.give_back(1, false));
            let mut out = 2;
            let mut again = None;
            for returned in returns.take() {
                out -= 1;
                if returned.index == 0 {
                    out += 1;
                    again = Some(thread::spawn(move || returns.give_back(0, true)));
                }
            }
            out -= returns.take().count();
            first.join().unwrap();
            other.join().unwrap();
            again.map(|again| again.join().unwrap());
            out -= returns.take().count();
            assert_eq!(out, 0);
            returns.close(0);
            assert_eq!(recycled(returns), 1);
        });
    }
}
