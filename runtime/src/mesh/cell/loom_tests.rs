//! Models of a call, its answer, and its end.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use loom::sync::atomic::{AtomicUsize, Ordering};

use super::{Job, Reply, Ticket};
use crate::executor::Home;

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
fn loom_who_has_just_sent_is_woken_by_the_waker_that_it_left_before() {
    model(|| {
        let home = Home::new(|| {});
        let inbox = home.inbox().clone();
        let caller = loom::thread::spawn(move || {
            let woken = count();
            let mut ticket = Ticket::new(Now);
            ticket.post(inbox, &Waker::from(woken.clone()));
            let polled = ticket.first_answer();
            (ticket, woken, polled)
        });
        run(&home);
        let (mut ticket, woken, polled) = caller.join().unwrap();
        run(&home);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1, "the wake was lost");
        let answer = match polled {
            Poll::Pending => ticket.answer(&Context::from_waker(Waker::noop())),
            ready => ready,
        };
        assert!(matches!(answer, Poll::Ready(Ok(answer)) if *answer == 7), "the answer was lost");
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
