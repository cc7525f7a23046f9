//! Operations that the kernel answers only if it has not done all that they ask for.
//!
//! A send that may not wait has ended when the call returns that submits it, and nearly always all
//! of it was sent. So its entry is *quiet*: it has a completion only if that is not so. Nobody has
//! to give it a slot, to make a completion, or to find out whose that is.
//!
//! # When a quiet operation is over
//!
//! ```text
//!   submit_quietly             an enter has taken              what it left was
//!  ───────────────▶ queued ──────────────────────▶ answered ─────────────────────▶ done
//!                      │        all entries            │             reaped
//!                      └───────────┬───────────────────┘
//!                                  │ a completion
//!                                  ▼
//!                              not done
//! ```
//!
//! - The list has them in the order of their entries. An enter that has left no entry behind, and
//!   no completion outside of the queue, has answered all that are on it: a completion of theirs is
//!   in the queue by then, and handled before any of them counts as done.
//! - Until it is done, or is not, what the operation points to is the kernel's (I2): the place is
//!   counted, so the register keeps it alive.
//! - A completion names a round and a place of the list. One that names nobody is counted, and not
//!   believed (I10).
//! - No completion ends a sleep for the sake of a quiet operation. Where somebody waits for its
//!   end, the driver does not sleep.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;

use super::homes::Tenant;
use super::{Driver, tag};
use crate::cqe::Cqe;
use crate::sqe::Sqe;

/// The place in the list is the lower half of the 24 bits that a name has, the round the upper.
const PLACE_BITS: u32 = 12;
const MOST: usize = 1 << PLACE_BITS;
const ROUNDS: u32 = 1 << (24 - PLACE_BITS);

/// Those that are not over, in the order in which they were submitted.
#[derive(Default)]
pub(super) struct Quiet {
    /// None for one that is over.
    places: RefCell<Vec<Option<NonNull<dyn Tenant>>>>,
    /// All before this one are over.
    over: Cell<usize>,
    /// All before this one have been answered.
    answered: Cell<usize>,
    /// How often the list has begun anew, modulo `ROUNDS`.
    round: Cell<u32>,
}

impl Quiet {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.places.borrow().is_empty()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.borrow().iter().flatten().count()
    }

    /// The name of the next one, if there is room for it.
    #[inline]
    fn push(&self, place: NonNull<dyn Tenant>) -> Option<u64> {
        let mut places = self.places.borrow_mut();
        let at = places.len();
        if at == MOST {
            return None;
        }
        places.push(Some(place));
        Some(tag::QUIET | u64::from(self.round.get() << PLACE_BITS) | at as u64)
    }

    /// The one of this name, which is off the list now.
    fn take(&self, name: u64) -> Option<NonNull<dyn Tenant>> {
        let name = (name & !tag::KIND) as u32;
        if name >> PLACE_BITS != self.round.get() {
            return None;
        }
        self.places.borrow_mut().get_mut(name as usize % MOST)?.take()
    }

    /// An enter has answered all.
    #[inline]
    pub(super) fn answer(&self) {
        self.answered.set(self.places.borrow().len());
    }

    /// The next one that has been answered, off the list. After the last the list begins anew.
    #[inline]
    fn next_answered(&self) -> Option<NonNull<dyn Tenant>> {
        let mut places = self.places.borrow_mut();
        while self.over.get() < self.answered.get() {
            let at = self.over.get();
            self.over.set(at + 1);
            if let Some(place) = places[at].take() {
                return Some(place);
            }
        }
        if self.over.get() == places.len() && !places.is_empty() {
            places.clear();
            self.over.set(0);
            self.answered.set(0);
            self.round.set((self.round.get() + 1) % ROUNDS);
        }
        None
    }
}

impl Driver {
    /// Submits the operation in the place of a state by a quiet entry; `false`, and nothing done,
    /// if there are too many.
    ///
    /// # Safety
    ///
    /// The kernel is done with the entry, and with what it points to, when the call returns that
    /// submits it, and makes a completion unless all was done that it asks for. Until the place is
    /// told whether that is so, it is counted in its own `refs`, and the operation is the driver's.
    #[inline]
    pub(crate) unsafe fn submit_quietly(&self, place: NonNull<dyn Tenant>, sqe: Sqe) -> bool {
        let Some(name) = self.inner.quiet.push(place) else { return false };
        self.inner.counting.submissions.add(1);
        self.push(&sqe.with_skip_success().with_user_data(name));
        true
    }

    /// A completion: the kernel has not done what a quiet entry asked for, or only a part of it.
    #[cold]
    pub(super) fn quiet_failed(&self, name: u64, cqe: Cqe) {
        let Some(place) = self.inner.quiet.take(name) else {
            self.inner.counting.unknown_completions.add(1);
            return;
        };
        self.inner.counting.completions.add(1);
        let released = {
            // SAFETY: on the list until just now, so its count keeps the place at home here, hence
            // registered, hence alive. What `not_done` takes out of the register is held until this
            // reference has ended.
            let tenant = unsafe { place.as_ref() };
            tenant.not_done(self, cqe)
        };
        drop(released);
    }

    /// What has been answered, and has no completion, is done. All completions that were there when
    /// it was answered have been handled.
    #[inline]
    pub(super) fn quiet_done(&self) {
        while let Some(place) = self.inner.quiet.next_answered() {
            let released = {
                // SAFETY: as in `quiet_failed`.
                let tenant = unsafe { place.as_ref() };
                tenant.done(self)
            };
            drop(released);
        }
    }

    /// Whether somebody waits for the end of a quiet operation, which no completion will tell of.
    #[inline]
    pub(super) fn quiet_is_awaited(&self) -> bool {
        let places = self.inner.quiet.places.borrow();
        places.iter().flatten().any(|place| {
            // SAFETY: on the list, so alive: as in `quiet_failed`. `is_awaited` asks the state
            // alone, which submits nothing meanwhile.
            unsafe { place.as_ref() }.is_awaited(self)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::NonNull;
    use std::sync::Arc;

    use super::{MOST, Quiet, ROUNDS};
    use crate::cqe::Cqe;
    use crate::driver::Driver;
    use crate::driver::homes::Tenant;

    /// A place of which only the address counts.
    struct Named;

    impl Tenant for Named {
        fn before_enter(&self, _: &Driver) -> Option<Arc<dyn Tenant>> {
            None
        }
        fn before_sleep(&self, _: &Driver) -> Option<Arc<dyn Tenant>> {
            None
        }
        fn done(&self, _: &Driver) -> Option<Arc<dyn Tenant>> {
            None
        }
        fn not_done(&self, _: &Driver, _: Cqe) -> Option<Arc<dyn Tenant>> {
            None
        }
        fn is_awaited(&self, _: &Driver) -> bool {
            false
        }
        fn recall(&self, _: &Driver) {}
        fn unsent(&self, _: &Driver) -> usize {
            0
        }
        fn lose(&self) {}
    }

    fn place() -> NonNull<dyn Tenant> {
        NonNull::<Named>::dangling()
    }

    #[test]
    fn only_what_was_answered_is_done() {
        let quiet = Quiet::default();
        let first = quiet.push(place()).unwrap();
        let _second = quiet.push(place()).unwrap();
        assert!(quiet.next_answered().is_none(), "no enter has taken them");
        quiet.answer();
        let late = quiet.push(place()).unwrap();
        assert!(quiet.take(first).is_some(), "it has a completion, so it is not done");
        assert!(quiet.take(first).is_none());
        assert!(quiet.next_answered().is_some());
        assert!(quiet.next_answered().is_none());
        assert_eq!(quiet.len(), 1);
        assert!(quiet.take(late).is_some());
        quiet.answer();
        assert!(quiet.next_answered().is_none());
        assert!(quiet.is_empty());
    }

    #[test]
    fn a_name_of_another_round_is_nobodys() {
        let quiet = Quiet::default();
        let mut old = Vec::new();
        for _ in 0..ROUNDS - 1 {
            old.push(quiet.push(place()).unwrap());
            quiet.answer();
            while quiet.next_answered().is_some() {}
        }
        let _now = quiet.push(place()).unwrap();
        assert!(old.into_iter().all(|name| quiet.take(name).is_none()));
        assert_eq!(quiet.len(), 1);
    }

    #[test]
    fn there_is_a_limit() {
        let quiet = Quiet::default();
        assert!((0..MOST).all(|_| quiet.push(place()).is_some()));
        assert_eq!(quiet.push(place()), None);
    }
}
