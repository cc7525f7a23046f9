//! Wakers as std demands them: from any thread, at any time, after the end too.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, RawWaker, RawWakerVTable, Waker};
use std::thread;

use super::super::header::TaskPtr;
use super::super::{Home, JoinHandle};
use super::{block_on, home, run, run_until};

/// A task that is never done, and its waker.
fn pending(home: &Home) -> (JoinHandle<()>, Waker, Arc<AtomicUsize>) {
    let slot = Rc::new(RefCell::new(None));
    let polls = Arc::new(AtomicUsize::new(0));
    let (kept, counted) = (slot.clone(), polls.clone());
    let handle = home.spawn(poll_fn(move |cx| {
        counted.fetch_add(1, Ordering::Relaxed);
        *kept.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }));
    run(home);
    let waker = slot.borrow_mut().take().expect("it was polled");
    (handle, waker, polls)
}

#[test]
fn wakes_are_coalesced_at_home_and_from_elsewhere() {
    let home = home();
    let _entered = home.enter();
    let (handle, waker, polls) = pending(&home);
    for _ in 0..10 {
        waker.wake_by_ref();
    }
    run(&home);
    assert_eq!(polls.load(Ordering::Relaxed), 2);
    let other = thread::spawn(move || {
        for _ in 0..10 {
            waker.wake_by_ref();
        }
        let another = waker.clone();
        another.wake();
        waker
    });
    let waker = other.join().expect("waking does not panic");
    assert!(!home.inbox().is_empty(), "the link waits");
    run(&home);
    assert_eq!(polls.load(Ordering::Relaxed), 3);
    handle.abort();
    run(&home);
    waker.wake();
    run(&home);
    assert_eq!(polls.load(Ordering::Relaxed), 3, "what is done is not polled");
}

#[test]
fn the_last_waker_dropped_elsewhere_drops_no_future_there() {
    struct Here(thread::ThreadId);
    impl Drop for Here {
        fn drop(&mut self) {
            assert_eq!(thread::current().id(), self.0);
        }
    }
    let home = home();
    let entered = home.enter();
    let here = Here(thread::current().id());
    let slot = Rc::new(RefCell::new(None));
    let kept = slot.clone();
    drop(home.spawn(poll_fn(move |cx| {
        let _here = &here;
        *kept.borrow_mut() = Some(cx.waker().clone());
        Poll::<()>::Pending
    })));
    run(&home);
    let waker = slot.borrow_mut().take().expect("it was polled");
    // The join handle is gone: this is the only reference.
    thread::spawn(move || drop(waker)).join().expect("nothing is dropped there");
    run(&home);
    assert_eq!(home.alive(), 1, "nobody can wake it any more, but it lives until the end");
    drop(entered);
}

#[test]
fn wakers_outlive_their_home() {
    for alone in [false, true] {
        let home = home();
        let wakers: Vec<Waker> = {
            let _entered = home.enter();
            (0..300)
                .map(|_| {
                    let slot = Rc::new(RefCell::new(None));
                    let kept = slot.clone();
                    let ballast = if alone { vec![[0_u64; 200]; 1] } else { Vec::new() };
                    let big = [0_u8; 2_000];
                    let future = poll_fn(move |cx| {
                        let _ballast = &ballast;
                        *kept.borrow_mut() = Some(cx.waker().clone());
                        Poll::<()>::Pending
                    });
                    if alone {
                        drop(home.spawn(async move {
                            future.await;
                            std::hint::black_box(&big);
                        }));
                    } else {
                        drop(home.spawn(future));
                    }
                    run(&home);
                    slot.borrow_mut().take().expect("it was polled")
                })
                .collect()
        };
        drop(home);
        let shared = Arc::new(wakers);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || {
                    for waker in shared.iter() {
                        waker.wake_by_ref();
                        let another = waker.clone();
                        assert!(another.will_wake(waker));
                        another.wake();
                    }
                })
            })
            .collect();
        drop(shared);
        for thread in threads {
            thread.join().expect("waking what is gone does nothing");
        }
    }
}

#[test]
fn a_new_home_at_an_old_ones_address_is_not_mistaken_for_it() {
    // The allocator gives the same memory again; wakers of the old home are then strangers.
    let mut wakers = Vec::new();
    for _ in 0..50 {
        let home = home();
        let _entered = home.enter();
        let (handle, waker, _polls) = pending(&home);
        for old in &wakers {
            Waker::wake_by_ref(old);
        }
        wakers.push(waker);
        drop(handle);
    }
    let home = home();
    let _entered = home.enter();
    drop(wakers);
    assert_eq!(block_on(&home, home.spawn(async { 1 })).ok(), Some(1));
}

#[test]
fn references_made_at_home_and_dropped_elsewhere_and_the_reverse() {
    let home = home();
    let _entered = home.enter();
    let (handle, waker, _polls) = pending(&home);
    let mut at_home: Vec<Waker> = (0..100).map(|_| waker.clone()).collect();
    let elsewhere: Vec<Waker> = thread::spawn(move || {
        let mut made = Vec::new();
        for _ in 0..100 {
            made.push(waker.clone());
        }
        drop(waker);
        made
    })
    .join()
    .expect("cloning does not panic");
    let half = at_home.split_off(50);
    thread::spawn(move || drop(half)).join().expect("dropping does not panic");
    drop(elsewhere);
    run(&home);
    assert_eq!(home.alive(), 1);
    handle.abort();
    run(&home);
    assert!(handle.is_finished());
    drop(handle);
    assert_eq!(at_home.len(), 50);
    drop(at_home);
    run(&home);
}

#[test]
fn counts_do_not_overflow() {
    let home = home();
    let _entered = home.enter();
    let (handle, waker, _polls) = pending(&home);
    let task = {
        let header = std::ptr::NonNull::new(waker.data().cast_mut().cast());
        // SAFETY: the data of a task's waker is its header; the waker keeps it.
        unsafe { TaskPtr::new(header.expect("a task is not at zero")) }
    };
    // As if two billion wakers had been made and forgotten.
    task.header().local.set_refs(i32::MAX - 2);
    let clones: Vec<Waker> = (0..10).map(|_| waker.clone()).collect();
    assert!(task.header().local.refs() < i32::MAX / 2 + 20, "half went to the shared count");
    drop(clones);
    // What was forgotten is put back, so that the task can be freed.
    let forgotten = i64::from(i32::MAX - 2) - 2;
    task.header().shared.spill(-i32::try_from(forgotten / 2).expect("half of an i32"));
    let rest = forgotten - forgotten / 2;
    let refs = i64::from(task.header().local.refs()) - rest;
    task.header().local.set_refs(i32::try_from(refs).expect("small again"));
    handle.abort();
    run(&home);
    drop((handle, waker));
    assert_eq!(home.alive(), 0);
}

#[test]
fn nor_do_counts_of_what_was_made_elsewhere() {
    let home = home();
    let _entered = home.enter();
    let (handle, waker, _polls) = pending(&home);
    let task = {
        let header = std::ptr::NonNull::new(waker.data().cast_mut().cast());
        // SAFETY: the data of a task's waker is its header; the waker keeps it.
        unsafe { TaskPtr::new(header.expect("a task is not at zero")) }
    };
    // As if two billion wakers had been made elsewhere and dropped here.
    let refs = task.header().local.refs();
    task.header().shared.spill(i32::MAX);
    task.header().local.set_refs(refs - i32::MAX);
    for _ in 0..10 {
        let made = thread::scope(|scope| scope.spawn(|| waker.clone()).join());
        drop(made.expect("no panic"));
    }
    assert!(task.header().local.refs() > i32::MIN / 2 - 20, "half came from the shared count");
    handle.abort();
    run(&home);
    drop((handle, waker));
    assert_eq!(home.alive(), 0);
}

#[test]
fn panics_in_wakers_and_their_destructors_hurt_nobody() {
    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| RawWaker::new(data, &VTABLE),
        |_| panic!("in wake"),
        |_| panic!("in wake"),
        |_| panic!("in a waker's drop"),
    );
    let home = home();
    let _entered = home.enter();
    for ends in [true, false] {
        // SAFETY: the functions of the vtable use no data, and may be called from any thread.
        let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
        let mut handle = home.spawn(super::Rounds(3));
        let mut cx = std::task::Context::from_waker(&waker);
        assert!(std::pin::Pin::new(&mut handle).poll(&mut cx).is_pending());
        std::mem::forget(waker);
        if ends {
            run(&home);
            assert_eq!(block_on(&home, handle).ok(), Some(()));
        } else {
            drop(handle);
            run(&home);
        }
    }
    assert_eq!(home.alive(), 0);
}

#[test]
fn a_handle_is_awaited_now_here_now_there() {
    let home = home();
    let _entered = home.enter();
    let gate = Arc::new(Mutex::new(None::<Waker>));
    let open = Arc::new(AtomicUsize::new(0));
    let (kept, opened) = (gate.clone(), open.clone());
    let mut handle = home.spawn(poll_fn(move |cx| {
        *kept.lock().unwrap() = Some(cx.waker().clone());
        if opened.load(Ordering::SeqCst) == 1 { Poll::Ready(5) } else { Poll::Pending }
    }));
    run(&home);
    let poll = |handle: &mut JoinHandle<i32>| {
        let mut cx = std::task::Context::from_waker(Waker::noop());
        std::pin::Pin::new(handle).poll(&mut cx).is_pending()
    };
    assert!(poll(&mut handle), "at home");
    let mut handle = thread::spawn(move || {
        let mut cx = std::task::Context::from_waker(Waker::noop());
        assert!(std::pin::Pin::new(&mut handle).poll(&mut cx).is_pending());
        handle
    })
    .join()
    .expect("polling elsewhere does not panic");
    // The message is still under way: the waker that is left now must not be lost to it.
    let woken = Arc::new(super::Unpark(thread::current()));
    let waker = Waker::from(woken.clone());
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(std::pin::Pin::new(&mut handle).poll(&mut cx).is_pending());
    let before = Arc::strong_count(&woken);
    run(&home);
    open.store(1, Ordering::SeqCst);
    gate.lock().unwrap().take().expect("it was polled").wake();
    run(&home);
    assert!(Arc::strong_count(&woken) < before, "it was woken, and so given back");
    run_until(&home, || handle.is_finished());
    assert_eq!(block_on(&home, handle).ok(), Some(5));
}

#[test]
fn what_comes_from_elsewhere_rings_the_bell_once_for_each_link() {
    let rings = Arc::new(AtomicUsize::new(0));
    let counted = rings.clone();
    let home = Home::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let _entered = home.enter();
    let (handle, waker, _polls) = pending(&home);
    waker.wake_by_ref();
    run(&home);
    assert_eq!(rings.load(Ordering::Relaxed), 0, "nobody rings at home");
    let another = waker.clone();
    thread::spawn(move || drop(another)).join().expect("dropping does not panic");
    assert_eq!(rings.load(Ordering::Relaxed), 1, "the home has to count");
    let abort = handle.abort_handle();
    let other = thread::spawn(move || {
        waker.wake_by_ref();
        abort.abort();
        waker.wake();
    });
    other.join().expect("asking does not panic");
    assert_eq!(rings.load(Ordering::Relaxed), 1, "the link stands there already");
    run(&home);
    assert!(handle.is_finished());
}
