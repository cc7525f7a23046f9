//! Who has news for other threads, to be told at the end of a turn: the ends of channels.
//!
//! Who has something to tell in a turn had in the one before, as a rule. So a loop keeps all who
//! had of late, and notes their numbers: to count a reference to each, and to give it back, would
//! be two atomic operations a message where two tasks talk. They are let go of when the loop rests,
//! and where many more are kept than have anything to tell.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::executor::swallow;

/// So many may be kept in any case.
const FEW: usize = 16;

/// Something that has news for other threads, to be told once in a while: by the thread that asked
/// for it, which fences between the two.
pub(super) trait Flush: Send + Sync {
    /// Makes it visible.
    fn publish(&self);

    /// Calls those who wait for it. True if it was for somebody who need not be called.
    fn call(&self) -> bool;
}

/// The number of one who is flushed again and again, zero before it has one: a note of the loop
/// that flushes it, and of no other.
#[derive(Debug, Default)]
pub(super) struct Known(AtomicUsize);

/// See the module's documentation.
pub(super) struct Flushes {
    kept: RefCell<Vec<Arc<dyn Flush>>>,
    /// The number of the first that is kept, and the one after the last.
    first: Cell<usize>,
    next: Cell<usize>,
    /// Who has news, by number.
    noted: RefCell<Vec<usize>>,
}

impl Flushes {
    pub(super) fn new() -> Flushes {
        let (first, next) = (Cell::new(1), Cell::new(1));
        Flushes { kept: RefCell::default(), first, next, noted: RefCell::default() }
    }

    /// Notes one who has news, who is not noted yet.
    #[inline]
    pub(super) fn note(&self, known: &Known, who: impl FnOnce() -> Arc<dyn Flush>) {
        let mut number = known.0.load(Ordering::Relaxed);
        if number < self.first.get() {
            number = self.next.get();
            self.next.set(number + 1);
            known.0.store(number, Ordering::Relaxed);
            self.kept.borrow_mut().push(who());
        }
        self.noted.borrow_mut().push(number);
    }

    /// Those who have news now. Others may be noted meanwhile, for the next time; this is not begun
    /// a second time before it ends.
    #[inline]
    pub(super) fn begin(&self) -> Round<'_> {
        Round { flushes: self, kept: self.kept.take(), noted: self.noted.take() }
    }

    /// Lets go of all, unless somebody has news.
    #[inline]
    pub(super) fn forget(&self) {
        if self.first.get() != self.next.get() && self.noted.borrow().is_empty() {
            self.let_go(self.kept.take());
        }
    }

    /// Nobody has news. What is let go of may be the last of anybody's, with destructors.
    #[inline(never)]
    fn let_go(&self, mut kept: Vec<Arc<dyn Flush>>) {
        self.first.set(self.next.get());
        kept.drain(..).for_each(|who| swallow(|| drop(who)));
        give_back(&self.kept, kept);
    }
}

/// See [`Flushes::begin`].
pub(super) struct Round<'a> {
    flushes: &'a Flushes,
    kept: Vec<Arc<dyn Flush>>,
    noted: Vec<usize>,
}

impl Round<'_> {
    /// Calls `f` with each.
    #[inline]
    pub(super) fn each(&self, mut f: impl FnMut(&dyn Flush)) {
        let first = self.flushes.first.get();
        for number in &self.noted {
            if let Some(who) = self.kept.get(number - first) {
                f(&**who);
            }
        }
    }
}

impl Drop for Round<'_> {
    #[inline]
    fn drop(&mut self) {
        let Round { flushes, kept, noted } = self;
        kept.append(&mut flushes.kept.borrow_mut());
        let many = kept.len() > FEW.max(noted.len() * 2);
        noted.clear();
        give_back(&flushes.noted, std::mem::take(noted));
        if many && flushes.noted.borrow().is_empty() {
            flushes.let_go(std::mem::take(kept));
        } else {
            flushes.kept.replace(std::mem::take(kept));
        }
    }
}

/// Puts an empty list back where it came from, to be filled again, unless there is a new one.
pub(super) fn give_back<T>(place: &RefCell<Vec<T>>, list: Vec<T>) {
    let mut place = place.borrow_mut();
    if place.capacity() == 0 {
        *place = list;
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{FEW, Flush, Flushes, Known};

    /// Counts how often it is told.
    #[derive(Default)]
    struct Bell {
        known: Known,
        published: AtomicUsize,
        called: AtomicUsize,
    }

    impl Flush for Bell {
        fn publish(&self) {
            self.published.fetch_add(1, Ordering::Relaxed);
        }

        fn call(&self) -> bool {
            self.called.fetch_add(1, Ordering::Relaxed);
            false
        }
    }

    fn note(flushes: &Flushes, bell: &Arc<Bell>) {
        flushes.note(&bell.known, || Arc::clone(bell) as _);
    }

    fn tell(flushes: &Flushes) {
        let round = flushes.begin();
        round.each(|who| who.publish());
        round.each(|who| assert!(!who.call()));
    }

    fn told(bell: &Bell) -> (usize, usize) {
        (bell.published.load(Ordering::Relaxed), bell.called.load(Ordering::Relaxed))
    }

    #[test]
    fn who_is_noted_is_told_once_and_counted_once() {
        let (flushes, bells) = (Flushes::new(), [(); 3].map(|()| Arc::new(Bell::default())));
        for turn in 1..=5 {
            note(&flushes, &bells[0]);
            note(&flushes, &bells[turn % 2 + 1]);
            tell(&flushes);
            assert_eq!(told(&bells[0]), (turn, turn));
        }
        tell(&flushes);
        assert_eq!(bells.each_ref().map(|bell| told(bell).0), [5, 2, 3]);
        assert_eq!(bells.each_ref().map(Arc::strong_count), [2; 3], "they are kept");
        flushes.forget();
        assert_eq!(bells.each_ref().map(Arc::strong_count), [1; 3]);
        note(&flushes, &bells[2]);
        flushes.forget();
        tell(&flushes);
        assert_eq!(told(&bells[2]), (4, 4), "who has news is not forgotten");
    }

    #[test]
    fn who_is_noted_while_others_are_told_is_told_the_next_time() {
        let (old, new) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let flushes = Flushes::new();
        note(&flushes, &old);
        tell(&flushes);
        note(&flushes, &old);
        let round = flushes.begin();
        note(&flushes, &old);
        note(&flushes, &new);
        round.each(|who| who.publish());
        drop(round);
        assert_eq!((told(&old).0, told(&new).0), (2, 0));
        tell(&flushes);
        assert_eq!((told(&old).0, told(&new).0), (3, 1));
    }

    #[test]
    fn many_of_whom_few_have_news_are_let_go_of() {
        let flushes = Flushes::new();
        let bells: Vec<_> = (0..100).map(|_| Arc::new(Bell::default())).collect();
        for (turn, bell) in bells.iter().enumerate() {
            note(&flushes, bell);
            note(&flushes, &bells[0]);
            tell(&flushes);
            let kept = bells.iter().filter(|bell| Arc::strong_count(bell) > 1).count();
            assert!(kept <= FEW, "{kept} in turn {turn}");
        }
        let told: usize = bells.iter().map(|bell| told(bell).0).sum();
        assert_eq!(told, 200);
    }
}
