//! The cell of a call: what is asked for, then the answer, then the caller's waker; one allocation,
//! made by the caller.
//!
//! # The protocol
//!
//! Two have the cell, the caller's [`Ticket`] and a *letter* that travels: to the target with what
//! is to be done, and back with the answer. Each is a counted reference.
//!
//! ```text
//!    caller              lane, or inbox            target               lane            caller
//!   Asked(job) ------------ letter --------> begin: Taken
//!                                               |
//!                                            Answered(result) ----- letter -----> deliver: DONE
//! ```
//!
//! | part | whose |
//! |---|---|
//! | `payload` | the ticket's until it is sent; the letter's until `DONE`; then the ticket's |
//! | `caller` | the ticket's until it is sent; then of whoever turns `REGISTERING` on, which is the
//!   ticket, until it turns it off; of the deliverer, if it finds neither that nor `GONE` |
//! | `target` | the target's thread |
//! | the parcel's link | of whoever turns `LINKED` on, until it is opened |
//!
//! The bits of `state`:
//!
//! * `DONE`: the answer is there. Turned on once, by whoever delivers, who then wakes the caller.
//! * `REGISTERING`: the ticket is changing the waker. A deliverer that finds it wakes nobody: the
//!   ticket sees `DONE` when it turns this off.
//! * `GONE`: the ticket has been dropped. Nothing is begun that has not been; an answer is dropped
//!   with the cell.
//! * `LINKED`: the parcel stands in the target's inbox, or is about to.
//! * `DIRECT`: the parcel is the letter: from a thread that has no lanes.
//! * `BEGUN`: the target has begun what lasts. Turned on by the target, which begins only if it
//!   does not find `GONE` in the same step.
//!
//! # A drop of the caller, in each state
//!
//! It turns `GONE` and `LINKED` on, in one step. What it finds says what is to be done:
//!
//! * `DONE`: nothing; the answer is dropped with the cell.
//! * `LINKED`: nothing; the parcel is the letter, and its opener, who turns `LINKED` off, sees
//!   `GONE`.
//! * `BEGUN`, and neither: the parcel is sent to the target, whose thread wakes the work if that
//!   still runs, so that it ends.
//! * none of them: nothing; the letter, when it comes, finds `GONE`. So a target that stands still
//!   is sent no more than the letters that its lanes hold, however many calls are given up.

#[cfg(all(test, henge_loom))]
mod loom_tests;
mod reply;
mod ticket;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use super::error::CallError;
use super::lane::Letter;
use crate::executor::inbox::{Content, Parcel};
use crate::executor::{Home, swallow};
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::AtomicU8;
use reply::Back;

pub(super) use reply::Reply;
pub(super) use ticket::Ticket;

const DONE: u8 = 1;
const GONE: u8 = 2;
const REGISTERING: u8 = 4;
const LINKED: u8 = 8;
const DIRECT: u8 = 16;
const BEGUN: u8 = 32;

/// What is to be done at the target.
pub(super) trait Job: Send + 'static {
    type Output: Send + 'static;

    /// Whether it goes on after `start` has returned, so that it can be cancelled.
    const LASTS: bool;

    /// Begins, on the target's thread.
    fn start(self, home: &Home, reply: Reply<Self>)
    where
        Self: Sized;
}

/// See the module's documentation.
struct Cell<J: Job> {
    state: AtomicU8,
    payload: UnsafeCell<Payload<J>>,
    caller: UnsafeCell<Option<Waker>>,
    target: UnsafeCell<Option<Waker>>,
}

enum Payload<J: Job> {
    Asked(J),
    Taken,
    Answered(Result<J::Output, CallError>),
}

// SAFETY: each part is touched by one thread at a time, as the table above says; all are Send.
unsafe impl<J: Job> Sync for Cell<J> {}

impl<J: Job> Cell<J> {
    /// # Safety
    /// The caller has the payload.
    unsafe fn replace(&self, new: Payload<J>) -> Payload<J> {
        // SAFETY: the caller's promise; no code of others runs in here.
        self.payload.with_mut(|payload| std::mem::replace(unsafe { &mut *payload }, new))
    }

    fn is_gone(&self) -> bool {
        self.state.load(Ordering::Relaxed) & GONE != 0
    }

    /// Shows the caller the answer and wakes it. The letter ends here.
    fn deliver(this: Arc<Parcel<Self>>) {
        let cell = &this.content;
        // AcqRel: releases the answer to the ticket; acquires the waker that it has left.
        let was = cell.state.fetch_or(DONE, Ordering::AcqRel);
        let waker = if was & (GONE | REGISTERING) == 0 {
            // SAFETY: the ticket registers no more once it has found DONE, and was not at it.
            cell.caller.with_mut(|waker| unsafe { &mut *waker }.take())
        } else {
            None
        };
        // What a waker or a destructor panics with has nobody to go to.
        swallow(|| {
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        swallow(|| drop(this));
    }

    /// Does what is asked for, at the target.
    fn begin(this: Arc<Parcel<Self>>, home: &Home, back: Back) {
        // SAFETY: the letter has not been answered, and is this function's.
        let asked = unsafe { this.content.replace(Payload::Taken) };
        let wanted = if J::LASTS {
            // AcqRel: in one order with the drop of the ticket.
            this.content.state.fetch_or(BEGUN, Ordering::AcqRel) & GONE == 0
        } else {
            !this.content.is_gone()
        };
        match asked {
            Payload::Asked(job) if wanted => {
                let reply = Reply { cell: Some(this), back };
                swallow(|| job.start(home, reply));
            }
            unwanted => swallow(|| drop((unwanted, this))),
        }
    }

    /// The letter cannot go on.
    fn return_to_sender(this: Arc<Parcel<Self>>) {
        // SAFETY: the letter is this function's.
        let answered = unsafe { this.content.is_answered() };
        if !answered {
            let refusal = Payload::Answered(Err(CallError::Closed));
            // SAFETY: as above.
            let job = unsafe { this.content.replace(refusal) };
            swallow(|| drop(job));
        }
        Self::deliver(this);
    }

    /// # Safety
    /// The caller has the payload.
    unsafe fn is_answered(&self) -> bool {
        // SAFETY: the caller's promise.
        self.payload.with(|payload| matches!(unsafe { &*payload }, Payload::Answered(_)))
    }

    /// Takes the answer, if it is there.
    ///
    /// # Safety
    /// By the ticket.
    unsafe fn take_answer(&self) -> Option<Result<J::Output, CallError>> {
        // Acquire: pairs with the release in `deliver`, for the payload.
        if self.state.load(Ordering::Acquire) & DONE == 0 {
            return None;
        }
        // SAFETY: done, so the payload is the ticket's.
        match unsafe { self.replace(Payload::Taken) } {
            Payload::Answered(result) => Some(result),
            Payload::Asked(_) | Payload::Taken => panic!("a call was polled after its end"),
        }
    }
}

impl<J: Job> Letter for Parcel<Cell<J>> {
    fn arrive(self: Arc<Self>, home: &Home, from: usize) {
        // SAFETY: the letter is this function's.
        if unsafe { self.content.is_answered() } {
            Cell::deliver(self);
        } else {
            Cell::begin(self, home, Back::Lane(from));
        }
    }

    fn refused(self: Arc<Self>) {
        Cell::return_to_sender(self);
    }

    fn is_wanted(&self) -> bool {
        !self.content.is_gone()
    }
}

impl<J: Job> Content for Cell<J> {
    fn open(parcel: Arc<Parcel<Self>>, home: Option<&Home>) {
        // AcqRel: the link may be used again after this; acquires GONE, and with DIRECT what is
        // asked for.
        let was = parcel.content.state.fetch_and(!(LINKED | DIRECT), Ordering::AcqRel);
        match home {
            Some(home) if was & DIRECT != 0 => Cell::begin(parcel, home, Back::Direct),
            None if was & DIRECT != 0 => Cell::return_to_sender(parcel),
            // Cancelled. A home that closes drops all tasks anyway.
            _ => {
                // SAFETY: this is the target's thread, and nobody else on it is using the waker.
                let running = parcel.content.target.with_mut(|waker| unsafe { &mut *waker }.take());
                swallow(|| {
                    if let Some(running) = running {
                        running.wake();
                    }
                });
                swallow(|| drop(parcel));
            }
        }
    }
}
