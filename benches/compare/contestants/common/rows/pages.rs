//! Random reads of single pages, from memory and from the device, few and many at a time.

use contestant::files::{self, Places};
use contestant::{Meter, Row};

use crate::pages_peer::Page;
use crate::peer;

/// From memory, one at a time.
pub fn cached_one() -> Row {
    peer::run(|| cached(1, 20_000))
}

/// From memory, by 32 tasks.
pub fn cached_many() -> Row {
    peer::run(|| cached(32, 20_000))
}

/// From the device, by 32 tasks.
pub fn direct_many() -> Row {
    peer::run(|| async {
        let table = files::table();
        let mut tasks = Vec::new();
        let meter = Meter::start();
        for seed in 0..32 {
            let table = table.clone();
            tasks.push(peer::spawn(async move {
                let mut page = Page::open_direct(&table).await;
                for place in Places::all(seed).take(500) {
                    page.read(place).await;
                }
            }));
        }
        for task in tasks {
            _ = task.await;
        }
        meter.stop(32 * 500)
    })
}

async fn cached(tasks: u64, reads: u64) -> Row {
    let table = files::table();
    let mut page = Page::open(&table).await;
    for place in (0..64 << 20).step_by(files::PAGE) {
        page.read(place).await;
    }
    let mut handles = Vec::new();
    let meter = Meter::start();
    for seed in 0..tasks {
        let table = table.clone();
        handles.push(peer::spawn(async move {
            let mut page = Page::open(&table).await;
            for place in Places::cached(seed).take((reads / tasks) as usize) {
                page.read(place).await;
            }
        }));
    }
    for handle in handles {
        _ = handle.await;
    }
    meter.stop(reads)
}
