//! What does it cost to wake a task of the same shard? Another task sets its flag and wakes it.

#![deny(unsafe_code)]

use std::rc::Rc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use henge_benches::{Slot, one_shard};

/// One round is two wakes: there and back.
async fn ping_pong(rounds: u64) -> Duration {
    let there = Rc::new(Slot::default());
    let back = Rc::new(Slot::default());
    let other = henge::spawn({
        let (there, back) = (Rc::clone(&there), Rc::clone(&back));
        async move {
            for _ in 0..rounds {
                there.take().await;
                back.put();
            }
        }
    });
    let start = Instant::now();
    for _ in 0..rounds {
        there.put();
        back.take().await;
    }
    let elapsed = start.elapsed();
    assert!(other.await.is_ok());
    elapsed
}

fn local_wake(c: &mut Criterion) {
    c.bench_function("two local wakes, there and back", |b| {
        b.iter_custom(|rounds| one_shard(|| ping_pong(rounds)));
    });
}

criterion_group!(benches, local_wake);
criterion_main!(benches);
