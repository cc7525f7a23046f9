//! By what is a sleeping shard woken best from another shard: by an entry on the waker's own ring,
//! which rides on its next enter, or by an eventfd, which is a system call at once?
//!
//! Drivers alone, without a runtime's spin: every wake finds its target asleep, and ends its sleep.
//! One driver asks one or three others and sleeps until they all have answered.

#![deny(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use henge::driver::{Config, Driver, Link, Posted, Remote};
use rustix::time::{ClockId, clock_gettime};

/// Runs at whoever is asked, and sends the answer.
struct Ask {
    link: Link,
    answer: Arc<Answer>,
    asker: Remote,
}

impl Posted for Ask {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, _driver: &Driver) {
        self.asker.post(Arc::clone(&self.answer)).expect("the asker waits");
    }
}

/// Runs at the asker.
struct Answer {
    link: Link,
    came: AtomicU64,
}

impl Posted for Answer {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, _driver: &Driver) {
        self.came.fetch_add(1, Ordering::Relaxed);
    }
}

/// A thread with a driver that does what it is asked.
struct Peer {
    ask: Arc<Ask>,
    remote: Remote,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Peer {
    fn start(config: &Config, asker: &Remote) -> Peer {
        let stop = Arc::new(AtomicBool::new(false));
        let (send, receive) = mpsc::channel();
        let (config, stopped) = (config.clone(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let driver = Driver::with_config(&config).expect("a ring");
            send.send(driver.remote().clone()).expect("the asker waits");
            let _entered = driver.enter();
            while !stopped.load(Ordering::Relaxed) {
                driver.park(None, || stopped.load(Ordering::Relaxed)).expect("the ring works");
            }
        });
        let answer = Answer { link: Link::new(), came: AtomicU64::new(0) };
        let ask = Ask { link: Link::new(), answer: Arc::new(answer), asker: asker.clone() };
        let remote = receive.recv().expect("it has a ring");
        Peer { ask: Arc::new(ask), remote, stop, thread }
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.remote.wake();
        self.thread.join().expect("no panic");
    }
}

/// What a number of rounds took, by `clock`.
fn rounds(by_message: bool, peers: usize, rounds: u64, clock: impl Fn() -> Duration) -> Duration {
    let config = Config::new().wake_by_message(by_message);
    let driver = Driver::with_config(&config).expect("a ring");
    let peers: Vec<Peer> = (0..peers).map(|_| Peer::start(&config, driver.remote())).collect();
    let entered = driver.enter();
    let start = clock();
    for round in 1..=rounds {
        for peer in &peers {
            peer.remote.post(Arc::clone(&peer.ask)).expect("the peer lives");
        }
        while !peers.iter().all(|peer| peer.ask.answer.came.load(Ordering::Relaxed) == round) {
            driver.park(None, || false).expect("the ring works");
        }
    }
    let took = clock() - start;
    drop(entered);
    peers.into_iter().for_each(Peer::end);
    took
}

fn process_cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn wake_by(c: &mut Criterion) {
    let begin = Instant::now();
    for peers in [1, 3] {
        for (by_message, name) in [(true, "message"), (false, "eventfd")] {
            c.bench_function(&format!("{peers} asleep, by {name}: time"), |b| {
                b.iter_custom(|n| rounds(by_message, peers, n, || begin.elapsed()));
            });
            c.bench_function(&format!("{peers} asleep, by {name}: CPU of all"), |b| {
                b.iter_custom(|n| rounds(by_message, peers, n, process_cpu));
            });
        }
    }
}

criterion_group!(benches, wake_by);
criterion_main!(benches);
