//! What each rule of the stealing layer is worth: loads that need it, with all rules on, and with
//! one of them off.
//!
//! `cargo bench -p henge-benches --bench steal_rules`, on a machine with nothing else to do. Rounds
//! are interleaved; printed are ratios to all rules on in the same round, below 1 where the rule
//! costs more than it gains: the median, and the smallest and the largest in brackets.

#![deny(unsafe_code)]

use std::future::poll_fn;
use std::hint::black_box;
use std::task::Poll;
use std::time::{Duration, Instant};

use henge::runtime::{Builder, Runtime};
use henge::steal::{self, Policy};
use henge::sync::mpsc;
use henge::task::AbortHandle;
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 9;
const SHARDS: usize = 4;

/// A rule, and how it is switched off.
type Rule = (&'static str, fn(&mut Policy));

const RULES: &[Rule] = &[
    ("the LIFO slot", |policy| policy.lifo_slot = false),
    ("looking at the common queue every 31st pick", |policy| policy.injector_interval = u32::MAX),
    ("taking half", |policy| policy.steal_half = false),
    ("at most half of the shards search", |policy| policy.limit_searchers = false),
    ("who finds work wakes one more", |policy| policy.wake_one_more = false),
];

type Load = (&'static str, fn(&Runtime));

const LOADS: &[Load] = &[
    ("10,000 tasks of 20 µs from one shard", |runtime| spawned(runtime, 10_000, 20)),
    ("100,000 tasks of 1 µs from one shard", |runtime| spawned(runtime, 100_000, 1)),
    ("bursts of 8 tasks of 50 µs, 500 µs apart", bursts),
    ("64 pairs that wake each other", pairs),
    ("a chain that never ends beside tasks from outside", from_outside),
];

/// What a load took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

fn main() {
    println!("| load | rule that is off | time | CPU |\n|---|---|---:|---:|");
    for (load, run) in LOADS {
        let mut costs = vec![Vec::with_capacity(ROUNDS); RULES.len() + 1];
        for _ in 0..ROUNDS {
            costs[0].push(measure(Policy::default(), *run));
            for ((_, switch_off), costs) in RULES.iter().zip(&mut costs[1..]) {
                let mut policy = Policy::default();
                switch_off(&mut policy);
                costs.push(measure(policy, *run));
            }
        }
        for ((rule, _), without) in RULES.iter().zip(&costs[1..]) {
            let ratios = |of: fn(&Cost) -> Duration| {
                let each = without.iter().zip(&costs[0]);
                spread(each.map(|(off, on)| of(off).as_secs_f64() / of(on).as_secs_f64()).collect())
            };
            println!("| {load} | {rule} | {} | {} |", ratios(|c| c.wall), ratios(|c| c.cpu));
        }
    }
}

fn spread(mut ratios: Vec<f64>) -> String {
    ratios.sort_by(f64::total_cmp);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    format!("{:.2} ({least:.2}–{most:.2})", ratios[ratios.len() / 2])
}

fn measure(policy: Policy, run: fn(&Runtime)) -> Cost {
    let runtime = Builder::new_multi_thread()
        .worker_threads(SHARDS)
        .stealing(true)
        .stealing_policy(policy)
        .build()
        .expect("a runtime");
    // So that all threads run, and their memory is warm.
    spawned(&runtime, 1_000, 5);
    let (begun, cpu) = (Instant::now(), cpu_time());
    run(&runtime);
    Cost { wall: begun.elapsed(), cpu: cpu_time() - cpu }
}

fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn compute(micros: u64) {
    let end = Instant::now() + Duration::from_micros(micros);
    while Instant::now() < end {
        black_box(end);
    }
}

/// All from one shard: thieves have much to take.
fn spawned(runtime: &Runtime, tasks: usize, micros: u64) {
    runtime.run(move || async move {
        let tasks: Vec<_> =
            (0..tasks).map(|_| steal::spawn(async move { compute(micros) })).collect();
        for task in tasks {
            task.await.expect("it does not panic");
        }
    });
}

/// A little work now and then: who wakes up for it, and how many?
fn bursts(runtime: &Runtime) {
    runtime.run(|| async {
        for _ in 0..200 {
            let tasks: Vec<_> = (0..8).map(|_| steal::spawn(async { compute(50) })).collect();
            for task in tasks {
                task.await.expect("it does not panic");
            }
            henge::time::sleep(Duration::from_micros(500)).await;
        }
    });
}

/// What one has written the other reads: better on the same core.
fn pairs(runtime: &Runtime) {
    runtime.run(|| async {
        let pair = || {
            let (ask, mut asked) = mpsc::channel::<[u64; 8]>(1);
            let (answer, mut answered) = mpsc::channel::<[u64; 8]>(1);
            let server = steal::spawn(async move {
                while let Some(mut words) = asked.recv().await {
                    words.iter_mut().for_each(|word| *word += 1);
                    if answer.send(words).await.is_err() {
                        return;
                    }
                }
            });
            let client = steal::spawn(async move {
                for _ in 0..1_000 {
                    ask.send([0; 8]).await.expect("the server waits");
                    answered.recv().await.expect("it answers");
                }
            });
            [server, client]
        };
        let tasks: Vec<_> = (0..64).flat_map(|_| pair()).collect();
        for task in tasks {
            task.await.expect("it does not panic");
        }
    });
}

/// Every shard has work of its own all the time, and what comes from outside must get its turn.
fn from_outside(runtime: &Runtime) {
    let chain = || {
        // Not `yield_now`, which has the shard look at everything before it goes on.
        let chain = steal::spawn(poll_fn(|cx| {
            compute(2);
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        chain.abort_handle()
    };
    let chains: Vec<_> =
        runtime.run(move || async move { (0..SHARDS * 4).map(|_| chain()).collect() });
    for _ in 0..100 {
        let task = {
            let _entered = runtime.enter();
            steal::spawn(async { compute(5) })
        };
        runtime.block_on(task).expect("it does not panic");
    }
    chains.iter().for_each(AbortHandle::abort);
}
