//! State that one driver at a time may touch, with plain memory.
//!
//! A connection is used by one thread nearly always, and may be used by any. A lock would make
//! the common case pay for the rare one (30 ns of a request's 90). So the state of such a thing
//! has a *home*: the driver whose thread touches it, and on whose ring all its operations are.
//!
//! # Who may touch what, when
//!
//! A [`Place`] is the allocation: the word that names the home ([`word`], where the exclusion is
//! proved), the state `T`, a seat for one operation of its own ([`seat`]), and a few cells of
//! book-keeping (`Local`). It is kept alive by its handles ([`Homed`]) and, while it has a home, by
//! the home's register (`driver/homes`).
//!
//! | who | may touch | because |
//! |---|---|---|
//! | the thread of the driver that is home | `Local`, `T`, the seat | only this thread ends that |
//! | who drops the last reference | `T` (its destructor) | the register has none: homeless |
//! | everybody | the word, `shared`, the link | they are `Sync` |
//!
//! - **Adopted**: the first thread with a driver that visits a homeless place becomes its home.
//!   The home's register gets a reference.
//! - **Visited**: [`Homed::poll_with`] and [`HomeRef::with`] lend `&mut T` to a closure. The
//!   word says so meanwhile: a visit within a visit is a panic, not two `&mut`. No waker is woken,
//!   cloned or dropped in there by this module.
//! - **In use**: an operation in flight has a [`HomeRef`]: a count in plain memory and a pointer.
//!   While the count is not zero the place keeps its home, so the register keeps its reference,
//!   so the pointer is valid. This is I2 for what operations point to.
//! - **Wanted elsewhere**: a visitor at another driver's thread stands in line, and posts the
//!   place to its home, which calls [`Resident::recall`] in its turn: cancel what is in flight.
//!   With the last `HomeRef` gone the place is *released*: homeless, reference dropped, all who
//!   stand in line woken; the first who visits adopts it. What came until then came into `T`,
//!   so nothing is lost on the way (I3).
//! - **Abandoned**: the owning handle was dropped. At home [`Resident::abandon`] is called at once,
//!   elsewhere it is asked for in the same way; if the place was released meanwhile, who gets the
//!   message adopts it and does it. When the last `HomeRef` is gone the register's reference is the
//!   last one, and `T` is dropped at home.
//! - **Viewed**: a [view](Homed::view) visits as the owner does, and keeps the place alive. When
//!   the owner was dropped nobody is let in any more, so who ends the state has it alone.
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
//! dropped by whoever drops the last handle, and must stand that.

mod here;
mod letter;
mod place;
mod reference;
mod seat;
mod word;

pub use here::Here;
pub use reference::HomeRef;
pub use seat::{AtHome, InPlace};

use std::fmt;
use std::io;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use crate::current;
use place::{Leaving, Place, Stay};
use word::Home;

/// What can be at home at a driver.
///
/// All functions run on the home's thread, outside of every borrow of the driver's, and may
/// submit and cancel, but must not run wakers, or anything else of the user's.
pub trait Resident: Send + Sized + 'static {
    /// What every thread may read at any time, without asking the home.
    type Shared: Send + Sync + 'static;

    /// What it has in flight nearly always, one at a time: see [`Here::submit`].
    type Operation: InPlace<Self>;

    /// The place has come to this driver.
    fn arrived(_here: &mut Here<'_, Self>) {}

    /// The place is wanted elsewhere: cancel what is in flight, keep what came, start nothing.
    fn recall(here: &mut Here<'_, Self>);

    /// The handle is gone: finish what was promised, by operations, and then end.
    fn abandon(here: &mut Here<'_, Self>);

    /// The handle is gone, and the state has no home to end at: it was never used, or has come to
    /// rest. For what is to happen at the end whatever became of it; there is no driver.
    fn dropped_nowhere(&mut self, _shared: &Self::Shared) {}

    /// Called before the ring is entered, once for each [`Here::before_enter`].
    fn before_enter(_here: &mut Here<'_, Self>) {}

    /// Called before the driver sleeps, and every few turns, if there is anything to do for those
    /// who asked, once for each [`Here::before_sleep`]; and before the state leaves. What comes
    /// back is dropped outside of the visit.
    fn before_sleep(_here: &mut Here<'_, Self>) -> Option<Waker> {
        None
    }

    /// What was being sent quietly (`Here::send_quietly`) is over; called once for each
    /// [`Here::tell_when_sent`], also if it was not sent.
    fn sent_quietly(_home: &AtHome<'_, Self>) {}

    /// Of what was to be sent quietly (`Here::send_quietly`) only so many bytes were sent, or none:
    /// the error says why.
    fn not_sent_quietly(_home: &AtHome<'_, Self>, _sent: io::Result<usize>, _bytes: Vec<u8>) {}

    /// How many bytes would be lost if the driver ended now, beside those of operations.
    fn unsent(&self) -> usize {
        0
    }
}

/// A handle of a state that has a home: the one that owns it, or a [`view`](Homed::view).
///
/// Dropping the owner abandons the state: [`Resident::abandon`].
pub struct Homed<T: Resident> {
    place: Arc<Place<T>>,
    owns: bool,
}

impl<T: Resident> Homed<T> {
    /// A homeless state: the first driver that visits it becomes its home.
    pub fn new(state: T, shared: T::Shared) -> Homed<T> {
        Homed { place: Arc::new(Place::new(state, shared)), owns: true }
    }

    /// Another handle of the state, which does not own it: dropping it does nothing, and when the
    /// owner has been dropped it visits no more.
    pub fn view(&self) -> Homed<T> {
        Homed { place: Arc::clone(&self.place), owns: false }
    }

    /// What every thread may read.
    #[inline]
    pub fn shared(&self) -> &T::Shared {
        &self.place.shared
    }

    /// Lends the state to `visit`, if this thread's driver is its home or may become it. If not,
    /// asks the home to let go of it, and is pending.
    ///
    /// # Errors
    ///
    /// No driver is entered on this thread, or the state's driver ended while the kernel held
    /// memory of its operations; or this is a view, and the owner was dropped.
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
        let place = &self.place;
        let polled = current::with(|driver| {
            let mut stay = Stay::AtHome;
            if !place.is_settled() {
                stay = ready!(place.admit(driver, cx.waker()))?;
            }
            Poll::Ready(Ok(place.visit_during(driver, stay, Some(cx.waker()), visit)))
        });
        match polled {
            Ok(polled) => polled,
            Err(no_driver) => Poll::Ready(Err(no_driver.into())),
        }
    }

    /// Lends the state to `visit` if, as nearly always, it is at home here, is neither visited nor
    /// about to leave, and the visitor does not move. All that is one comparison. Where it fails,
    /// the other ways to visit tell why.
    #[inline]
    pub fn visit_settled<R>(&self, visit: impl FnOnce(&mut Here<'_, T>) -> R) -> Option<R> {
        self.place.visit_settled(visit)
    }

    /// Lends the state to `visit` if that can be done at once: it is at home here, or nowhere.
    ///
    /// # Panics
    ///
    /// If called within a visit of the same state.
    pub fn try_with<R>(&self, visit: impl FnOnce(&mut Here<'_, T>) -> R) -> Option<R> {
        let place = &self.place;
        let visited = current::with(|driver| {
            let mut stay = Stay::AtHome;
            if !place.is_settled() {
                stay = place.try_admit(driver)?;
            }
            Some(place.visit_during(driver, stay, None, visit))
        });
        visited.ok().flatten()
    }

    /// Takes the state away from its driver, for good.
    ///
    /// At home this cancels what is in flight and turns the driver until that has ended.
    ///
    /// # Errors
    ///
    /// Gives the handle back if the state is at home elsewhere, or the kernel did not let go, or
    /// there is another handle.
    pub fn into_inner(self) -> Result<T, Homed<T>> {
        self.evict();
        // Not dropped: that would abandon the state.
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither used again nor dropped.
        let place = unsafe { ptr::read(&raw const this.place) };
        match Arc::try_unwrap(place) {
            Ok(place) => Ok(place.state.into_inner()),
            Err(place) => Err(Homed { place, owns: this.owns }),
        }
    }

    /// Gives up the home, if that is here: what is in flight is cancelled, and whoever visits next,
    /// on this thread or another, waits until that has ended. So a state that is about to move is
    /// not asked for from there.
    pub fn let_go(&self) {
        let place = &self.place;
        let _no_driver = current::with(|driver| {
            if place.word.is(driver.id().get()) {
                drop(place.leave(driver, Leaving::Recalled));
            }
        });
    }

    /// [`let_go`](Self::let_go), if nothing is in flight and nothing is left to be sent. If not, it
    /// stays, and goes on.
    pub fn let_go_if_idle(&self) {
        let place = &self.place;
        let _no_driver = current::with(|driver| {
            let here = place.word.is(driver.id().get()) && place.local.refs.get() == 0;
            let idle = here && !place.has_letter(driver);
            if idle && place.visit(driver, |here| here.unsent()) == 0 {
                drop(place.leave(driver, Leaving::Recalled));
            }
        });
    }

    /// Gives up the home, if that is here.
    fn evict(&self) {
        const TURNS: usize = 1000;
        let place = &self.place;
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
        if !self.owns {
            return;
        }
        let place = &self.place;
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
        let mut found = place.word.abandon();
        if let Home::Elsewhere(home) = &found
            && home.post(place.clone()).is_err()
        {
            // Refused only by a driver that has ended, and so has let go of all its places.
            found = place.word.abandon();
        }
        if matches!(found, Home::Nowhere) {
            place.end_nowhere();
        }
    }
}

impl<T: Resident> fmt::Debug for Homed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Homed").finish_non_exhaustive()
    }
}
