//! Timers without a runtime: what it costs only to sleep as often as exact timers ask for. The
//! timers are an array in the order in which they fall due, and firing one notes how late it is.

use std::time::{Duration, Instant};

use contestant::{Meter, NamedRow, Row};
use io_uring::IoUring;
use io_uring::types::{SubmitArgs, Timespec};

pub const ROWS: &[NamedRow] = &[("timer-exact", exact)];

/// A sleep ends every 100 µs: as rarely as none is to be later.
const PERIOD: Duration = Duration::from_micros(100);

/// A hundred thousand timers that fall due within one second, evenly.
fn exact() -> Row {
    const TIMERS: u32 = 100_000;
    let ring = IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(8);
    let ring = ring.unwrap_or_else(|error| panic!("no ring: {error}"));
    let start = Instant::now() + Duration::from_millis(500);
    let due = |n: u32| start + Duration::from_micros(10) * n;
    let mut late = Vec::with_capacity(TIMERS as usize);
    let meter = Meter::start();
    let mut wake = start;
    while late.len() < TIMERS as usize {
        sleep_until(&ring, wake);
        let now = Instant::now();
        while late.len() < TIMERS as usize && due(late.len() as u32) <= now {
            late.push(now.duration_since(due(late.len() as u32)));
        }
        wake = (wake + PERIOD).max(now);
    }
    let row = meter.stop(u64::from(TIMERS));
    late.sort_unstable();
    let quantile = |percent: usize| late[late.len() * percent / 100].as_nanos() as f64 / 1_000.0;
    row.with("late_us", quantile(50)).with("late_p99_us", quantile(99))
}

fn sleep_until(ring: &IoUring, wake: Instant) {
    let left = wake.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return;
    }
    let left = Timespec::new().sec(left.as_secs()).nsec(left.subsec_nanos());
    match ring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&left)) {
        Ok(_) => {}
        Err(error) if matches!(error.raw_os_error(), Some(libc::ETIME | libc::EINTR)) => {}
        Err(error) => panic!("the ring does not sleep: {error}"),
    }
}
