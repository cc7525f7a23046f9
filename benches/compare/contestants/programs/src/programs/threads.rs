//! Threads beside tasks: those of the program, and those of the blocking pool.

use std::sync::mpsc as std_mpsc;
use std::thread;

use super::sum;
use crate::rt::runtime::Runtime;
use crate::rt::sync::{mpsc, oneshot};
use crate::rt::task::spawn_blocking;

/// A thread sends to a task.
pub fn sends(runtime: &Runtime, times: u64) {
    let (tx, mut rx) = mpsc::channel(64);
    let sender = thread::spawn(move || {
        for n in 0..times {
            tx.blocking_send(n).unwrap();
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
    sender.join().unwrap();
}

/// A thread asks a task, and blocks for the answer.
pub fn asks(runtime: &Runtime, times: u64) {
    let (tx, mut rx) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(1);
    let asks = thread::spawn(move || {
        let mut total = 0;
        for n in 0..times {
            let (answer, answered) = oneshot::channel();
            tx.blocking_send((n, answer)).unwrap();
            total += answered.blocking_recv().unwrap();
        }
        total
    });
    let answers = runtime.spawn(async move {
        while let Some((n, answer)) = rx.recv().await {
            answer.send(n + 1).unwrap();
        }
    });
    runtime.block_on(answers).unwrap();
    assert_eq!(asks.join().unwrap(), sum(times) + times);
}

/// A task asks a thread by a channel of std's, and waits for the answer.
pub fn answers(runtime: &Runtime, times: u64) {
    let (tx, rx) = std_mpsc::channel::<(u64, oneshot::Sender<u64>)>();
    let answers = thread::spawn(move || {
        for (n, answer) in rx {
            answer.send(n + 1).unwrap();
        }
    });
    let asks = runtime.spawn(async move {
        let mut total = 0;
        for n in 0..times {
            let (answer, answered) = oneshot::channel();
            tx.send((n, answer)).unwrap();
            total += answered.await.unwrap();
        }
        total
    });
    assert_eq!(runtime.block_on(asks).unwrap(), sum(times) + times);
    answers.join().unwrap();
}

/// A thread spawns tasks, a hundred at a time, and gets their results by a channel of std's.
pub fn spawns(runtime: &Runtime, times: u64) {
    let handle = runtime.handle().clone();
    let (over, is_over) = oneshot::channel();
    let spawns = thread::spawn(move || {
        let (tx, rx) = std_mpsc::channel();
        let mut total = 0;
        for batch in 0..times / 100 {
            for n in 0..100 {
                let tx = tx.clone();
                handle.spawn(async move { tx.send(batch * 100 + n).unwrap() });
            }
            total += rx.iter().take(100).sum::<u64>();
        }
        over.send(total).unwrap();
    });
    assert_eq!(runtime.block_on(is_over).unwrap(), sum(times / 100 * 100));
    spawns.join().unwrap();
}

/// Four threads block on futures that send to a task.
pub fn block_on_in_four(runtime: &Runtime, times: u64) {
    let (tx, mut rx) = mpsc::channel(16);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (handle, tx) = (runtime.handle().clone(), tx.clone());
            thread::spawn(move || {
                for n in 0..times / 4 {
                    handle.block_on(tx.send(n)).unwrap();
                }
            })
        })
        .collect();
    drop(tx);
    let receiver = runtime.spawn(async move {
        let mut total = 0;
        while let Some(n) = rx.recv().await {
            total += n;
        }
        total
    });
    assert_eq!(runtime.block_on(receiver).unwrap(), 4 * sum(times / 4));
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Threads that each block on one future, one after the other.
pub fn one_for_each(runtime: &Runtime, times: u64) {
    let mut total = 0;
    for n in 0..times {
        let handle = runtime.handle().clone();
        let thread = thread::spawn(move || handle.block_on(async { n }));
        total += thread.join().unwrap();
    }
    assert_eq!(total, sum(times));
}

/// A closure in the blocking pool and its result, one after the other.
pub fn blocking_one(runtime: &Runtime, times: u64) {
    let total = runtime.block_on(async {
        let mut total = 0;
        for n in 0..times {
            total += spawn_blocking(move || n).await.unwrap();
        }
        total
    });
    assert_eq!(total, sum(times));
}

/// Sixty-four closures at a time.
pub fn blocking_burst(runtime: &Runtime, times: u64) {
    let total = runtime.block_on(async {
        let mut total = 0;
        for batch in 0..times / 64 {
            let closures: Vec<_> =
                (0..64).map(|n| spawn_blocking(move || batch * 64 + n)).collect();
            for closure in closures {
                total += closure.await.unwrap();
            }
        }
        total
    });
    assert_eq!(total, sum(times / 64 * 64));
}
