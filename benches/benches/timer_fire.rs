//! What does a timer cost that fires? Ten thousand fall due within 50 ms; the time is the shard's
//! CPU time, since most of the wall time is waiting.

#![deny(unsafe_code)]

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use henge::time::sleep;
use henge_benches::{one_shard, thread_cpu};

const TIMERS: u64 = 10_000;

async fn fire() -> Duration {
    let due = |n| Duration::from_millis(20) + Duration::from_micros(5 * n);
    let start = thread_cpu();
    let handles: Vec<_> = (0..TIMERS).map(|n| henge::spawn(sleep(due(n)))).collect();
    for handle in handles {
        assert!(handle.await.is_ok());
    }
    thread_cpu() - start
}

fn timer_fire(c: &mut Criterion) {
    let mut group = c.benchmark_group("timer fired");
    group.throughput(Throughput::Elements(TIMERS)).sample_size(10);
    group.bench_function("ten thousand within 50 ms", |b| {
        b.iter_custom(|rounds| {
            one_shard(|| async move {
                let mut total = Duration::ZERO;
                for _ in 0..rounds {
                    total += fire().await;
                }
                total
            })
        });
    });
}

criterion_group!(benches, timer_fire);
criterion_main!(benches);
