//! Wakers that panic, when they are cloned or called. Whoever panics has that panic to himself:
//! nobody else is kept waiting, and no place in a line stays taken.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};

use henge::sync;

/// More than are woken in one go.
const MANY: usize = 40;

static FRAGILE: RawWakerVTable = RawWakerVTable::new(clone, |_| (), |_| (), |_| ());

fn clone(_: *const ()) -> RawWaker {
    panic!("a clone that panics")
}

/// Panics when it is cloned.
fn fragile() -> Waker {
    // SAFETY: the functions use no data.
    unsafe { Waker::new(ptr::null(), &FRAGILE) }
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

fn panics(call: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(call)).is_err()
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker that panics");
    }
}

#[derive(Default)]
struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Has many wait, of which the second and the last one panic when they are woken, and then runs
/// `wake`: it panics, and all others are woken.
fn all_are_woken<F: Future>(mut wait: impl FnMut() -> F, wake: impl FnOnce()) -> Vec<Pin<Box<F>>> {
    let counts = Arc::new(Counts::default());
    let mut waiting: Vec<_> = (0..MANY).map(|_| Box::pin(wait())).collect();
    for (n, future) in waiting.iter_mut().enumerate() {
        let waker = match n {
            1 | 39 => Waker::from(Arc::new(Panics)),
            _ => Waker::from(Arc::clone(&counts)),
        };
        assert!(poll(future.as_mut(), &waker).is_pending());
    }
    assert!(panics(wake), "it is told of the panic");
    assert_eq!(counts.0.load(Ordering::Relaxed), MANY - 2);
    waiting
}

#[test]
fn a_place_in_a_local_line_is_given_up_though_a_clone_panicked() {
    let semaphore = sync::local::Semaphore::new(1);
    let mut acquire = Box::pin(semaphore.acquire_many(3));
    assert!(poll(acquire.as_mut(), Waker::noop()).is_pending());
    let waker = fragile();
    assert!(panics(|| drop(poll(acquire.as_mut(), &waker))));
    drop(acquire);
    assert_eq!(semaphore.available_permits(), 1, "the line is empty");
}

#[test]
fn semaphores_lose_no_permit_and_no_waiter() {
    let semaphore = sync::Semaphore::new(0);
    let wake = || semaphore.add_permits(MANY + 2);
    let waiting = all_are_woken(|| semaphore.acquire(), wake);
    assert_eq!(semaphore.available_permits(), 2);
    drop(waiting);
    assert_eq!(semaphore.available_permits(), MANY + 2);

    let semaphore = sync::Semaphore::new(0);
    drop(all_are_woken(|| semaphore.acquire(), || semaphore.close()));
}

#[test]
fn local_semaphores_lose_no_permit_and_no_waiter() {
    let semaphore = sync::local::Semaphore::new(0);
    let wake = || semaphore.add_permits(MANY + 2);
    let waiting = all_are_woken(|| semaphore.acquire(), wake);
    assert_eq!(semaphore.available_permits(), 2);
    drop(waiting);
    assert_eq!(semaphore.available_permits(), MANY + 2);

    let semaphore = sync::local::Semaphore::new(0);
    drop(all_are_woken(|| semaphore.acquire(), || semaphore.close()));
}

#[test]
fn notifications_for_all_reach_all() {
    let notify = sync::Notify::new();
    drop(all_are_woken(|| notify.notified(), || notify.notify_waiters()));
    let notify = sync::local::Notify::new();
    drop(all_are_woken(|| notify.notified(), || notify.notify_waiters()));
}

#[test]
fn messages_for_all_reach_all() {
    let (tx, _rx) = sync::broadcast::channel(4);
    let receive = || {
        let mut rx = tx.subscribe();
        async move { rx.recv().await }
    };
    drop(all_are_woken(receive, || drop(tx.send(1))));
    let (tx, _rx) = sync::local::broadcast::channel(4);
    let receive = || {
        let mut rx = tx.subscribe();
        async move { rx.recv().await }
    };
    drop(all_are_woken(receive, || drop(tx.send(1))));
}

#[test]
fn room_in_a_channel_goes_to_all_who_wait_for_it() {
    let (tx, mut rx) = sync::mpsc::channel::<u32>(1);
    tx.try_send(0).unwrap();
    drop(all_are_woken(|| tx.reserve(), || rx.close()));
}
