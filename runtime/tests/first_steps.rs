//! The shortest programs: each entry into a runtime, with tasks, timers and values that borrow.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use henge::driver::{ops, submit};
use henge::runtime::{Builder, Handle, Runtime};
use henge::shard::{self, ShardId};

fn shards(count: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(count).build()
}

#[test]
fn block_on_borrows_on_one_thread() -> io::Result<()> {
    let runtime = Builder::new_current_thread().build()?;
    let count = Cell::new(0);
    let sum = runtime.block_on(async {
        let task = henge::spawn(async { 20 });
        count.set(1);
        task.await.map_or(0, |twenty| twenty + 22)
    });
    assert_eq!((sum, count.get()), (42, 1));
    Ok(())
}

#[test]
fn run_makes_the_future_on_shard_0() -> io::Result<()> {
    let runtime = shards(2)?;
    let sum = runtime.run(|| async {
        assert_eq!(shard::current(), ShardId::new(0));
        let local = Rc::new(Cell::new(20));
        let there = Rc::clone(&local);
        let task = henge::spawn(async move { there.set(there.get() + 22) });
        assert!(task.await.is_ok());
        local.get()
    });
    assert_eq!(sum, 42);
    Ok(())
}

#[test]
fn every_shard_runs_its_own() -> io::Result<()> {
    static VISITED: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
    shards(3)?.run_each(|| async {
        VISITED[shard::current().index()].fetch_add(1, Ordering::Relaxed);
        Ok(())
    })?;
    assert!(VISITED.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    Ok(())
}

#[test]
fn timers_fire_everywhere() -> io::Result<()> {
    let runtime = shards(2)?;
    let start = Instant::now();
    let wait = Duration::from_millis(20);
    runtime.run_each(move || async move {
        henge::time::sleep(wait).await;
        Ok(())
    })?;
    runtime.block_on(async move { henge::time::sleep(wait).await });
    assert!(start.elapsed() >= 2 * wait);
    Ok(())
}

#[test]
fn join_handles_work_across_threads() -> io::Result<()> {
    let runtime = shards(2)?;
    let tasks: Vec<_> = (0..100).map(|n| runtime.spawn(async move { n })).collect();
    let sum = runtime.block_on(async {
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap_or(0);
        }
        sum
    });
    assert_eq!(sum, 4950);
    Ok(())
}

#[test]
fn blocking_work_comes_back() -> io::Result<()> {
    let runtime = shards(1)?;
    let answer = runtime.run(|| async {
        let there = henge::task::spawn_blocking(|| std::thread::current().id());
        there.await.is_ok_and(|id| id != std::thread::current().id())
    });
    assert!(answer);
    Ok(())
}

#[test]
fn a_handle_spawns_from_a_foreign_thread() -> io::Result<()> {
    let runtime = Builder::new_current_thread().build()?;
    let handle = runtime.handle().clone();
    let thread = std::thread::spawn(move || handle.spawn(async { Handle::try_current().is_ok() }));
    let task = thread.join().map_err(|_| io::Error::other("panicked"))?;
    assert!(runtime.block_on(task)?);
    Ok(())
}

/// Wakers that are no task's are woken where no task runs: by completions and timers.
#[test]
fn a_stranger_whose_waker_panics_ends_no_shard() -> io::Result<()> {
    struct Panics(AtomicUsize);
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("in a waker");
        }
    }
    let runtime = shards(1)?;
    let woken = runtime.run(|| async {
        let panics = Arc::new(Panics(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&panics));
        let mut cx = Context::from_waker(&waker);
        let mut sleep = Box::pin(henge::time::sleep(Duration::from_millis(20)));
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        let mut wait = Box::pin(submit(ops::Timeout::new(Duration::from_millis(1))));
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        for _ in 0..2 {
            henge::time::sleep(Duration::from_millis(20)).await;
        }
        // Who was told may ask what came of it.
        sleep.await;
        drop(wait.await);
        panics.0.load(Ordering::Relaxed)
    });
    assert_eq!(woken, 2);
    assert_eq!(runtime.run(|| async { henge::spawn(async { 7 }).await.ok() }), Some(7));
    Ok(())
}

/// Hooks are different: one that panics would do so again and again.
#[test]
fn a_hook_that_panics_ends_its_shard() -> io::Result<()> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_park(|| panic!("in a hook"))
        .build()?;
    // It ends, sooner or later, and what is on it with it.
    let ended = runtime.spawn(std::future::pending::<()>());
    assert!(shards(1)?.block_on(ended).is_err_and(|error| error.is_cancelled()));
    Ok(())
}
