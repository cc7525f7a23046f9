//! The rule against simulated peers: each asks, is answered, and asks again after a while.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::BatchWait;

const LIMIT: u64 = 50_000;
/// What it takes to be woken, and to answer one.
const WAKE: u64 = 5_000;
const SERVE: u64 = 3_000;

/// A shard and its peers. All times in nanoseconds.
struct Model {
    rule: BatchWait,
    now: u64,
    /// When the next request comes from whom.
    asking: BinaryHeap<Reverse<(u64, usize)>>,
    random: u64,
    done: Done,
}

/// What it came to.
#[derive(Clone, Copy, Debug, Default)]
struct Done {
    time: u64,
    requests: u64,
    sleeps: u64,
    batch_waits: u64,
    /// From when a request came to when the shard looked at it, together.
    delay: u64,
}

impl Done {
    fn sleeps_a_request(&self) -> f64 {
        self.sleeps as f64 / self.requests as f64
    }

    fn delay(&self) -> Duration {
        Duration::from_nanos(self.delay / self.requests)
    }

    fn rate(&self) -> f64 {
        self.requests as f64 / self.time as f64
    }
}

impl Model {
    fn new(limit: u64, peers: usize) -> Model {
        let asking = (0..peers).map(|peer| Reverse((peer as u64 * 7_000, peer))).collect();
        let rule = BatchWait::new(Duration::from_nanos(limit));
        Model { rule, now: 0, asking, random: 88_172_645_463_325_252, done: Done::default() }
    }

    /// Between half and one and a half of this.
    fn about(&mut self, time: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        time / 2 + self.random % time.max(1)
    }

    /// When a sleep that begins now ends, as the kernel does it.
    fn end_of_sleep(&mut self, batch: Option<(u32, Duration)>) -> u64 {
        let first = self.asking.peek().expect("somebody asks").0.0;
        let Some((completions, limit)) = batch else { return first };
        let before = completions as usize - 1;
        let waited_for: Vec<_> = (0..before).map_while(|_| self.asking.pop()).collect();
        let enough = self.asking.peek().map_or(u64::MAX, |Reverse((time, _))| *time);
        self.asking.extend(waited_for);
        enough.min(first.max(self.now + limit.as_nanos() as u64))
    }

    /// Sleeps if nobody asks, answers all who do, and has each of them ask again about `think`
    /// later.
    fn turn(&mut self, think: u64) {
        let begun = self.now;
        let mut slept = None;
        if self.asking.peek().is_some_and(|Reverse((time, _))| *time > self.now) {
            let batch = self.rule.before_sleep();
            self.done.batch_waits += u64::from(batch.is_some());
            self.done.sleeps += 1;
            self.now = self.end_of_sleep(batch) + WAKE;
            slept = Some(self.now - begun);
        }
        let mut asked = Vec::new();
        while let Some(&Reverse((time, peer))) = self.asking.peek()
            && time <= self.now
        {
            self.asking.pop();
            self.done.delay += self.now - time;
            asked.push(peer);
        }
        // Each has a receive that lasts; the sends share slots.
        let operations = asked.iter().enumerate().fold(0, |operations, (n, peer)| {
            operations | 1 << (2 * peer % 64) | 1 << ((2 * n + 1) % 64)
        });
        self.rule.brought(asked.len() as u32, operations);
        if let Some(wait) = slept {
            let cycle = self.now - self.done.time;
            self.done.time = self.now;
            self.rule.slept(Duration::from_nanos(wait), Duration::from_nanos(cycle));
        }
        for peer in asked {
            self.now += SERVE;
            self.done.requests += 1;
            let next = self.now + self.about(think);
            self.asking.push(Reverse((next, peer)));
        }
    }

    /// What `requests` more come to.
    fn run(&mut self, think: u64, requests: u64) -> Done {
        let before = self.done;
        while self.done.requests < before.requests + requests {
            self.turn(think);
        }
        Done {
            time: self.done.time - before.time,
            requests: self.done.requests - before.requests,
            sleeps: self.done.sleeps - before.sleeps,
            batch_waits: self.done.batch_waits - before.batch_waits,
            delay: self.done.delay - before.delay,
        }
    }
}

fn run(limit: u64, peers: usize, think: u64) -> Done {
    let mut model = Model::new(limit, peers);
    model.run(think, 2_000);
    model.run(think, 5_000)
}

const fn micros(micros: u64) -> u64 {
    micros * 1000
}

#[test]
fn nobody_waits_who_is_alone_or_one_of_three() {
    for peers in 1..=3 {
        for think in [3, 20, 40, 60, 200, 5_000].map(micros) {
            let mut model = Model::new(LIMIT, peers);
            assert_eq!(model.run(think, 20_000).batch_waits, 0, "{peers} peers, {think} ns");
        }
    }
}

#[test]
fn a_crowd_is_woken_for_several_at_a_time() {
    for (peers, think) in [(25, 200), (50, 500), (200, 2_000)] {
        let think = micros(think);
        let (apart, together) = (run(0, peers, think), run(LIMIT, peers, think));
        let sleeps = together.sleeps_a_request() / apart.sleeps_a_request();
        assert!(sleeps < 0.4, "{sleeps} of the sleeps with {peers} peers");
        assert!(together.delay() < Duration::from_micros(25), "{:?}", together.delay());
        assert!(
            together.rate() > 0.9 * apart.rate(),
            "{} requests",
            together.rate() / apart.rate()
        );
    }
}

#[test]
fn however_many_there_are_they_lose_little_by_it() {
    for peers in [4, 8, 16, 25, 50, 200] {
        for think in [20, 50, 100, 500, 2_000, 5_000].map(micros) {
            let (apart, together) = (run(0, peers, think), run(LIMIT, peers, think));
            let added = together.delay().saturating_sub(apart.delay());
            assert!(
                added < Duration::from_nanos(LIMIT / 2),
                "{added:?}: {peers} peers, {think} ns"
            );
            // They were answered without a sleep, then as now.
            if apart.time > 0 {
                assert!(together.rate() > 0.8 * apart.rate(), "{peers} peers, {think} ns");
            }
        }
    }
}

#[test]
fn nobody_waits_for_those_who_are_too_far_apart() {
    let done = run(LIMIT, 50, micros(10_000));
    assert!(done.batch_waits * 100 < done.sleeps, "{done:?}");
}

#[test]
fn who_stays_behind_when_a_crowd_leaves_is_soon_alone() {
    let mut model = Model::new(LIMIT, 50);
    assert!(model.run(micros(500), 2_000).batch_waits > 0);
    model.asking.clear();
    model.asking.push(Reverse((model.now, 0)));
    let alone = model.run(micros(30), 200);
    assert!(alone.batch_waits < 20, "{} of 200 requests", alone.batch_waits);
    assert_eq!(model.run(micros(30), 5_000).batch_waits, 0);
}

#[test]
fn one_who_asks_many_others_is_not_taken_for_a_crowd() {
    let mut rule = BatchWait::new(Duration::from_nanos(LIMIT));
    let mut in_vain = 0;
    let mut sleep = |arrived, operations, wait: u64| {
        let batch = rule.before_sleep();
        let limit = Duration::from_nanos(LIMIT);
        let mut wait = Duration::from_nanos(wait);
        if batch.is_some_and(|(completions, _)| completions > arrived) {
            in_vain += 1;
            wait = wait.max(limit);
        }
        rule.brought(arrived, operations);
        rule.slept(wait, wait + Duration::from_micros(5));
    };
    for _ in 0..10_000 {
        // The request, then sixteen answers that come together.
        sleep(1, 1, micros(20));
        sleep(16, 0xffff_0000, micros(20));
    }
    assert!(in_vain < 200, "{in_vain} of 10,000 requests waited in vain");
}

#[test]
fn zero_never_waits() {
    assert_eq!(run(0, 50, micros(500)).batch_waits, 0);
}

#[test]
fn a_limit_without_end_does_not_overflow() {
    let mut rule = BatchWait::new(Duration::MAX);
    for _ in 0..1_000 {
        rule.brought(10, u64::MAX);
        rule.slept(Duration::MAX, Duration::MAX);
    }
    assert!(rule.before_sleep().is_some());
}
