//! Channels and locks that threads share: plain threads, which block, and threads with a runtime
//! each, whose tasks wait.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use contestant::{Meter, Row};

use crate::peer::{self, Mutex, Notify, Semaphore, broadcast, mpsc, oneshot, watch};

const MESSAGES: u64 = 500_000;
const SENDERS: u64 = 2;
const CAPACITY: usize = 1024;
const TRIPS: u64 = 20_000;
const LOCKS: u64 = 300_000;

fn ended<T>(result: Result<T, impl std::fmt::Debug>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the other side is gone: {error:?}"),
    }
}

/// A runtime on a thread of its own, for one task.
fn elsewhere<F: Future<Output = ()>>(task: impl FnOnce() -> F + Send + 'static) -> JoinHandle<()> {
    thread::spawn(|| peer::run(task))
}

/// What is left after the work of `threads` is theirs too.
fn measured(ops: u64, work: impl FnOnce() -> Vec<JoinHandle<()>>) -> Row {
    let meter = Meter::start();
    for thread in work() {
        ended(thread.join());
    }
    meter.stop(ops)
}

/// A message from one of two threads that send to a third, which all block where they must.
pub fn bounded() -> Row {
    measured(MESSAGES, || {
        let (tx, mut rx) = mpsc::channel(CAPACITY);
        let senders = (0..SENDERS).map(|_| {
            let tx = tx.clone();
            thread::spawn(move || {
                for n in 0..MESSAGES / SENDERS {
                    ended(tx.blocking_send(n));
                }
            })
        });
        let senders = senders.collect();
        drop(tx);
        while rx.blocking_recv().is_some() {}
        senders
    })
}

/// The same without a bound.
pub fn unbounded() -> Row {
    measured(MESSAGES, || {
        let (tx, mut rx) = mpsc::unbounded_channel();
        let senders = (0..SENDERS).map(|_| {
            let tx = tx.clone();
            thread::spawn(move || {
                for n in 0..MESSAGES / SENDERS {
                    ended(tx.send(n));
                }
            })
        });
        let senders = senders.collect();
        drop(tx);
        while rx.blocking_recv().is_some() {}
        senders
    })
}

/// The same by tasks of three runtimes, with a bound.
pub fn bounded_by_tasks() -> Row {
    measured(MESSAGES, || {
        let (tx, mut rx) = mpsc::channel(CAPACITY);
        let senders = (0..SENDERS).map(|_| {
            let tx = tx.clone();
            elsewhere(async move || {
                for n in 0..MESSAGES / SENDERS {
                    ended(tx.send(n).await);
                }
            })
        });
        let senders = senders.collect();
        drop(tx);
        peer::run(async || while rx.recv().await.is_some() {});
        senders
    })
}

/// The same by tasks of three runtimes, without a bound.
pub fn unbounded_by_tasks() -> Row {
    measured(MESSAGES, || {
        let (tx, mut rx) = mpsc::unbounded_channel();
        let senders = (0..SENDERS).map(|_| {
            let tx = tx.clone();
            elsewhere(async move || {
                for n in 0..MESSAGES / SENDERS {
                    ended(tx.send(n));
                }
            })
        });
        let senders = senders.collect();
        drop(tx);
        peer::run(async || while rx.recv().await.is_some() {});
        senders
    })
}

/// A question to a task of another runtime, and its answer by a channel for one message.
pub fn oneshot_trip() -> Row {
    measured(TRIPS, || {
        let (tx, mut rx) = mpsc::channel::<oneshot::Sender<u64>>(16);
        let answers = elsewhere(async move || {
            while let Some(answer) = rx.recv().await {
                ended(answer.send(1));
            }
        });
        peer::run(async || {
            for _ in 0..TRIPS {
                let (answer, answered) = oneshot::channel();
                ended(tx.send(answer).await);
                ended(answered.await);
            }
            drop(tx);
        });
        vec![answers]
    })
}

/// A mutex that tasks of two runtimes lock, again and again.
pub fn mutex() -> Row {
    measured(2 * LOCKS, || {
        let mutex = Arc::new(Mutex::new(0_u64));
        let lockers = (0..2).map(|_| {
            let mutex = mutex.clone();
            elsewhere(async move || {
                for _ in 0..LOCKS {
                    *mutex.lock().await += 1;
                }
            })
        });
        lockers.collect()
    })
}

/// A semaphore of one permit, likewise.
pub fn semaphore() -> Row {
    measured(2 * LOCKS, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let takers = (0..2).map(|_| {
            let semaphore = semaphore.clone();
            elsewhere(async move || {
                for _ in 0..LOCKS {
                    drop(ended(semaphore.acquire().await));
                }
            })
        });
        takers.collect()
    })
}

/// Two tasks of two runtimes notify each other.
pub fn notify_trip() -> Row {
    measured(TRIPS, || {
        let [there, back] = [(); 2].map(|()| Arc::new(Notify::new()));
        let other = {
            let (there, back) = (there.clone(), back.clone());
            elsewhere(async move || {
                for _ in 0..TRIPS {
                    there.notified().await;
                    back.notify_one();
                }
            })
        };
        peer::run(async || {
            for _ in 0..TRIPS {
                there.notify_one();
                back.notified().await;
            }
        });
        vec![other]
    })
}

/// Changes of a value that a task of another runtime watches.
pub fn watched() -> Row {
    measured(MESSAGES, || {
        let (tx, mut rx) = watch::channel(0);
        let watches =
            elsewhere(
                async move || {
                    while rx.changed().await.is_ok() && *rx.borrow_and_update() < MESSAGES {}
                },
            );
        for n in 1..=MESSAGES {
            tx.send_replace(n);
        }
        vec![watches]
    })
}

/// Messages to tasks of two runtimes, which may miss some.
pub fn broadcast() -> Row {
    measured(MESSAGES, || {
        let tx = broadcast::Sender::new(CAPACITY);
        let receivers =
            (0..2).map(|_| {
                let mut rx = tx.subscribe();
                elsewhere(async move || {
                    while !matches!(rx.recv().await, Err(broadcast::error::RecvError::Closed)) {}
                })
            });
        let receivers = receivers.collect();
        for n in 0..MESSAGES {
            ended(tx.send(n));
        }
        drop(tx);
        receivers
    })
}
