//! When the future of a `block_on` is polled: before what it wakes, and after the tasks that run.
//! `like_tokio` compares the order with tokio's over many programs; here is what takes a ring.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use henge::runtime::{Builder, Runtime};
use henge::sync::local::Notify;
use henge::task::yield_now;
use henge::time::sleep_until;

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[test]
fn it_comes_first_of_those_that_are_due_at_the_same_time() {
    runtime().block_on(async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let due = henge::time::Instant::now() + Duration::from_millis(20);
        for n in 1..=3 {
            let order = Rc::clone(&order);
            henge::spawn(async move {
                sleep_until(due).await;
                order.borrow_mut().push(n);
            });
        }
        // The tasks' timers are made before this one.
        yield_now().await;
        sleep_until(due).await;
        order.borrow_mut().push(0);
        yield_now().await;
        assert_eq!(*order.borrow(), [0, 1, 2, 3]);
    });
}

#[test]
fn it_waits_for_tasks_that_keep_the_ring_waiting() {
    runtime().block_on(async {
        let (woken, order) = (Rc::new(Notify::new()), Rc::new(RefCell::new(Vec::new())));
        for n in 1..=20 {
            let (woken, order) = (Rc::clone(&woken), Rc::clone(&order));
            henge::spawn(async move {
                if n == 1 {
                    woken.notify_one();
                }
                // The turn ends for the sake of an operation that is to be submitted.
                let mut nop = pin!(henge::driver::submit(henge::driver::ops::Nop::new()));
                let polled = poll_fn(|cx| Poll::Ready(nop.as_mut().poll(cx).is_ready()));
                assert!(!polled.await);
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_micros(300) {
                    std::hint::spin_loop();
                }
                order.borrow_mut().push(n);
                nop.await.unwrap();
            });
        }
        woken.notified().await;
        assert_eq!(*order.borrow(), (1..=20).collect::<Vec<_>>());
    });
}

#[test]
fn it_gives_way_to_what_was_spawned_before() {
    let runtime = runtime();
    let task = runtime.spawn(async {});
    runtime.block_on(yield_now());
    assert!(task.is_finished());
}

#[test]
fn it_is_not_put_off_for_ever() {
    runtime().block_on(async {
        let polls = Rc::new(RefCell::new(0));
        for _ in 0..3 {
            let polls = Rc::clone(&polls);
            // Each is woken as soon as it has run: the queue is never empty.
            henge::spawn(poll_fn(move |cx| {
                *polls.borrow_mut() += 1;
                cx.waker().wake_by_ref();
                Poll::<()>::Pending
            }));
        }
        for _ in 0..10 {
            let before = *polls.borrow();
            let mut first = true;
            poll_fn(|cx| match std::mem::take(&mut first) {
                true => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                false => Poll::Ready(()),
            })
            .await;
            assert!(*polls.borrow() - before <= 61, "a turn");
        }
    });
}
