//! A round trip between two shards (threads) that both have other work: a task on each that never
//! stops yielding, so that neither sleeps and what counts is how soon a busy loop looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use contestant::{Meter, Row, Turn};

use crate::peer;

/// There and back again, both sides busy.
pub fn busy_round_trip() -> Row {
    const TRIPS: u64 = 200_000;
    const WARM: u64 = 10_000;
    let there = Arc::new(Turn::default());
    let back = Arc::new(Turn::default());
    let over = Arc::new(AtomicBool::new(false));
    let echo = {
        let (there, back, over) = (there.clone(), back.clone(), over.clone());
        move || async move {
            let busy = peer::spawn(keep_busy(over));
            for trip in 1..=WARM + TRIPS {
                there.take(trip).await;
                back.give(trip);
            }
            _ = busy.await;
        }
    };
    let late = Arc::new(AtomicBool::new(false));
    let us = move || async move {
        let busy = peer::spawn(keep_busy(over.clone()));
        thread::spawn({
            let late = late.clone();
            move || {
                thread::sleep(Duration::from_secs(5));
                late.store(true, Ordering::Relaxed);
            }
        });
        let mut meter = Meter::start();
        for trip in 1..=WARM + TRIPS {
            if trip == WARM + 1 {
                meter = Meter::start();
            }
            there.give(trip);
            back.take(trip).await;
            if late.load(Ordering::Relaxed) {
                // Some look across only when a timer of 100 ms tells them to: fewer trips do.
                println!("{}", meter.stop(trip.saturating_sub(WARM).max(1)).json());
                std::process::exit(0)
            }
        }
        let row = meter.stop(TRIPS);
        over.store(true, Ordering::Relaxed);
        _ = busy.await;
        row
    };
    peer::pair(us, echo)
}

async fn keep_busy(over: Arc<AtomicBool>) {
    while !over.load(Ordering::Relaxed) {
        peer::yield_now().await;
    }
}
