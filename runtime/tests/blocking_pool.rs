//! The blocking pool when it is short of threads: more closures than its cap, closures that wait
//! for others, panics, runtimes inside of it, closures that are stuck when it ends; and
//! `blocking::Limit`, which keeps one caller from taking all of it.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use henge::blocking::Limit;
use henge::runtime::{Builder, Handle, Runtime};
use henge::task::{self, JoinHandle, JoinSet, spawn_blocking};
use henge::time::timeout;

/// Long enough for the slowest machine; a hang fails.
const PATIENCE: Duration = Duration::from_secs(60);

fn pool_of(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(1).max_blocking_threads(threads).build().unwrap()
}

/// How many are inside at a time, and the most that ever were.
#[derive(Debug, Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Crowd {
    fn pass(&self) {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        thread::sleep(Duration::from_micros(50));
        self.now.fetch_sub(1, Ordering::Relaxed);
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }
}

/// A closure that runs until it is told to end, or its teller is gone.
fn stuck(runtime: &Handle) -> (JoinHandle<()>, mpsc::Sender<()>) {
    let (tell, told) = mpsc::channel();
    let (started, starts) = mpsc::channel();
    let task = runtime.spawn_blocking(move || {
        started.send(()).unwrap();
        _ = told.recv_timeout(PATIENCE);
    });
    starts.recv_timeout(PATIENCE).unwrap();
    (task, tell)
}

#[test]
fn two_thousand_closures_share_four_threads_in_their_order() {
    let runtime = pool_of(4);
    let crowd = Arc::new(Crowd::default());
    let begun = Arc::new(Mutex::new(Vec::new()));
    let stuck: Vec<_> = (0..4).map(|_| stuck(runtime.handle())).collect();
    let tasks: Vec<_> = (0..2000)
        .map(|n| {
            let (crowd, begun) = (crowd.clone(), begun.clone());
            runtime.spawn_blocking(move || {
                begun.lock().unwrap().push(n);
                crowd.pass();
                n
            })
        })
        .collect();
    assert_eq!(runtime.metrics().blocking_queue_depth(), 2000);
    assert_eq!(runtime.metrics().num_blocking_threads(), 4);
    // Three stay stuck meanwhile, so that those that wait begin on one thread, in a row.
    let mut stuck = stuck.into_iter();
    drop(stuck.next());
    runtime.block_on(async {
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(timeout(PATIENCE, task).await.unwrap().unwrap(), n);
        }
    });
    assert!(begun.lock().unwrap().iter().copied().eq(0..2000));
    assert_eq!(crowd.most(), 1);
    let metrics = runtime.metrics();
    assert_eq!(metrics.blocking_queue_depth(), 0);
    assert_eq!(metrics.blocking_wait_count(), 2000);
    // The last waited while each of the others slept.
    assert!(metrics.blocking_total_wait_duration() > Duration::from_micros(50) * 1999);
    drop(stuck);
}

#[test]
fn no_more_than_the_cap_run_at_a_time() {
    let runtime = pool_of(4);
    let crowd = Arc::new(Crowd::default());
    let tasks: Vec<_> = (0..2000)
        .map(|_| {
            let crowd = crowd.clone();
            runtime.spawn_blocking(move || crowd.pass())
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            timeout(PATIENCE, task).await.unwrap().unwrap();
        }
    });
    assert!((1..=4).contains(&crowd.most()), "{}", crowd.most());
}

/// Each waits for the next, and so many threads stand still.
fn chain(depth: usize) -> usize {
    if depth == 0 {
        return 0;
    }
    let next = spawn_blocking(move || chain(depth - 1));
    Handle::current().block_on(next).unwrap() + 1
}

#[test]
fn closures_may_wait_for_others_as_long_as_there_are_threads() {
    let runtime = pool_of(41);
    let task = runtime.spawn_blocking(|| chain(40));
    assert_eq!(runtime.block_on(async { timeout(PATIENCE, task).await }).unwrap().unwrap(), 40);
}

#[test]
fn one_that_waits_for_another_at_the_cap_waits_as_long_as_it_wants() {
    let runtime = pool_of(1);
    let task = runtime.spawn_blocking(|| {
        let other = spawn_blocking(|| 7);
        // It waits in a future, whose time-out works.
        let waited = Handle::current().block_on(async {
            let mut other = other;
            let waited = timeout(Duration::from_millis(20), &mut other).await;
            waited.map_err(|_| other)
        });
        waited.expect_err("the only thread is this one")
    });
    runtime.block_on(async {
        let other = timeout(PATIENCE, task).await.unwrap().unwrap();
        assert_eq!(timeout(PATIENCE, other).await.unwrap().unwrap(), 7);
    });
}

#[test]
fn panics_are_their_callers_and_cost_no_thread() {
    let runtime = pool_of(4);
    let tasks: Vec<_> = (0..400)
        .map(|n| runtime.spawn_blocking(move || if n % 2 == 0 { panic!("{n}") } else { n }))
        .collect();
    runtime.block_on(async {
        for (n, task) in tasks.into_iter().enumerate() {
            match timeout(PATIENCE, task).await.unwrap() {
                Ok(value) => assert_eq!(value, n),
                Err(error) => {
                    let text = error.into_panic().downcast::<String>().unwrap();
                    assert_eq!((*text, n % 2), (n.to_string(), 0));
                }
            }
        }
    });
    assert!(runtime.metrics().num_blocking_threads() <= 4);
}

#[test]
fn a_closure_blocks_on_one_future_at_a_time_and_may_have_a_runtime_of_its_own() {
    let runtime = pool_of(2);
    let task = runtime.spawn_blocking(|| {
        let nested = Handle::current().block_on(async {
            let own = Handle::current();
            let block = AssertUnwindSafe(|| own.block_on(async {}));
            std::panic::catch_unwind(block).is_err()
        });
        assert!(nested, "a future does not block the thread that polls it");
        let own = Builder::new_current_thread().build().unwrap();
        own.block_on(async { task::spawn(async { 5 }).await.unwrap() })
    });
    assert_eq!(runtime.block_on(async { timeout(PATIENCE, task).await }).unwrap().unwrap(), 5);
}

#[test]
fn shutting_down_with_stuck_closures_is_bounded_and_cancels_what_waits() {
    for background in [false, true] {
        let runtime = pool_of(2);
        let handle = runtime.handle().clone();
        let stuck = [stuck(&handle), stuck(&handle)];
        let waiting: Vec<_> = (0..100).map(|n| handle.spawn_blocking(move || n)).collect();
        let start = Instant::now();
        if background {
            runtime.shutdown_background();
        } else {
            runtime.shutdown_timeout(Duration::from_millis(50));
        }
        assert!(start.elapsed() < PATIENCE / 2, "it did not wait for the closures");
        let driver = henge::driver::Driver::new().unwrap();
        for task in waiting {
            let ended = driver.block_on(task).unwrap();
            assert!(ended.unwrap_err().is_cancelled());
        }
        // Who looks sees what goes on, and those closures still have their results.
        assert_eq!(handle.metrics().num_blocking_threads(), 2);
        for (task, tell) in stuck {
            assert!(!task.is_finished());
            tell.send(()).unwrap();
            driver.block_on(task).unwrap().unwrap();
        }
    }
}

#[test]
fn a_limit_leaves_the_rest_of_the_pool_to_others() {
    let runtime = pool_of(4);
    let (limit, crowd) = (Limit::new(2), Arc::new(Crowd::default()));
    let (many, crowds) = (limit.clone(), crowd.clone());
    runtime.run(move || async move {
        let (go, goes) = mpsc::channel::<()>();
        let goes = Arc::new(Mutex::new(goes));
        let mut greedy = JoinSet::new();
        for n in 0..200 {
            let (many, crowds, goes) = (many.clone(), crowds.clone(), goes.clone());
            greedy.spawn(async move {
                many.run(move || {
                    // The first two hold all that the limit has until they are told.
                    _ = goes.lock().unwrap().recv_timeout(PATIENCE);
                    crowds.pass();
                    n
                })
                .await
            });
        }
        while many.running() < 2 {
            task::yield_now().await;
        }
        // While those wait, the other threads are everybody's.
        for n in 0..50 {
            let quick = spawn_blocking(move || n);
            assert_eq!(timeout(PATIENCE, quick).await.unwrap().unwrap(), n);
        }
        let metrics = Handle::current().metrics();
        assert_eq!((many.max(), many.running(), metrics.blocking_queue_depth()), (2, 2, 0));
        drop(go);
        let mut all: Vec<_> =
            greedy.join_all().await.into_iter().map(|result| result.unwrap()).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..200));
        assert_eq!(many.running(), 0);
    });
    assert!((1..=2).contains(&crowd.most()), "{}", crowd.most());
    assert_eq!(limit.running(), 0);
}

#[test]
fn a_limit_serves_in_the_order_of_arrival_and_skips_who_has_left() {
    pool_of(4).run(|| async {
        let limit = Limit::new(1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let (go, goes) = mpsc::channel::<()>();
        let first = limit.clone();
        let first =
            task::spawn(async move { first.run(move || goes.recv_timeout(PATIENCE)).await });
        while limit.running() == 0 {
            task::yield_now().await;
        }
        let mut tasks = Vec::new();
        for n in 0..100 {
            let (limit, order) = (limit.clone(), order.clone());
            tasks.push(task::spawn(async move {
                limit.run(move || order.lock().unwrap().push(n)).await
            }));
            task::yield_now().await;
        }
        for task in tasks.iter().step_by(3) {
            task.abort();
        }
        go.send(()).unwrap();
        first.await.unwrap().unwrap().unwrap();
        for (n, task) in tasks.into_iter().enumerate() {
            match timeout(PATIENCE, task).await.unwrap() {
                Ok(ran) => ran.unwrap(),
                Err(error) => assert!(error.is_cancelled() && n % 3 == 0),
            }
        }
        assert!(order.lock().unwrap().iter().copied().eq((0..100).filter(|n| n % 3 != 0)));
        assert_eq!(limit.running(), 0);
    });
}

#[test]
fn a_place_is_free_again_after_a_panic_and_kept_by_a_closure_that_is_left_alone() {
    pool_of(2).run(|| async {
        let limit = Limit::new(1);
        for _ in 0..10 {
            let error = limit.run(|| panic!("in the closure")).await.unwrap_err();
            assert_eq!(*error.into_panic().downcast_ref::<&str>().unwrap(), "in the closure");
            assert_eq!(limit.running(), 0);
        }
        let (started, starts) = mpsc::channel();
        let (go, goes) = mpsc::channel::<()>();
        let mut left = Box::pin(limit.run(move || {
            started.send(()).unwrap();
            goes.recv_timeout(PATIENCE).unwrap();
        }));
        while starts.try_recv().is_err() {
            assert!(timeout(Duration::from_millis(1), &mut left).await.is_err());
        }
        drop(left);
        // It runs, and nobody waits for it: the next one does.
        let mut next = std::pin::pin!(limit.run(|| 3));
        assert!(timeout(Duration::from_millis(20), &mut next).await.is_err());
        go.send(()).unwrap();
        assert_eq!(timeout(PATIENCE, next).await.unwrap().unwrap(), 3);
    });
}

#[test]
fn one_that_was_left_before_it_started_is_never_called() {
    pool_of(1).run(|| async {
        let (task, tell) = stuck(&Handle::current());
        let limit = Limit::new(2);
        let calls = Arc::new(AtomicUsize::new(0));
        let called = calls.clone();
        // It has its place, and waits for the pool's only thread.
        let left = limit.run(move || called.fetch_add(1, Ordering::Relaxed));
        assert!(timeout(Duration::from_millis(5), left).await.is_err());
        tell.send(()).unwrap();
        task.await.unwrap();
        limit.run(|| ()).await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 0);
        assert_eq!(limit.running(), 0);
    });
}
