//! The operation that lives in the place of the state that it works for.
//!
//! An operation in flight needs memory that does not move, and somebody to tell of its end. A state
//! at home is both: while something of its own is in flight it keeps its home, and its place stays
//! where it is. So what a state has in flight nearly always lives in the place itself. Nothing is
//! allocated for it, and its completions find the state without looking for it.
//!
//! # Who may touch the operation
//!
//! ```text
//!             Here::submit                    release
//!   ┌────────┐ ──────────▶ ┌────────────────┐ ───────▶ ┌──────────────────────┐
//!   │ vacant │             │ the driver's   │          │ `ended` has it       │
//!   └────────┘ ◀────────── │ (and kernel's) │          │ the seat: vacant     │
//!              closed      └────────────────┘          └──────────────────────┘
//! ```
//!
//! - `taken` says whose the operation's memory is, without looking at it: a visit that submits
//!   while it is taken panics.
//! - From `submit` to the end of `release` the operation is counted in the place's `refs`, as a
//!   [`HomeRef`](super::HomeRef) would be: until then the register has its reference, and what the
//!   kernel may write to, or read, is not freed (I2). Where the driver ends before its last
//!   completion the count stays, and the place is leaked with it.
//! - The driver finds it by its slot, like every other cell: a completion that is stale finds
//!   nothing (I10).

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::Waker;

use super::Resident;
use super::here::Here;
use super::place::Place;
use crate::cell::{Header, Kind, Prepared, Progress};
use crate::cqe::Cqe;
use crate::driver::homes::Tenant;
use crate::driver::{Driver, Ticket};
use crate::inflight::Key;
use crate::operation::{AtLeave, Next};
use crate::sqe::{Sqe, Timespec};

/// An operation that lives in the place of a state: as [`Operation`](crate::Operation), but it is
/// told whom it works for.
///
/// # Safety
///
/// That of [`Operation`](crate::Operation).
pub unsafe trait InPlace<T: Resident>: Send + 'static {
    /// As [`Operation::AT_ONCE`](crate::Operation::AT_ONCE).
    const AT_ONCE: bool = false;

    /// The entry to submit. `self` is where it will be until the last completion.
    fn prepare(&mut self, shared: &T::Shared) -> Sqe;

    /// Makes sense of a completion. The seat is still taken: nothing can be submitted to it.
    fn complete(&mut self, home: &AtHome<'_, T>, cqe: Cqe) -> Next<()>;

    /// The last completion has come, and the seat is vacant.
    fn ended(self, home: &AtHome<'_, T>);

    /// As [`Operation::time_limit`](crate::Operation::time_limit).
    fn time_limit(&self) -> Option<&Timespec> {
        None
    }

    /// As [`Operation::unsent`](crate::Operation::unsent).
    fn unsent(&self) -> u64 {
        0
    }
}

/// A state, as its own operation sees it: at home, and not visited.
pub struct AtHome<'a, T: Resident> {
    place: &'a Place<T>,
    driver: &'a Driver,
}

impl<'a, T: Resident> AtHome<'a, T> {
    #[inline]
    pub(super) fn new(place: &'a Place<T>, driver: &'a Driver) -> AtHome<'a, T> {
        AtHome { place, driver }
    }

    /// This thread's driver, which is home.
    #[inline]
    pub fn driver(&self) -> &Driver {
        self.driver
    }

    /// What every thread may read.
    #[inline]
    pub fn shared(&self) -> &T::Shared {
        &self.place.shared
    }

    /// Lends the state to `visit`.
    ///
    /// # Panics
    ///
    /// If called within a visit of the same state.
    #[inline]
    pub fn with<R>(&self, visit: impl FnOnce(&mut Here<'_, T>) -> R) -> R {
        self.place.visit(self.driver, visit)
    }
}

impl<T: Resident> fmt::Debug for AtHome<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtHome").finish_non_exhaustive()
    }
}

/// The memory of the operation: the first field of its place, so that a pointer to the header is
/// one to the place.
#[repr(C)]
pub(super) struct Seat<O> {
    header: Header,
    taken: Cell<bool>,
    op: UnsafeCell<Option<O>>,
}

impl<O> Seat<O> {
    pub(super) const fn new(kind: &'static Kind) -> Seat<O> {
        Seat {
            header: Header { kind, key: Cell::new(Key::NONE) },
            taken: Cell::new(false),
            op: UnsafeCell::new(None),
        }
    }
}

impl<T: Resident> Here<'_, T> {
    /// Submits the operation that lives in the state's own place. After the driver has been shut
    /// down it is dropped without a completion.
    ///
    /// # Panics
    ///
    /// If the last one has not ended.
    #[inline]
    pub fn submit(&self, op: T::Operation) -> Ticket {
        if self.driver.is_closed() {
            return Ticket::NONE;
        }
        self.sit(op);
        // SAFETY: the operation is in the seat of this place.
        unsafe { self.place.submit(self.driver) }
    }

    /// Cancels the operation in the state's own place.
    pub fn cancel(&self) {
        if self.place.seat.taken.get() {
            self.driver.cancel_key(self.place.seat.header.key.get());
        }
    }

    #[inline]
    fn sit(&self, op: T::Operation) {
        let seat = &self.place.seat;
        assert!(!seat.taken.replace(true), "one operation at a time is in the place of a state");
        // SAFETY: it was vacant, so nobody else looks at it, and there is nothing to drop: at home,
        // and the driver is not asked for anything before this assignment has ended.
        unsafe { seat.op.get().write(Some(op)) };
        self.place.retain();
    }
}

impl<T: Resident> Place<T> {
    pub(super) const KIND: Kind = Kind {
        prepare: Place::<T>::prepare,
        complete: Place::<T>::complete,
        release: Place::<T>::end,
        unsent: Place::<T>::in_flight,
        at_leave: AtLeave::Stays,
        ask_back: |_| false,
        at_once: <T::Operation as InPlace<T>>::AT_ONCE,
        timeout: false,
        bytes: size_of::<Place<T>>(),
    };

    /// Submits the operation in the seat.
    ///
    /// # Safety
    ///
    /// The seat was taken by `sit`, and the kernel does not have the operation.
    #[inline]
    unsafe fn submit(&self, driver: &Driver) -> Ticket {
        // SAFETY: the place begins with the header. It stays where it is, and at home, because the
        // operation is counted in `refs`; `taken` keeps everybody else from it.
        unsafe { driver.submit_in_place(NonNull::from(self).cast()) }
    }

    /// The operation is over: empties the seat, and tells it.
    #[inline]
    fn vacate(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
        // SAFETY: the kernel and the driver are done with the operation, and the place is at home.
        let op = unsafe { (*self.seat.op.get()).take() };
        self.seat.taken.set(false);
        if let Some(op) = op {
            op.ended(&AtHome { place: self, driver });
        }
        self.release_one(driver)
    }

    /// The place of a cell.
    ///
    /// # Safety
    ///
    /// A cell of this kind that is in flight, or is just being released, at home.
    #[inline]
    unsafe fn of<'a>(cell: NonNull<Header>) -> &'a Place<T> {
        // SAFETY: the caller's promise: it is counted in `refs`, hence registered, hence alive. The
        // header is the first field of the first field, both `repr(C)`.
        unsafe { cell.cast::<Place<T>>().as_ref() }
    }

    /// The operation of a place.
    ///
    /// # Safety
    ///
    /// As for [`of`](Self::of), and the seat is taken, and no other reference to the operation is
    /// in use: the driver calls none of the functions below from inside another.
    #[inline]
    unsafe fn op<'a>(cell: NonNull<Header>) -> &'a mut T::Operation {
        // SAFETY: the caller's promise.
        let place = unsafe { Self::of(cell) };
        // SAFETY: likewise.
        match unsafe { &mut *place.seat.op.get() } {
            Some(op) => op,
            None => unreachable!("a seat that is taken has an operation"),
        }
    }

    unsafe fn prepare(cell: NonNull<Header>) -> Prepared {
        // SAFETY: our caller's promise (`Kind::prepare`).
        let place = unsafe { Self::of(cell) };
        // SAFETY: likewise.
        let op = unsafe { Self::op(cell) };
        let sqe = op.prepare(&place.shared);
        (sqe, op.time_limit().map(NonNull::from))
    }

    unsafe fn complete(cell: NonNull<Header>, driver: &Driver, cqe: Cqe) -> Progress {
        // SAFETY: our caller's promise (`Kind::complete`).
        let place = unsafe { Self::of(cell) };
        // SAFETY: likewise.
        let op = unsafe { Self::op(cell) };
        Progress::of(&op.complete(&AtHome { place, driver }, cqe), cqe.has_more())
    }

    unsafe fn end(cell: NonNull<Header>, driver: &Driver) -> Option<Waker> {
        let released = {
            // SAFETY: our caller's promise (`Kind::release`); what `release_one` takes out of
            // the register is held until this reference has ended.
            let place = unsafe { Self::of(cell) };
            place.vacate(driver)
        };
        drop(released);
        None
    }

    unsafe fn in_flight(cell: NonNull<Header>) -> u64 {
        // SAFETY: our caller's promise (`Kind::unsent`).
        unsafe { Self::op(cell) }.unsent()
    }
}
