//! The same future on every shard: ends, errors, panics, and being dropped.

use std::future::pending;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use henge::runtime::{Builder, Runtime};
use henge::shard;
use henge::task::yield_now;

fn shards(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).build().expect("a runtime")
}

/// How many futures have begun, and how many have ended.
#[derive(Default)]
struct Lives {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Lives {
    fn running(&self) -> usize {
        self.begun.load(Ordering::SeqCst) - self.ended.load(Ordering::SeqCst)
    }
}

struct Life(Arc<Lives>);

impl Life {
    fn new(lives: Arc<Lives>) -> Life {
        lives.begun.fetch_add(1, Ordering::SeqCst);
        Life(lives)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

/// When all `shards` have begun, shard `bad` does `what`; the others wait for ever.
async fn all_but(
    bad: usize,
    shards: usize,
    lives: Arc<Lives>,
    what: fn() -> io::Result<()>,
) -> io::Result<()> {
    let _life = Life::new(Arc::clone(&lives));
    while lives.begun.load(Ordering::SeqCst) < shards {
        yield_now().await;
    }
    if shard::current().index() == bad { what() } else { pending().await }
}

#[test]
fn the_first_error_ends_it_and_cancels_the_others() {
    let runtime = shards(4);
    for bad in 0..4 {
        let lives = Arc::<Lives>::default();
        let there = Arc::clone(&lives);
        let enough = || Err(io::Error::other("enough"));
        let result = runtime.run_each(move || all_but(bad, 4, Arc::clone(&there), enough));
        assert_eq!(result.map_err(|error| error.to_string()), Err("enough".into()));
        assert_eq!(lives.begun.load(Ordering::SeqCst), 4);
        assert_eq!(lives.running(), 0, "all have ended when it returns");
    }
}

#[test]
fn a_panic_ends_it_and_travels() {
    let runtime = shards(3);
    let lives = Arc::<Lives>::default();
    let there = Arc::clone(&lives);
    let run = || runtime.run_each(move || all_but(1, 3, Arc::clone(&there), || panic!("enough")));
    let payload = catch_unwind(AssertUnwindSafe(run)).expect_err("it panics");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"enough"));
    assert_eq!(lives.running(), 0);
    assert!(runtime.run_each(|| async { Ok(()) }).is_ok(), "the shards live on");
}

#[test]
fn dropping_it_cancels_everywhere() {
    let runtime = shards(3);
    let lives = Arc::<Lives>::default();
    let there = Arc::clone(&lives);
    runtime.run(move || async move {
        let each = henge::run_each(move || all_but(9, 3, Arc::clone(&there), || Ok(())));
        assert!(henge::time::timeout(Duration::from_millis(20), each).await.is_err());
    });
    runtime.block_on(async {
        while lives.running() > 0 {
            henge::time::sleep(Duration::from_millis(1)).await;
        }
    });
}

#[test]
fn it_is_called_from_a_shard_a_guest_and_a_lone_runtime() {
    let visits = Arc::new(AtomicUsize::new(0));
    let there = Arc::clone(&visits);
    let visit = move || {
        let visits = Arc::clone(&there);
        async move {
            visits.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    };
    let (on_shard, in_guest, alone) = (visit.clone(), visit.clone(), visit);
    let runtime = shards(3);
    assert!(runtime.run(|| henge::run_each(on_shard)).is_ok());
    assert!(runtime.block_on(async { henge::run_each(in_guest).await }).is_ok());
    assert_eq!(visits.load(Ordering::SeqCst), 6);
    let lone = Builder::new_current_thread().build().expect("a runtime");
    assert!(lone.run_each(alone).is_ok());
    assert_eq!(visits.load(Ordering::SeqCst), 7);
}
