//! The allocation of a state that has a home: how it comes to a home, is visited, and leaves.

use std::cell::{Cell, UnsafeCell};
use std::io;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Poll, Waker, ready};

use super::Resident;
use super::here::Here;
use super::seat::{AtHome, Seat};
use super::word::{Asked, Owner, Passing, Wanted, Word};
use crate::current;
use crate::driver::Driver;
use crate::driver::entered;
use crate::driver::homes::Tenant;
use crate::remote::list::Link;
use crate::remote::{Posted, Remote};

/// The word, the state, and what only the home touches.
///
/// In this order: what each visit needs stands together, from the end of the word to the first
/// fields of the state, so that it is in few cache lines. A thousand places do not fit into the
/// cache, and between two visits the kernel has used it.
#[repr(C)]
pub(super) struct Place<T: Resident> {
    /// First, so that the driver finds the place by it.
    pub(super) seat: Seat<T::Operation>,
    pub(super) word: Word<Remote>,
    pub(super) shared: T::Shared,
    pub(super) local: Local,
    pub(super) state: UnsafeCell<T>,
    pub(super) link: Link,
}

/// Book-keeping that only the home touches.
#[repr(C)]
pub(super) struct Local {
    /// Where it is on the list of those that rest.
    pub(super) resting: Cell<usize>,
    /// Its letter among those of the driver, if that is still its own.
    pub(super) letter: Cell<u32>,
    pub(super) leaving: Cell<Leaving>,
    pub(super) listed: Cell<bool>,
    /// It waits to be told that its letter is over.
    pub(super) told: Cell<bool>,
    /// References of operations, and of the register's lists. One that is forgotten counts for
    /// ever, and nobody can make so many that this comes back to zero.
    pub(super) refs: Cell<u64>,
    /// Where the register has the reference.
    pub(super) slot: Cell<usize>,
}

/// Not on the list of those that rest.
pub(super) const NOWHERE: usize = usize::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    Stays,
    Recalled,
    Abandoned,
}

/// How a visitor was let in.
#[must_use = "it ends with `visit_during`"]
pub(super) enum Stay<'a> {
    /// At home; nothing is owed.
    AtHome,
    /// At home, by a visitor that moves: the place leaves after the visit.
    Moving,
    /// In passing: the place is homeless again after the visit, unless something was started.
    Passing(Passing<'a, Remote>),
}

impl Stay<'_> {
    /// At home, by whoever runs here.
    fn of_visitor() -> Self {
        if current::is_moving() { Stay::Moving } else { Stay::AtHome }
    }
}

// SAFETY: `seat`, `state` and `local` are touched by one thread at a time, the home's, or the one
// that has the last reference: the word's protocol, and the table at the top. `T` and its operation
// are `Send`, because they move between these threads; the other fields are `Sync`.
unsafe impl<T: Resident> Sync for Place<T> {}
// SAFETY: as above; all parts are `Send`.
unsafe impl<T: Resident> Send for Place<T> {}

impl<T: Resident> Place<T> {
    /// A homeless one.
    pub(super) fn new(state: T, shared: T::Shared) -> Place<T> {
        Place {
            seat: Seat::new(&Place::<T>::KIND),
            word: Word::new(),
            shared,
            local: Local {
                resting: Cell::new(NOWHERE),
                letter: Cell::new(u32::MAX),
                leaving: Cell::new(Leaving::Stays),
                listed: Cell::new(false),
                told: Cell::new(false),
                refs: Cell::new(0),
                slot: Cell::new(0),
            },
            state: UnsafeCell::new(state),
            link: Link::new(),
        }
    }

    /// The slow half of a visit: not at home here, or about to leave.
    #[cold]
    pub(super) fn come_here(
        self: &Arc<Self>,
        driver: &Driver,
        waker: Option<&Waker>,
    ) -> Poll<io::Result<()>> {
        let me = driver.id().get();
        if self.word.is(me) {
            if self.local.leaving.get() == Leaving::Abandoned {
                return Poll::Ready(Err(abandoned()));
            }
            // Somebody elsewhere was first.
            if let Some(waker) = waker {
                self.word.queue(waker.clone());
            }
            return Poll::Pending;
        }
        match self.word.ask(me, || driver.remote().clone(), waker.cloned()) {
            Asked::Adopted => {
                self.move_in(driver);
                Poll::Ready(Ok(()))
            }
            Asked::Here => Poll::Ready(Ok(())),
            Asked::Elsewhere(home) => {
                // Refused only by a driver that has ended: it has released the place since.
                let ended = home.post(self.clone()).is_err();
                if ended && let Some(waker) = waker {
                    waker.wake_by_ref();
                }
                Poll::Pending
            }
            Asked::Lost => Poll::Ready(Err(lost())),
            Asked::Abandoned => Poll::Ready(Err(abandoned())),
        }
    }

    fn adopt_if_homeless(self: &Arc<Self>, driver: &Driver) -> bool {
        let me = driver.id().get();
        if self.word.is(me) {
            return false;
        }
        let adopted = matches!(self.word.ask(me, || driver.remote().clone(), None), Asked::Adopted);
        if adopted {
            self.move_in(driver);
        }
        adopted
    }

    /// Ends a homeless state whose owning handle is being dropped: at this thread's driver if there
    /// is something left to be sent, else where it is.
    pub(super) fn end_nowhere(self: &Arc<Self>) {
        // SAFETY: the caller has just seen, under the word's lock, that the place is homeless, and
        // has taken it upon itself to end the state: nobody else adopts it, or visits it in
        // passing.
        let state = unsafe { &mut *self.state.get() };
        let adopted = state.unsent() > 0
            && current::with(|driver| self.end_at(driver, Owner::Ended)).is_ok_and(|ended| ended);
        if !adopted {
            // SAFETY: as above. What was asked of the other reference has been answered.
            let state = unsafe { &mut *self.state.get() };
            state.dropped_nowhere(&self.shared);
        }
    }

    /// Adopts a homeless state whose owning handle is gone, and ends it.
    fn end_at(self: &Arc<Self>, driver: &Driver, owner: Owner) -> bool {
        let adopted = self.word.adopt_abandoned(driver.id().get(), driver.remote().clone(), owner);
        if adopted {
            self.move_in(driver);
            drop(self.leave(driver, Leaving::Abandoned));
        }
        adopted
    }

    fn move_in(self: &Arc<Self>, driver: &Driver) {
        self.local.leaving.set(Leaving::Stays);
        self.local.slot.set(driver.homes().insert(self.clone()));
        self.visit(driver, T::arrived);
    }

    /// Lends the state. The caller has seen that `driver`, this thread's, is home.
    #[inline]
    pub(super) fn visit<R>(&self, driver: &Driver, visit: impl FnOnce(&mut Here<'_, T>) -> R) -> R {
        debug_assert!(self.word.is(driver.id().get()));
        assert!(self.word.begin(), "a visit within a visit of the same state");
        // SAFETY: begun just now, at home.
        unsafe { self.visit_begun(driver, false, visit) }
    }

    /// Lends the state if the place is [settled](Self::is_settled).
    #[inline]
    pub(super) fn visit_settled<R>(&self, visit: impl FnOnce(&mut Here<'_, T>) -> R) -> Option<R> {
        if !self.word.begin_settled(current::visitor()) {
            return None;
        }
        // SAFETY: the visit was begun just now, at home: the id that was compared is that of the
        // driver that this thread has entered.
        let visit = |driver: &Driver| unsafe { self.visit_begun(driver, true, visit) };
        // SAFETY: a state's home is a driver, so this thread has entered one.
        Some(unsafe { entered::with_known(visit) })
    }

    /// Lends the state, and ends the visit.
    ///
    /// # Safety
    ///
    /// `driver`, this thread's, is home, and the visit was begun for this.
    #[inline]
    pub(super) unsafe fn visit_begun<R>(
        &self,
        driver: &Driver,
        settled: bool,
        visit: impl FnOnce(&mut Here<'_, T>) -> R,
    ) -> R {
        let _end = End(&self.word);
        // SAFETY: this thread's driver is home, so no other thread touches the state; nobody
        // visited it, so this thread has no other borrow of it, and nobody can until this one ends
        // (also by a panic). A place is not released while it is visited.
        let state = unsafe { &mut *self.state.get() };
        visit(&mut Here { place: self, driver, state, settled })
    }

    /// Starts to leave: asked for, or for ever. What comes back is the register's reference, for
    /// a caller that has one of its own.
    pub(super) fn leave(&self, driver: &Driver, why: Leaving) -> Option<Arc<dyn Tenant>> {
        if self.local.leaving.get() == Leaving::Abandoned {
            return None;
        }
        self.local.leaving.set(why);
        self.word.set_leaving();
        match why {
            Leaving::Stays => unreachable!("nobody leaves by staying"),
            Leaving::Recalled => self.visit(driver, T::recall),
            Leaving::Abandoned => {
                self.word.end_here();
                self.visit(driver, T::abandon);
            }
        }
        // Until then it stays.
        self.tell_when_sent(driver);
        let waker = self.rise(driver);
        let released = self.release_if_idle(driver);
        // It is the user's, and may turn the driver, by which the place may be released. So that
        // comes last: nobody is to release it a second time.
        drop(waker);
        released
    }

    /// Has the driver call before it sleeps.
    #[inline(never)]
    pub(super) fn rest(&self, driver: &Driver) {
        self.retain();
        let at = driver.homes().rest(NonNull::from(self as &dyn Tenant));
        self.local.resting.set(at);
    }

    /// Does now what was to be done before the driver sleeps; what comes back is to be dropped
    /// outside of the visit, and when the place is not touched any more.
    fn rise(&self, driver: &Driver) -> Option<Waker> {
        let at = self.local.resting.replace(NOWHERE);
        if at == NOWHERE {
            return None;
        }
        driver.homes().rise(at);
        self.local.refs.set(self.local.refs.get() - 1);
        self.visit(driver, T::before_sleep)
    }

    /// Lets a visitor in where the place is not settled; one that has to wait gets its turn by
    /// `waker`. What the visitor owes then [`visit_during`](Self::visit_during) sees to.
    #[cold]
    pub(super) fn admit(
        self: &Arc<Self>,
        driver: &Driver,
        waker: &Waker,
    ) -> Poll<io::Result<Stay<'_>>> {
        if let Some(passing) = self.pass(driver) {
            return Poll::Ready(Ok(Stay::Passing(passing)));
        }
        if !self.is_staying_here() {
            ready!(self.come_here(driver, Some(waker)))?;
        }
        Poll::Ready(Ok(Stay::of_visitor()))
    }

    /// As [`admit`](Self::admit), for a visitor that does not wait.
    #[cold]
    pub(super) fn try_admit(self: &Arc<Self>, driver: &Driver) -> Option<Stay<'_>> {
        if let Some(passing) = self.pass(driver) {
            return Some(Stay::Passing(passing));
        }
        (self.is_staying_here() || self.adopt_if_homeless(driver)).then(Stay::of_visitor)
    }

    /// It is at home here, and no leaving is under way.
    fn is_staying_here(&self) -> bool {
        self.word.is(current::id()) && self.local.leaving.get() == Leaving::Stays
    }

    /// As nearly always: it is at home here and stays, as does the visitor, who owes nothing.
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.word.is_settled(current::visitor())
    }

    /// Holds a homeless place without making it at home, for a visitor that moves.
    fn pass(&self, driver: &Driver) -> Option<Passing<'_, Remote>> {
        // One that is held here already is being visited, which the visit will say.
        if !current::is_moving() || self.word.is(driver.id().get()) {
            return None;
        }
        let passing = self.word.pass(driver.id().get())?;
        self.local.leaving.set(Leaving::Stays);
        self.visit(driver, T::arrived);
        Some(passing)
    }

    /// Lends the state to a visitor who was let in, and does what is owed afterwards. If the place
    /// is to be released and cannot be yet, `waker` is woken when that is done.
    #[inline]
    pub(super) fn visit_during<R>(
        self: &Arc<Self>,
        driver: &Driver,
        stay: Stay<'_>,
        waker: Option<&Waker>,
        visit: impl FnOnce(&mut Here<'_, T>) -> R,
    ) -> R {
        let mut owed = Owed { place: self, driver, stay };
        let result = self.visit(driver, visit);
        let stay = std::mem::replace(&mut owed.stay, Stay::AtHome);
        if !matches!(stay, Stay::AtHome) {
            self.let_go(driver, stay, waker);
        }
        result
    }

    #[cold]
    fn let_go(self: &Arc<Self>, driver: &Driver, stay: Stay<'_>, waker: Option<&Waker>) {
        if let Stay::Passing(passing) = stay {
            if self.keep_if_used(driver, passing) {
                drop(self.leave(driver, Leaving::Recalled));
            }
            return;
        }
        match (self.leave(driver, Leaving::Recalled), waker) {
            (None, Some(waker)) if self.word.is(driver.id().get()) => {
                self.word.queue(waker.clone());
            }
            (released, _) => drop(released),
        }
    }

    /// Makes a place that is held in passing one at home, if something was left behind there.
    fn keep_if_used(self: &Arc<Self>, driver: &Driver, passing: Passing<'_, Remote>) -> bool {
        let is_used = self.local.refs.get() > 0;
        if is_used {
            passing.stay(driver.remote().clone());
            self.local.slot.set(driver.homes().insert(self.clone()));
        }
        is_used
    }

    /// Ends the stay if it is to end and nothing is in flight. What comes back is the register's
    /// reference, perhaps the last: the caller drops it when it holds no reference into it.
    #[inline]
    pub(super) fn release_if_idle(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
        let local = &self.local;
        if local.leaving.get() == Leaving::Stays || local.refs.get() != 0 || self.word.is_visited()
        {
            return None;
        }
        Some(self.release(driver))
    }

    #[cold]
    fn release(&self, driver: &Driver) -> Arc<dyn Tenant> {
        let reference = driver.homes().remove(self.local.slot.get());
        // From here on another thread may be home.
        self.word.release().wake();
        reference
    }

    /// Gives back what [`retain`](Self::retain) took; what comes back is as in `release_if_idle`.
    #[inline]
    pub(super) fn release_one(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
        let refs = &self.local.refs;
        refs.set(refs.get() - 1);
        self.release_if_idle(driver)
    }

    #[inline]
    pub(super) fn retain(&self) {
        let refs = &self.local.refs;
        refs.set(refs.get() + 1);
    }
}

/// What is owed after a visit. Where that has panicked nobody leaves; but what is in flight, or on
/// a list, keeps its place.
struct Owed<'a, T: Resident> {
    place: &'a Arc<Place<T>>,
    driver: &'a Driver,
    stay: Stay<'a>,
}

impl<T: Resident> Drop for Owed<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Stay::Passing(passing) = std::mem::replace(&mut self.stay, Stay::AtHome) {
            self.place.keep_if_used(self.driver, passing);
        }
    }
}

/// Ends a visit, also by a panic.
struct End<'a>(&'a Word<Remote>);

impl Drop for End<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.end();
    }
}

pub(super) fn lost() -> io::Error {
    io::Error::other(
        "the driver that this belonged to has ended while the kernel held memory of its operations",
    )
}

/// The owning handle is gone: what is left is finished, and nobody else is let in.
fn abandoned() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the half of the stream was dropped")
}

impl<T: Resident> Posted for Place<T> {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, driver: &Driver) {
        if !self.word.is(driver.id().get()) {
            // It has moved on since it was posted; whoever waits has been woken by that. If the
            // message was that the owning handle is gone, nobody else knows.
            self.end_at(driver, Owner::Dropped);
            return;
        }
        match self.word.wanted() {
            Wanted::No => {}
            Wanted::Elsewhere => drop(self.leave(driver, Leaving::Recalled)),
            Wanted::Nowhere => drop(self.leave(driver, Leaving::Abandoned)),
        }
    }
}

impl<T: Resident> Tenant for Place<T> {
    fn before_enter(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
        self.local.listed.set(false);
        self.visit(driver, T::before_enter);
        self.release_one(driver)
    }

    fn before_sleep(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
        self.local.resting.set(NOWHERE);
        if let Some(waker) = self.visit(driver, T::before_sleep) {
            driver.homes().drop_later(waker);
        }
        self.release_one(driver)
    }

    fn rests_at(&self, place: usize) {
        self.local.resting.set(place);
    }

    fn sent(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
        if self.has_letter(driver) {
            // Begun since, by somebody who was told first. It is told when that is over, too.
            // SAFETY: at home, and still counted for the last one.
            unsafe { driver.quiet().tell(self.tenant()) };
            return None;
        }
        self.local.told.set(false);
        T::sent_quietly(&AtHome::new(self, driver));
        self.release_one(driver)
    }

    fn not_sent(
        &self,
        driver: &Driver,
        sent: io::Result<usize>,
        bytes: Vec<u8>,
    ) -> Option<Arc<dyn Tenant>> {
        // What is told may be the end of the state.
        self.retain();
        T::not_sent_quietly(&AtHome::new(self, driver), sent, bytes);
        self.release_one(driver)
    }

    fn recall(&self, driver: &Driver) {
        if self.local.leaving.get() == Leaving::Stays {
            drop(self.leave(driver, Leaving::Recalled));
        }
    }

    fn unsent(&self, driver: &Driver) -> usize {
        self.visit(driver, |here| here.unsent()) + self.unsent_letter(driver)
    }

    fn lose(&self) {
        // For ever: a completion that comes after all does not release it.
        self.retain();
        self.word.lose().wake();
    }
}
