//! What the examples do not show: crowds, panics, and who is told how often.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::channel;

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn counting() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count(AtomicUsize::new(0)));
    (count.clone(), count.into())
}

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

#[test]
fn a_crowd_is_told_once_each() {
    let (tx, rx) = channel(0);
    let mut receivers: Vec<_> = (0..1_000).map(|_| rx.clone()).collect();
    let (count, waker) = counting();
    let mut waiting: Vec<_> = receivers.iter_mut().map(|rx| Box::pin(rx.changed())).collect();
    for future in &mut waiting {
        assert!(poll(future.as_mut(), &waker).is_pending());
    }
    tx.send(1).expect("there are receivers");
    tx.send(2).expect("there are receivers");
    assert_eq!(count.0.load(Ordering::Relaxed), 1_000);
    for future in &mut waiting {
        assert!(matches!(poll(future.as_mut(), &waker), Poll::Ready(Ok(()))));
    }
    drop(waiting);
    assert!(receivers.iter().all(|rx| !rx.borrow().has_changed()));
}

#[test]
fn a_crowd_is_told_of_the_end() {
    let (tx, rx) = channel(0);
    let mut receivers: Vec<_> = (0..100).map(|_| rx.clone()).collect();
    let (count, waker) = counting();
    let mut waiting: Vec<_> = receivers.iter_mut().map(|rx| Box::pin(rx.changed())).collect();
    for future in &mut waiting {
        assert!(poll(future.as_mut(), &waker).is_pending());
    }
    drop(tx);
    assert_eq!(count.0.load(Ordering::Relaxed), 100);
    for future in &mut waiting {
        assert!(matches!(poll(future.as_mut(), &waker), Poll::Ready(Err(_))));
    }
}

#[test]
fn a_dropped_future_is_not_told() {
    let (tx, mut rx) = channel(0);
    let (count, waker) = counting();
    {
        let waiting = pin!(rx.changed());
        assert!(poll(waiting, &waker).is_pending());
    }
    tx.send(1).expect("there is a receiver");
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    assert_eq!(Arc::strong_count(&count), 2);
    assert!(rx.has_changed().expect("there is a sender"));
}

#[test]
fn a_panic_in_a_closure_leaves_a_channel_that_works() {
    let (tx, mut rx) = channel(0);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        tx.send_modify(|n| {
            *n = 1;
            panic!("on purpose");
        });
    }));
    assert!(panicked.is_err());
    assert!(!rx.has_changed().expect("there is a sender"));
    assert_eq!(*rx.borrow(), 1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let waiting = pin!(rx.wait_for(|_| panic!("on purpose")));
        let _never = poll(waiting, Waker::noop()).is_ready();
    }));
    assert!(panicked.is_err());
    tx.send(2).expect("there is a receiver");
    assert_eq!(*rx.borrow_and_update(), 2);
}

#[test]
fn who_waits_for_the_last_receiver_waits_for_those_that_come_back() {
    let (tx, rx) = channel(0);
    let (count, waker) = counting();
    let mut closed = pin!(tx.closed());
    assert!(poll(closed.as_mut(), &waker).is_pending());
    drop(rx);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    let again = tx.subscribe();
    assert!(poll(closed.as_mut(), &waker).is_pending());
    drop(again);
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    assert!(poll(closed, &waker).is_ready());
}
