//! The cell of an operation that a future waits for: shared by the future and the driver.
//!
//! # Who may touch which memory
//!
//! ```text
//!                 header, op       output            waker             state, link
//!   in flight     driver           driver            by state          atomics
//!   DONE          driver           future            driver until DONE
//!   FINAL         future           future            future
//!   ORPHAN        driver           driver            driver
//! ```
//!
//! Where a thread leaves its loop, an operation that [renews](AtLeave::Renews) is asked back from
//! the kernel. If the kernel has done nothing with it the cell is final without an output, and the
//! future takes the operation out, to submit it where it is polled then.
//!
//! `state.rs` says how the word changes. A future that is dropped at home cancels at once; one
//! that is dropped on another thread sends the cell itself, by its link, to ask for it.

use std::alloc::Layout;
use std::cell::{Cell, UnsafeCell};
use std::ptr::NonNull;
use std::task::{Context, Poll, RawWakerVTable, Waker};

use super::alloc::{self, FreeLists};
use super::state::{Closed, Left, Polled, State};
use super::{Header, Kind, Progress, adrift};
use crate::cqe::Cqe;
use crate::current;
use crate::driver::Driver;
use crate::inflight::Key;
use crate::operation::{AtLeave, Next, Operation};
use crate::remote::Remote;
use crate::remote::list::{Entry, Link, Pushed};
use crate::sqe::{Sqe, Timespec};
use crate::sys::abi;

#[repr(C)]
pub(crate) struct Awaited<O: Operation> {
    header: Header,
    state: State,
    /// At home only: the future has been given a result.
    delivered: Cell<bool>,
    /// At home only: the request of a future that was dropped abroad has come.
    request_ran: Cell<bool>,
    /// At home only: the thread has left its loop, or was about to.
    asked_back: Cell<bool>,
    /// At home only: the kernel has done nothing, and the future is to have the operation.
    given_back: Cell<bool>,
    link: Link,
    waker: UnsafeCell<Option<Waker>>,
    output: UnsafeCell<Option<O::Output>>,
    op: UnsafeCell<O>,
}

impl<O: Operation> Awaited<O> {
    const KIND: Kind = Kind {
        prepare: Awaited::<O>::prepare,
        complete: Awaited::<O>::complete,
        release: Awaited::<O>::release,
        unsent: Awaited::<O>::unsent,
        at_leave: O::AT_LEAVE,
        ask_back: Awaited::<O>::ask_back,
        at_once: O::AT_ONCE,
        timeout: O::IS_TIMEOUT,
        bytes: size_of::<Awaited<O>>(),
    };

    /// A cell with `op` in it, which the kernel has not yet, and which belongs to a future.
    pub(crate) fn allocate(op: O, waker: Waker, cells: &FreeLists) -> NonNull<Awaited<O>> {
        let cell = cells.allocate(Layout::new::<Awaited<O>>()).cast::<Awaited<O>>();
        let whole = Awaited {
            header: Header { kind: &Awaited::<O>::KIND, key: Cell::new(Key::NONE) },
            state: State::new(),
            delivered: Cell::new(false),
            request_ran: Cell::new(false),
            asked_back: Cell::new(false),
            given_back: Cell::new(false),
            link: Link::new(),
            waker: UnsafeCell::new(Some(waker)),
            output: UnsafeCell::new(None),
            op: UnsafeCell::new(op),
        };
        // SAFETY: fresh memory of this layout.
        unsafe { cell.write(whole) };
        cell
    }

    /// Frees a cell that has become the caller's alone, and disposes of what is in it.
    ///
    /// # Safety
    ///
    /// The caller owns the cell, by `Left::Free`, `Closed::Free` or `Polled::Done`.
    unsafe fn free(cell: NonNull<Awaited<O>>) {
        // SAFETY: the caller's promise. Moved out first, so that the memory is given back whatever
        // the destructors do.
        let whole = unsafe { cell.read() };
        // SAFETY: allocated with this layout in `allocate`, and not used again.
        unsafe { alloc::free(cell.cast(), Layout::new::<Awaited<O>>()) };
        let output = whole.output.into_inner();
        drop((whole.op, whole.waker));
        if let Some(output) = output {
            O::orphaned(output);
        }
    }

    // The future's side.

    /// The future's poll. After an output the cell is gone; with none, the operation is to be
    /// [taken back](Awaited::take_back).
    pub(crate) fn poll(
        cell: NonNull<Awaited<O>>,
        cx: &mut Context<'_>,
        seen: &mut (*const (), &'static RawWakerVTable),
    ) -> Poll<Option<O::Output>> {
        // SAFETY: the future has not left, so the cell lives.
        let this = unsafe { cell.as_ref() };
        let mut polled = this.state.poll();
        let waker = cx.waker();
        if polled == Polled::Waiting && *seen != (waker.data(), waker.vtable()) {
            // The new one is cloned and the old one dropped here and not below: user code.
            let clone = waker.clone();
            // Of the one that is kept, at whose address nobody else's can come to be: a clone need
            // not be made of the same parts.
            let parts = (clone.data(), clone.vtable());
            let mut new = Some(clone);
            if this.state.take_waker() {
                // SAFETY: WAKER is off, so the slot is ours.
                std::mem::swap(unsafe { &mut *this.waker.get() }, &mut new);
                polled = this.state.put_waker();
                *seen = parts;
            } else {
                polled = this.state.poll();
            }
            drop(new);
        }
        match polled {
            Polled::Waiting => Poll::Pending,
            Polled::Delivering => {
                waker.wake_by_ref();
                Poll::Pending
            }
            Polled::Done { owns_cell } => {
                // SAFETY: DONE and not ORPHAN: the output is ours.
                let output = unsafe { &mut *this.output.get() }.take();
                if output.is_none() {
                    return Poll::Ready(None);
                }
                if owns_cell || this.state.leave() == Left::Free {
                    // SAFETY: just established.
                    unsafe { Awaited::free(cell) };
                }
                Poll::Ready(output)
            }
        }
    }

    /// Takes the operation out of a cell that is final without an output. The cell is gone then.
    ///
    /// # Safety
    ///
    /// The caller owns the cell: it is the cell's future, whose poll has answered so (DONE without
    /// an output is set together with FINAL, in `release`), or as for `free`. There is no output.
    pub(crate) unsafe fn take_back(cell: NonNull<Awaited<O>>) -> O {
        // SAFETY: the caller's promise.
        let whole = unsafe { cell.read() };
        // SAFETY: allocated with this layout in `allocate`, and not used again.
        unsafe { alloc::free(cell.cast(), Layout::new::<Awaited<O>>()) };
        whole.op.into_inner()
    }

    /// The future goes without having taken a result.
    ///
    /// # Safety
    ///
    /// Called once, by the cell's future, which does not use the cell afterwards.
    pub(crate) unsafe fn abandon(cell: NonNull<Awaited<O>>, home: &Remote) {
        if O::PERSISTS {
            // Nothing is asked of the driver: it finds the future gone when the operation ends.
            // What has been given back is the future's to bring on its way again.
            // SAFETY: the future has not left yet, so the cell lives.
            let this = unsafe { cell.as_ref() };
            match this.state.leave() {
                Left::ToDriver => {}
                Left::Free if this.given_back.get() => {
                    // SAFETY: just established, and `given_back` says that there is no output.
                    adrift::go_on(unsafe { Awaited::take_back(cell) }, home);
                }
                // SAFETY: just established.
                Left::Free => unsafe { Awaited::free(cell) },
            }
            return;
        }
        if current::is(home.id()) {
            // SAFETY: the future has not left yet, so the cell lives.
            let left = unsafe { cell.as_ref() }.state.leave_at_home();
            match left {
                // SAFETY: just established.
                Left::Free => unsafe { Awaited::free(cell) },
                Left::ToDriver => {
                    // SAFETY: at home; the driver has the cell, and does nothing while we run.
                    let key = unsafe { cell.as_ref() }.header.key.get();
                    let asked = current::with(|driver| driver.cancel_key(key));
                    debug_assert!(asked.is_ok(), "`current::is` found the driver");
                }
            }
            return;
        }
        // SAFETY: as above.
        let left = unsafe { cell.as_ref() }.state.leave_with_request();
        match left {
            // SAFETY: just established.
            Left::Free => unsafe { Awaited::free(cell) },
            Left::ToDriver => {
                let entry = Entry { run: Awaited::<O>::request, object: cell.as_ptr().cast() };
                // SAFETY: LINK keeps the cell until `request` runs, or until we give the request
                // up below.
                let link = unsafe { &cell.as_ref().link };
                // SAFETY: the link is a part of the cell.
                let pushed = unsafe { home.shared().list.push(link, entry) };
                match pushed {
                    Pushed::Queued => home.wake(),
                    Pushed::Closed | Pushed::Already => {
                        // SAFETY: LINK without GIVEN still keeps the cell.
                        if unsafe { cell.as_ref() }.state.give_up_request() {
                            // SAFETY: FINAL came before GIVEN: the cell was left to us.
                            unsafe { Awaited::free(cell) };
                        }
                    }
                }
            }
        }
    }

    /// What a future that was dropped abroad asks for, run at home.
    ///
    /// # Safety
    ///
    /// `object` is a cell of this kind whose state has LINK; called once.
    unsafe fn request(object: *const (), driver: &Driver) {
        let cell = NonNull::new(object.cast_mut().cast::<Awaited<O>>()).expect("a cell");
        // SAFETY: LINK keeps the cell until this call.
        let this = unsafe { cell.as_ref() };
        if this.state.is_final() {
            // SAFETY: the driver left the cell to this request (`Closed::AfterRequest`).
            unsafe { Awaited::free(cell) };
        } else {
            this.request_ran.set(true);
            driver.cancel_key(this.header.key.get());
        }
    }

    // The driver's side.

    unsafe fn prepare(cell: NonNull<Header>) -> (Sqe, Option<NonNull<Timespec>>) {
        // SAFETY: our caller's promise (`Kind::prepare`); the header is the first field.
        let this = unsafe { cell.cast::<Awaited<O>>().as_ref() };
        // SAFETY: in flight the operation is the driver's, which calls one function at a time.
        let op = unsafe { &mut *this.op.get() };
        let sqe = op.prepare();
        (sqe, op.time_limit().map(NonNull::from))
    }

    unsafe fn complete(cell: NonNull<Header>, driver: &Driver, cqe: Cqe) -> Progress {
        if O::GATHERS {
            driver.gather();
        }
        // SAFETY: our caller's promise (`Kind::complete`); the header is the first field.
        let this = unsafe { cell.cast::<Awaited<O>>().as_ref() };
        if cqe.result() == -abi::ECANCELED && !cqe.has_more() && this.is_wanted_back() {
            this.given_back.set(true);
            return Progress::Finished;
        }
        // SAFETY: in flight the operation is the driver's, which calls one function at a time.
        let next = unsafe { &mut *this.op.get() }.complete(cqe);
        let unwanted = this.is_unwanted();
        let stop = matches!(next, Next::Done(_));
        match (next, cqe.has_more()) {
            (Next::Done(output) | Next::More(output), more) => {
                if unwanted {
                    O::orphaned(output);
                    return if more { Progress::Continue } else { Progress::Finished };
                }
                // SAFETY: nothing was delivered, so the output is the driver's.
                unsafe { *this.output.get() = Some(output) };
                if !more {
                    // `release` delivers it.
                    return Progress::Finished;
                }
                let waker = this.deliver();
                if stop { Progress::Stop(waker) } else { Progress::Wake(waker) }
            }
            (Next::Held | Next::Again, true) => Progress::Continue,
            (Next::Held | Next::Again, false) if unwanted && !O::PERSISTS => Progress::Finished,
            (Next::Again, false) if this.is_wanted_back() => {
                this.given_back.set(true);
                Progress::Finished
            }
            (Next::Again, false) => Progress::Again,
            (Next::Held, false) => panic!(
                "{} answered `Held` to its last completion ({cqe:?})",
                std::any::type_name::<O>()
            ),
        }
    }

    /// Nobody waits for a result any more.
    fn is_unwanted(&self) -> bool {
        self.delivered.get() || self.state.is_orphan()
    }

    fn is_wanted_back(&self) -> bool {
        self.asked_back.get() && O::AT_LEAVE == AtLeave::Renews && !self.is_unwanted()
    }

    /// Hands the output over while the kernel goes on.
    fn deliver(&self) -> Option<Waker> {
        self.delivered.set(true);
        let waker = self.lock();
        if self.state.deliver() {
            // SAFETY: the future was gone, so the output is the driver's again.
            if let Some(output) = unsafe { &mut *self.output.get() }.take() {
                O::orphaned(output);
            }
        }
        waker
    }

    fn lock(&self) -> Option<Waker> {
        if self.state.lock() {
            // SAFETY: LOCK was set with WAKER on: the slot is ours.
            unsafe { &mut *self.waker.get() }.take()
        } else {
            None
        }
    }

    unsafe fn release(cell: NonNull<Header>, driver: &Driver) -> Option<Waker> {
        let cell = cell.cast::<Awaited<O>>();
        // SAFETY: our caller's promise (`Kind::release`).
        let this = unsafe { cell.as_ref() };
        // SAFETY: undelivered, the output is the driver's; delivered, it is not looked at.
        let output = !this.delivered.get() && unsafe { &*this.output.get() }.is_some();
        let back = this.given_back.get();
        let done = output || back;
        let waker = if done { this.lock() } else { None };
        match this.state.close(done, this.request_ran.get()) {
            Closed::ToFuture => waker,
            Closed::Free if O::PERSISTS && back => {
                // SAFETY: just established.
                driver.submit_unawaited(unsafe { Awaited::take_back(cell) });
                waker
            }
            Closed::Free => {
                // SAFETY: just established.
                unsafe { Awaited::free(cell) };
                waker
            }
            Closed::AfterRequest => waker,
        }
    }

    unsafe fn unsent(cell: NonNull<Header>) -> u64 {
        // SAFETY: our caller's promise (`Kind::unsent`); the header is the first field.
        let this = unsafe { cell.cast::<Awaited<O>>().as_ref() };
        // SAFETY: in flight the operation is the driver's, which calls one function at a time.
        unsafe { &*this.op.get() }.unsent()
    }

    unsafe fn ask_back(cell: NonNull<Header>) -> bool {
        // SAFETY: our caller's promise (`Kind::ask_back`); the header is the first field.
        let this = unsafe { cell.cast::<Awaited<O>>().as_ref() };
        this.asked_back.set(true);
        !this.is_unwanted()
    }
}
