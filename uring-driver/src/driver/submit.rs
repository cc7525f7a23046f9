//! How entries get from operations to the kernel, and cancels after them.
//!
//! An entry goes into the submission queue; if that is full, the kernel is given what is in it; if
//! that does not help either, the entry waits outside, in order, and so does every later one, so
//! that a cancel never overtakes what it cancels. Nothing is ever refused.

use std::io;
use std::ptr::NonNull;
use std::task::Waker;

use super::reap::Completing;
use super::turn::retry;
use super::{Driver, Phase, tag};
use crate::cell::awaited::Awaited;
use crate::cell::detached::Detached;
use crate::cell::{Header, Progress};
use crate::cqe::Cqe;
use crate::inflight::Key;
use crate::operation::Operation;
use crate::sqe::{Sqe, Timespec};
use crate::sys::abi;

/// The name of a detached operation, to cancel it by.
///
/// ```
/// use henge_driver::{Driver, Ticket, ops};
/// use std::{collections::HashMap, time::Duration};
///
/// let driver = Driver::new()?;
/// let mut reminders: HashMap<&str, Ticket> = HashMap::new();
/// let soon = ops::After::new(Duration::from_secs(3600), || println!("tea"));
/// reminders.insert("tea", driver.submit_detached(soon));
/// driver.cancel(reminders["tea"]);
/// while driver.is_in_flight(reminders["tea"]) {
///     driver.park(None, || false)?;
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(Key);

impl Ticket {
    /// The name of what a driver that has been shut down was given.
    pub(crate) const NONE: Ticket = Ticket(Key::NONE);
}

impl Driver {
    /// Submits an operation that nobody waits for: it makes of its completions what it likes.
    ///
    /// After the driver has been shut down the operation is dropped without a completion.
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Next, Operation, Sqe};
    ///
    /// struct Say(std::sync::mpsc::Sender<i32>);
    ///
    /// // SAFETY: the entry points to no memory and names no descriptor.
    /// unsafe impl Operation for Say {
    ///     type Output = ();
    ///     fn prepare(&mut self) -> Sqe { Sqe::nop() }
    ///     fn complete(&mut self, cqe: Cqe) -> Next<()> {
    ///         self.0.send(cqe.result()).expect("the receiver lives");
    ///         Next::Done(())
    ///     }
    /// }
    ///
    /// let driver = Driver::new()?;
    /// let (say, said) = std::sync::mpsc::channel();
    /// driver.submit_detached(Say(say));
    /// driver.turn()?;
    /// assert_eq!(said.recv(), Ok(0));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn submit_detached<O: Operation<Output = ()>>(&self, op: O) -> Ticket {
        if self.is_closed() {
            return Ticket::NONE;
        }
        let _entered = self.enter_if_elsewhere();
        let cell = Detached::allocate(op, &self.inner.cells);
        // SAFETY: a fresh cell, which nobody else has.
        Ticket(unsafe { self.submit_cell(cell) })
    }

    /// Submits the operation in a cell that is not the driver's to make: one that a state has in
    /// its own place.
    ///
    /// # Safety
    ///
    /// The driver has not been shut down. The cell stays where it is, and is the driver's, from now
    /// on until it is released.
    #[inline]
    pub(crate) unsafe fn submit_in_place(&self, cell: NonNull<Header>) -> Ticket {
        // SAFETY: the caller's promise.
        Ticket(unsafe { self.submit_cell(cell) })
    }

    /// Whether nothing can be submitted any more.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.inner.phase.get() == Phase::Closed
    }

    /// Asks the kernel to end a detached operation. Its last completion still comes, and may be a
    /// success. An operation that has ended already is left alone.
    ///
    /// ```
    /// use henge_driver::{Driver, ops};
    /// use std::{sync::mpsc, time::Duration};
    ///
    /// let driver = Driver::new()?;
    /// let (say, said) = mpsc::channel();
    /// let hour = Duration::from_secs(3600);
    /// let rest = driver.submit_detached(ops::After::new(hour, move || say.send("over").unwrap()));
    /// driver.cancel(rest);
    /// while driver.is_in_flight(rest) {
    ///     driver.park(None, || false)?;
    /// }
    /// assert_eq!(said.recv(), Ok("over")); // its completion has come all the same
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn cancel(&self, ticket: Ticket) {
        self.cancel_key(ticket.0);
    }

    /// Is the detached operation still in flight?
    ///
    /// ```
    /// use henge_driver::{Driver, ops};
    ///
    /// let driver = Driver::new()?;
    /// let rest = driver.submit_detached(ops::After::new(std::time::Duration::ZERO, || ()));
    /// while driver.is_in_flight(rest) {
    ///     driver.park(None, || false)?;
    /// }
    /// assert_eq!(driver.counters().completions, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_in_flight(&self, ticket: Ticket) -> bool {
        self.inner.slots.borrow().get(ticket.0).is_some()
    }

    /// Submits an operation for a future.
    ///
    /// # Panics
    ///
    /// After the driver has been shut down.
    pub(crate) fn submit_awaited<O: Operation>(&self, op: O, waker: Waker) -> NonNull<Awaited<O>> {
        assert!(!self.is_closed(), "the driver has been shut down");
        let cell = Awaited::allocate(op, waker, &self.inner.cells);
        // SAFETY: a fresh cell, which only its future has besides.
        unsafe { self.submit_cell(cell.cast()) };
        cell
    }

    /// Submits what [persists](Operation::PERSISTS) and nobody waits for, unless the driver has
    /// been shut down.
    pub(crate) fn submit_unawaited<O: Operation>(&self, op: O) {
        if !self.is_closed() {
            let cell = self.submit_awaited(op, Waker::noop().clone());
            // SAFETY: the cell is in flight, and its future is here, and gone.
            unsafe { Awaited::abandon(cell, self.remote()) };
        }
    }

    /// Gives a cell a slot and its entry to the kernel.
    ///
    /// # Safety
    ///
    /// The cell is new, and the driver's from now on.
    #[inline]
    unsafe fn submit_cell(&self, cell: NonNull<Header>) -> Key {
        let key = self.inner.slots.borrow_mut().insert(cell);
        // SAFETY: the caller's promise.
        let header = unsafe { cell.as_ref() };
        header.key.set(key);
        // SAFETY: the caller's promise; the slot was made for it.
        unsafe { self.submit_cell_again(cell, key) };
        key
    }

    /// Prepares a cell that has a slot and gives its entry to the kernel.
    ///
    /// # Safety
    ///
    /// The cell is in the slot of this key, and the kernel does not have it.
    #[inline]
    pub(super) unsafe fn submit_cell_again(&self, cell: NonNull<Header>, key: Key) {
        // SAFETY: a cell in the table is alive, and its header is the driver's.
        let kind = unsafe { cell.as_ref() }.kind;
        let guard = Completing::new(&self.inner, key, true);
        // SAFETY: at home, and the kernel does not have the cell: the caller's promise.
        let (mut sqe, limit) = unsafe { (kind.prepare)(cell) };
        guard.done();
        sqe.user_data = key.to_user_data();
        self.inner.counting.submissions.add(1);
        if kind.at_once {
            self.inner.at_once.set(self.inner.at_once.get() + 1);
        }
        match limit {
            None => self.push(&sqe),
            Some(span) => self.push_limited(sqe, span),
        }
    }

    /// Queues an entry that is cancelled after `span`.
    #[cold]
    fn push_limited(&self, sqe: Sqe, span: NonNull<Timespec>) {
        let limit = Sqe::link_timeout(span.as_ptr()).with_user_data(tag::TIME_LIMIT);
        let group = (sqe.with_link(), Some(limit));
        if self.has_overflow() || !self.push_group(&group) {
            self.push_outside(group);
        }
        self.notify_queued();
    }

    /// Tells an operation that it will not be repeated, and ends it.
    pub(super) fn refuse(&self, cell: NonNull<Header>, key: Key) {
        // SAFETY: a cell in the table is alive, and its header is the driver's.
        let kind = unsafe { cell.as_ref() }.kind;
        let guard = Completing::new(&self.inner, key, true);
        // SAFETY: at home, not inside another `complete`. The kernel does not have the cell, so
        // this completion, which has no more to come, is its last.
        let progress = unsafe { (kind.complete)(cell, self, Cqe::new(-abi::ECANCELED, 0)) };
        guard.done();
        debug_assert!(matches!(progress, Progress::Finished | Progress::Again));
        self.inner.slots.borrow_mut().remove(key);
        // SAFETY: the kernel does not have the cell, and the slot is free.
        if let Some(waker) = unsafe { (kind.release)(cell, self) } {
            waker.wake();
        }
    }

    pub(crate) fn cancel_key(&self, key: Key) {
        if self.inner.slots.borrow().get(key).is_none() {
            return;
        }
        self.inner.counting.cancels.add(1);
        self.push(&Sqe::cancel(key.to_user_data()).with_user_data(tag::CANCEL));
    }

    /// Queues an entry.
    #[inline]
    pub(super) fn push(&self, sqe: &Sqe) {
        if self.has_overflow() || !self.push_to_ring(sqe) {
            self.push_outside((*sqe, None));
        }
        self.notify_queued();
    }

    /// Queues an entry if there is room for it; nobody is told.
    #[inline]
    pub(super) fn push_to_ring(&self, sqe: &Sqe) -> bool {
        // SAFETY: what the entry points to is owned by a cell that lives until its last
        // completion, or by the driver; `Operation`'s promise.
        unsafe { self.inner.ring.push(std::slice::from_ref(sqe)) }
    }

    /// Whether entries wait outside.
    #[inline]
    pub(super) fn has_overflow(&self) -> bool {
        !self.inner.overflow.borrow().is_empty()
    }

    fn push_group(&self, group: &(Sqe, Option<Sqe>)) -> bool {
        match group {
            (sqe, None) => self.push_to_ring(sqe),
            // SAFETY: as in `push_to_ring`.
            (sqe, Some(limit)) => unsafe { self.inner.ring.push(&[*sqe, *limit]) },
        }
    }

    #[cold]
    pub(super) fn push_outside(&self, group: (Sqe, Option<Sqe>)) {
        self.inner.overflow.borrow_mut().push_back(group);
        // Whatever the kernel answers, the entry is kept, and the next turn reports an error.
        let submitted: io::Result<bool> = retry(self.inner.ring.submit());
        if submitted.is_ok() {
            self.refill();
        }
        if self.has_overflow() {
            self.inner.counting.overflows.add(1);
        }
    }

    /// Moves what waits outside into the submission queue, as far as there is room.
    pub(super) fn refill(&self) {
        let mut overflow = self.inner.overflow.borrow_mut();
        while let Some(group) = overflow.front() {
            if !self.push_group(group) {
                break;
            }
            overflow.pop_front();
        }
    }

    /// Asks the kernel to end everything.
    pub(super) fn cancel_all(&self) {
        self.push(&Sqe::cancel_all().with_user_data(tag::CANCEL));
    }
}
