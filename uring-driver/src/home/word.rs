//! The hand-over word: which driver a state belongs to, and who waits for it.
//!
//! Pure protocol: it knows neither rings nor operations, so a model checker can run it. The
//! proof that at most one thread at a time may touch the state is here; see [`super`] for what
//! the state is and what happens at each step.
//!
//! ```text
//!              ask() at a thread with a driver
//!   HOMELESS ────────────────────────────────────▶ home == id
//!      ▲  ▲                                          │   │
//!      │  └──────────── release() at home ───────────┘   │ lose() at home
//!      │                                                 ▼
//!    new()                                             LOST (the kernel still holds
//!                                                      memory of an operation)
//! ```
//!
//! - `home` is written under the lock only: away from HOMELESS by the thread that adopts, away
//!   from an id by the thread of that driver and by nobody else.
//! - So a thread that reads its own driver's id from `home`, without the lock, knows that it
//!   stays that until this very thread changes it: it may touch the state. The read may be
//!   relaxed, because the store that it sees is its own.
//! - What the old home wrote happens before what the new one does: the old one stores HOMELESS
//!   under the lock, the new one sees it under the lock.
//! - Who passes by (`pass`) holds the lock while it touches a homeless state: nobody adopts it
//!   meanwhile, and it is homeless again afterwards, unless it `stay`s.
//! - The flags below the id are the home's thread's own, which sets and clears them without the
//!   lock: everybody else looks at the id alone. So one comparison tells that thread all that a
//!   visit has to know, as nearly always: the state is at home, is not being visited, and stays.
//! - Nobody who asks is forgotten: a waker is put in line under the lock and only while `home` is
//!   some driver's; whoever takes that driver's id away, takes the line with it and wakes it.
//! - When the owning handle is dropped, one thread ends the state, once: the home, or whoever finds
//!   it homeless. From then on nobody else adopts it, or holds it in passing: what [`Owner`] says
//!   is written under the lock, and read there by all who would.

use std::sync::atomic::Ordering;

use crate::contain::wake_each;
use crate::driver_id::STEP;
use crate::loom::sync::{AtomicU64, Mutex, MutexGuard};
use crate::thread::MOVING;
use std::task::Waker;

// Neither is ever a driver's id, nor 0, which is that of a thread without a driver.
const HOMELESS: u64 = LOST - STEP;
const LOST: u64 = !FLAGS;

/// The state is lent to somebody.
const VISITED: u64 = 1 << 1;
/// It leaves as soon as nothing is in flight.
const LEAVING: u64 = 1 << 2;
const FLAGS: u64 = VISITED | LEAVING;
// No id has them, nor the flag that a thread's word has (`MOVING`), which is none of them.
const _: () = assert!(FLAGS & MOVING == 0 && FLAGS < STEP && MOVING < STEP);

/// Where a state is at home. `R` is how its home is reached from elsewhere.
///
/// In this order: what every visit looks at is next to what comes behind the word in a place.
#[repr(C)]
pub(super) struct Word<R> {
    line: Mutex<Line<R>>,
    home: AtomicU64,
}

struct Line<R> {
    remote: Option<R>,
    waiting: Waited,
    owner: Owner,
}

/// What has become of the owning handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Held,
    /// It is gone, and the state has yet to be ended.
    Dropped,
    /// It is gone, and somebody has taken it upon himself to end the state.
    Ended,
}

/// What [`Word::ask`] found.
#[must_use]
pub(super) enum Asked<R> {
    /// It is the caller's now; the caller registers it with its driver.
    Adopted,
    /// It is the caller's already.
    Here,
    /// Somebody else's: the caller is in line, and owes its home a message.
    Elsewhere(R),
    /// It never comes back.
    Lost,
    /// Its owning handle is gone.
    Abandoned,
}

/// Where the state was when its owning handle was dropped.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Home<R> {
    /// Homeless: the dropper has it alone, for ever.
    Nowhere,
    /// At some driver, which is to be told.
    Elsewhere(R),
    /// It never comes back, or is being ended already.
    Lost,
}

/// What [`Word::wanted`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nobody asks for it.
    No,
    /// Somebody elsewhere is in line.
    Elsewhere,
    /// The owning handle is gone.
    Nowhere,
}

/// Who waits for the state, in order: to be woken outside of every borrow when it is given up. Of
/// many states nobody elsewhere ever asks, so there is memory once somebody does.
#[must_use]
#[derive(Default)]
pub(super) struct Waited(Option<Box<Wakers>>);

#[derive(Default)]
struct Wakers(Vec<Waker>);

impl Waited {
    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Lets `waker` wait behind the others, unless it is one of them: then it comes back, to be
    /// dropped outside of the lock.
    #[must_use]
    fn put(&mut self, waker: Waker) -> Option<Waker> {
        let Wakers(wakers) = &mut **self.0.get_or_insert_default();
        if wakers.iter().any(|known| known.will_wake(&waker)) {
            return Some(waker);
        }
        wakers.push(waker);
        None
    }

    /// Wakes all of them. They are of other threads, so what a waker panics with is not told here.
    pub(super) fn wake(self) {
        wake_each(self.0.into_iter().flat_map(|wakers| wakers.0));
    }
}

impl<R: Clone> Word<R> {
    pub(super) fn new() -> Word<R> {
        Word {
            home: AtomicU64::new(HOMELESS),
            line: Mutex::new(Line { remote: None, waiting: Waited::default(), owner: Owner::Held }),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line<R>> {
        // Nothing that can panic runs under the lock, and a `Line` is consistent at all times.
        self.line.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The driver that is home, or why there is none.
    #[inline]
    fn name(&self) -> u64 {
        self.home.load(Ordering::Relaxed) & !FLAGS
    }

    /// Whether the calling thread, whose driver is `me`, may touch the state.
    #[inline]
    pub(super) fn is(&self, me: u64) -> bool {
        self.name() == me
    }

    /// Whether the state is at home at `me`, nobody visits it, and it stays.
    #[inline]
    pub(super) fn is_settled(&self, me: u64) -> bool {
        self.home.load(Ordering::Relaxed) == me
    }

    /// Begins a visit if the state [is settled](Self::is_settled).
    #[inline]
    pub(super) fn begin_settled(&self, me: u64) -> bool {
        let settled = self.is_settled(me);
        if settled {
            self.home.store(me | VISITED, Ordering::Relaxed);
        }
        settled
    }

    /// At home: begins a visit, if there is none.
    #[inline]
    pub(super) fn begin(&self) -> bool {
        let home = self.home.load(Ordering::Relaxed);
        self.home.store(home | VISITED, Ordering::Relaxed);
        home & VISITED == 0
    }

    /// At home: the visit has ended.
    #[inline]
    pub(super) fn end(&self) {
        self.home.store(self.home.load(Ordering::Relaxed) & !VISITED, Ordering::Relaxed);
    }

    /// At home: somebody visits.
    #[inline]
    pub(super) fn is_visited(&self) -> bool {
        self.home.load(Ordering::Relaxed) & VISITED != 0
    }

    /// At home: from now on the state is not settled, until somebody adopts it.
    pub(super) fn set_leaving(&self) {
        self.home.store(self.home.load(Ordering::Relaxed) | LEAVING, Ordering::Relaxed);
    }

    /// Adopts the state for driver `me`, or puts `waker` in line for it.
    pub(super) fn ask(
        &self,
        me: u64,
        remote: impl FnOnce() -> R,
        waker: Option<Waker>,
    ) -> Asked<R> {
        // Wakers are the user's, as are their destructors: what is not put in line is dropped when
        // the lock has been given back.
        let _known;
        let mut line = self.line();
        if line.owner != Owner::Held {
            return Asked::Abandoned;
        }
        match self.name() {
            HOMELESS => {
                line.remote = Some(remote());
                self.home.store(me, Ordering::Relaxed);
                Asked::Adopted
            }
            LOST => Asked::Lost,
            home if home == me => Asked::Here,
            _ => match line.remote.clone() {
                Some(home) => {
                    _known = waker.and_then(|waker| line.waiting.put(waker));
                    Asked::Elsewhere(home)
                }
                None => Asked::Lost,
            },
        }
    }

    /// Holds a homeless state for driver `me`, for as long as the answer lives. None if it is
    /// somebody's.
    #[inline]
    pub(super) fn pass(&self, me: u64) -> Option<Passing<'_, R>> {
        let line = self.line();
        if self.name() != HOMELESS || line.owner != Owner::Held {
            return None;
        }
        self.home.store(me, Ordering::Relaxed);
        Some(Passing { word: self, line, stays: false })
    }

    /// Puts the waker of somebody at home behind those elsewhere who wait already.
    pub(super) fn queue(&self, waker: Waker) {
        let known = self.line().waiting.put(waker);
        drop(known);
    }

    /// The owning handle is gone. The caller ends a state that is nowhere, and owes the home a
    /// message if there is one. Where that is refused, this is called once more.
    pub(super) fn abandon(&self) -> Home<R> {
        let mut line = self.line();
        if line.owner == Owner::Ended {
            return Home::Lost;
        }
        line.owner = Owner::Dropped;
        match (self.name(), line.remote.clone()) {
            (HOMELESS, _) => {
                line.owner = Owner::Ended;
                Home::Nowhere
            }
            (LOST, _) | (_, None) => Home::Lost,
            (_, Some(home)) => Home::Elsewhere(home),
        }
    }

    /// At home, which is to end the state now: nobody is let in afterwards.
    pub(super) fn end_here(&self) {
        self.line().owner = Owner::Ended;
    }

    /// Adopts a homeless state for driver `me`, which is to end it, if that is what its owner is.
    /// Where he has `Ended`, only who was to end the state may ask, and once.
    pub(super) fn adopt_abandoned(&self, me: u64, remote: R, owner: Owner) -> bool {
        let mut line = self.line();
        let adopts = self.name() == HOMELESS && line.owner == owner && owner != Owner::Held;
        if adopts {
            line.remote = Some(remote);
            self.home.store(me, Ordering::Relaxed);
        }
        adopts
    }

    /// At home: what the message was about.
    pub(super) fn wanted(&self) -> Wanted {
        let line = self.line();
        match (line.owner, line.waiting.is_empty()) {
            (Owner::Dropped, _) => Wanted::Nowhere,
            (Owner::Held, false) => Wanted::Elsewhere,
            (Owner::Held, true) | (Owner::Ended, _) => Wanted::No,
        }
    }

    /// At home, which touches the state no more: from here on anybody may adopt it.
    pub(super) fn release(&self) -> Waited {
        self.leave(HOMELESS)
    }

    /// At home, whose driver ends with operations in flight: nobody touches the state any more.
    pub(super) fn lose(&self) -> Waited {
        self.leave(LOST)
    }

    fn leave(&self, to: u64) -> Waited {
        let mut line = self.line();
        line.remote = None;
        self.home.store(to, Ordering::Relaxed);
        std::mem::take(&mut line.waiting)
    }
}

/// A homeless state, held: for a visit after which nothing is left behind.
#[must_use]
pub(super) struct Passing<'a, R> {
    word: &'a Word<R>,
    line: MutexGuard<'a, Line<R>>,
    stays: bool,
}

impl<R> Passing<'_, R> {
    /// Something was left behind: the state is at home where it is held. The caller registers it
    /// with its driver.
    pub(super) fn stay(mut self, remote: R) {
        self.line.remote = Some(remote);
        self.stays = true;
    }
}

impl<R> Drop for Passing<'_, R> {
    #[inline]
    fn drop(&mut self) {
        if !self.stays {
            self.word.home.store(HOMELESS, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use super::{Asked, Home, Owner, Waited, Wanted, Word};
    use crate::driver_id::STEP;
    use crate::thread::MOVING;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

    const A: u64 = STEP;
    const B: u64 = 2 * STEP;

    fn count(waited: Waited) -> usize {
        waited.0.map_or(0, |wakers| wakers.0.len())
    }

    fn ask(word: &Word<u64>, me: u64) -> Asked<u64> {
        word.ask(me, || me, Some(Waker::noop().clone()))
    }

    #[test]
    fn the_first_who_asks_adopts() {
        let word = Word::new();
        assert!(matches!(ask(&word, A), Asked::Adopted));
        assert!(word.is(A));
        assert!(matches!(ask(&word, A), Asked::Here));
        assert_eq!(word.wanted(), Wanted::No);
    }

    #[test]
    fn others_wait_until_it_is_released() {
        let word = Word::new();
        assert!(matches!(ask(&word, A), Asked::Adopted));
        assert!(matches!(ask(&word, B), Asked::Elsewhere(A)));
        assert_eq!(word.wanted(), Wanted::Elsewhere);
        assert_eq!(count(word.release()), 1);
        assert!(!word.is(A));
        assert!(matches!(ask(&word, B), Asked::Adopted));
        assert!(word.is(B));
    }

    #[test]
    fn who_passes_by_holds_it_and_leaves_it_homeless() {
        let word = Word::new();
        drop(word.pass(A).expect("homeless"));
        assert!(!word.is(A));
        let passing = word.pass(A).expect("homeless");
        assert!(word.is(A));
        passing.stay(A);
        assert!(word.is(A) && word.pass(B).is_none() && word.pass(A).is_none());
        assert!(matches!(ask(&word, B), Asked::Elsewhere(A)));
        assert_eq!(count(word.release()), 1);
    }

    #[test]
    fn the_same_waker_waits_once() {
        let word = Word::new();
        assert!(matches!(ask(&word, A), Asked::Adopted));
        assert!(matches!(ask(&word, B), Asked::Elsewhere(A)));
        assert!(matches!(ask(&word, B), Asked::Elsewhere(A)));
        assert_eq!(count(word.release()), 1);
    }

    #[test]
    fn no_waker_is_dropped_under_the_lock() {
        thread_local! {
            static WORD: Word<u64> = Word::new();
        }
        static SAME: RawWakerVTable =
            RawWakerVTable::new(|data| RawWaker::new(data, &SAME), |_| (), |_| (), |_| looks());
        fn looks() {
            assert!(WORD.with(|word| word.line.try_lock().is_ok()));
        }
        WORD.with(|word| {
            // SAFETY: the functions use no data.
            let waker = || unsafe { Waker::new(std::ptr::null(), &SAME) };
            assert!(matches!(ask(word, A), Asked::Adopted));
            for _ in 0..2 {
                assert!(matches!(word.ask(B, || B, Some(waker())), Asked::Elsewhere(A)));
            }
            word.queue(waker());
            word.release().wake();
        });
    }

    #[test]
    fn a_waker_that_panics_keeps_nobody_waiting() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("a waker that panics");
            }
        }
        struct Woken(AtomicBool);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let word = Word::new();
        assert!(matches!(ask(&word, A), Asked::Adopted));
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        for waker in [Waker::from(Arc::new(Panics)), Waker::from(Arc::clone(&woken))] {
            assert!(matches!(word.ask(B, || B, Some(waker)), Asked::Elsewhere(A)));
        }
        word.release().wake();
        assert!(woken.0.load(Ordering::Relaxed));
    }

    #[test]
    fn what_is_lost_stays_lost() {
        let word = Word::new();
        assert!(matches!(ask(&word, A), Asked::Adopted));
        assert_eq!(count(word.lose()), 0);
        assert!(matches!(ask(&word, A), Asked::Lost));
        assert!(matches!(ask(&word, B), Asked::Lost));
        assert_eq!(word.abandon(), Home::Lost);
    }

    #[test]
    fn an_abandoned_state_tells_its_home() {
        let word = Word::new();
        assert!(matches!(ask(&word, A), Asked::Adopted));
        assert_eq!(word.abandon(), Home::Elsewhere(A));
        assert_eq!(word.wanted(), Wanted::Nowhere);
        word.end_here();
        assert_eq!(word.wanted(), Wanted::No);
    }

    #[test]
    fn an_abandoned_state_lets_in_nobody_but_who_ends_it() {
        let nobody = |word: &Word<u64>| {
            assert!(matches!(ask(word, A), Asked::Abandoned));
            assert!(matches!(ask(word, B), Asked::Abandoned));
            assert!(word.pass(A).is_none());
        };
        let word = Word::new();
        assert!(!word.adopt_abandoned(A, A, Owner::Dropped), "it has its owner");
        assert_eq!(word.abandon(), Home::Nowhere);
        nobody(&word);
        assert!(!word.adopt_abandoned(B, B, Owner::Dropped), "somebody ends it");
        assert!(word.adopt_abandoned(A, A, Owner::Ended) && word.is(A));
        nobody(&word);
        word.release().wake();
        nobody(&word);

        let word = Word::new();
        assert!(matches!(ask(&word, A), Asked::Adopted));
        assert_eq!(word.abandon(), Home::Elsewhere(A));
        nobody(&word);
        assert!(!word.adopt_abandoned(B, B, Owner::Dropped), "it is at home");
        word.release().wake();
        assert!(word.adopt_abandoned(B, B, Owner::Dropped) && word.is(B));
        word.end_here();
        word.release().wake();
        assert!(!word.adopt_abandoned(B, B, Owner::Dropped), "it was ended");
        assert_eq!(word.abandon(), Home::Lost);
    }

    #[test]
    fn a_visit_is_begun_once_and_only_where_the_state_stays() {
        let word = Word::new();
        assert!(!word.begin_settled(A), "homeless");
        assert!(!word.begin_settled(0) && !word.begin_settled(MOVING), "nor for who has no driver");
        assert!(matches!(ask(&word, A), Asked::Adopted));
        assert!(!word.begin_settled(B) && !word.begin_settled(A | MOVING));
        assert!(word.begin_settled(A) && word.is_visited() && word.is(A));
        assert!(!word.begin_settled(A) && !word.begin());
        word.end();
        assert!(!word.is_visited() && word.begin());
        word.end();
        word.set_leaving();
        assert!(!word.begin_settled(A), "it leaves");
        assert!(word.begin() && word.is(A));
        word.end();
        assert!(matches!(ask(&word, B), Asked::Elsewhere(A)));
        word.release().wake();
        assert!(matches!(ask(&word, B), Asked::Adopted));
        assert!(word.begin_settled(B), "the next home knows nothing of that");
    }

    #[test]
    fn what_is_lost_is_not_visited() {
        let word = Word::new();
        assert!(matches!(ask(&word, A), Asked::Adopted));
        word.set_leaving();
        word.lose().wake();
        assert!(!word.is(A) && !word.begin_settled(A));
        assert!(matches!(ask(&word, A), Asked::Lost));
    }
}

#[cfg(all(test, henge_loom))]
mod loom_tests {
    use super::{Asked, Home, Owner, Wanted, Word};
    use crate::driver_id::STEP;
    use loom::cell::UnsafeCell;
    use loom::sync::atomic::{AtomicBool, Ordering};
    use loom::sync::{Arc, Notify};
    use loom::thread;
    use std::task::{Wake, Waker};

    struct Flag(Notify);

    struct FlagWaker(std::sync::Arc<Flag>);

    impl Wake for FlagWaker {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.0.notify();
        }
    }

    struct Place {
        word: Word<u64>,
        state: UnsafeCell<u32>,
        // Stands for the message to the home's driver.
        posted: AtomicBool,
    }

    // SAFETY: the state is touched only by the thread whose driver is home; that is what the
    // model checks (its cell reports two threads at once).
    unsafe impl Sync for Place {}
    // SAFETY: as above.
    unsafe impl Send for Place {}

    fn touch(place: &Place) {
        // SAFETY: called at home only; loom's cell checks that nobody else is in here.
        place.state.with_mut(|state| unsafe { *state += 1 });
    }

    /// Two drivers each want the state once, and let go of it when asked.
    fn visitor(place: &Place, me: u64) {
        let flag = std::sync::Arc::new(Flag(Notify::new()));
        loop {
            let waker = Waker::from(std::sync::Arc::new(FlagWaker(flag.clone())));
            match place.word.ask(me, || me, Some(waker)) {
                Asked::Adopted | Asked::Here => break,
                Asked::Lost | Asked::Abandoned => panic!("nobody loses it here"),
                Asked::Elsewhere(_) => {
                    // Release: the home that takes the message sees the line.
                    place.posted.store(true, Ordering::Release);
                    flag.0.wait();
                }
            }
        }
        assert!(place.word.is(me));
        touch(place);
        // The driver's turn: a message may have come, or the thread leaves anyway.
        if place.posted.swap(false, Ordering::Acquire) {
            assert_ne!(place.word.wanted(), Wanted::Nowhere);
        }
        touch(place);
        place.word.release().wake();
    }

    #[test]
    fn loom_one_at_a_time_and_nobody_forgotten() {
        loom::model(|| {
            let place = Arc::new(Place {
                word: Word::new(),
                state: UnsafeCell::new(0),
                posted: AtomicBool::new(false),
            });
            let other = {
                let place = place.clone();
                thread::spawn(move || visitor(&place, STEP))
            };
            visitor(&place, 2 * STEP);
            other.join().unwrap();
            // SAFETY: both threads have ended.
            place.state.with(|state| assert_eq!(unsafe { *state }, 4));
        });
    }

    #[test]
    fn loom_one_who_passes_by_and_one_who_stays() {
        loom::model(|| {
            let place = Arc::new(Place {
                word: Word::new(),
                state: UnsafeCell::new(0),
                posted: AtomicBool::new(false),
            });
            let other = {
                let place = place.clone();
                thread::spawn(move || visitor(&place, STEP))
            };
            let mut passed = 0;
            for _ in 0..2 {
                if let Some(_passing) = place.word.pass(2 * STEP) {
                    touch(&place);
                    passed += 1;
                }
            }
            other.join().unwrap();
            // SAFETY: both threads have ended.
            place.state.with(|state| assert_eq!(unsafe { *state }, 2 + passed));
        });
    }

    /// The home, whose driver may release the state while a message is under way, the dropper, and
    /// one who visits by a view: the state is ended once, and by one thread.
    #[test]
    fn loom_a_dropped_owner_is_noticed_once() {
        loom::model(|| {
            let place = Arc::new(Place {
                word: Word::new(),
                state: UnsafeCell::new(0),
                posted: AtomicBool::new(false),
            });
            let Asked::Adopted = place.word.ask(STEP, || STEP, None) else {
                panic!("nobody else asks")
            };
            let home = {
                let place = place.clone();
                thread::spawn(move || {
                    place.word.release().wake();
                    // Acquire, here and below: who takes the message sees what was done before it.
                    let message = place.posted.swap(false, Ordering::Acquire);
                    if message && place.word.adopt_abandoned(STEP, STEP, Owner::Dropped) {
                        end(&place);
                    }
                })
            };
            let viewer = {
                let place = place.clone();
                thread::spawn(move || {
                    if let Some(_passing) = place.word.pass(2 * STEP) {
                        place.state.with(|_state| ());
                    }
                })
            };
            match place.word.abandon() {
                // Released before: the dropper has it alone.
                Home::Nowhere => touch(&place),
                // A swap, so that loom orders it with the home's.
                Home::Elsewhere(STEP) => {
                    place.posted.swap(true, Ordering::Release);
                }
                Home::Elsewhere(_) => panic!("who passes by is seen by nobody"),
                Home::Lost => panic!("nobody loses it here"),
            }
            home.join().unwrap();
            viewer.join().unwrap();
            if place.posted.swap(false, Ordering::Acquire) {
                // The home's next turn.
                assert!(place.word.adopt_abandoned(STEP, STEP, Owner::Dropped));
                end(&place);
            }
            // SAFETY: both threads have ended.
            place.state.with(|state| assert_eq!(unsafe { *state }, 1));
        });
    }

    fn end(place: &Place) {
        place.word.end_here();
        touch(place);
        place.word.release().wake();
    }
}
