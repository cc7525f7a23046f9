//! Cells that are filled once, and barriers, by event: who makes the value, who fails, who goes
//! away.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use henge::runtime::Builder;
use henge::sync::{Barrier, OnceCell, SetError, SetOnce};

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn who_goes_away_while_it_makes_the_value_leaves_it_to_the_next() {
    let cell = OnceCell::new();
    let mut first = Box::pin(cell.get_or_init(pending));
    let mut second = pin!(cell.get_or_init(|| ready(2)));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    assert_eq!(cell.set(3), Err(SetError::InitializingError(3)));
    drop(first);
    assert_eq!(poll(second), Poll::Ready(&2));
}

#[test]
fn who_waits_when_the_value_is_made_gets_that_one() {
    let cell = OnceCell::new();
    let made = SetOnce::new();
    let mut first = pin!(cell.get_or_init(|| async { *made.wait().await }));
    let mut second = pin!(cell.get_or_init(|| async { unreachable!("it has been made") }));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    made.set(1).unwrap();
    assert_eq!(poll(first), Poll::Ready(&1));
    assert_eq!(poll(second), Poll::Ready(&1));
    assert_eq!(cell.set(3), Err(SetError::AlreadyInitializedError(3)));
}

#[test]
fn a_failure_and_a_panic_leave_it_empty() {
    let cell = OnceCell::<u32>::new();
    assert_eq!(poll(pin!(cell.get_or_try_init(|| ready(Err("no"))))), Poll::Ready(Err("no")));
    let panics = catch_unwind(AssertUnwindSafe(|| {
        assert!(poll(pin!(cell.get_or_init(|| async { panic!("on purpose") }))).is_ready());
    }));
    assert!(panics.is_err());
    assert!(!cell.initialized());
    let made = cell.get_or_try_init(|| ready(Ok::<_, Infallible>(1)));
    assert_eq!(poll(pin!(made)), Poll::Ready(Ok(&1)));
}

#[test]
fn a_cell_drops_its_value_once() {
    let value = Arc::new(());
    for fill in [OnceCell::from, |value| {
        let cell = OnceCell::new();
        assert!(cell.set(value).is_ok());
        cell
    }] {
        let mut cell = fill(value.clone());
        assert_eq!(Arc::strong_count(&value), 2);
        drop(cell.take());
        assert_eq!(Arc::strong_count(&value), 1);
        assert!(cell.set(value.clone()).is_ok(), "taken is empty");
        drop(cell);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}

#[test]
fn setting_wakes_a_crowd() {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let once = Arc::new(SetOnce::new());
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let once = once.clone();
                henge::spawn(async move { *once.wait().await })
            })
            .collect();
        henge::task::yield_now().await;
        once.set(7).unwrap();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 7);
        }
    });
}

#[test]
fn one_of_many_threads_sets() {
    let once = SetOnce::new();
    let set: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|n| {
                scope.spawn({
                    let once = &once;
                    move || once.set(n).is_ok()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(set.iter().filter(|set| **set).count(), 1);
    assert!(set[*once.get().unwrap()]);
}

#[test]
fn a_barrier_opens_for_each_round() {
    let barrier = Barrier::new(2);
    for _ in 0..3 {
        let mut first = pin!(barrier.wait());
        assert!(poll(first.as_mut()).is_pending());
        let Poll::Ready(last) = poll(pin!(barrier.wait())) else { panic!("all are here") };
        assert!(last.is_leader());
        let Poll::Ready(first) = poll(first) else { panic!("all are here") };
        assert!(!first.is_leader());
    }
}

#[test]
fn a_barrier_lets_a_round_go_and_holds_the_next() {
    let barrier = Barrier::new(2);
    let mut slow = pin!(barrier.wait());
    assert!(poll(slow.as_mut()).is_pending());
    assert!(poll(pin!(barrier.wait())).is_ready());
    let mut next = pin!(barrier.wait());
    assert!(poll(next.as_mut()).is_pending());
    assert!(poll(slow).is_ready());
    assert!(poll(next.as_mut()).is_pending());
    assert!(poll(pin!(barrier.wait())).is_ready());
    assert!(poll(next).is_ready());
}

#[test]
fn who_goes_away_from_a_barrier_has_been_there() {
    let barrier = Barrier::new(2);
    {
        let mut gone = pin!(barrier.wait());
        assert!(poll(gone.as_mut()).is_pending());
    }
    drop(barrier.wait()); // never polled, never there
    assert!(poll(pin!(barrier.wait())).is_ready());
}

#[test]
fn a_barrier_across_shards() {
    const ROUNDS: u32 = 20;
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let barrier = Arc::new(Barrier::new(3));
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let barrier = barrier.clone();
            runtime.spawn(async move {
                let leads = Cell::new(0);
                for _ in 0..ROUNDS {
                    let led = barrier.wait().await.is_leader();
                    leads.set(leads.get() + u32::from(led));
                }
                leads.get()
            })
        })
        .collect();
    let leads: u32 = tasks.into_iter().map(|task| runtime.block_on(task).unwrap()).sum();
    assert_eq!(leads, ROUNDS);
}
