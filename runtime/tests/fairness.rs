//! Nobody starves: not I/O behind tasks that never rest, not tasks behind one that is always ready,
//! not what other threads send behind either.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use henge::driver::{ops, submit};
use henge::runtime::{Builder, Runtime};
use henge::sync::{self, mpsc};
use henge::task::coop::{consume_budget, has_budget_remaining};
use henge::task::yield_now;

fn lone() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

/// So long that only a loop that never comes to it takes it; the test fails instead of hanging.
const BOUND: Duration = Duration::from_secs(20);

/// A task that is always ready to run.
async fn restless(stop: Rc<Cell<bool>>) {
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        let late = Instant::now().checked_duration_since(START.with(Cell::get)) > Some(BOUND);
        if stop.get() || late { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

thread_local! {
    static START: Cell<Instant> = Cell::new(Instant::now());
}

/// Runs `work` beside tasks that wake themselves for ever; true if it ended before its bound.
fn beside_restless_tasks(interval: u32, work: impl AsyncFnOnce()) -> bool {
    let runtime = Builder::new_current_thread().event_interval(interval).build();
    runtime.expect("a runtime").block_on(async {
        START.set(Instant::now());
        let stop = Rc::new(Cell::new(false));
        let spawn = |_| henge::spawn(restless(Rc::clone(&stop)));
        let tasks: Vec<_> = (0..3).map(spawn).collect();
        yield_now().await;
        work().await;
        stop.set(true);
        for task in tasks {
            assert!(task.await.is_ok());
        }
        START.with(Cell::get).elapsed() < BOUND
    })
}

#[test]
fn operations_complete_beside_tasks_that_wake_themselves() {
    for interval in [1, 7, 61] {
        let fair = beside_restless_tasks(interval, async || {
            for _ in 0..20 {
                assert!(submit(ops::Timeout::new(Duration::from_micros(100))).await.is_ok());
            }
        });
        assert!(fair, "with an event interval of {interval}");
    }
}

#[test]
fn timers_fire_beside_tasks_that_wake_themselves() {
    assert!(beside_restless_tasks(61, async || {
        henge::time::sleep(Duration::from_millis(5)).await;
    }));
}

#[test]
fn other_threads_are_heard_beside_tasks_that_wake_themselves() {
    for interval in [1, 61] {
        let fair = beside_restless_tasks(interval, async || {
            let handle = henge::runtime::Handle::current();
            let there = thread::spawn(move || handle.spawn(async { 42 }));
            let task = there.join().expect("no panic");
            assert_eq!(task.await.ok(), Some(42));
        });
        assert!(fair, "with an event interval of {interval}");
    }
}

#[test]
fn slow_tasks_keep_the_ring_waiting_for_less_than_a_full_turn() {
    // 61 polls of 1 ms would be a turn of 61 ms. An operation that is queued goes out, and one that
    // has completed is seen, before that.
    let runtime = lone();
    let polls = runtime.block_on(async {
        let (stop, polls) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
        for _ in 0..100 {
            let (stop, polls) = (Rc::clone(&stop), Rc::clone(&polls));
            henge::spawn(async move {
                while !stop.get() {
                    let start = Instant::now();
                    while start.elapsed() < Duration::from_micros(500) {}
                    polls.set(polls.get() + 1);
                    yield_now().await;
                }
            });
        }
        yield_now().await;
        let before = polls.get();
        assert!(submit(ops::Nop::new()).await.is_ok());
        stop.set(true);
        polls.get() - before
    });
    // The queue in front of it, once to be submitted and once to be polled again: the turns between
    // end after eight polls instead of 61.
    assert!(polls < 100 + 2 * 61, "{polls} polls while one operation completed");
}

#[test]
fn a_future_that_is_always_ready_lets_others_run() {
    let runtime = lone();
    let rounds = runtime.block_on(async {
        let other = Rc::new(Cell::new(false));
        let ran = Rc::clone(&other);
        henge::spawn(async move { ran.set(true) });
        let mut rounds = 0;
        while !other.get() && rounds < 1_000_000 {
            // A leaf future that is ready, and spends the budget of the poll.
            henge::time::sleep(Duration::ZERO).await;
            rounds += 1;
        }
        rounds
    });
    assert!(rounds <= 1_000, "{rounds} rounds before anybody else ran");
}

/// How often `step` is ready in a row before another task has its turn.
fn steps_before_others(step: impl AsyncFn()) -> u32 {
    lone().block_on(async {
        let other = Rc::new(Cell::new(false));
        let ran = Rc::clone(&other);
        henge::spawn(async move { ran.set(true) });
        let mut steps = 0;
        while !other.get() && steps < 1_000_000 {
            step().await;
            steps += 1;
        }
        steps
    })
}

#[test]
fn notifications_spend_the_budget() {
    let (notify, local) = (sync::Notify::new(), sync::local::Notify::new());
    let both = async || {
        notify.notify_one();
        notify.notified().await;
    };
    assert!(steps_before_others(both) <= 1_000);
    let both = async || {
        local.notify_one();
        local.notified().await;
    };
    assert!(steps_before_others(both) <= 1_000);
}

/// Who has spent its budget gives way as one does that says so: they take turns, and neither is
/// polled a whole turn's number of times for one poll of the other.
#[test]
fn a_task_without_budget_and_one_that_yields_take_turns() {
    const YIELDS: u32 = 100;
    let runtime = lone();
    let polls = runtime.block_on(async {
        let (polls, stop) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let (counted, stopped) = (Rc::clone(&polls), Rc::clone(&stop));
        let mut spender = Box::pin(async move {
            while !stopped.get() {
                consume_budget().await;
            }
        });
        let spends = henge::spawn(poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            spender.as_mut().poll(cx)
        }));
        for _ in 0..YIELDS {
            yield_now().await;
        }
        stop.set(true);
        spends.await.expect("it ends");
        polls.get()
    });
    assert!((YIELDS - 2..=2 * YIELDS).contains(&polls), "{polls} polls beside {YIELDS} yields");
}

/// Who is out of budget takes its place in line all the same, and gets its turn with the next poll.
#[test]
fn a_sender_without_budget_is_not_overtaken() {
    let order = lone().block_on(async {
        let (tx, mut rx) = mpsc::channel(1);
        tx.send("full").await.expect("there is room");
        let (first, second) = (tx.clone(), tx);
        let first = henge::spawn(async move {
            while has_budget_remaining() {
                consume_budget().await;
            }
            first.send("first").await
        });
        let second = henge::spawn(async move { second.send("second").await });
        yield_now().await;
        let mut order = Vec::new();
        while let Some(message) = rx.recv().await {
            order.push(message);
        }
        first.await.expect("no panic").expect("received");
        second.await.expect("no panic").expect("received");
        order
    });
    assert_eq!(order, ["full", "first", "second"]);
}
