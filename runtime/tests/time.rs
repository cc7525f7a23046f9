//! Timers through the public surface: on shards, on guests, on other executors, on paused clocks.

#![allow(clippy::async_yields_async, reason = "sleeps leave the runtime on purpose here")]

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use henge::runtime::{Builder, Runtime};
use henge::time::{self, DelayQueue, Duration, Instant};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast::<&str>().map(|text| text.to_string()).unwrap_or_default(),
    }
}

/// The smallest executor there is: knows nothing of henge.
fn foreign_block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn sleeps_on_every_kind_of_thread() {
    async fn nap() {
        for nanos in [0, 1, 999_999, 1_000_000, 3_000_001] {
            let before = std::time::Instant::now();
            let sleep = time::sleep(Duration::from_nanos(nanos));
            let deadline = sleep.deadline();
            sleep.await;
            assert!(before.elapsed() >= Duration::from_nanos(nanos));
            assert!(Instant::now() >= deadline);
        }
    }
    let runtime = current_thread();
    runtime.block_on(nap());
    thread::scope(|s| s.spawn(|| runtime.block_on(nap())).join().unwrap());

    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.run(nap);
    runtime.block_on(nap());
    runtime.block_on(async {
        for task in [runtime.spawn(nap()), runtime.spawn(nap())] {
            task.await.unwrap();
        }
        let handle = runtime.handle().clone();
        runtime.spawn_blocking(move || handle.block_on(nap())).await.unwrap();
    });
}

#[test]
fn other_executors_wait_through_a_task() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let _entered = runtime.enter();
    let before = std::time::Instant::now();
    foreign_block_on(time::sleep(ms(5)));
    assert!(before.elapsed() >= ms(5));
    assert!(foreign_block_on(time::timeout(ms(2), pending::<()>())).is_err());
    let mut interval = time::interval(ms(1));
    foreign_block_on(interval.tick());
    foreign_block_on(interval.tick());
}

/// What waits goes on where there is no runtime: `future`, polled once in a runtime, or made there
/// and not polled.
fn leaves_its_runtime<F: Future>(make: impl Fn() -> F) {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let alone = thread::scope(|s| s.spawn(|| current_thread().block_on(async {})).join());
    alone.expect("the list of a wheel that is gone is used again");
    let polled = runtime.block_on(async {
        let mut future = Box::pin(make());
        let _either = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        future
    });
    foreign_block_on(polled);
    foreign_block_on(runtime.block_on(async { Box::pin(make()) }));
    let entered = runtime.enter();
    let made = Box::pin(make());
    drop(entered);
    foreign_block_on(made);
}

#[test]
fn timers_end_where_there_is_no_runtime() {
    let before = std::time::Instant::now();
    leaves_its_runtime(|| time::sleep(ms(20)));
    assert!(before.elapsed() >= ms(60));
    leaves_its_runtime(|| {
        let limited = time::timeout(ms(20), pending::<()>());
        async { assert!(limited.await.is_err()) }
    });
    leaves_its_runtime(|| {
        let mut interval = time::interval(ms(5));
        async move {
            for _ in 0..3 {
                interval.tick().await;
            }
        }
    });
    leaves_its_runtime(|| {
        let mut sleep = Box::pin(time::sleep(Duration::from_secs(3600)));
        async move {
            for _ in 0..3 {
                let soon = Instant::now() + ms(5);
                sleep.as_mut().reset(soon);
                sleep.as_mut().await;
                assert!(Instant::now() >= soon);
                sleep.as_mut().reset(soon + Duration::from_secs(3600));
                let ended = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx))).await;
                assert!(ended.is_pending());
            }
        }
    });
}

#[test]
fn a_timer_of_a_runtime_that_is_gone_panics_where_there_is_none() {
    let runtime = current_thread();
    let sleep = runtime.block_on(async {
        let mut sleep = Box::pin(time::sleep(Duration::from_secs(3600)));
        let ended = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx))).await;
        assert!(ended.is_pending());
        sleep
    });
    drop(runtime);
    let panic = catch_unwind(AssertUnwindSafe(|| foreign_block_on(sleep))).unwrap_err();
    assert!(message(panic).contains("there is no reactor running"));
}

#[test]
fn a_sleep_goes_from_thread_to_thread() {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let touch = |mut sleep: Pin<Box<time::Sleep>>| async move {
        poll_fn(|cx| {
            // On a machine that is slow enough it has ended.
            let _either = sleep.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        sleep
    };
    runtime.block_on(async {
        let start = Instant::now();
        let mut sleep = Box::pin(time::sleep(ms(40)));
        for _ in 0..4 {
            sleep = runtime.spawn(touch(sleep)).await.unwrap();
            sleep = touch(sleep).await;
        }
        sleep.await;
        assert!(start.elapsed() >= ms(40));
        let mut dropped_elsewhere = Vec::new();
        for _ in 0..100 {
            dropped_elsewhere.push(touch(Box::pin(time::sleep(ms(1)))).await);
        }
        runtime.spawn(async move { drop(dropped_elsewhere) }).await.unwrap();
        time::sleep(ms(5)).await;
    });
}

#[test]
fn nobody_waits_on_a_paused_clock() {
    let began = std::time::Instant::now();
    let runtime = paused();
    let (send, receive) = mpsc::channel();
    runtime.block_on(async {
        let start = Instant::now();
        for hours in [3, 1, 2] {
            let send = send.clone();
            henge::spawn(async move {
                time::sleep(Duration::from_secs(3600 * hours)).await;
                send.send((hours, Instant::now())).unwrap();
            });
        }
        time::sleep(Duration::from_secs(3600 * 24 * 365)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(3600 * 24 * 365));
        let woken: Vec<_> = receive.try_iter().collect();
        let at = |hours| (hours, start + Duration::from_secs(3600 * hours));
        assert_eq!(woken, [at(1), at(2), at(3)]);
    });
    assert!(began.elapsed() < Duration::from_secs(3600));
}

#[test]
fn what_was_advanced_past_is_woken_before_advance_returns() {
    paused().block_on(async {
        let start = Instant::now();
        let task = henge::spawn(time::sleep(ms(10)));
        henge::task::yield_now().await;
        time::advance(ms(9)).await;
        assert!(!task.is_finished());
        time::advance(ms(1)).await;
        assert!(task.is_finished());
        assert_eq!(start.elapsed(), ms(10));
        time::advance(Duration::from_micros(1_234)).await;
        assert_eq!(start.elapsed(), Duration::from_micros(11_234), "to the microsecond");
    });
}

#[test]
fn a_closure_in_the_pool_holds_a_paused_clock() {
    paused().block_on(async {
        let start = Instant::now();
        let sleeper = henge::spawn(time::sleep(Duration::from_secs(3600)));
        let (seen, done) = henge::task::spawn_blocking(move || {
            thread::sleep(ms(20));
            (start.elapsed(), Instant::now())
        })
        .await
        .unwrap();
        assert_eq!((seen, done), (Duration::ZERO, start), "the pool sees the runtime's clock");
        assert!(!sleeper.is_finished());
    });
}

#[test]
fn time_stops_only_in_a_current_thread_runtime() {
    for shards in [1, 2] {
        let runtime = Builder::new_multi_thread().worker_threads(shards).build().unwrap();
        let refused = catch_unwind(AssertUnwindSafe(|| runtime.run(|| async { time::pause() })));
        let message = message(refused.unwrap_err());
        assert!(message.contains("requires a current-thread runtime"), "{message}");
        let refused = catch_unwind(AssertUnwindSafe(|| runtime.block_on(async { time::pause() })));
        assert!(refused.is_err());
    }
    let refused = Builder::new_multi_thread().worker_threads(1).start_paused(true).build();
    assert!(refused.is_err());

    current_thread().block_on(async {
        let resume = catch_unwind(time::resume).unwrap_err();
        assert_eq!(self::message(resume), "time is not frozen");
        time::pause();
        let pause = catch_unwind(time::pause).unwrap_err();
        assert_eq!(self::message(pause), "time is already frozen");
        let advance = catch_unwind(AssertUnwindSafe(|| {
            foreign_block_on(time::advance(Duration::MAX));
        }));
        assert!(advance.is_err());
        time::resume();
        time::sleep(ms(1)).await;
    });
}

/// Whoever waits for a whole number of milliseconds is woken by an `advance` as far, before the
/// task that advances goes on.
#[test]
fn advancing_as_far_as_a_deadline_is_enough() {
    for _ in 0..20 {
        current_thread().block_on(async {
            // A moment that is on no tick.
            std::thread::sleep(Duration::from_micros(337));
            time::pause();
            let slept = henge::spawn(time::sleep(ms(1000)));
            henge::task::yield_now().await;
            time::advance(ms(999)).await;
            assert!(!slept.is_finished());
            time::advance(ms(1)).await;
            assert!(slept.is_finished());
        });
    }
}

#[test]
fn nothing_works_outside_of_a_runtime() {
    for f in [
        (|| drop(time::sleep(ms(1)))) as fn(),
        || drop(time::sleep_until(Instant::now())),
        || drop(time::timeout(ms(1), pending::<()>())),
        || drop(time::interval(ms(1))),
    ] {
        let message = message(catch_unwind(f).unwrap_err());
        assert!(message.contains("there is no reactor running"), "{message}");
    }
    assert!(catch_unwind(time::pause).is_err());
    let zero = catch_unwind(|| drop(time::interval(Duration::ZERO))).unwrap_err();
    assert_eq!(message(zero), "`period` must be non-zero.");
}

#[test]
fn a_sleep_outlives_its_runtime() {
    let runtime = current_thread();
    let mut sleep = runtime.block_on(async { Box::pin(time::sleep(ms(10))) });
    runtime.block_on(poll_fn(|cx| {
        assert!(sleep.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    }));
    drop(runtime);
    current_thread().block_on(sleep);
}

#[test]
fn missed_ticks() {
    use time::MissedTickBehavior::{Burst, Delay, Skip};
    for (behavior, expected) in [
        (Burst, [0, 50, 100, 150, 200]),
        (Delay, [0, 50, 180, 230, 280]),
        (Skip, [0, 50, 150, 200, 250]),
    ] {
        paused().block_on(async {
            let start = Instant::now();
            let mut interval = time::interval(ms(50));
            interval.set_missed_tick_behavior(behavior);
            let mut ticks = [0; 5];
            for (n, tick) in ticks.iter_mut().enumerate() {
                *tick = (interval.tick().await - start).as_millis();
                if n == 0 {
                    time::advance(ms(130)).await;
                }
            }
            assert_eq!(ticks, expected, "{behavior:?}");
        });
    }
}

/// Each future is dropped after every possible number of polls; the next one finds what it left.
#[test]
fn a_dropped_tick_is_taken_by_the_next() {
    paused().block_on(async {
        let start = Instant::now();
        let mut interval = time::interval(ms(10));
        for n in 0..20u32 {
            for _ in 0..n % 4 {
                let mut tick = pin!(interval.tick());
                poll_fn(|cx| {
                    if n > 0 {
                        assert!(tick.as_mut().poll(cx).is_pending());
                    }
                    Poll::Ready(())
                })
                .await;
            }
            assert_eq!(interval.tick().await, start + ms(10) * n);
        }
        let mut queue = DelayQueue::new();
        queue.insert(1, ms(5));
        assert!(time::timeout(ms(1), poll_fn(|cx| queue.poll_expired(cx))).await.is_err());
        let expired = poll_fn(|cx| queue.poll_expired(cx)).await.unwrap();
        assert_eq!(expired.into_inner(), 1);
    });
}

#[test]
fn exact_timers_are_hardly_late() {
    let runtime = Builder::new_current_thread().exact_timers(true).build().unwrap();
    let mut late: Vec<_> = runtime.block_on(async {
        let mut late = Vec::new();
        for n in 0..50 {
            let deadline = Instant::now() + Duration::from_micros(300 + 37 * n);
            time::sleep_until(deadline).await;
            late.push(Instant::now().checked_duration_since(deadline).expect("never early"));
        }
        late
    });
    late.sort_unstable();
    // The best of fifty: a loaded machine may be late itself, a millisecond wheel is so always.
    assert!(late[0] < Duration::from_micros(250), "{late:?}");
}

#[test]
fn auto_traits() {
    fn is<T: Send + Sync>(_: &T) {}
    fn unpin<T: Unpin>(_: &T) {}
    trait Ambiguous<A> {
        fn check(&self) {}
    }
    impl<T> Ambiguous<()> for T {}
    struct IsUnpin;
    impl<T: Unpin> Ambiguous<IsUnpin> for T {}

    current_thread().block_on(async {
        let sleep = time::sleep(ms(1));
        is(&sleep);
        // Compiles only while `Sleep` is not `Unpin`.
        Ambiguous::<_>::check(&sleep);
        is(&time::timeout(ms(1), async {}));
        let mut interval = time::interval(ms(1));
        is(&interval);
        unpin(&interval);
        is(&interval.tick());
        is(&time::advance(ms(1)));
        is(&DelayQueue::<u32>::new());
        unpin(&DelayQueue::<std::marker::PhantomPinned>::new());
    });
}
