//! Messages between two shards (threads) over the runtime's own channels: how many, how soon, and a
//! question to the other side with its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use contestant::{Meter, Row};

use crate::peer;

/// Messages that may wait in a channel.
const CAPACITY: usize = 1024;

/// What the other side needs, once it is there: some make a channel only inside of their runtime.
async fn handed<T>(from: mpsc::Receiver<T>) -> T {
    loop {
        if let Ok(value) = from.try_recv() {
            return value;
        }
        peer::yield_now().await;
    }
}

/// Messages of eight bytes, one way, as fast as the other side takes them.
pub fn throughput() -> Row {
    const MESSAGES: u64 = 20_000_000;
    const WARM: u64 = 1_000_000;
    let (hand, get) = mpsc::channel();
    let there = move || async move {
        let mut lane = peer::open(handed(get).await);
        let mut sum = 0;
        for _ in 0..WARM + MESSAGES {
            sum += peer::lane_receive(&mut lane).await;
        }
        assert!(sum > 0);
    };
    let us = move || async move {
        let (lane, port) = peer::lane(true, CAPACITY);
        _ = hand.send(port);
        let mut meter = Meter::start();
        for message in 0..WARM + MESSAGES {
            if message == WARM {
                meter = Meter::start();
            }
            peer::lane_send(&lane, message).await;
        }
        meter.stop(MESSAGES)
    };
    peer::pair(us, there)
}

/// There and back again over two channels, both sides busy with a task that never stops yielding.
pub fn busy_round_trip() -> Row {
    trips(true)
}

/// The same, with nothing else to do on either side.
pub fn idle_round_trip() -> Row {
    trips(false)
}

fn trips(busy: bool) -> Row {
    let (trips, warm) = if busy { (200_000, 10_000) } else { (50_000, 2_000) };
    let (hand, get) = mpsc::channel();
    let over = Arc::new(AtomicBool::new(!busy));
    let there = {
        let over = over.clone();
        move || async move {
            let (back, port) = handed(get).await;
            let busy = peer::spawn(keep_busy(over));
            let mut lane = peer::open(port);
            for _ in 0..warm + trips {
                let message = peer::lane_receive(&mut lane).await;
                peer::lane_send(&back, message).await;
            }
            _ = busy.await;
        }
    };
    let us = move || async move {
        let (lane, port) = peer::lane(true, 8);
        let (back, our_port) = peer::lane(false, 8);
        _ = hand.send((back, port));
        let mut answers = peer::open(our_port);
        let busy = peer::spawn(keep_busy(over.clone()));
        let mut meter = Meter::start();
        for trip in 0..warm + trips {
            if trip == warm {
                meter = Meter::start();
            }
            peer::lane_send(&lane, trip).await;
            assert_eq!(peer::lane_receive(&mut answers).await, trip);
        }
        let row = meter.stop(trips);
        over.store(true, Ordering::Relaxed);
        _ = busy.await;
        row
    };
    peer::pair(us, there)
}

/// A question to the other side, a thousand of them at a time.
pub fn calls() -> Row {
    const BATCH: u64 = 1_000;
    const BATCHES: u64 = 500;
    const WARM: u64 = 50;
    let (hand, get) = mpsc::channel();
    let over = Arc::new(AtomicBool::new(false));
    let there = {
        let over = over.clone();
        move || async move { peer::answer(handed(get).await, over).await }
    };
    let us = move || async move {
        let (ask, questions) = peer::questions(CAPACITY);
        _ = hand.send(questions);
        let mut meter = Meter::start();
        for batch in 0..WARM + BATCHES {
            if batch == WARM {
                meter = Meter::start();
            }
            let asked: Vec<_> = (0..BATCH)
                .map(|number| {
                    let ask = ask.clone();
                    peer::spawn(async move { peer::ask(&ask, number).await })
                })
                .collect();
            for asked in asked {
                _ = asked.await;
            }
        }
        let row = meter.stop(BATCHES * BATCH);
        over.store(true, Ordering::Relaxed);
        _ = ask;
        row
    };
    peer::pair(us, there)
}

async fn keep_busy(over: Arc<AtomicBool>) {
    while !over.load(Ordering::Relaxed) {
        peer::yield_now().await;
    }
}
