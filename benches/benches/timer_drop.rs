//! What does a timer cost that never fires? Made, polled once and dropped: a time-out around an
//! operation that ends in time.

#![deny(unsafe_code)]

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use henge::time::{Sleep, sleep};
use henge_benches::one_shard;

async fn touch(mut timer: Pin<&mut Sleep>) {
    poll_fn(|cx| {
        assert!(timer.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await
}

async fn make_and_drop(rounds: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..rounds {
        touch(pin!(sleep(Duration::from_secs(10)))).await;
    }
    start.elapsed()
}

fn timer_drop(c: &mut Criterion) {
    let mut group = c.benchmark_group("timer made and dropped");
    group.bench_function("nothing earlier due", |b| {
        b.iter_custom(|rounds| one_shard(|| make_and_drop(rounds)));
    });
    group.bench_function("one due earlier", |b| {
        b.iter_custom(|rounds| {
            one_shard(|| async move {
                let mut earlier = pin!(sleep(Duration::from_secs(9)));
                touch(earlier.as_mut()).await;
                make_and_drop(rounds).await
            })
        });
    });
    group.bench_function("among 100,000", |b| {
        b.iter_custom(|rounds| {
            one_shard(|| async move {
                let due = |n: u64| Duration::from_millis(9_000 + n / 50);
                let mut pending: Vec<_> = (0..100_000).map(|n| Box::pin(sleep(due(n)))).collect();
                for timer in &mut pending {
                    touch(timer.as_mut()).await;
                }
                make_and_drop(rounds).await
            })
        });
    });
}

criterion_group!(benches, timer_drop);
criterion_main!(benches);
