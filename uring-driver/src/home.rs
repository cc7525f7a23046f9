//! State that one driver at a time may touch, with plain memory.
//!
//! A connection is used by one thread nearly always, and may be used by any. A lock would make
//! the common case pay for the rare one (30 ns of a request's 90). So the state of such a thing
//! has a *home*: the driver whose thread touches it, and on whose ring all its operations are.
//!
//! # Who may touch what, when
//!
//! A [`Place`] is the allocation: the word that names the home ([`word`], where the exclusion is
//! proved), the state `T`, and a few cells of book-keeping (`Local`). It is kept alive by the
//! handle ([`Homed`]) and, while it has a home, by the home's register ([`Homes`]).
//!
//! | who | may touch | because |
//! |---|---|---|
//! | the thread of the driver that is home | `Local` and `T` | only this thread ends that |
//! | who drops the last reference | `T` (its destructor) | the register has none: homeless |
//! | everybody | the word, `shared`, the link | they are `Sync` |
//!
//! - **Adopted**: the first thread with a driver that visits a homeless place becomes its home.
//!   The home's register gets a reference.
//! - **Visited**: [`Homed::poll_with`] and [`HomeRef::with`] lend `&mut T` to a closure. `busy`
//!   is set meanwhile: a visit within a visit is a panic, not two `&mut`. No waker is woken,
//!   cloned or dropped in there by this module.
//! - **In use**: an operation in flight has a [`HomeRef`]: a count in plain memory and a pointer.
//!   While the count is not zero the place keeps its home, so the register keeps its reference,
//!   so the pointer is valid. This is I2 for what operations point to.
//! - **Wanted elsewhere**: a visitor at another driver's thread stands in line, and posts the
//!   place to its home, which calls [`Resident::recall`] in its turn: cancel what is in flight.
//!   With the last `HomeRef` gone the place is *released*: homeless, reference dropped, all who
//!   stand in line woken; the first who visits adopts it. What came until then came into `T`,
//!   so nothing is lost on the way (I3).
//! - **Abandoned**: the handle was dropped. At home [`Resident::abandon`] is called at once,
//!   elsewhere it is asked for in the same way. When the last `HomeRef` is gone the register's
//!   reference is the last one, and `T` is dropped at home.
//! - **The home ends**: everything is recalled, and released as its operations end. What the
//!   kernel still holds at the deadline is *lost*: its reference is leaked with its operations,
//!   a visitor gets an error.
//!
//! - **In passing**: a visitor that may be at another thread the next time (`current::moving`)
//!   leaves no home behind: it holds a homeless place while it visits. One that has a home here is
//!   recalled after the visit; if an operation is in flight, which such a visitor does not start
//!   but may find, the place is released when that has ended.
//!
//! A place that was never visited, or has been released, has no home to be dropped at: `T` is
//! dropped by whoever drops the handle, and must stand that.

mod homes;
mod word;

pub(crate) use homes::Homes;

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::current;
use crate::driver::Driver;
use crate::remote::list::Link;
use crate::remote::{Posted, Remote};
use homes::Tenant;
use word::{Asked, Home, Wanted, Word};

/// What can be at home at a driver.
///
/// All functions run on the home's thread, outside of every borrow of the driver's, and may
/// submit and cancel, but must not run wakers, or anything else of the user's.
pub trait Resident: Send + Sized + 'static {
    /// What every thread may read at any time, without asking the home.
    type Shared: Send + Sync + 'static;

    /// The place has come to this driver.
    fn arrived(_here: &mut Here<'_, Self>) {}

    /// The place is wanted elsewhere: cancel what is in flight, keep what came, start nothing.
    fn recall(here: &mut Here<'_, Self>);

    /// The handle is gone: finish what was promised, by operations, and then end.
    fn abandon(here: &mut Here<'_, Self>);

    /// The handle is gone, and the state has no home to end at: it was never used, or has come to
    /// rest. For what is to happen at the end whatever became of it; there is no driver.
    fn dropped_nowhere(&mut self, _shared: &Self::Shared) {}

    /// Called before the ring is entered, once for each [`Here::before_enter`]. `alone`: nothing
    /// else is known that the enter is for, nor was it of late, so that a direct call in the place
    /// of an entry may save it.
    fn before_enter(_here: &mut Here<'_, Self>, _alone: bool) {}

    /// Called before the driver sleeps, and every few turns, once for each
    /// [`Here::before_sleep`].
    fn before_sleep(_here: &mut Here<'_, Self>) {}

    /// How many bytes would be lost if the driver ended now.
    fn unsent(&self) -> usize {
        0
    }
}

/// The one handle of a state that has a home.
///
/// Dropping it abandons the state: [`Resident::abandon`].
pub struct Homed<T: Resident> {
    // None only between `into_inner` and the drop that follows it.
    place: Option<Arc<Place<T>>>,
}

struct Place<T: Resident> {
    word: Word<Remote>,
    link: Link,
    shared: T::Shared,
    local: Local,
    state: UnsafeCell<T>,
}

/// Book-keeping that only the home touches.
struct Local {
    /// Where the register has the reference.
    slot: Cell<usize>,
    /// A visit is under way.
    busy: Cell<bool>,
    /// References of operations, and of the register's lists.
    refs: Cell<u32>,
    leaving: Cell<Leaving>,
    listed: Cell<bool>,
    resting: Cell<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    Stays,
    Recalled,
    Abandoned,
}

// SAFETY: `state` and `local` are touched by one thread at a time, the home's, or the one that
// has the last reference: the word's protocol, and the table at the top. `T` is `Send`, because
// it moves between these threads; the other fields are `Sync`.
unsafe impl<T: Resident> Sync for Place<T> {}
// SAFETY: as above; all parts are `Send`.
unsafe impl<T: Resident> Send for Place<T> {}

impl<T: Resident> Homed<T> {
    /// A homeless state: the first driver that visits it becomes its home.
    pub fn new(state: T, shared: T::Shared) -> Homed<T> {
        let place = Arc::new(Place {
            word: Word::new(),
            link: Link::new(),
            shared,
            local: Local {
                slot: Cell::new(0),
                busy: Cell::new(false),
                refs: Cell::new(0),
                leaving: Cell::new(Leaving::Stays),
                listed: Cell::new(false),
                resting: Cell::new(false),
            },
            state: UnsafeCell::new(state),
        });
        Homed { place: Some(place) }
    }

    #[inline]
    fn place(&self) -> &Arc<Place<T>> {
        match &self.place {
            Some(place) => place,
            None => unreachable!("the place is taken by value only"),
        }
    }

    /// What every thread may read.
    #[inline]
    pub fn shared(&self) -> &T::Shared {
        &self.place().shared
    }

    /// Lends the state to `visit`, if this thread's driver is its home or may become it. If not,
    /// asks the home to let go of it, and is pending.
    ///
    /// # Errors
    ///
    /// No driver is entered on this thread, or the state's driver ended while the kernel held
    /// memory of its operations.
    ///
    /// # Panics
    ///
    /// If called within a visit of the same state.
    #[inline]
    pub fn poll_with<R>(
        &self,
        cx: &Context<'_>,
        visit: impl FnOnce(&mut Here<'_, T>) -> R,
    ) -> Poll<io::Result<R>> {
        let place = self.place();
        let polled = current::with(|driver| {
            let visit = match place.pass(driver, visit) {
                Ok(result) => return Poll::Ready(Ok(result)),
                Err(visit) => visit,
            };
            let at_home = place.word.is(driver.id().get());
            if !at_home || place.local.leaving.get() != Leaving::Stays {
                match place.come_here(driver, Some(cx.waker())) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
            let result = place.visit(driver, visit);
            if current::is_moving() {
                place.let_go(driver, Some(cx.waker()));
            }
            Poll::Ready(Ok(result))
        });
        match polled {
            Ok(polled) => polled,
            Err(no_driver) => Poll::Ready(Err(no_driver.into())),
        }
    }

    /// Lends the state to `visit` if that can be done at once: it is at home here, or nowhere.
    ///
    /// # Panics
    ///
    /// If called within a visit of the same state.
    pub fn try_with<R>(&self, visit: impl FnOnce(&mut Here<'_, T>) -> R) -> Option<R> {
        let place = self.place();
        let visited = current::with(|driver| {
            let visit = match place.pass(driver, visit) {
                Ok(result) => return Some(result),
                Err(visit) => visit,
            };
            let here =
                place.word.is(driver.id().get()) && place.local.leaving.get() == Leaving::Stays;
            if !here && !place.adopt_if_homeless(driver) {
                return None;
            }
            let result = place.visit(driver, visit);
            if current::is_moving() {
                place.let_go(driver, None);
            }
            Some(result)
        });
        visited.ok().flatten()
    }

    /// Takes the state away from its driver, for good.
    ///
    /// At home this cancels what is in flight and turns the driver until that has ended.
    ///
    /// # Errors
    ///
    /// Gives the handle back if the state is at home elsewhere, or the kernel did not let go.
    pub fn into_inner(mut self) -> Result<T, Homed<T>> {
        self.evict();
        match self.place.take() {
            None => Err(self),
            Some(place) => match Arc::try_unwrap(place) {
                Ok(place) => Ok(place.state.into_inner()),
                Err(place) => {
                    self.place = Some(place);
                    Err(self)
                }
            },
        }
    }

    /// Gives up the home, if that is here: what is in flight is cancelled, and whoever visits next,
    /// on this thread or another, waits until that has ended. So a state that is about to move is
    /// not asked for from there.
    pub fn let_go(&self) {
        let place = self.place();
        let _no_driver = current::with(|driver| {
            if place.word.is(driver.id().get()) {
                drop(place.leave(driver, Leaving::Recalled));
            }
        });
    }

    /// [`let_go`](Self::let_go), if nothing is in flight and nothing is left to be sent. If not, it
    /// stays, and goes on.
    pub fn let_go_if_idle(&self) {
        let place = self.place();
        let _no_driver = current::with(|driver| {
            let here = place.word.is(driver.id().get()) && place.local.refs.get() == 0;
            if here && place.visit(driver, |here| here.unsent()) == 0 {
                drop(place.leave(driver, Leaving::Recalled));
            }
        });
    }

    /// Gives up the home, if that is here.
    fn evict(&self) {
        const TURNS: usize = 1000;
        let place = self.place();
        let _no_driver = current::with(|driver| {
            let me = driver.id().get();
            if place.word.is(me) {
                drop(place.leave(driver, Leaving::Recalled));
            }
            for _ in 0..TURNS {
                if !place.word.is(me) || driver.turn().is_err() {
                    return;
                }
            }
        });
    }
}

impl<T: Resident> Drop for Homed<T> {
    fn drop(&mut self) {
        let Some(place) = &self.place else { return };
        let here = current::with(|driver| {
            let here = place.word.is(driver.id().get());
            if here {
                drop(place.leave(driver, Leaving::Abandoned));
            }
            here
        });
        if matches!(here, Ok(true)) {
            return;
        }
        match place.word.abandon() {
            // Refused only by a driver that has ended, and so has let go of all its places.
            Home::Elsewhere(home) => drop(home.post(place.clone())),
            Home::Nowhere if place.unsent_at_end() => {
                let _no_driver = current::with(|driver| {
                    if place.adopt_if_homeless(driver) {
                        drop(place.leave(driver, Leaving::Abandoned));
                    }
                });
            }
            Home::Nowhere => {
                // SAFETY: this is the only handle, and the word says, under its lock, that the
                // place is homeless: only a visit by a handle could change that.
                let state = unsafe { &mut *place.state.get() };
                state.dropped_nowhere(&place.shared);
            }
            Home::Lost => {}
        }
    }
}

impl<T: Resident> fmt::Debug for Homed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Homed").finish_non_exhaustive()
    }
}

impl<T: Resident> Place<T> {
    /// The slow half of a visit: not at home here, or about to leave.
    #[cold]
    fn come_here(self: &Arc<Self>, driver: &Driver, waker: Option<&Waker>) -> Poll<io::Result<()>> {
        let me = driver.id().get();
        if self.word.is(me) {
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

    /// For the drop of the handle of a homeless place: whether it needs a home to end at.
    fn unsent_at_end(&self) -> bool {
        // SAFETY: the caller has the only handle, and has just seen, under the word's lock, that
        // the place is homeless. Only a handle's visit could change that.
        let state = unsafe { &*self.state.get() };
        state.unsent() > 0
    }

    fn move_in(self: &Arc<Self>, driver: &Driver) {
        self.local.leaving.set(Leaving::Stays);
        self.local.slot.set(driver.homes().insert(self.clone()));
        self.visit(driver, T::arrived);
    }

    /// Lends the state. The caller has seen that `driver`, this thread's, is home.
    #[inline]
    fn visit<R>(&self, driver: &Driver, visit: impl FnOnce(&mut Here<'_, T>) -> R) -> R {
        debug_assert!(self.word.is(driver.id().get()));
        assert!(!self.local.busy.replace(true), "a visit within a visit of the same state");
        let _reset = Reset(&self.local.busy);
        // SAFETY: this thread's driver is home, so no other thread touches the state; `busy` was
        // false, so this thread has no other borrow of it, and stays true until this one ends
        // (also by a panic). A place is not released while busy.
        let state = unsafe { &mut *self.state.get() };
        visit(&mut Here { place: self, driver, state })
    }

    /// Starts to leave: asked for, or for ever. What comes back is the register's reference, for
    /// a caller that has one of its own.
    fn leave(&self, driver: &Driver, why: Leaving) -> Option<Arc<dyn Tenant>> {
        if self.local.leaving.get() == Leaving::Abandoned {
            return None;
        }
        self.local.leaving.set(why);
        match why {
            Leaving::Stays => unreachable!("nobody leaves by staying"),
            Leaving::Recalled => self.visit(driver, T::recall),
            Leaving::Abandoned => self.visit(driver, T::abandon),
        }
        self.release_if_idle(driver)
    }

    /// Visits a homeless place without making it at home, for a visitor that moves. All others get
    /// their closure back.
    #[inline]
    fn pass<R, V>(self: &Arc<Self>, driver: &Driver, visit: V) -> Result<R, V>
    where
        V: FnOnce(&mut Here<'_, T>) -> R,
    {
        if !current::is_moving() {
            return Err(visit);
        }
        let Some(passing) = self.word.pass(driver.id().get()) else { return Err(visit) };
        self.local.leaving.set(Leaving::Stays);
        let result = self.visit(driver, |here| {
            T::arrived(here);
            visit(here)
        });
        if self.local.refs.get() > 0 {
            passing.stay(driver.remote().clone());
            self.local.slot.set(driver.homes().insert(self.clone()));
            drop(self.leave(driver, Leaving::Recalled));
        }
        Ok(result)
    }

    /// After a visit in passing at home. If the place cannot be released yet, `waker` is woken when
    /// it is.
    fn let_go(&self, driver: &Driver, waker: Option<&Waker>) {
        match (self.leave(driver, Leaving::Recalled), waker) {
            (None, Some(waker)) => self.word.queue(waker.clone()),
            (released, _) => drop(released),
        }
    }

    /// Ends the stay if it is to end and nothing is in flight. What comes back is the register's
    /// reference, perhaps the last: the caller drops it when it holds no reference into it.
    fn release_if_idle(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
        let local = &self.local;
        if local.leaving.get() == Leaving::Stays || local.refs.get() != 0 || local.busy.get() {
            return None;
        }
        let reference = driver.homes().remove(local.slot.get());
        // From here on another thread may be home.
        self.word.release().wake();
        Some(reference)
    }

    #[inline]
    fn retain(&self) {
        let refs = &self.local.refs;
        refs.set(refs.get() + 1);
    }
}

struct Reset<'a>(&'a Cell<bool>);

impl Drop for Reset<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn lost() -> io::Error {
    io::Error::other(
        "the driver that this belonged to has ended while the kernel held memory of its operations",
    )
}

/// A visit: the state, and the driver that it is at home at.
pub struct Here<'a, T: Resident> {
    place: &'a Place<T>,
    driver: &'a Driver,
    state: &'a mut T,
}

impl<T: Resident> Here<'_, T> {
    /// This thread's driver, which is home.
    #[inline]
    pub fn driver(&self) -> &Driver {
        self.driver
    }

    /// The state and the driver, both at once.
    #[inline]
    pub fn parts(&mut self) -> (&mut T, &Driver) {
        (self.state, self.driver)
    }

    /// What every thread may read.
    #[inline]
    pub fn shared(&self) -> &T::Shared {
        &self.place.shared
    }

    /// A reference for an operation: the state keeps this home while it lives.
    #[inline]
    pub fn reference(&self) -> HomeRef<T> {
        self.place.retain();
        HomeRef { place: NonNull::from(self.place) }
    }

    /// The state is about to leave: nothing new is to be started.
    pub fn is_leaving(&self) -> bool {
        self.place.local.leaving.get() == Leaving::Recalled
    }

    /// Asks for one call of [`Resident::before_enter`], before the next submission.
    #[inline]
    pub fn before_enter(&self) {
        if !self.place.local.listed.replace(true) {
            self.place.retain();
            self.driver.homes().list(NonNull::from(self.place as &dyn Tenant));
        }
    }

    /// Whether a call of [`Resident::before_enter`] is still to come, until when the state lives.
    pub fn waits_for_enter(&self) -> bool {
        self.place.local.listed.get()
    }

    /// Asks for one call of [`Resident::before_sleep`].
    #[inline]
    pub fn before_sleep(&self) {
        if !self.place.local.resting.replace(true) {
            self.place.retain();
            self.driver.homes().rest(NonNull::from(self.place as &dyn Tenant));
        }
    }
}

impl<T: Resident> fmt::Debug for Here<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Here").finish_non_exhaustive()
    }
}

impl<T: Resident> Deref for Here<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.state
    }
}

impl<T: Resident> DerefMut for Here<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.state
    }
}

/// An operation's reference to a state, on the state's home.
///
/// It costs no atomic operation. It is to be given to an operation that is submitted to the same
/// driver at once; one that is carried to another thread is of no use there, and keeps the state
/// from ever leaving its home.
pub struct HomeRef<T: Resident> {
    place: NonNull<Place<T>>,
}

// SAFETY: the pointer is valid as long as the reference lives, on whatever thread (see `place`);
// on another thread than the home's nothing but `shared` and the word is touched, which are
// `Sync`.
unsafe impl<T: Resident> Send for HomeRef<T> {}

impl<T: Resident> HomeRef<T> {
    #[inline]
    fn place(&self) -> &Place<T> {
        // SAFETY: this reference is counted in `refs`. The register drops its `Arc` of the place
        // only when `refs` is zero, or never: a home that ends with `refs` not zero leaks it.
        unsafe { self.place.as_ref() }
    }

    /// What every thread may read.
    #[inline]
    pub fn shared(&self) -> &T::Shared {
        &self.place().shared
    }

    /// Lends the state to `visit`; `None` if this is not the home's thread.
    ///
    /// # Panics
    ///
    /// If called within a visit of the same state.
    #[inline]
    pub fn with<R>(&self, visit: impl FnOnce(&mut Here<'_, T>) -> R) -> Option<R> {
        let place = self.place();
        let visited = current::with(|driver| {
            place.word.is(driver.id().get()).then(|| place.visit(driver, visit))
        });
        visited.ok().flatten()
    }
}

impl<T: Resident> Drop for HomeRef<T> {
    #[inline]
    fn drop(&mut self) {
        let place = self.place();
        // Not at home: the count stays, and with it the place. That leaks; touching the count
        // from here would be a race.
        let released = current::with(|driver| {
            if !place.word.is(driver.id().get()) {
                return None;
            }
            let refs = &place.local.refs;
            refs.set(refs.get() - 1);
            if refs.get() == 0 && place.local.leaving.get() != Leaving::Stays {
                return place.release_if_idle(driver);
            }
            None
        });
        drop(released);
    }
}

impl<T: Resident> fmt::Debug for HomeRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HomeRef").finish_non_exhaustive()
    }
}

impl<T: Resident> Posted for Place<T> {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, driver: &Driver) {
        if !self.word.is(driver.id().get()) {
            // It has moved on since it was posted; whoever waits has been woken by that.
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
    fn before_enter(&self, driver: &Driver, alone: bool) {
        self.local.listed.set(false);
        self.visit(driver, |here| T::before_enter(here, alone));
    }

    fn before_sleep(&self, driver: &Driver) {
        self.local.resting.set(false);
        self.visit(driver, T::before_sleep);
    }

    fn unlist(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
        let refs = &self.local.refs;
        refs.set(refs.get() - 1);
        self.release_if_idle(driver)
    }

    fn recall(&self, driver: &Driver) {
        if self.local.leaving.get() == Leaving::Stays {
            drop(self.leave(driver, Leaving::Recalled));
        }
    }

    fn unsent(&self, driver: &Driver) -> usize {
        self.visit(driver, |here| here.unsent())
    }

    fn lose(&self) {
        self.word.lose().wake();
    }
}
