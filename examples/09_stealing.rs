//! Uneven work: what stays queued on one shard, and what others come for.
//!
//! `cargo run --release -p henge-examples --example 09_stealing`
//!
//! Shard 0 spawns a thousand computations of very different lengths. As tasks of its own they run
//! one after the other while the other shards sleep. As stealable tasks they go wherever there is
//! time, and shard 0 still has its turns for what is its own.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::hint::black_box;
use std::time::Instant;

use henge::runtime::Builder;
use henge::steal;

const TASKS: u64 = 1_000;

fn main() -> std::io::Result<()> {
    let runtime = Builder::new_multi_thread().stealing(true).build()?;
    let (pinned, moving) = runtime.run(|| async {
        let begun = Instant::now();
        let tasks: Vec<_> = (0..TASKS).map(|n| henge::spawn(async move { compute(n) })).collect();
        for task in tasks {
            task.await?;
        }
        let pinned = begun.elapsed();

        let begun = Instant::now();
        let tasks: Vec<_> = (0..TASKS).map(|n| steal::spawn(async move { compute(n) })).collect();
        for task in tasks {
            task.await?;
        }
        Ok::<_, henge::task::JoinError>((pinned, begun.elapsed()))
    })?;
    println!("on the shard that spawned them: {pinned:?}");
    println!("on whichever had time:          {moving:?}");
    let metrics = runtime.metrics();
    for shard in 0..metrics.num_workers() {
        println!("shard {shard} took {} from others", metrics.worker_steal_count(shard));
    }
    Ok(())
}

/// Short for most, and long for every tenth.
fn compute(n: u64) -> u64 {
    let steps = if n % 10 == 0 { 300_000 } else { 3_000 };
    (0..steps).fold(n | 1, |sum, step| black_box(sum.rotate_left(5) ^ step))
}
