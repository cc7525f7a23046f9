//! Tests of tasks on a home without a ring: what they need of a shard is a loop and a bell.

mod orders;
mod stealable;
mod stress;
mod wakers;

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::Home;

/// Long enough for the slowest machine; a hang fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A home whose bell unparks this thread.
fn home() -> Rc<Home> {
    let thread = thread::current();
    Home::new(move || thread.unpark())
}

/// Runs whatever can run until nothing can.
fn run(home: &Home) {
    loop {
        while home.polls().poll_next() {}
        home.end_turn();
        if !home.take_inbox() && !home.has_work() {
            return;
        }
    }
}

/// Runs until `done`, sleeping in between.
fn run_until(home: &Home, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    loop {
        run(home);
        if done() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain");
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Runs until `future` is done.
fn block_on<F: Future>(home: &Home, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut result = None;
    run_until(home, || {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => result = Some(output),
            Poll::Pending => run(home),
        }
        result.is_some()
    });
    result.expect("`run_until` returns when it is there")
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Pending for so many polls, waking itself.
struct Rounds(u32);

impl Future for Rounds {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn runs_what_was_spawned_and_yields_its_result() {
    let home = home();
    let _entered = home.enter();
    assert_eq!(block_on(&home, home.spawn(async { 6 * 7 })).ok(), Some(42));
    assert_eq!(home.alive(), 0);
}

#[test]
fn tasks_run_in_the_order_in_which_they_were_woken() {
    let home = home();
    let _entered = home.enter();
    let order = Rc::new(std::cell::RefCell::new(Vec::new()));
    for n in 0..3 {
        let order = order.clone();
        home.spawn(async move {
            order.borrow_mut().push(n);
            Rounds(1).await;
            order.borrow_mut().push(10 + n);
        });
    }
    run(&home);
    assert_eq!(*order.borrow(), [0, 1, 2, 10, 11, 12]);
}

#[test]
fn the_lifo_slot_goes_first_but_not_for_ever() {
    let home = home();
    let _entered = home.enter();
    home.use_lifo_slot(true);
    let turns = Rc::new(Cell::new(0));
    let selfish = turns.clone();
    let handle = home.spawn(async move {
        loop {
            selfish.set(selfish.get() + 1);
            Rounds(1).await;
        }
    });
    let seen = turns.clone();
    let other = home.spawn(async move { seen.get() });
    // The selfish one was pushed out of the slot by the other, and comes back to it by itself.
    let batch = home.polls();
    _ = (0..10).all(|_| batch.poll_next());
    drop(batch);
    assert!(other.is_finished(), "three in a row are the most");
    handle.abort();
    run(&home);
}

#[test]
fn giving_way_lets_the_others_and_the_ring_go_first() {
    let home = home();
    let _entered = home.enter();
    let turns = Rc::new(Cell::new(0));
    let seen = turns.clone();
    let handle = home.spawn(async move {
        super::yield_now().await;
        assert_eq!(seen.get(), 1);
        super::yield_now().await;
        assert_eq!(seen.get(), 2);
    });
    while home.polls().poll_next() {}
    assert!(!handle.is_finished(), "it does not run again before the turn ends");
    for _ in 0..2 {
        turns.set(turns.get() + 1);
        home.end_turn();
        while home.polls().poll_next() {}
    }
    assert_eq!(block_on(&home, handle).ok(), Some(()));
}

#[test]
fn the_memory_of_a_task_is_used_again() {
    let home = home();
    let _entered = home.enter();
    let first = home.spawn(async {});
    let id = first.id();
    assert!(block_on(&home, first).is_ok());
    let second = home.spawn(async {});
    assert_eq!(second.id(), id);
    assert!(block_on(&home, second).is_ok());
}

#[test]
fn an_idle_task_is_small() {
    // The bytes of a task whose future is nine words, headers of blocks and chunks included.
    const TASKS: usize = 10_000;
    let size = super::raw::Task::<super::span::Traced<Sized72>>::SIZE;
    let told = if cfg!(feature = "tracing") { 48 } else { 0 };
    assert_eq!(size, 112 + told);
    let home = home();
    let _entered = home.enter();
    let mut ids: Vec<u64> =
        (0..TASKS).map(|_| home.spawn(Sized72([0; 9])).id().to_string().parse().unwrap()).collect();
    ids.sort_unstable();
    // Within a chunk they stand side by side.
    let adjacent = ids.windows(2).filter(|pair| pair[1] - pair[0] == size as u64).count();
    assert!(adjacent > TASKS * 98 / 100, "{adjacent} of {TASKS}");
    run(&home);
}

struct Sized72(#[expect(dead_code, reason = "ballast")] [u64; 9]);

impl Future for Sized72 {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

#[test]
fn futures_of_any_size_and_alignment_find_their_home() {
    #[repr(align(4096))]
    struct Page([u8; 4096]);
    fn check<T: 'static>(home: &Home, value: T, same: impl Fn(&T) -> bool + 'static) {
        let handle = home.spawn(async move {
            assert_eq!((&raw const value).align_offset(align_of::<T>()), 0);
            let id = super::id();
            Rounds(3).await;
            assert_eq!(super::id(), id);
            (same(&value), value)
        });
        let (same, _value) = block_on(home, handle).unwrap();
        assert!(same);
    }
    let home = home();
    let _entered = home.enter();
    check(&home, (), |()| true);
    check(&home, [7_u8; 100], |value| *value == [7; 100]);
    check(&home, [7_u8; 900], |value| *value == [7; 900]);
    check(&home, [7_u8; 1_200], |value| *value == [7; 1_200]);
    check(&home, vec![7_u8; 100_000].into_boxed_slice(), |value| value.len() == 100_000);
    check(&home, [7_u8; 20_000], |value| *value == [7; 20_000]);
    check(&home, u128::MAX, |value| *value == u128::MAX);
    check(&home, Page([7; 4096]), |page| page.0 == [7; 4096]);
}

#[test]
fn many_tasks_come_and_go() {
    let home = home();
    let _entered = home.enter();
    let mut seed = 1_u64;
    let mut handles = Vec::new();
    for round in 0..50 {
        for n in 0..500_u32 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            handles.push(match seed >> 62 {
                0 => home.spawn(Rounds(n % 3)),
                1 => home.spawn(async move { assert_eq!(std::hint::black_box([n; 40])[39], n) }),
                2 => home.spawn(async move {
                    let big = [n; 300];
                    Rounds(1).await;
                    assert_eq!(big[299], n);
                }),
                _ => home.spawn(std::future::pending()),
            });
        }
        if round % 3 == 0 {
            run(&home);
        }
        seed = seed.rotate_left(7);
        let keep = handles.len() / 2;
        for handle in handles.drain(keep..) {
            if round % 2 == 0 {
                handle.abort();
            }
        }
    }
    for handle in &handles {
        handle.abort();
    }
    run(&home);
    assert!(handles.iter().all(super::JoinHandle::is_finished));
}
