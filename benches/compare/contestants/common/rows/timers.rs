//! Rows about timers: most are made and dropped, few fire.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use contestant::{Meter, Row};

use crate::peer;

/// One poll, as the operation that it stands beside would cause.
fn touch(sleep: Pin<&mut impl Future>) {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(sleep.poll(&mut cx).is_pending());
}

/// What a time-out around an operation that ends in time does: made, polled once, dropped.
async fn make_and_drop(count: u64) {
    for n in 0..count {
        touch(pin!(peer::sleep(Duration::from_secs(10))));
        // The loop gets its turn as often as it would among operations that end.
        if n % 64 == 0 {
            peer::yield_now().await;
        }
    }
}

async fn measured(count: u64) -> Row {
    make_and_drop(count / 10).await;
    let meter = Meter::start();
    make_and_drop(count).await;
    meter.stop(count)
}

/// Made and dropped with no other timer pending.
pub fn drop_alone() -> Row {
    peer::run(|| measured(1_000_000))
}

/// Made and dropped while one is pending that is due earlier.
pub fn drop_with_earlier() -> Row {
    peer::run(|| async {
        peer::detach(peer::spawn(async { peer::sleep(Duration::from_secs(5)).await }));
        peer::yield_now().await;
        measured(1_000_000).await
    })
}

/// Made and dropped while a million are pending, before and after it.
pub fn drop_among_million() -> Row {
    const PENDING: u64 = 1_000_000;
    peer::run(|| async {
        let mut pending = Vec::with_capacity(PENDING as usize);
        for n in 0..PENDING {
            let mut sleep = Box::pin(peer::sleep(Duration::from_millis(9_000 + n / 100)));
            touch(sleep.as_mut());
            pending.push(sleep);
            if n % 1_000 == 0 {
                peer::yield_now().await;
            }
        }
        let row = measured(200_000).await;
        println!("{}", row.json());
        // Tearing a million timers down is no part of the row.
        std::process::exit(0)
    })
}

/// A hundred thousand timers that fall due within one second, evenly; also how late they are.
pub fn fire() -> Row {
    const TIMERS: u64 = 100_000;
    peer::run(|| async {
        let late_ns = Arc::new(AtomicU64::new(0));
        let start = Instant::now() + Duration::from_millis(500);
        let mut handles = Vec::with_capacity(TIMERS as usize);
        for n in 0..TIMERS {
            let due = start + Duration::from_micros(10 * n);
            let late_ns = late_ns.clone();
            handles.push(peer::spawn(async move {
                let left = due.saturating_duration_since(Instant::now());
                peer::sleep(left).await;
                let late = Instant::now().saturating_duration_since(due);
                late_ns.fetch_add(late.as_nanos() as u64, Ordering::Relaxed);
            }));
            if n % 1_000 == 0 {
                peer::yield_now().await;
            }
        }
        peer::yield_now().await;
        let meter = Meter::start();
        for handle in handles {
            _ = handle.await;
        }
        let mean_us = late_ns.load(Ordering::Relaxed) as f64 / TIMERS as f64 / 1_000.0;
        meter.stop(TIMERS).with("late_us", mean_us)
    })
}
