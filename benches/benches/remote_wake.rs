//! What does it cost to be woken by a thread that is no shard? The shard sleeps between two wakes,
//! so this is the eventfd, the kernel's wake-up and the way back.

#![deny(unsafe_code)]

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use henge::runtime::Builder;
use henge_benches::Turn;

fn wakes_from_a_thread(rounds: u64) -> Duration {
    let turn = Arc::new(Turn::default());
    let (ask, asked) = mpsc::channel();
    let waker = thread::spawn({
        let turn = Arc::clone(&turn);
        move || asked.iter().for_each(|round| turn.give(round))
    });
    // Without the spin a shard sleeps at once, and so needs to be woken.
    let runtime = Builder::new_current_thread().spin_before_park(Duration::ZERO).build();
    let elapsed = runtime.expect("a runtime").block_on(async {
        let start = Instant::now();
        for round in 1..=rounds {
            ask.send(round).expect("the thread that wakes us");
            turn.take(round).await;
        }
        start.elapsed()
    });
    drop(ask);
    waker.join().expect("the thread that woke us");
    elapsed
}

fn remote_wake(c: &mut Criterion) {
    c.bench_function("asleep, woken by a thread", |b| b.iter_custom(wakes_from_a_thread));
}

criterion_group!(benches, remote_wake);
criterion_main!(benches);
