//! The cell of a detached operation: the operation itself, at home from beginning to end.

use std::alloc::Layout;
use std::cell::{Cell, UnsafeCell};
use std::ptr::NonNull;
use std::task::Waker;

use super::alloc::{self, FreeLists};
use super::{Header, Kind, Progress};
use crate::cqe::Cqe;
use crate::driver::Driver;
use crate::inflight::Key;
use crate::operation::{AtLeave, Operation};
use crate::sqe::{Sqe, Timespec};

#[repr(C)]
pub(crate) struct Detached<O> {
    header: Header,
    op: UnsafeCell<O>,
}

impl<O: Operation<Output = ()>> Detached<O> {
    const KIND: Kind = Kind {
        prepare: Detached::<O>::prepare,
        complete: Detached::<O>::complete,
        release: Detached::<O>::release,
        unsent: Detached::<O>::unsent,
        at_leave: AtLeave::Stays,
        ask_back: |_| false,
        at_once: O::AT_ONCE,
        timeout: O::IS_TIMEOUT,
        bytes: size_of::<Detached<O>>(),
    };

    /// A cell with `op` in it, which nobody has yet.
    pub(crate) fn allocate(op: O, cells: &FreeLists) -> NonNull<Header> {
        let cell = cells.allocate(Layout::new::<Detached<O>>()).cast::<Detached<O>>();
        let header = Header { kind: &Detached::<O>::KIND, key: Cell::new(Key::NONE) };
        // SAFETY: fresh memory of this layout.
        unsafe { cell.write(Detached { header, op: UnsafeCell::new(op) }) };
        cell.cast()
    }

    /// The operation in a cell.
    ///
    /// # Safety
    ///
    /// A cell of this kind, at home, and no other reference to its operation in use: the driver
    /// calls none of the functions below from inside another.
    unsafe fn op<'a>(cell: NonNull<Header>) -> &'a mut O {
        // SAFETY: the caller's promise; the header is the first field of a `repr(C)` struct.
        let cell = unsafe { cell.cast::<Detached<O>>().as_ref() };
        // SAFETY: the caller's promise.
        unsafe { &mut *cell.op.get() }
    }

    unsafe fn prepare(cell: NonNull<Header>) -> (Sqe, Option<NonNull<Timespec>>) {
        // SAFETY: our caller's promise (`Kind::prepare`).
        let op = unsafe { Self::op(cell) };
        let sqe = op.prepare();
        (sqe, op.time_limit().map(NonNull::from))
    }

    unsafe fn complete(cell: NonNull<Header>, driver: &Driver, cqe: Cqe) -> Progress {
        if O::GATHERS {
            driver.gather();
        }
        // SAFETY: our caller's promise (`Kind::complete`).
        let next = unsafe { Self::op(cell) }.complete(cqe);
        Progress::of(&next, cqe.has_more())
    }

    unsafe fn release(cell: NonNull<Header>, _driver: &Driver) -> Option<Waker> {
        let cell = cell.cast::<Detached<O>>();
        // SAFETY: our caller's promise (`Kind::release`): the cell is ours alone, and not used
        // after this. Moved out first, so that the memory is free when a destructor runs.
        let whole = unsafe { cell.read() };
        // SAFETY: allocated with this layout in `allocate`.
        unsafe { alloc::free(cell.cast(), Layout::new::<Detached<O>>()) };
        drop(whole);
        None
    }

    unsafe fn unsent(cell: NonNull<Header>) -> u64 {
        // SAFETY: our caller's promise (`Kind::unsent`).
        unsafe { Self::op(cell) }.unsent()
    }
}
