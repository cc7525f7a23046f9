//! Looking before sleeping changes how fast things go, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use henge::runtime::{Builder, Runtime};
use henge::shard::ShardId;

fn two_shards(spin: Duration) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).spin_before_park(spin).build().expect("a runtime")
}

/// Asks the other shard one question after the other, each of which it has to be woken for.
fn ask(runtime: &Runtime, times: usize) -> usize {
    runtime.run(move || async move {
        let mut sum = 0;
        for n in 0..times {
            let answer = henge::spawn_on(ShardId::new(1), move || async move { n });
            sum += answer.await.unwrap_or(0);
        }
        sum
    })
}

#[test]
fn the_same_answers_whether_it_looks_or_not() {
    for spin in [Duration::ZERO, Duration::from_micros(50), Duration::MAX] {
        let runtime = two_shards(spin);
        assert_eq!(ask(&runtime, 500), 499 * 500 / 2, "looking for {spin:?}");
    }
}

#[test]
fn timers_end_a_look() {
    let runtime = two_shards(Duration::MAX);
    ask(&runtime, 500);
    runtime.run(|| async { henge::time::sleep(Duration::from_millis(5)).await });
}

#[test]
fn zero_never_looks() {
    let runtime = two_shards(Duration::ZERO);
    ask(&runtime, 100);
    for shard in 0..2 {
        let shard = runtime.metrics().shard(shard);
        assert_eq!((shard.spins(), shard.spins_in_vain()), (0, 0));
        assert!(shard.parks() > 0);
    }
}

#[test]
fn an_idle_shard_sleeps() {
    let runtime = two_shards(Duration::from_micros(50));
    ask(&runtime, 100);
    let parks = || [0, 1].map(|shard| runtime.metrics().shard(shard).parks());
    // On a slow machine it takes a while until both have gone to sleep.
    let begun = Instant::now();
    loop {
        let before = parks();
        std::thread::sleep(Duration::from_millis(20));
        if parks() == before {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "a shard wakes up without a reason");
    }
}

#[test]
fn shards_that_outnumber_the_cpus_do_not_look() {
    let shards = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = Builder::new_multi_thread().worker_threads(shards).build().expect("a runtime");
    let asked = Arc::new(AtomicUsize::new(0));
    let there = Arc::clone(&asked);
    runtime.run(move || async move {
        for n in 0..200 {
            let asked = Arc::clone(&there);
            let task = henge::spawn_on(ShardId::new(1 + n % (shards - 1)), move || async move {
                asked.fetch_add(1, Ordering::Relaxed);
            });
            assert!(task.await.is_ok());
        }
    });
    assert_eq!(asked.load(Ordering::Relaxed), 200);
    let looks = |shard| runtime.metrics().shard(shard).spins();
    assert_eq!((0..shards).map(looks).sum::<u64>(), 0);
}
