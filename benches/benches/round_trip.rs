//! How long does a question to a task of another shard take, with both shards busy and with both
//! asleep in between?

#![deny(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use henge::runtime::Builder;
use henge::shard::ShardId;
use henge::task::yield_now;
use henge_benches::Turn;

/// Between shards 0 and 1. If they are to be busy, each has a task that never stops yielding.
fn across(rounds: u64, busy: bool) -> Duration {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("two shards");
    runtime.run(move || async move {
        let there = Arc::new(Turn::default());
        let back = Arc::new(Turn::default());
        let over = Arc::new(AtomicBool::new(!busy));
        let other = henge::spawn_on(ShardId::new(1), {
            let (there, back, over) = (there.clone(), back.clone(), over.clone());
            move || async move {
                henge::spawn(keep_busy(over));
                for round in 1..=rounds {
                    there.take(round).await;
                    back.give(round);
                }
            }
        });
        henge::spawn(keep_busy(over.clone()));
        let start = Instant::now();
        for round in 1..=rounds {
            there.give(round);
            back.take(round).await;
        }
        let elapsed = start.elapsed();
        over.store(true, Ordering::Relaxed);
        assert!(other.await.is_ok());
        elapsed
    })
}

async fn keep_busy(over: Arc<AtomicBool>) {
    while !over.load(Ordering::Relaxed) {
        yield_now().await;
    }
}

fn round_trips(c: &mut Criterion) {
    let mut group = c.benchmark_group("round trip");
    group.bench_function("two shards, busy", |b| b.iter_custom(|rounds| across(rounds, true)));
    group.bench_function("two shards, idle", |b| b.iter_custom(|rounds| across(rounds, false)));
}

criterion_group!(benches, round_trips);
criterion_main!(benches);
