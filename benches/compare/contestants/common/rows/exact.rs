//! Timers that fall due with a runtime that is asked to be exact, where it can be: what they cost,
//! and how late they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use contestant::{Meter, Row};

use crate::peer;

/// How late each timer was, in nanoseconds.
struct Lateness(Vec<AtomicU64>);

impl Lateness {
    fn of(timers: u64) -> Arc<Lateness> {
        Arc::new(Lateness((0..timers).map(|_| AtomicU64::new(0)).collect()))
    }

    fn note(&self, n: u64, due: Instant) {
        let late = Instant::now().saturating_duration_since(due);
        self.0[n as usize].store(late.as_nanos() as u64, Ordering::Relaxed);
    }

    fn add_to(&self, row: Row) -> Row {
        let mut all: Vec<u64> = self.0.iter().map(|late| late.load(Ordering::Relaxed)).collect();
        all.sort_unstable();
        let quantile = |percent| all[all.len() * percent / 100] as f64 / 1_000.0;
        row.with("late_us", quantile(50)).with("late_p99_us", quantile(99))
    }
}

async fn sleep_until(due: Instant) {
    peer::sleep(due.saturating_duration_since(Instant::now())).await;
}

/// A hundred thousand timers that fall due within one second, evenly.
pub fn many() -> Row {
    const TIMERS: u64 = 100_000;
    peer::run_exact(|| async {
        let lateness = Lateness::of(TIMERS);
        let start = Instant::now() + Duration::from_millis(500);
        let mut handles = Vec::with_capacity(TIMERS as usize);
        for n in 0..TIMERS {
            let due = start + Duration::from_micros(10 * n);
            let lateness = lateness.clone();
            handles.push(peer::spawn(async move {
                sleep_until(due).await;
                lateness.note(n, due);
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
        lateness.add_to(meter.stop(TIMERS))
    })
}

/// Ten tasks that sleep for 1 to 10 ms, again and again: most of the time nothing is due.
pub fn few() -> Row {
    const TASKS: u64 = 10;
    const TIMERS: u64 = 300;
    peer::run_exact(|| async {
        let lateness = Lateness::of(TASKS * TIMERS);
        let meter = Meter::start();
        let mut handles = Vec::new();
        for task in 0..TASKS {
            let lateness = lateness.clone();
            handles.push(peer::spawn(async move {
                let mut random = 0x9e37_79b9_7f4a_7c15 ^ (task + 1);
                for n in 0..TIMERS {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let due = Instant::now() + Duration::from_micros(1_000 + random % 9_000);
                    sleep_until(due).await;
                    lateness.note(task * TIMERS + n, due);
                }
            }));
        }
        for handle in handles {
            _ = handle.await;
        }
        lateness.add_to(meter.stop(TASKS * TIMERS))
    })
}
