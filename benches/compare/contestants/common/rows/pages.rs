//! Reads of pages in a random order, and of long pieces one behind the other, from memory and from
//! the device, few and many at a time.

use contestant::files::{self, LONG, PAGE, Places};
use contestant::{Meter, Row};

use crate::pages_peer::Part;
use crate::peer;

/// From memory, one at a time.
pub fn cached_one() -> Row {
    peer::run(|| cached(1, 40_000))
}

/// From memory, by 32 tasks.
pub fn cached_many() -> Row {
    peer::run(|| cached(32, 40_000))
}

/// A MiB at a time from memory.
pub fn cached_long() -> Row {
    peer::run(|| async {
        let mut part = Part::open(&files::table(), LONG).await;
        let places = || (0..files::CACHED * PAGE as u64).step_by(LONG);
        for place in places() {
            part.read(place).await;
        }
        let meter = Meter::start();
        let mut count = 0;
        for place in (0..8).flat_map(|_| places()) {
            part.read(place).await;
            count += 1;
        }
        meter.stop(count)
    })
}

/// From the device, by 32 tasks.
pub fn direct_many() -> Row {
    peer::run(|| async {
        let table = files::table();
        let mut parts = Vec::new();
        for seed in 0..32 {
            parts.push((Part::open_direct(&table, PAGE).await, Places::all(seed)));
        }
        by_tasks(parts, files::DIRECT_READS).await
    })
}

async fn cached(tasks: u64, reads: u64) -> Row {
    let table = files::table();
    let mut parts = Vec::new();
    for seed in 0..tasks {
        parts.push((Part::open(&table, PAGE).await, Places::cached(seed)));
    }
    for place in (0..files::CACHED * PAGE as u64).step_by(PAGE) {
        parts[0].0.read(place).await;
    }
    by_tasks(parts, reads).await
}

/// So many reads, of which each task does its part.
async fn by_tasks(parts: Vec<(Part, Places)>, reads: u64) -> Row {
    let each = reads as usize / parts.len();
    let meter = Meter::start();
    let mut tasks = Vec::new();
    for (mut part, places) in parts {
        tasks.push(peer::spawn(async move {
            for place in places.take(each) {
                part.read(place).await;
            }
        }));
    }
    for task in tasks {
        _ = task.await;
    }
    meter.stop(reads)
}
