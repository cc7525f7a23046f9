//! The caller's end of a cell: it sends, waits for the answer, and cancels.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use super::super::current;
use super::super::error::CallError;
use super::super::lane::Lane;
use super::super::local::Local;
use super::{BEGUN, Cell, DIRECT, DONE, GONE, Job, LINKED, Payload, REGISTERING};
use crate::executor::inbox::{Inbox, Parcel};
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::AtomicU8;

/// What a ticket asks of its cell, whose type it does not know.
trait Caller<T>: Send + Sync {
    /// Leaves the waker. Before it is sent.
    ///
    /// # Safety
    /// The cell has not been sent, and the ticket asks.
    unsafe fn arm(&self, waker: Waker);

    /// Sends the cell along a lane.
    fn send(self: Arc<Self>, local: &Local, to: usize) -> Option<Route>;

    /// Sends the cell by its own link. Before it is sent otherwise.
    fn send_direct(self: Arc<Self>, inbox: Arc<Inbox>) -> Option<Route>;

    /// Takes the answer, if it is there.
    ///
    /// # Safety
    /// The ticket asks, and the cell has been sent.
    unsafe fn take_answer(&self) -> Option<Result<T, CallError>>;

    /// # Safety
    /// As for [`take_answer`](Self::take_answer).
    unsafe fn poll(&self, cx: &Context<'_>) -> Poll<Result<T, CallError>>;

    /// Whether the answer is there.
    fn is_done(&self) -> bool;

    /// The ticket is dropped; the cell has been sent.
    fn abandon(self: Arc<Self>, route: Option<Route>);
}

impl<J: Job> Caller<J::Output> for Parcel<Cell<J>> {
    unsafe fn arm(&self, waker: Waker) {
        // SAFETY: the caller's promise: nobody else has the cell yet.
        drop(self.content.caller.with_mut(|own| unsafe { &mut *own }.replace(waker)));
    }

    fn send(self: Arc<Self>, local: &Local, to: usize) -> Option<Route> {
        let route = if J::LASTS { local.lane_to(to).cloned().map(Route::Lane) } else { None };
        local.send(to, self);
        route
    }

    fn send_direct(self: Arc<Self>, inbox: Arc<Inbox>) -> Option<Route> {
        self.content.state.fetch_or(LINKED | DIRECT, Ordering::Relaxed);
        // SAFETY: LINKED was off, and was turned on by this.
        match unsafe { inbox.post(self) } {
            Ok(()) => Some(Route::Inbox(inbox)),
            Err(refused) => {
                Cell::return_to_sender(refused);
                None
            }
        }
    }

    unsafe fn take_answer(&self) -> Option<Result<J::Output, CallError>> {
        // SAFETY: by the ticket.
        unsafe { self.content.take_answer() }
    }

    unsafe fn poll(&self, cx: &Context<'_>) -> Poll<Result<J::Output, CallError>> {
        let cell = &self.content;
        // SAFETY: by the ticket.
        if let Some(answer) = unsafe { cell.take_answer() } {
            return Poll::Ready(answer);
        }
        // Acquire: pairs with the release in `deliver`: either it is done, or the waker is ours.
        if cell.state.fetch_or(REGISTERING, Ordering::Acquire) & DONE == 0 {
            let old = cell.caller.with_mut(|own| {
                // SAFETY: REGISTERING was turned on before DONE: the waker is ours. The new one is
                // cloned by code of others, which has no way to this cell.
                let own = unsafe { &mut *own };
                match own {
                    Some(known) if known.will_wake(cx.waker()) => None,
                    _ => own.replace(cx.waker().clone()),
                }
            });
            // AcqRel: releases the waker to the deliverer; acquires the answer from one that came
            // in between.
            let was = cell.state.fetch_and(!REGISTERING, Ordering::AcqRel);
            drop(old);
            if was & DONE == 0 {
                return Poll::Pending;
            }
        }
        // SAFETY: by the ticket.
        match unsafe { cell.take_answer() } {
            Some(answer) => Poll::Ready(answer),
            None => unreachable!("it was seen to be done"),
        }
    }

    fn is_done(&self) -> bool {
        self.content.state.load(Ordering::Relaxed) & DONE != 0
    }

    fn abandon(self: Arc<Self>, route: Option<Route>) {
        let ask = if J::LASTS && route.is_some() { GONE | LINKED } else { GONE };
        // AcqRel: see the module's documentation; the target acquires GONE by the parcel, the
        // ticket releases its last use of the cell.
        let was = self.content.state.fetch_or(ask, Ordering::AcqRel);
        if was & (DONE | LINKED | BEGUN) == BEGUN
            && ask & LINKED != 0
            && let Some(route) = route
        {
            // SAFETY: LINKED was off, and was turned on by this.
            // A target that is gone has dropped all tasks.
            drop(unsafe { route.inbox().post(self) });
        }
    }
}

/// How the target is reached once more.
enum Route {
    Lane(Arc<Parcel<Lane>>),
    Inbox(Arc<Inbox>),
}

impl Route {
    fn inbox(&self) -> &Inbox {
        match self {
            Route::Lane(lane) => lane.content.to(),
            Route::Inbox(inbox) => inbox,
        }
    }
}

/// The caller's end of a cell. Dropping it cancels the call.
pub(in super::super) struct Ticket<T> {
    /// Empty once the answer was taken.
    cell: Option<Arc<dyn Caller<T>>>,
    route: Option<Route>,
    sent: bool,
}

impl<T: 'static> Ticket<T> {
    pub(in super::super) fn new(job: impl Job<Output = T>) -> Ticket<T> {
        let cell = Arc::new(Parcel::new(Cell {
            state: AtomicU8::new(0),
            payload: UnsafeCell::new(Payload::Asked(job)),
            caller: UnsafeCell::new(None),
            target: UnsafeCell::new(None),
        }));
        Ticket { cell: Some(cell), route: None, sent: false }
    }

    /// Sends it, the first time, to the shard of this number, which there must be; then waits for
    /// the answer.
    ///
    /// # Panics
    /// Where no loop of ours runs, the first time; and after the end.
    pub(in super::super) fn poll(
        &mut self,
        to: usize,
        cx: &Context<'_>,
    ) -> Poll<Result<T, CallError>> {
        if !self.sent {
            current::with(|local| match local {
                Some(local) if local.index().is_some() => {
                    self.route = self.armed(cx.waker()).send(local, to);
                }
                Some(guest) => match guest.peers().inbox(to) {
                    Some(inbox) => self.post(inbox, cx.waker()),
                    None => panic!("this runtime has no shard {to}"),
                },
                None => panic!("a call must be polled from inside a henge runtime"),
            });
            return self.first_answer();
        }
        self.answer(cx)
    }

    /// What there is right after it was sent: it may have been refused, or even be done. If not,
    /// there is nothing to register: whoever delivers acquires the waker, which was left before it
    /// was sent, together with the cell.
    pub(super) fn first_answer(&mut self) -> Poll<Result<T, CallError>> {
        let Some(cell) = &self.cell else { unreachable!("it was sent just now") };
        // SAFETY: sent, and this is the ticket.
        match unsafe { cell.take_answer() } {
            None => Poll::Pending,
            Some(answer) => {
                self.cell = None;
                Poll::Ready(answer)
            }
        }
    }

    /// Whether a poll by the task that polled it last would do anything.
    pub(in super::super) fn has_news(&self) -> bool {
        !self.sent || self.cell.as_ref().is_some_and(|cell| cell.is_done())
    }

    /// Sends it to this inbox by its own link.
    pub(super) fn post(&mut self, inbox: Arc<Inbox>, waker: &Waker) {
        self.route = self.armed(waker).send_direct(inbox);
    }

    /// What is to be sent: from here on it is.
    fn armed(&mut self, waker: &Waker) -> Arc<dyn Caller<T>> {
        let Some(cell) = &self.cell else { panic!("a call was polled after its end") };
        assert!(!self.sent, "a call is sent once");
        // SAFETY: not sent, and this is the ticket.
        unsafe { cell.arm(waker.clone()) };
        self.sent = true;
        Arc::clone(cell)
    }

    /// Waits for the answer of what was sent.
    pub(super) fn answer(&mut self, cx: &Context<'_>) -> Poll<Result<T, CallError>> {
        let Some(cell) = &self.cell else { panic!("a call was polled after its end") };
        // SAFETY: sent, and this is the ticket.
        let answer = unsafe { cell.poll(cx) };
        if answer.is_ready() {
            self.cell = None;
        }
        answer
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take_if(|_| self.sent) {
            cell.abandon(self.route.take());
        }
    }
}
