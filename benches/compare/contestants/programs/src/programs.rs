//! Small programs in the words that henge and tokio have in common: the runtime is `crate::rt`,
//! which the two binaries name differently, and nothing else differs.
//!
//! A program is a function of a runtime and of how often to do what it does. It looks at its result
//! and panics if that is not what it should be, and where anything fails: the process ends without
//! a figure. What runs on two CPUs spawns on the runtime from outside, which spreads tasks in both.

mod block_on;
mod channels;
mod files;
mod locks;
mod memory;
mod processes;
mod sockets;
mod streams;
mod tasks;
mod threads;
mod timers;

use contestant::{Job, Meter, Row};

use crate::rt::runtime::{Builder, Runtime};

type Program = fn(&Runtime, u64);

/// On a runtime of one thread: name, operations, program. Each takes a few hundredths of a second.
const ON_ONE: &[(&str, u64, Program)] = &[
    ("block-on-nothing", 100_000, block_on::nothing),
    ("block-on-spawn", 50_000, block_on::spawns),
    ("block-on-message", 50_000, block_on::message),
    ("block-on-entered", 20_000, block_on::entered),
    ("spawn-one", 50_000, tasks::spawn_one),
    ("spawn-many", 100_000, tasks::spawn_many),
    ("yield-two", 100_000, tasks::yield_two),
    ("join-three", 100_000, tasks::join_three),
    ("join-set", 100_000, tasks::join_set),
    ("abort", 20_000, tasks::abort),
    ("task-local", 200_000, tasks::task_local),
    ("recursion", 300_000, tasks::recursion),
    ("local-set", 30_000, tasks::local_set),
    ("mpsc", 200_000, channels::bounded),
    ("mpsc-unbounded", 200_000, channels::unbounded),
    ("mpsc-fan-in", 200_000, channels::fan_in),
    ("mpsc-pipeline", 50_000, channels::pipeline),
    ("mpsc-many", 400_000, channels::receive_many),
    ("worker-pool", 50_000, channels::worker_pool),
    ("request-reply", 50_000, channels::request_reply),
    ("merge", 100_000, channels::merge),
    ("broadcast", 50_000, channels::broadcast),
    ("broadcast-lag", 100_000, channels::broadcast_lag),
    ("watch", 50_000, channels::watch),
    ("mutex", 50_000, locks::mutex),
    ("rwlock", 50_000, locks::rwlock),
    ("semaphore", 50_000, locks::semaphore),
    ("notify", 50_000, locks::notify),
    ("barrier", 50_000, locks::barrier),
    ("thread-sends", 100_000, threads::sends),
    ("thread-asks", 5_000, threads::asks),
    ("thread-answers", 5_000, threads::answers),
    ("thread-spawns", 20_000, threads::spawns),
    ("threads-block-on", 20_000, threads::block_on_in_four),
    ("thread-for-each", 300, threads::one_for_each),
    ("blocking-one", 5_000, threads::blocking_one),
    ("blocking-burst", 10_000, threads::blocking_burst),
    ("sleep", 20, timers::sleep),
    ("sleep-many", 5_000, timers::sleep_many),
    ("interval", 20, timers::interval),
    ("timeout-met", 50_000, timers::timeout_met),
    ("timeout-missed", 20, timers::timeout_missed),
    ("select-timer", 100_000, timers::select_timer),
    ("file-small", 500, files::small),
    ("file-large", 200, files::large),
    ("file-append", 5_000, files::append),
    ("file-seek", 2_000, files::seek),
    ("file-lines", 50_000, files::lines),
    ("file-list", 2_000, files::list),
    ("tcp-trip", 2_000, sockets::tcp_trip),
    ("tcp-bulk", 400, sockets::tcp_bulk),
    ("tcp-lines", 2_000, sockets::tcp_lines),
    ("tcp-split", 30_000, sockets::tcp_split),
    ("tcp-short", 300, sockets::tcp_short),
    ("tcp-storm", 300, sockets::tcp_storm),
    ("tcp-proxy", 1_000, sockets::tcp_proxy),
    ("unix-trip", 4_000, sockets::unix_trip),
    ("unix-bulk", 400, sockets::unix_bulk),
    ("udp-trip", 4_000, sockets::udp_trip),
    ("unix-datagrams", 4_000, sockets::unix_datagrams),
    ("pipe", 4_000, streams::pipe),
    ("duplex-trip", 50_000, memory::duplex_trip),
    ("duplex-copy", 2_000, memory::duplex_copy),
    ("frames", 50_000, memory::frames),
    ("process", 20, processes::status),
    ("process-pipe", 20, processes::piped),
    ("signal", 2_000, processes::signal),
];

/// On a runtime of two threads.
const ON_TWO: &[(&str, u64, Program)] = &[
    ("two-block-on-nothing", 100_000, block_on::nothing),
    ("two-spawn-each", 20_000, tasks::spawn_outside),
    ("two-mpsc", 200_000, channels::bounded),
    ("two-fan-in", 200_000, channels::fan_in),
    ("two-request-reply", 5_000, channels::request_reply),
    ("two-worker-pool", 10_000, channels::worker_pool),
    ("two-broadcast", 20_000, channels::broadcast),
    ("two-watch", 20_000, channels::watch),
    ("two-mutex", 50_000, locks::mutex),
    ("two-semaphore", 50_000, locks::semaphore),
    ("two-notify", 10_000, locks::notify),
    ("two-barrier", 20_000, locks::barrier),
    ("two-thread-sends", 100_000, threads::sends),
    ("two-thread-asks", 5_000, threads::asks),
    ("two-threads-block-on", 20_000, threads::block_on_in_four),
    ("two-blocking-burst", 10_000, threads::blocking_burst),
    ("two-sleep-many", 5_000, timers::sleep_many),
    ("two-tcp-trip", 2_000, sockets::tcp_trip),
    ("two-tcp-bulk", 400, sockets::tcp_bulk),
    ("two-tcp-storm", 300, sockets::tcp_storm),
    ("two-file-small", 500, files::small),
];

/// Measures the program that the command line names.
pub fn run() {
    let Job::Micro { row } = contestant::job() else {
        contestant::unsupported("these are programs, no servers")
    };
    let one = || (ON_ONE, Builder::new_current_thread());
    let two = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2);
        (ON_TWO, builder)
    };
    for (programs, mut builder) in [one(), two()] {
        if let Some((_, times, program)) = programs.iter().find(|(name, ..)| *name == row) {
            let runtime = builder.enable_all().build().unwrap();
            println!("{}", measured(&runtime, *times, *program).json());
            return;
        }
    }
    contestant::unsupported("no such program");
}

fn measured(runtime: &Runtime, times: u64, program: Program) -> Row {
    // What is made at first use is made, and code and memory are warm.
    program(runtime, times / 10 + 1);
    let meter = Meter::start();
    program(runtime, times);
    meter.stop(times)
}

/// The sum of all numbers below `n`.
fn sum(n: u64) -> u64 {
    n * n.saturating_sub(1) / 2
}
