//! What does a yield cost, alone and among a thousand tasks?

#![deny(unsafe_code)]

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use henge::task::yield_now;
use henge_benches::one_shard;

/// Each of `tasks` tasks yields `rounds` times.
async fn all_yield(tasks: u64, rounds: u64) -> Duration {
    let task = move || async move {
        for _ in 0..rounds {
            yield_now().await;
        }
    };
    let start = Instant::now();
    let handles: Vec<_> = (0..tasks).map(|_| henge::spawn(task())).collect();
    for handle in handles {
        assert!(handle.await.is_ok());
    }
    start.elapsed()
}

fn yields(c: &mut Criterion) {
    let mut group = c.benchmark_group("yield");
    for tasks in [1, 1_000] {
        group.throughput(Throughput::Elements(tasks));
        group.bench_with_input(BenchmarkId::new("tasks", tasks), &tasks, |b, &tasks| {
            b.iter_custom(|rounds| one_shard(|| all_yield(tasks, rounds)));
        });
    }
}

criterion_group!(benches, yields);
criterion_main!(benches);
