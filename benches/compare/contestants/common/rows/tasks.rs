//! Rows about tasks: what spawning, joining, yielding and merely existing costs.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use contestant::{Meter, Row, resident};

use crate::peer;

/// A thousand empty tasks spawned, then joined in the same order.
pub fn spawn_batch() -> Row {
    const BATCH: u64 = 1_000;
    peer::run(|| async {
        let batch = async || {
            let mut handles = Vec::with_capacity(BATCH as usize);
            handles.extend((0..BATCH).map(|_| peer::spawn(async {})));
            for handle in handles {
                _ = handle.await;
            }
        };
        for _ in 0..20 {
            batch().await;
        }
        let meter = Meter::start();
        for _ in 0..300 {
            batch().await;
        }
        meter.stop(300 * BATCH)
    })
}

/// One empty task spawned and joined at a time.
pub fn spawn_one() -> Row {
    peer::run(|| async {
        for _ in 0..10_000 {
            _ = peer::spawn(async {}).await;
        }
        let meter = Meter::start();
        for _ in 0..200_000 {
            _ = peer::spawn(async {}).await;
        }
        meter.stop(200_000)
    })
}

/// A thousand tasks that do nothing but yield.
pub fn yield_thousand() -> Row {
    const TASKS: u64 = 1_000;
    const YIELDS: u64 = 2_000;
    peer::run(|| async {
        let all = async |yields: u64| {
            let task = || async move {
                for _ in 0..yields {
                    peer::yield_now().await;
                }
            };
            let handles: Vec<_> = (0..TASKS).map(|_| peer::spawn(task())).collect();
            for handle in handles {
                _ = handle.await;
            }
        };
        all(100).await;
        let meter = Meter::start();
        all(YIELDS).await;
        meter.stop(TASKS * YIELDS)
    })
}

/// A future of 72 bytes that never ends.
struct Idle([u64; 9]);

impl Future for Idle {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0[0] += 1;
        Poll::Pending
    }
}

/// A million idle tasks: anonymous resident memory for each.
pub fn idle_tasks() -> Row {
    const TASKS: u64 = 1_000_000;
    peer::run(|| async {
        let before = resident();
        for n in 0..TASKS {
            peer::detach(peer::spawn(Idle([n; 9])));
            if n % 1_000 == 0 {
                peer::yield_now().await;
            }
        }
        for _ in 0..100 {
            peer::yield_now().await;
        }
        let row = Row::memory(TASKS, resident() - before);
        println!("{}", row.json());
        // Tearing a million tasks down is no part of the row.
        std::process::exit(0)
    })
}
