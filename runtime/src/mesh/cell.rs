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

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use super::current;
use super::error::CallError;
use super::lane::{Lane, Letter};
use super::local::Local;
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::AtomicU8;
use crate::queue::inbox::{Content, Inbox, Parcel};
use crate::task::{Home, swallow};

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

/// Which way the answer goes.
#[derive(Clone, Copy, Debug)]
enum Back {
    /// By the lane to the shard of this number.
    Lane(usize),
    /// The caller's thread has no lanes: it is woken from here.
    Direct,
}

/// What the target has to answer with. Dropped, it answers that there is no answer. It stays on the
/// target's thread.
pub(super) struct Reply<J: Job> {
    /// Empty once it was used.
    cell: Option<Arc<Parcel<Cell<J>>>>,
    back: Back,
}

impl<J: Job> Reply<J> {
    /// Whether the caller has gone.
    #[inline]
    pub(super) fn is_gone(&self) -> bool {
        self.cell.as_ref().is_none_or(|cell| cell.content.is_gone())
    }

    /// Has the running job woken when the caller goes.
    #[inline]
    pub(super) fn wake_if_gone(&self, waker: &Waker) {
        let Some(cell) = &self.cell else { return };
        let known = cell.content.target.with(|own| {
            // SAFETY: this is the target's thread, and `will_wake` calls no code of others.
            let own = unsafe { &*own };
            own.as_ref().is_some_and(|own| own.will_wake(waker))
        });
        if !known {
            let waker = waker.clone();
            // SAFETY: as above; the old waker is dropped below.
            let old = cell.content.target.with_mut(|own| unsafe { &mut *own }.replace(waker));
            drop(old);
        }
    }

    /// Sends the answer.
    pub(super) fn finish(mut self, result: Result<J::Output, Box<dyn Any + Send>>) {
        self.answer(result.map_err(CallError::panicked));
    }

    fn answer(&mut self, result: Result<J::Output, CallError>) {
        let Some(cell) = self.cell.take() else { return };
        // SAFETY: this is the target's thread.
        drop(cell.content.target.with_mut(|waker| unsafe { &mut *waker }.take()));
        if cell.content.is_gone() {
            swallow(|| drop(result));
            swallow(|| drop(cell));
            return;
        }
        // SAFETY: begun and not answered: the payload is the letter's, which is ours.
        drop(unsafe { cell.content.replace(Payload::Answered(result)) });
        match self.back {
            Back::Direct => Cell::deliver(cell),
            Back::Lane(to) => current::with(|local| match local {
                Some(local) => local.send(to, cell),
                None => Cell::deliver(cell),
            }),
        }
    }
}

impl<J: Job> Drop for Reply<J> {
    fn drop(&mut self) {
        if self.cell.is_some() {
            let error = if std::thread::panicking() {
                CallError::panicked(Box::new("a destructor of the call panicked"))
            } else {
                CallError::Closed
            };
            self.answer(Err(error));
        }
    }
}

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

    /// # Safety
    /// The ticket asks, and the cell has been sent.
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
pub(super) struct Ticket<T> {
    /// Empty once the answer was taken.
    cell: Option<Arc<dyn Caller<T>>>,
    route: Option<Route>,
    sent: bool,
}

impl<T: 'static> Ticket<T> {
    pub(super) fn new(job: impl Job<Output = T>) -> Ticket<T> {
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
    pub(super) fn poll(&mut self, to: usize, cx: &Context<'_>) -> Poll<Result<T, CallError>> {
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
            // It may have been refused, or even be done.
        }
        self.answer(cx)
    }

    /// Whether a poll by the task that polled it last would do anything.
    pub(super) fn has_news(&self) -> bool {
        !self.sent || self.cell.as_ref().is_some_and(|cell| cell.is_done())
    }

    /// Sends it to this inbox by its own link.
    fn post(&mut self, inbox: Arc<Inbox>, waker: &Waker) {
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
    fn answer(&mut self, cx: &Context<'_>) -> Poll<Result<T, CallError>> {
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

/// Something that is called at the target, and does not last.
pub(super) struct Immediate<M>(pub(super) M);

impl<M, T> Job for Immediate<M>
where
    M: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;
    const LASTS: bool = false;

    fn start(self, _home: &Home, reply: Reply<Self>) {
        // Whoever gets the panic was not there while it happened, and sees nothing half changed.
        reply.finish(catch_unwind(AssertUnwindSafe(self.0)));
    }
}

#[cfg(all(test, henge_loom))]
mod loom_tests {
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};

    use loom::sync::atomic::{AtomicUsize, Ordering};

    use super::{Job, Reply, Ticket};
    use crate::task::Home;

    fn model(f: impl Fn() + Sync + Send + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(3));
        builder.check(f);
    }

    /// A waker that counts.
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn count() -> Arc<Count> {
        Arc::new(Count(AtomicUsize::new(0)))
    }

    /// Answers at once.
    struct Now;

    impl Job for Now {
        type Output = Box<u8>;
        const LASTS: bool = true;

        fn start(self, _home: &Home, reply: Reply<Self>) {
            reply.finish(Ok(Box::new(7)));
        }
    }

    /// Never answers; says when it is dropped.
    struct Never(loom::sync::Arc<AtomicUsize>);

    impl Job for Never {
        type Output = ();
        const LASTS: bool = true;

        fn start(self, home: &Home, reply: Reply<Self>) {
            let mut reply = Some(reply);
            drop(home.spawn(poll_fn(move |cx| {
                let Some(waiting) = &reply else { return Poll::Ready(()) };
                if waiting.is_gone() {
                    reply = None;
                    self.0.fetch_add(1, Ordering::SeqCst);
                    return Poll::Ready(());
                }
                waiting.wake_if_gone(cx.waker());
                Poll::Pending
            })));
        }
    }

    /// A home on this thread, to which a ticket was sent by its own link.
    fn sent<T: 'static>(job: impl Job<Output = T>) -> (Rc<Home>, Ticket<T>) {
        let home = Home::new(|| {});
        let mut ticket = Ticket::new(job);
        ticket.post(home.inbox().clone(), Waker::noop());
        (home, ticket)
    }

    fn run(home: &Home) {
        let _entered = home.enter();
        while home.take_inbox() || home.has_work() {
            while home.polls().poll_next() {}
            home.end_turn();
        }
    }

    #[test]
    fn loom_an_answer_wakes_who_waits_for_it() {
        model(|| {
            let (home, mut ticket) = sent(Now);
            let caller = loom::thread::spawn(move || {
                let woken = count();
                let waker = Waker::from(woken.clone());
                let polled = ticket.answer(&Context::from_waker(&waker));
                (ticket, woken, polled)
            });
            run(&home);
            let (mut ticket, woken, polled) = caller.join().unwrap();
            let answer = match polled {
                Poll::Ready(answer) => answer,
                Poll::Pending => {
                    assert_eq!(woken.0.load(Ordering::SeqCst), 1, "the wake was lost");
                    match ticket.answer(&Context::from_waker(Waker::noop())) {
                        Poll::Ready(answer) => answer,
                        Poll::Pending => panic!("the answer was lost"),
                    }
                }
            };
            assert_eq!(answer.ok(), Some(Box::new(7)));
        });
    }

    #[test]
    fn loom_an_answer_that_nobody_waits_for_is_dropped_once() {
        model(|| {
            let (home, ticket) = sent(Now);
            let caller = loom::thread::spawn(move || drop(ticket));
            run(&home);
            caller.join().unwrap();
            run(&home);
        });
    }

    #[test]
    fn loom_a_cancel_reaches_what_runs_or_keeps_it_from_beginning() {
        model(|| {
            let dropped = loom::sync::Arc::new(AtomicUsize::new(0));
            let (home, ticket) = sent(Never(dropped.clone()));
            let caller = loom::thread::spawn(move || drop(ticket));
            run(&home);
            caller.join().unwrap();
            run(&home);
            assert_eq!(home.alive(), 0, "it was begun, and not cancelled");
        });
    }

    #[test]
    fn loom_a_home_that_closes_answers_that_it_has() {
        model(|| {
            let home = Home::new(|| {});
            let inbox = home.inbox().clone();
            let caller = loom::thread::spawn(move || {
                let mut ticket = Ticket::new(Now);
                ticket.post(inbox, Waker::noop());
                ticket
            });
            home.close();
            let mut ticket = caller.join().unwrap();
            match ticket.answer(&Context::from_waker(Waker::noop())) {
                Poll::Ready(answer) => assert!(answer.is_err()),
                Poll::Pending => panic!("nobody will ever answer"),
            }
        });
    }
}
