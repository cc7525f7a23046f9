//! Sleeping, ticking, and not waiting for ever.
//!
//! `cargo run -p henge-examples --example 03_timers`
//!
//! Every shard has a timing wheel. A timer costs a few nanoseconds to make and to drop, so that a
//! time-out around every read is nothing to avoid.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::time::Duration;

use henge::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

#[henge::main(flavor = "current_thread")]
async fn main() {
    let start = Instant::now();
    let after = move || start.elapsed().as_millis();

    sleep(Duration::from_millis(50)).await;
    println!("{:>4} ms: slept", after());

    // An interval keeps its beat, however long the work between two ticks takes.
    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for _ in 0..3 {
        ticks.tick().await;
        println!("{:>4} ms: tick", after());
    }

    // What takes too long is dropped where it stands, and with henge that loses nothing.
    let slow = async { sleep(Duration::from_secs(60)).await };
    match timeout(Duration::from_millis(30), slow).await {
        Ok(()) => println!("{:>4} ms: never", after()),
        Err(elapsed) => println!("{:>4} ms: {elapsed}", after()),
    }

    henge::select! {
        () = sleep(Duration::from_millis(10)) => println!("{:>4} ms: the shorter one", after()),
        () = sleep(Duration::from_millis(20)) => println!("{:>4} ms: the longer one", after()),
    }
}
