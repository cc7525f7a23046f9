//! Computing on rayon's threads beside the shards.
//!
//! `cargo run --release -p henge-examples --example 10_rayon`
//!
//! A shard that computes serves nobody. Here the work goes to rayon, a `oneshot` brings the answer
//! back, and the task that waits for it costs no thread. A task that ticks shows that its shard
//! stays free.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::time::Duration;

use henge::sync::oneshot;
use rayon::prelude::*;

fn main() -> std::io::Result<()> {
    // Started here, before there are shards: threads that a shard starts inherit its one CPU.
    let compute =
        rayon::ThreadPoolBuilder::new().num_threads(2).build().map_err(std::io::Error::other)?;
    let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    runtime.run(|| async move {
        let ticking = henge::spawn(tick());
        let below = 2_000_000;
        let Some(primes) = on(&compute, move || primes(below)).await else {
            return println!("the computation panicked");
        };
        println!("{primes} primes below {below}");
        ticking.abort();
    });
    Ok(())
}

/// Runs `work` on a pool of rayon's. None if it panics.
async fn on<T: Send + 'static>(
    pool: &rayon::ThreadPool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, result) = oneshot::channel();
    pool.spawn(move || {
        // Whoever asked may have gone since; then there is nothing to do.
        if !answer.is_closed() {
            _ = answer.send(work());
        }
    });
    result.await.ok()
}

fn primes(below: u32) -> usize {
    (2..below).into_par_iter().filter(|n| (2..=n.isqrt()).all(|d| n % d != 0)).count()
}

async fn tick() {
    let mut ticks = henge::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        println!("the shard is free");
    }
}
