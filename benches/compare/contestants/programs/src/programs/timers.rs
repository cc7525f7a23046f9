//! Timers: that fire, that are in the way of something else, and that never come to it.

use std::time::{Duration, Instant};

use crate::rt;
use crate::rt::runtime::Runtime;
use crate::rt::sync::mpsc;
use crate::rt::time;

const TICK: Duration = Duration::from_millis(1);

/// Sleeps, one after the other.
pub fn sleep(runtime: &Runtime, times: u64) {
    let start = Instant::now();
    runtime.block_on(async {
        for _ in 0..times {
            time::sleep(TICK).await;
        }
    });
    assert!(start.elapsed() >= TICK * times as u32, "woke early");
}

/// Tasks that sleep for one to ten milliseconds.
pub fn sleep_many(runtime: &Runtime, times: u64) {
    let tasks: Vec<_> = (0..times)
        .map(|n| {
            runtime.spawn(async move {
                let (start, span) = (Instant::now(), TICK * (n % 10 + 1) as u32);
                time::sleep(span).await;
                start.elapsed() >= span
            })
        })
        .collect();
    for task in tasks {
        assert!(runtime.block_on(task).unwrap(), "woke early");
    }
}

/// The ticks of an interval.
pub fn interval(runtime: &Runtime, times: u64) {
    let start = Instant::now();
    runtime.block_on(async {
        let mut interval = time::interval(TICK);
        for _ in 0..times {
            interval.tick().await;
        }
    });
    // The first comes at once.
    assert!(start.elapsed() >= TICK * (times - 1) as u32, "ticked early");
}

/// A bound for what takes one turn of the loop.
pub fn timeout_met(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        for n in 0..times {
            let late = async {
                rt::task::yield_now().await;
                n
            };
            assert_eq!(time::timeout(Duration::from_secs(5), late).await.unwrap(), n);
        }
    });
}

/// A bound for what never ends.
pub fn timeout_missed(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        for _ in 0..times {
            assert!(time::timeout(TICK, std::future::pending::<()>()).await.is_err());
        }
    });
}

/// Messages, or a timer that is set anew after each, as a connection's idle time is.
pub fn select_timer(runtime: &Runtime, times: u64) {
    let (tx, mut rx) = mpsc::channel(16);
    runtime.spawn(async move {
        for n in 0..times {
            tx.send(n).await.unwrap();
        }
    });
    let received = runtime.block_on(async {
        const IDLE: Duration = Duration::from_secs(30);
        let idle = time::sleep(IDLE);
        rt::pin!(idle);
        let mut received = 0;
        loop {
            rt::select! {
                message = rx.recv() => match message {
                    Some(_) => received += 1,
                    None => return received,
                },
                () = &mut idle => panic!("nothing came for half a minute"),
            }
            idle.as_mut().reset(time::Instant::now() + IDLE);
        }
    });
    assert_eq!(received, times);
}
