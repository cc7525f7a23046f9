//! Models of the task's protocol: all interleavings of two or three threads, of the code itself.
//!
//! Under loom every task is an allocation of its own, so that a use after free or a leak of one is
//! a use of, or a leak of, a box that loom's checked cells and counts tell of.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Wake, Waker};

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use super::spawn_meta::SpawnMeta;
use super::state::{Owes, Shared};
use super::{Home, JoinHandle};

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(f);
}

fn home() -> Rc<Home> {
    Home::new(|| {})
}

fn run(home: &Home) {
    loop {
        while home.polls().poll_next() {}
        home.end_turn();
        if !home.take_inbox() && !home.has_work() {
            return;
        }
    }
}

/// Spawns a task that is ready when `ready` is set, and gives its waker.
fn waiting(home: &Home, ready: &Arc<AtomicBool>) -> (JoinHandle<u8>, Waker, Rc<()>) {
    let alive = Rc::new(());
    let slot = Rc::new(std::cell::Cell::new(None));
    let (ready, kept, inside) = (ready.clone(), slot.clone(), alive.clone());
    let handle = home.spawn(poll_fn(move |cx| {
        let _inside = &inside;
        if ready.load(Ordering::Relaxed) {
            return Poll::Ready(7);
        }
        kept.set(Some(cx.waker().clone()));
        Poll::Pending
    }));
    run(home);
    (handle, slot.take().expect("it was polled"), alive)
}

fn poll<T>(handle: &mut JoinHandle<T>, waker: &Waker) -> Poll<Result<T, super::JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(waker))
}

/// A waker that counts.
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn loom_a_wake_from_elsewhere_is_not_lost() {
    model(|| {
        let home = home();
        let _entered = home.enter();
        let ready = Arc::new(AtomicBool::new(false));
        let (mut handle, waker, _alive) = waiting(&home, &ready);
        let set = ready.clone();
        let other = thread::spawn(move || {
            // Relaxed: the wake alone must make this visible to the poll.
            set.store(true, Ordering::Relaxed);
            waker.wake();
        });
        // A wake at home at the same time, so that polls come at every point.
        run(&home);
        other.join().unwrap();
        run(&home);
        match poll(&mut handle, Waker::noop()) {
            Poll::Ready(result) => assert_eq!(result.ok(), Some(7)),
            Poll::Pending => panic!("the wake was lost"),
        }
    });
}

#[test]
fn loom_a_home_that_sleeps_is_rung_up() {
    model(|| {
        let bell = Arc::new(loom::sync::Notify::new());
        let rung = bell.clone();
        let home = Home::new(move || rung.notify());
        let _entered = home.enter();
        let ready = Arc::new(AtomicBool::new(false));
        let (handle, waker, _alive) = waiting(&home, &ready);
        let another = waker.clone();
        let set = ready.clone();
        let first = thread::spawn(move || drop(another));
        let second = thread::spawn(move || {
            set.store(true, Ordering::Relaxed);
            waker.wake_by_ref();
            waker
        });
        // What stands in the inbox when the home sleeps was rung for, or loom finds a deadlock.
        while !handle.is_finished() {
            bell.wait();
            run(&home);
        }
        first.join().unwrap();
        drop(second.join().unwrap());
    });
}

#[test]
fn loom_wakes_from_two_threads_while_it_is_polled() {
    model(|| {
        let home = home();
        let _entered = home.enter();
        let ready = Arc::new(AtomicBool::new(false));
        let (handle, waker, _alive) = waiting(&home, &ready);
        let (first, second) = (waker.clone(), waker.clone());
        waker.wake();
        let set = ready.clone();
        let others = [
            thread::spawn(move || first.wake_by_ref()),
            thread::spawn(move || {
                set.store(true, Ordering::Relaxed);
                second.wake();
            }),
        ];
        run(&home);
        for other in others {
            other.join().unwrap();
        }
        run(&home);
        assert!(handle.is_finished());
    });
}

#[test]
fn loom_abort_from_elsewhere_and_the_end() {
    model(|| {
        let home = home();
        let _entered = home.enter();
        let ready = Arc::new(AtomicBool::new(false));
        let (mut handle, waker, alive) = waiting(&home, &ready);
        let abort = handle.abort_handle();
        ready.store(true, Ordering::Relaxed);
        let other = thread::spawn(move || {
            abort.abort();
            drop(abort.clone());
        });
        waker.wake();
        run(&home);
        other.join().unwrap();
        run(&home);
        match poll(&mut handle, Waker::noop()) {
            Poll::Ready(Ok(value)) => assert_eq!(value, 7),
            Poll::Ready(Err(error)) => assert!(error.is_cancelled()),
            Poll::Pending => panic!("it has an end either way"),
        }
        assert_eq!(Rc::strong_count(&alive), 1, "the future is gone");
    });
}

#[test]
fn loom_a_join_from_elsewhere_and_the_end() {
    model(|| {
        let home = home();
        let _entered = home.enter();
        let ready = Arc::new(AtomicBool::new(true));
        let ends = home.spawn(async move {
            assert!(ready.load(Ordering::Relaxed));
            7
        });
        let other = thread::spawn(move || {
            let mut handle = ends;
            let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
            let waker = Waker::from(count.clone());
            let first = poll(&mut handle, &waker).map(|result| result.ok());
            (handle, first, count)
        });
        run(&home);
        let (mut handle, first, count) = other.join().unwrap();
        run(&home);
        if first.is_pending() {
            assert_eq!(count.0.load(Ordering::SeqCst), 1, "woken, and once");
            assert!(matches!(poll(&mut handle, Waker::noop()), Poll::Ready(Ok(7))));
        } else {
            assert_eq!(first, Poll::Ready(Some(7)));
        }
    });
}

#[test]
fn loom_a_join_from_elsewhere_and_the_homes_end() {
    model(|| {
        let home = home();
        let inbox = home.inbox().clone();
        let other = thread::spawn(move || {
            let mut handle = inbox.spawn_from(SpawnMeta::new(), async { 7 });
            let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
            let pending = poll(&mut handle, &Waker::from(count.clone())).is_pending();
            (pending, handle, count)
        });
        drop(home);
        let (pending, mut handle, count) = other.join().unwrap();
        assert!(handle.is_finished());
        if pending {
            assert!(count.0.load(Ordering::SeqCst) > 0, "woken to find it cancelled");
            assert!(poll(&mut handle, Waker::noop()).is_ready());
        }
    });
}

#[test]
fn loom_the_waker_of_a_join_from_elsewhere_is_replaced_while_it_ends() {
    model(|| {
        let home = home();
        let _entered = home.enter();
        let ready = Arc::new(AtomicBool::new(false));
        let (mut handle, waker, _alive) = waiting(&home, &ready);
        // The first poll elsewhere has already asked the home.
        handle = thread::spawn(move || {
            assert!(poll(&mut handle, Waker::noop()).is_pending());
            handle
        })
        .join()
        .unwrap();
        run(&home);
        let other = thread::spawn(move || {
            let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
            let pending = poll(&mut handle, &Waker::from(count.clone())).is_pending();
            (pending, handle, count)
        });
        ready.store(true, Ordering::Relaxed);
        waker.wake();
        run(&home);
        let (pending, _handle, count) = other.join().unwrap();
        assert!(!pending || count.0.load(Ordering::SeqCst) == 1, "the new waker was woken");
    });
}

#[test]
fn loom_a_handle_dropped_elsewhere_and_the_end() {
    struct Output(Arc<AtomicUsize>);
    impl Drop for Output {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    model(|| {
        let home = home();
        let drops = Arc::new(AtomicUsize::new(0));
        let output = Output(drops.clone());
        let handle = {
            let _entered = home.enter();
            home.spawn(async move { output })
        };
        let other = thread::spawn(move || drop(handle));
        {
            let _entered = home.enter();
            run(&home);
        }
        // The end of the home may come before that of the handle.
        drop(home);
        other.join().unwrap();
        assert_eq!(drops.load(Ordering::SeqCst), 1, "the output is dropped once");
    });
}

#[test]
fn loom_the_last_wakers_elsewhere_and_the_homes_end() {
    // Two threads and a long way home: one preemption less than elsewhere.
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(|| {
        let home = home();
        let entered = home.enter();
        let ready = Arc::new(AtomicBool::new(false));
        let (handle, waker, alive) = waiting(&home, &ready);
        let another = waker.clone();
        let others =
            [thread::spawn(move || waker.wake()), thread::spawn(move || drop(another.clone()))];
        drop(handle);
        drop(entered);
        drop(home);
        assert_eq!(Rc::strong_count(&alive), 1, "the future was dropped here");
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn loom_a_spawn_from_elsewhere_and_the_homes_end() {
    model(|| {
        let home = home();
        let inbox = home.inbox().clone();
        let other = thread::spawn(move || {
            let handle = inbox.spawn_from(SpawnMeta::new(), async { 7 });
            handle.abort_handle().abort();
            handle
        });
        {
            let _entered = home.enter();
            run(&home);
        }
        drop(home);
        let mut handle = other.join().unwrap();
        // It was ended by whoever had it last.
        match poll(&mut handle, Waker::noop()) {
            Poll::Ready(Err(error)) => assert!(error.is_cancelled()),
            Poll::Ready(Ok(value)) => assert_eq!(value, 7),
            Poll::Pending => panic!("nobody is left to end it"),
        }
    });
}

#[test]
fn loom_nobody_frees_a_task_whose_result_is_being_dropped() {
    /// The word, and what stands for the task's memory: reading it is a use, writing is the end.
    struct Memory {
        shared: Shared,
        task: UnsafeCell<()>,
    }
    impl Memory {
        fn use_it(&self) {
            self.task.with(|_| thread::yield_now());
        }
        fn free(&self, frees: bool) -> usize {
            if frees {
                self.task.with_mut(|_| ());
            }
            usize::from(frees)
        }
    }
    model(|| {
        // A task that is done, with its join handle and a waker elsewhere.
        let memory = Arc::new(Memory { shared: Shared::new(), task: UnsafeCell::new(()) });
        let refused = |owes, memory: &Memory| match owes {
            Owes::Push => memory.free(memory.shared.refuse(|| memory.use_it())),
            Owes::Nothing => 0,
        };
        let handle = thread::spawn({
            let memory = memory.clone();
            move || refused(memory.shared.unjoin(), &memory)
        });
        let waker = thread::spawn({
            let memory = memory.clone();
            move || refused(memory.shared.release(), &memory)
        });
        let here = memory.free(memory.shared.close(2, || memory.use_it()));
        let there = handle.join().unwrap() + waker.join().unwrap();
        assert_eq!(here + there, 1, "freed once");
    });
}
