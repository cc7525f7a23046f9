//! The task that waits for a side, and its waker, which is kept from one wait to the next.
//!
//! Nearly every stream has one task, which waits for it again and again. To clone its waker for
//! each wait costs as much as to wake it. So whoever wakes it gives the waker back, marked as one
//! that nobody waits by; when the same task waits again, the mark is enough. One that nobody waits
//! by is [let go](Waiting::let_go) of before the driver sleeps, so that it keeps nothing alive
//! that has gone on to something else.
//!
//! Wakers are woken, cloned and dropped outside of every visit: all of that may run code of the
//! user's, which may use the stream.

use std::task::Waker;

/// The task that called last and found nothing.
#[derive(Debug)]
pub(crate) struct Waiting {
    waker: Option<Waker>,
    /// It has not been woken since.
    waits: bool,
}

/// What was known of the waker that somebody came to wait by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    No,
    /// It was there, and nobody waited by it.
    Spare,
    /// Somebody waits by it already.
    Waits,
}

impl Waiting {
    pub(crate) const fn new() -> Waiting {
        Waiting { waker: None, waits: false }
    }

    /// Whether somebody waits.
    #[inline]
    pub(crate) fn is_some(&self) -> bool {
        self.waits
    }

    /// Waits, if the waker is known; if not, it is to be [set](Waiting::set).
    #[inline]
    pub(crate) fn wait_by(&mut self, waker: &Waker) -> Known {
        match &self.waker {
            Some(known) if known.will_wake(waker) => {}
            _ => return Known::No,
        }
        if std::mem::replace(&mut self.waits, true) { Known::Waits } else { Known::Spare }
    }

    /// Waits by this waker; what comes back is to be dropped.
    pub(crate) fn set(&mut self, waker: Waker) -> Option<Waker> {
        self.waits = true;
        self.waker.replace(waker)
    }

    /// Whom to wake.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Waker> {
        if !std::mem::take(&mut self.waits) {
            return None;
        }
        self.waker.take()
    }

    /// Keeps a waker that was taken and woken, unless there is another one meanwhile; what comes
    /// back is to be dropped.
    #[inline]
    pub(crate) fn give_back(&mut self, waker: Waker) -> Option<Waker> {
        if self.waker.is_some() {
            return Some(waker);
        }
        self.waker = Some(waker);
        None
    }

    /// The waker that nobody waits by, to be dropped.
    #[inline]
    pub(crate) fn let_go(&mut self) -> Option<Waker> {
        if self.waits { None } else { self.waker.take() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Wake, Waker};

    use super::{Known, Waiting};

    struct Nobody;

    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    fn waker() -> (Arc<Nobody>, Waker) {
        let task = Arc::new(Nobody);
        (Arc::clone(&task), Waker::from(task))
    }

    #[test]
    fn a_task_that_waits_again_is_known_and_woken_once_a_wait() {
        let (_task, waker) = waker();
        let mut waiting = Waiting::new();
        assert_eq!(waiting.wait_by(&waker), Known::No);
        assert!(!waiting.is_some());
        assert!(waiting.set(waker.clone()).is_none());
        for _ in 0..3 {
            assert!(waiting.is_some());
            let taken = waiting.take().unwrap();
            assert!(waiting.take().is_none());
            assert!(waiting.give_back(taken).is_none());
            assert!(!waiting.is_some() && waiting.take().is_none(), "nobody waits");
            assert_eq!(waiting.wait_by(&waker), Known::Spare);
            assert_eq!(waiting.wait_by(&waker), Known::Waits);
        }
    }

    #[test]
    fn another_task_takes_the_place() {
        let ((_first, a), (_second, b)) = (waker(), waker());
        let mut waiting = Waiting::new();
        waiting.set(a.clone());
        assert_eq!(waiting.wait_by(&b), Known::No);
        assert!(waiting.set(b.clone()).unwrap().will_wake(&a));
        let taken = waiting.take().unwrap();
        waiting.set(a.clone());
        assert!(waiting.give_back(taken).unwrap().will_wake(&b));
        assert!(waiting.take().unwrap().will_wake(&a));
    }

    #[test]
    fn a_waker_that_nobody_waits_by_is_let_go_of() {
        let (task, waker) = waker();
        let mut waiting = Waiting::new();
        waiting.set(waker.clone());
        assert!(waiting.let_go().is_none(), "somebody waits");
        let taken = waiting.take().unwrap();
        waiting.give_back(taken);
        drop((waiting.let_go(), waker));
        assert_eq!(Arc::strong_count(&task), 1);
    }
}
