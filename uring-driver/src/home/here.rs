//! A visit of a state, at home.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use super::Resident;
use super::place::{Leaving, NOWHERE, Place};
use super::reference::HomeRef;
use crate::driver::Driver;
use crate::driver::homes::Tenant;

/// A visit: the state, and the driver that it is at home at.
pub struct Here<'a, T: Resident> {
    pub(super) place: &'a Place<T>,
    pub(super) driver: &'a Driver,
    pub(super) state: &'a mut T,
    /// It is known that neither the state nor its visitor moves.
    pub(super) settled: bool,
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

    /// The handle is gone: nobody will ask for what would be started.
    pub fn is_abandoned(&self) -> bool {
        self.place.local.leaving.get() == Leaving::Abandoned
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

    /// Asks for one call of [`Resident::before_sleep`], before the first sleep for which one of
    /// those who asked [has something to do](Here::has_to_do), or somebody holds a piece of the
    /// pool's.
    #[inline]
    pub fn before_sleep(&self) {
        if self.place.local.resting.get() == NOWHERE {
            self.place.rest(self.driver);
        }
    }

    /// There is something for [`Resident::before_sleep`] to do.
    #[inline]
    pub fn has_to_do(&self) {
        self.driver.homes().has_to_do();
    }

    /// There is no more of what [`has_to_do`](Here::has_to_do) was called for.
    #[inline]
    pub fn has_done(&self) {
        self.driver.homes().has_done();
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
