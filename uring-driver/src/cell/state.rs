//! The word by which a future and its driver tell each other who owns what of a cell.
//!
//! The future may be polled and dropped on any thread; the driver stays at home.
//!
//! ```text
//!  bit     set by   when                                     from then on
//!  WAKER   future   it has put a waker into the cell         the waker is readable by the driver
//!  LOCK    driver   it has an output to deliver              the waker is the driver's
//!  DONE    driver   the output is in the cell                the output is the future's
//!  FINAL   driver   the last completion was handled          the cell is the future's
//!  ORPHAN  future   it was dropped, or has its output        the cell is the driver's
//!  LINK    future   dropped abroad: a request to cancel is   the cell stays until that request
//!                   on its way through the list of the home  was run or given up
//!  GIVEN   future   the home's list was closed: the request  as without LINK
//!                   of LINK will not come
//! ```
//!
//! Of FINAL and ORPHAN the one that is set second frees the cell. With LINK there is a third
//! party, the request; it runs at home, so the driver and it need no atomics between them.
//!
//! The waker: the future writes it while WAKER is off, and takes WAKER off by an exchange that
//! fails once LOCK is on. The driver sets LOCK, takes the waker if WAKER was on, and only then
//! sets DONE, after which it touches nothing of the cell: the future may have freed it. A future
//! that finds LOCK but not DONE is about to be done, perhaps with a waker of an earlier poll: it
//! wakes itself.

use std::sync::atomic::Ordering;

use crate::loom::sync::AtomicU32;

const WAKER: u32 = 1 << 0;
const LOCK: u32 = 1 << 1;
const DONE: u32 = 1 << 2;
const FINAL: u32 = 1 << 3;
const ORPHAN: u32 = 1 << 4;
const LINK: u32 = 1 << 5;
const GIVEN: u32 = 1 << 6;

/// What a poll finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Polled {
    /// Nothing yet; the waker in the cell is the one of an earlier poll.
    Waiting,
    /// The driver is delivering at this moment: the caller wakes itself.
    Delivering,
    /// The output is the caller's; then it calls `leave` unless the cell is its own as well. If
    /// there is none, the operation is.
    Done { owns_cell: bool },
}

/// What the future owes when it leaves the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Left {
    /// Nothing: the driver has the cell, and an output that is still in it.
    ToDriver,
    /// To free the cell, and to dispose of an output that is still in it.
    Free,
}

/// What the driver owes after its last touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Closed {
    /// The future has the cell; it must not be touched.
    ToFuture,
    /// The future is gone: dispose of the output and free the cell.
    Free,
    /// The future is gone; its request to cancel is still to come, and frees the cell.
    AfterRequest,
}

#[derive(Debug)]
pub(crate) struct State(AtomicU32);

impl State {
    /// The state of a cell with a waker in it, whose operation is about to be submitted.
    pub(crate) fn new() -> State {
        State(AtomicU32::new(WAKER))
    }

    // The future's side.

    #[inline]
    pub(crate) fn poll(&self) -> Polled {
        // Acquire: with the driver's setting of DONE, for the output.
        let state = self.0.load(Ordering::Acquire);
        if state & DONE != 0 {
            Polled::Done { owns_cell: state & FINAL != 0 }
        } else if state & LOCK != 0 {
            Polled::Delivering
        } else {
            Polled::Waiting
        }
    }

    /// Takes the waker back, to replace it; `false` if the driver was faster.
    pub(crate) fn take_waker(&self) -> bool {
        // Acquire and Release: whichever thread put the waker there is this future's earlier
        // place, ordered by whoever moved it; towards the driver only the exchange's success
        // matters, which excludes LOCK.
        self.0.compare_exchange(WAKER, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// A new waker is in the cell. The answer is never `Waiting` without the driver seeing it.
    pub(crate) fn put_waker(&self) -> Polled {
        // AcqRel: releases the waker to the driver's LOCK; acquires the output if it is there.
        let before = self.0.fetch_or(WAKER, Ordering::AcqRel);
        if before & DONE != 0 {
            Polled::Done { owns_cell: before & FINAL != 0 }
        } else if before & LOCK != 0 {
            Polled::Delivering
        } else {
            Polled::Waiting
        }
    }

    /// The future leaves, having taken the output if it was `Done`.
    pub(crate) fn leave(&self) -> Left {
        // AcqRel: releases the cell to the driver, or acquires it from the driver's FINAL.
        Self::left(self.0.fetch_or(ORPHAN, Ordering::AcqRel))
    }

    /// As `leave`, on the home thread: nobody else touches the word.
    pub(crate) fn leave_at_home(&self) -> Left {
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before | ORPHAN, Ordering::Relaxed);
        Self::left(before)
    }

    /// As `leave`, abroad, announcing a request to cancel. With `Left::ToDriver` the caller must
    /// push the request now, and call `give_up_request` if that fails.
    pub(crate) fn leave_with_request(&self) -> Left {
        // AcqRel: as in `leave`.
        Self::left(self.0.fetch_or(ORPHAN | LINK, Ordering::AcqRel))
    }

    fn left(before: u32) -> Left {
        if before & FINAL != 0 { Left::Free } else { Left::ToDriver }
    }

    /// The request cannot be delivered. Returns whether the driver has finished with the cell, so
    /// that the caller frees it.
    pub(crate) fn give_up_request(&self) -> bool {
        // AcqRel: releases the cell to the driver's `close`, or acquires it from there.
        self.0.fetch_or(GIVEN, Ordering::AcqRel) & FINAL != 0
    }

    // The driver's side.

    /// Is the future gone? A hint: it may go at any time.
    #[inline]
    pub(crate) fn is_orphan(&self) -> bool {
        self.0.load(Ordering::Relaxed) & ORPHAN != 0
    }

    /// Was the last completion handled? At home, where that is no hint.
    pub(crate) fn is_final(&self) -> bool {
        self.0.load(Ordering::Relaxed) & FINAL != 0
    }

    /// The driver has an output. Returns whether there is a waker, which is its own now.
    pub(crate) fn lock(&self) -> bool {
        // Acquire: with the future's setting of WAKER, for the waker.
        self.0.fetch_or(LOCK, Ordering::Acquire) & WAKER != 0
    }

    /// The output is in the cell, more completions will come. Returns whether the future was gone
    /// before, so that the output is still the driver's.
    pub(crate) fn deliver(&self) -> bool {
        // AcqRel: releases the output to the future; acquires what a future that left wrote.
        self.0.fetch_or(DONE, Ordering::AcqRel) & ORPHAN != 0
    }

    /// The last completion was handled; with `output` it is in the cell and undelivered, or the
    /// operation is the future's in its place.
    /// `request_ran`: the request of LINK has come.
    pub(crate) fn close(&self, output: bool, request_ran: bool) -> Closed {
        let bits = if output { DONE | FINAL } else { FINAL };
        // AcqRel: releases cell and output to the future; acquires what a future that left wrote.
        let before = self.0.fetch_or(bits, Ordering::AcqRel);
        if before & ORPHAN == 0 {
            Closed::ToFuture
        } else if before & LINK != 0 && before & GIVEN == 0 && !request_ran {
            Closed::AfterRequest
        } else {
            Closed::Free
        }
    }
}
