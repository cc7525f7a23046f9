//! What a state sends quietly: its letter among those of its home; see `driver/quiet`.

use std::io;
use std::os::fd::RawFd;
use std::ptr::NonNull;

use super::Resident;
use super::here::Here;
use super::place::{Leaving, Place};
use crate::current;
use crate::driver::Driver;
use crate::driver::homes::Tenant;

impl<T: Resident> Here<'_, T> {
    /// Adds to the letter, or begins one; see `Here::send_quietly`. `fill` appends as many bytes as
    /// it is told, `len` at most.
    ///
    /// # Safety
    ///
    /// The descriptor is open for as long as the state has a place.
    #[inline]
    pub(crate) unsafe fn write_letter(
        &self,
        socket: RawFd,
        len: usize,
        most: usize,
        fill: impl FnOnce(&mut Vec<u8>, usize),
    ) -> Option<usize> {
        let (place, driver) = (self.place, self.driver);
        let (local, tenant) = (&place.local, place.tenant());
        let letters = driver.quiet().letters();
        if letters.has(local.letter.get(), tenant) {
            return letters.add(local.letter.get(), tenant, len, most, fill);
        }
        // Who moves leaves nothing behind, and may be here only in passing.
        let stays = self.settled || local.leaving.get() == Leaving::Stays && !current::is_moving();
        if !stays || driver.is_closed() {
            return None;
        }
        let len = len.min(most);
        // SAFETY: the place is at home here, and registered, since its visitor does not move. It is
        // not released before `leave` was called, which counts it while its letter is not over. So
        // the descriptor is open, too: the caller's promise.
        let letter = unsafe { driver.quiet().put(tenant, socket, len, fill) }?;
        local.letter.set(letter);
        Some(len)
    }

    /// Whether something is being sent quietly.
    #[inline]
    pub fn sends_quietly(&self) -> bool {
        self.place.has_letter(self.driver)
    }

    /// How many bytes that are.
    pub fn unsent_quietly(&self) -> usize {
        self.place.unsent_letter(self.driver)
    }

    /// The bytes that were to be sent quietly, and now are not; none if it is too late for that.
    pub fn take_back(&self) -> Option<Vec<u8>> {
        let place = self.place;
        self.driver.quiet().letters().take_back(place.local.letter.get(), place.tenant())
    }

    /// Has what was to be sent quietly sent now, by `send`, which cannot wait, and answers whether
    /// all of it was; the rest goes quietly. None if there is nothing, or it is too late for that.
    pub fn send_instead(
        &self,
        send: impl FnOnce(&[u8]) -> io::Result<usize>,
    ) -> Option<io::Result<bool>> {
        let (place, local) = (self.place, &self.place.local);
        let letters = self.driver.quiet().letters();
        letters.send_now(local.letter.get(), place.tenant(), local.told.get(), send)
    }

    /// Asks for one call of [`Resident::sent_quietly`] if something is being sent quietly.
    pub fn tell_when_sent(&self) {
        self.place.tell_when_sent(self.driver);
    }
}

impl<T: Resident> Place<T> {
    #[inline]
    pub(super) fn tenant(&self) -> NonNull<dyn Tenant> {
        NonNull::from(self as &dyn Tenant)
    }

    #[inline]
    pub(super) fn has_letter(&self, driver: &Driver) -> bool {
        driver.quiet().letters().has(self.local.letter.get(), self.tenant())
    }

    pub(super) fn unsent_letter(&self, driver: &Driver) -> usize {
        driver.quiet().letters().unsent(self.local.letter.get(), self.tenant())
    }

    pub(super) fn tell_when_sent(&self, driver: &Driver) {
        if self.has_letter(driver) && !self.local.told.replace(true) {
            self.retain();
            // SAFETY: at home, and counted just now; `Tenant::sent` gives that back.
            unsafe { driver.quiet().tell(self.tenant()) };
        }
    }
}
