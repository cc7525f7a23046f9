//! What programs do all day long: select over channels, sets of tasks, tasks that sleep.

use std::hint::black_box;
use std::time::Duration;

use contestant::{Meter, Row, resident};

use crate::peer::{self, JoinSet, mpsc};

/// A message of one of three channels, by `select!`.
pub fn select_three() -> Row {
    const WARM: u64 = 10_000;
    const MESSAGES: u64 = 600_000;
    peer::run(|| async {
        let channels: [_; 3] = std::array::from_fn(|_| mpsc::channel::<u64>(32));
        let [(to_a, mut a), (to_b, mut b), (to_c, mut c)] = channels;
        let sender = peer::spawn(async move {
            for n in 0..WARM + MESSAGES {
                let to = [&to_a, &to_b, &to_c][(n % 3) as usize];
                if to.send(n).await.is_err() {
                    return;
                }
            }
        });
        let mut meter = Meter::start();
        for n in 0..WARM + MESSAGES {
            if n == WARM {
                meter = Meter::start();
            }
            peer::select! {
                message = a.recv() => { black_box(message); }
                message = b.recv() => { black_box(message); }
                message = c.recv() => { black_box(message); }
            }
        }
        let row = meter.stop(MESSAGES);
        _ = sender.await;
        row
    })
}

/// A task of a set of 100,000, spawned and joined.
pub fn join_set() -> Row {
    const TASKS: u64 = 100_000;
    peer::run(|| async {
        let all = async || {
            let mut set = JoinSet::new();
            for n in 0..TASKS {
                set.spawn(async move { n });
            }
            while set.join_next().await.is_some() {}
        };
        all().await;
        let meter = Meter::start();
        for _ in 0..5 {
            all().await;
        }
        meter.stop(5 * TASKS)
    })
}

/// A million tasks that sleep: anonymous resident memory for each.
pub fn sleeping_tasks() -> Row {
    const TASKS: u64 = 1_000_000;
    peer::run(|| async {
        let before = resident();
        for n in 0..TASKS {
            // Not all at one time.
            let long = Duration::from_secs(3_600) + Duration::from_millis(n);
            peer::detach(peer::spawn(async move { peer::sleep(long).await }));
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
