//! What does a task cost that does nothing? Spawned and joined, in a batch and one at a time.

#![deny(unsafe_code)]

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use henge_benches::one_shard;

const BATCH: u64 = 1_000;

async fn batch() {
    let handles: Vec<_> = (0..BATCH).map(|_| henge::spawn(async {})).collect();
    for handle in handles {
        assert!(handle.await.is_ok());
    }
}

fn spawn_join(c: &mut Criterion) {
    let mut group = c.benchmark_group("spawn and join");
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("a thousand at a time", |b| {
        b.iter_custom(|rounds| one_shard(|| timed(rounds, async || batch().await)));
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("one at a time", |b| {
        let one = async || assert!(henge::spawn(async {}).await.is_ok());
        b.iter_custom(|rounds| one_shard(|| timed(rounds, one)));
    });
}

async fn timed(rounds: u64, work: impl AsyncFn()) -> Duration {
    let start = Instant::now();
    for _ in 0..rounds {
        work().await;
    }
    start.elapsed()
}

criterion_group!(benches, spawn_join);
criterion_main!(benches);
