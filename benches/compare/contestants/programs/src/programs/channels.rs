//! Channels between tasks.

use super::sum;
use crate::rt;
use crate::rt::runtime::Runtime;
use crate::rt::sync::broadcast::error::RecvError;
use crate::rt::sync::{broadcast, mpsc, oneshot, watch};

/// A task sends numbers to another, which adds them up.
pub fn bounded(runtime: &Runtime, times: u64) {
    let (tx, rx) = mpsc::channel(16);
    let sender = runtime.spawn(send_below(tx, times));
    assert_eq!(runtime.block_on(runtime.spawn(total(rx))).unwrap(), sum(times));
    runtime.block_on(sender).unwrap();
}

/// The same without a bound.
pub fn unbounded(runtime: &Runtime, times: u64) {
    let (tx, mut rx) = mpsc::unbounded_channel();
    let sender = runtime.spawn(async move {
        for n in 0..times {
            tx.send(n).unwrap();
            if n % 64 == 63 {
                rt::task::yield_now().await;
            }
        }
    });
    let receiver = runtime.spawn(async move {
        let mut total = 0;
        while let Some(n) = rx.recv().await {
            total += n;
        }
        total
    });
    assert_eq!(runtime.block_on(receiver).unwrap(), sum(times));
    runtime.block_on(sender).unwrap();
}

/// Ten tasks send to one.
pub fn fan_in(runtime: &Runtime, times: u64) {
    let (tx, rx) = mpsc::channel(16);
    for _ in 0..10 {
        runtime.spawn(send_below(tx.clone(), times / 10));
    }
    drop(tx);
    assert_eq!(runtime.block_on(runtime.spawn(total(rx))).unwrap(), 10 * sum(times / 10));
}

/// Five tasks, each of which hands on what it gets.
pub fn pipeline(runtime: &Runtime, times: u64) {
    let (tx, mut rx) = mpsc::channel(16);
    runtime.spawn(send_below(tx, times));
    for _ in 0..5 {
        let (tx, next) = mpsc::channel(16);
        runtime.spawn(async move {
            while let Some(n) = rx.recv().await {
                tx.send(n).await.unwrap();
            }
        });
        rx = next;
    }
    assert_eq!(runtime.block_on(total(rx)), sum(times));
}

/// Messages taken as many at a time as there are.
pub fn receive_many(runtime: &Runtime, times: u64) {
    let (tx, mut rx) = mpsc::channel(128);
    runtime.spawn(send_below(tx, times));
    let total = runtime.block_on(async {
        let (mut all, mut total) = (Vec::with_capacity(128), 0);
        while rx.recv_many(&mut all, 128).await > 0 {
            total += all.drain(..).sum::<u64>();
        }
        total
    });
    assert_eq!(total, sum(times));
}

type Question = (u64, oneshot::Sender<u64>);

async fn answer(mut questions: mpsc::Receiver<Question>) {
    while let Some((n, answer)) = questions.recv().await {
        answer.send(n + 1).unwrap();
    }
}

async fn ask(whom: &mpsc::Sender<Question>, n: u64) -> u64 {
    let (answer, answered) = oneshot::channel();
    whom.send((n, answer)).await.unwrap();
    answered.await.unwrap()
}

/// A task asks another, and waits for the answer.
pub fn request_reply(runtime: &Runtime, times: u64) {
    let (tx, rx) = mpsc::channel(16);
    runtime.spawn(answer(rx));
    let asks = runtime.spawn(async move {
        let mut total = 0;
        for n in 0..times {
            total += ask(&tx, n).await;
        }
        total
    });
    assert_eq!(runtime.block_on(asks).unwrap(), sum(times) + times);
}

/// Questions to ten workers in turn, ten under way.
pub fn worker_pool(runtime: &Runtime, times: u64) {
    let workers: Vec<_> = (0..10)
        .map(|_| {
            let (tx, rx) = mpsc::channel(4);
            runtime.spawn(answer(rx));
            tx
        })
        .collect();
    let asks: Vec<_> = (0..10)
        .map(|at| {
            let workers = workers.clone();
            runtime.spawn(async move {
                let mut total = 0;
                for n in 0..times / 10 {
                    total += ask(&workers[(at + n) as usize % 10], n).await;
                }
                total
            })
        })
        .collect();
    for asks in asks {
        assert_eq!(runtime.block_on(asks).unwrap(), sum(times / 10) + times / 10);
    }
}

/// Two channels read as one, by `select!`.
pub fn merge(runtime: &Runtime, times: u64) {
    let [(left, mut from_left), (right, mut from_right)] = [(); 2].map(|()| mpsc::channel(16));
    runtime.spawn(send_below(left, times / 2));
    runtime.spawn(send_below(right, times / 2));
    let total = runtime.block_on(async {
        let mut total = 0;
        loop {
            rt::select! {
                Some(n) = from_left.recv() => total += n,
                Some(n) = from_right.recv() => total += n,
                else => return total,
            }
        }
    });
    assert_eq!(total, 2 * sum(times / 2));
}

/// Messages to four tasks that keep up, for the sender gives way.
pub fn broadcast(runtime: &Runtime, times: u64) {
    let tx = broadcast::Sender::new(1_024);
    let receivers: Vec<_> = (0..4).map(|_| runtime.spawn(received(tx.subscribe()))).collect();
    let sender = runtime.spawn(async move {
        for n in 0..times {
            tx.send(n).unwrap();
            while tx.len() > 16 {
                rt::task::yield_now().await;
            }
        }
    });
    for receiver in receivers {
        assert_eq!(runtime.block_on(receiver).unwrap(), (times, 0));
    }
    runtime.block_on(sender).unwrap();
}

/// Messages to a task that is too slow: it hears of those that it missed.
pub fn broadcast_lag(runtime: &Runtime, times: u64) {
    let tx = broadcast::Sender::new(16);
    let receiver = runtime.spawn(received(tx.subscribe()));
    runtime.spawn(async move {
        for n in 0..times {
            tx.send(n).unwrap();
            if n % 64 == 63 {
                rt::task::yield_now().await;
            }
        }
    });
    let (seen, missed) = runtime.block_on(receiver).unwrap();
    assert_eq!(seen + missed, times);
    assert!(missed > 0, "nothing was missed");
}

/// How many messages came, and how many did not.
async fn received(mut rx: broadcast::Receiver<u64>) -> (u64, u64) {
    let (mut seen, mut missed) = (0, 0);
    loop {
        match rx.recv().await {
            Ok(_) => seen += 1,
            Err(RecvError::Lagged(by)) => missed += by,
            Err(RecvError::Closed) => return (seen, missed),
        }
    }
}

/// Changes of a value, and a task that looks at each and says so.
pub fn watch(runtime: &Runtime, times: u64) {
    let (tx, mut rx) = watch::channel(0);
    let (seen, mut was_seen) = watch::channel(0);
    runtime.spawn(async move {
        while rx.changed().await.is_ok() {
            let value = *rx.borrow_and_update();
            seen.send_replace(value);
        }
    });
    let sender = runtime.spawn(async move {
        for n in 1..=times {
            tx.send(n).unwrap();
            was_seen.wait_for(|seen| *seen == n).await.unwrap();
        }
    });
    runtime.block_on(sender).unwrap();
}

async fn send_below(to: mpsc::Sender<u64>, times: u64) {
    for n in 0..times {
        to.send(n).await.unwrap();
    }
}

async fn total(mut from: mpsc::Receiver<u64>) -> u64 {
    let mut total = 0;
    while let Some(n) = from.recv().await {
        total += n;
    }
    total
}
