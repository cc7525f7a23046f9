//! Where an operation lives while the kernel has it: a cell of memory that does not move.
//!
//! # Who may touch which memory
//!
//! A cell begins with a [`Header`], which the home thread's driver reads and writes; behind it is
//! whatever the kind of cell needs. There are three kinds:
//!
//! * *detached* (`detached.rs`): the operation, and nothing else. Made, completed and freed on the
//!   home thread; no other thread ever knows its address.
//! * *awaited* (`awaited.rs`): the operation, its output, a waker, and one atomic word by which
//!   the future (on any thread) and the driver (at home) tell each other who owns what;
//! * *in place* (`home/seat.rs`): the operation of a state that is at home, in the memory of that
//!   state, which stays there for as long as the operation is in flight.
//!
//! From submission to the last completion the memory that the operation points the kernel to
//! belongs to the cell, and the cell to the driver. What a driver cannot get back from the kernel
//! before its deadline is leaked: cells are freed after the last completion or never.

mod adrift;
pub(crate) mod alloc;
pub(crate) mod awaited;
pub(crate) mod detached;
pub(crate) mod state;

use std::cell::Cell;
use std::ptr::NonNull;
use std::task::Waker;

use crate::cqe::Cqe;
use crate::driver::Driver;
use crate::inflight::Key;
use crate::operation::{AtLeave, Next};
use crate::sqe::{Sqe, Timespec};

/// What every cell begins with. Touched by the home thread alone.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) kind: &'static Kind,
    /// The name of this operation in flight.
    pub(crate) key: Cell<Key>,
}

/// An entry, and the limit of time that goes with it.
pub(crate) type Prepared = (Sqe, Option<NonNull<Timespec>>);

/// What the driver does with a cell without knowing its operation.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The entry to submit, and the time limit that goes with it.
    ///
    /// # Safety
    ///
    /// At home, with a cell of this kind that the kernel does not have.
    pub(crate) prepare: unsafe fn(NonNull<Header>) -> Prepared,
    /// Gives the operation a completion. May run the operation's code, which may panic.
    ///
    /// # Safety
    ///
    /// At home, with a cell of this kind that the kernel has, not inside another `complete`.
    pub(crate) complete: unsafe fn(NonNull<Header>, &Driver, Cqe) -> Progress,
    /// Ends the driver's ownership after the last completion: the cell is freed or handed to its
    /// future. What has to be woken is returned, to be woken with nothing borrowed.
    ///
    /// # Safety
    ///
    /// At home, with a cell of this kind that is in no slot; it must not be touched afterwards.
    pub(crate) release: unsafe fn(NonNull<Header>, &Driver) -> Option<Waker>,
    /// Bytes that the operation has still to bring to somebody.
    ///
    /// # Safety
    ///
    /// At home, with a cell of this kind, not inside `complete`.
    pub(crate) unsent: unsafe fn(NonNull<Header>) -> u64,
    /// As [`Operation::AT_LEAVE`](crate::Operation::AT_LEAVE), if there is a future.
    pub(crate) at_leave: AtLeave,
    /// The thread leaves its loop: what is cancelled now goes back to its future, if it renews.
    /// Whether anybody waits for it.
    ///
    /// # Safety
    ///
    /// At home, with a cell of this kind that has a slot.
    pub(crate) ask_back: unsafe fn(NonNull<Header>) -> bool,
    /// As [`Operation::AT_ONCE`](crate::Operation::AT_ONCE).
    pub(crate) at_once: bool,
    /// As [`Operation::IS_TIMEOUT`](crate::Operation::IS_TIMEOUT).
    pub(crate) timeout: bool,
    /// The size of the cell.
    pub(crate) bytes: usize,
}

/// What the driver owes after a completion.
#[derive(Debug)]
#[must_use]
pub(crate) enum Progress {
    /// More completions will come.
    Continue,
    /// As `Continue`; wake this.
    Wake(Option<Waker>),
    /// As `Wake`; the operation wants no more of them: cancel it.
    Stop(Option<Waker>),
    /// That was the last: free the slot, then release the cell.
    Finished,
    /// That was the last of this round: prepare and submit again.
    Again,
}

impl Progress {
    /// What the answer of an operation comes to that has no future to be told.
    #[inline]
    pub(crate) fn of(next: &Next<()>, more: bool) -> Progress {
        match (next, more) {
            (Next::Done(()), true) => Progress::Stop(None),
            (Next::Done(()) | Next::More(()) | Next::Held, false) => Progress::Finished,
            (Next::Again, false) => Progress::Again,
            (Next::More(()) | Next::Held | Next::Again, true) => Progress::Continue,
        }
    }
}
