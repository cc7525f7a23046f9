//! `spawn_blocking`: whose result comes when, and what an abort does to a closure before and while
//! it runs.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use henge::runtime::{Builder, Handle, Runtime};
use henge::task::{self, JoinSet};
use henge::time::{Instant, sleep};

/// Long enough for the slowest machine; a hang fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A runtime with a pool of one thread.
fn one_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).max_blocking_threads(1).build().unwrap()
}

/// Waits on a thread that is nobody's.
fn wait<F: Future>(future: F) -> F::Output {
    henge::driver::Driver::new().unwrap().block_on(future).unwrap()
}

#[test]
fn an_abort_has_no_effect_on_a_closure_that_runs() {
    let runtime = one_thread();
    let (started, starts) = mpsc::channel();
    let (go, goes) = mpsc::channel();
    let task = runtime.spawn_blocking(move || {
        started.send(()).unwrap();
        goes.recv_timeout(PATIENCE).unwrap();
        7
    });
    starts.recv_timeout(PATIENCE).unwrap();
    let other = task.abort_handle();
    runtime.block_on(async {
        task.abort();
        other.abort();
        task::yield_now().await;
        assert!(!task.is_finished());
        go.send(()).unwrap();
        assert_eq!(task.await.unwrap(), 7);
    });
    assert!(other.is_finished());
}

#[test]
fn an_abort_before_it_starts_cancels() {
    let runtime = one_thread();
    let (go, goes) = mpsc::channel::<()>();
    let first = runtime.spawn_blocking(move || goes.recv_timeout(PATIENCE).unwrap());
    let called = Arc::new(AtomicBool::new(false));
    let calls = called.clone();
    let second = runtime.spawn_blocking(move || calls.store(true, Ordering::Relaxed));
    let third = runtime.spawn_blocking(|| 3);
    second.abort();
    go.send(()).unwrap();
    runtime.block_on(async {
        first.await.unwrap();
        assert!(second.await.unwrap_err().is_cancelled());
        assert_eq!(third.await.unwrap(), 3);
    });
    assert!(!called.load(Ordering::Relaxed));
}

#[test]
fn nobody_has_to_drive_the_runtime() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let task = runtime.spawn_blocking(|| 5);
    assert_eq!(wait(task).unwrap(), 5);
    let panics = runtime.spawn_blocking(|| panic!("in the closure"));
    let error = wait(panics).unwrap_err();
    assert_eq!(*error.into_panic().downcast_ref::<&str>().unwrap(), "in the closure");
}

#[test]
fn the_result_of_what_ran_at_shutdown_is_there_and_the_rest_is_cancelled() {
    let runtime = one_thread();
    let (started, starts) = mpsc::channel();
    let (go, goes) = mpsc::channel();
    let runs = runtime.spawn_blocking(move || {
        started.send(()).unwrap();
        goes.recv_timeout(PATIENCE).unwrap();
        1
    });
    starts.recv_timeout(PATIENCE).unwrap();
    let waits = runtime.spawn_blocking(|| 2);
    let handle = runtime.handle().clone();
    let shutdown = thread::spawn(move || drop(runtime));
    assert!(wait(waits).unwrap_err().is_cancelled());
    go.send(()).unwrap();
    assert_eq!(wait(runs).unwrap(), 1);
    shutdown.join().unwrap();
    assert!(wait(handle.spawn_blocking(|| 3)).unwrap_err().is_cancelled());
}

#[test]
fn it_is_a_task_of_its_runtime_and_no_shard() {
    let runtime = one_thread();
    let task = runtime.spawn_blocking(|| {
        let refused = std::panic::catch_unwind(|| drop(henge::spawn(async {})));
        assert!(refused.is_err(), "a thread of the pool runs no tasks");
        // It may take as long as it likes.
        assert!((0..1_000).all(|_| task::coop::has_budget_remaining()));
        let inside = Handle::current().spawn(async { task::id() });
        let guest = Handle::current().block_on(async { task::try_id() });
        (task::id(), Handle::current().block_on(inside).unwrap(), guest)
    });
    let id = task.id();
    let (own, inside, guest) = runtime.block_on(task).unwrap();
    assert_eq!(own, id);
    assert_ne!(inside, id);
    assert_eq!(guest, Some(id), "a future that it blocks on is part of it");
}

#[test]
fn sets_join_closures_as_they_end() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.run(|| async {
        let mut set = JoinSet::new();
        for n in 0..50 {
            set.spawn_blocking(move || n);
        }
        let mut all = set.join_all().await;
        all.sort_unstable();
        assert!(all.into_iter().eq(0..50));
    });
}

#[test]
fn a_paused_clock_waits_for_a_closure_whose_handle_is_gone() {
    let runtime = Builder::new_current_thread().start_paused(true).build().unwrap();
    let (go, goes) = mpsc::channel::<()>();
    let ended = Arc::new(AtomicBool::new(false));
    let ends = ended.clone();
    drop(runtime.spawn_blocking(move || {
        goes.recv_timeout(PATIENCE).unwrap();
        thread::sleep(Duration::from_millis(20));
        ends.store(true, Ordering::Relaxed);
    }));
    runtime.block_on(async {
        let begun = Instant::now();
        go.send(()).unwrap();
        // The shard has nothing else to do, and is woken when the closure has ended.
        sleep(Duration::from_secs(3600)).await;
        assert!(ended.load(Ordering::Relaxed));
        assert!(begun.elapsed() >= Duration::from_secs(3600));
    });
}

/// Spawns a closure when it is woken, and says how many threads there are then.
struct SpawnsNext {
    runtime: Handle,
    threads: mpsc::SyncSender<usize>,
}

impl Wake for SpawnsNext {
    fn wake(self: Arc<Self>) {
        drop(self.runtime.spawn_blocking(|| ()));
        self.threads.send(self.runtime.metrics().num_blocking_threads()).unwrap();
    }
}

/// Spawns `call`, polls it after `before`, and calls `go`: whoever is woken by its end spawns
/// another closure, which must not need another thread.
fn one_thread_for_two(
    runtime: &Runtime,
    call: impl FnOnce() + Send + 'static,
    before: impl FnOnce(),
    go: impl FnOnce(),
) {
    let (threads, counts) = mpsc::sync_channel(1);
    let waker = Waker::from(Arc::new(SpawnsNext { runtime: runtime.handle().clone(), threads }));
    let mut task = pin!(runtime.spawn_blocking(call));
    before();
    assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    go();
    assert_eq!(counts.recv_timeout(PATIENCE).unwrap(), 1, "it is about to be free");
}

#[test]
fn who_is_woken_by_a_closure_that_was_polled_while_it_ran_has_its_thread() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let (started, starts) = mpsc::channel();
    let (go, goes) = mpsc::channel::<()>();
    let call = move || {
        started.send(()).unwrap();
        goes.recv_timeout(PATIENCE).unwrap();
    };
    let before = || starts.recv_timeout(PATIENCE).unwrap();
    one_thread_for_two(&runtime, call, before, || go.send(()).unwrap());
}

#[test]
fn who_is_woken_by_a_closure_that_was_polled_before_it_ran_has_its_thread() {
    let gate = Arc::new(Mutex::new(()));
    let hook = gate.clone();
    let closed = gate.lock().unwrap();
    let mut builder = Builder::new_current_thread();
    let runtime = builder.on_thread_start(move || drop(hook.lock().unwrap())).build().unwrap();
    one_thread_for_two(&runtime, || (), || (), || drop(closed));
}
