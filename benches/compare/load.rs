//! The load generator: `compare load …` is started by the harness on a core of its own.
//!
//! It opens its connections, warms up, and then measures one window after another on the same
//! connections: a timed one, in which nobody looks over the server's shoulder, and on request one
//! in which the server's system calls are counted and one in which its user time is sampled.

mod client;
mod observe;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::Failure;
use client::Client;
pub(crate) use observe::server_cpu;

/// How requests arrive at the server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Arrival {
    /// Sends on all connections, then collects all answers: requests arrive in a burst.
    Bursty,
    /// Answers each reply at once, as wrk does: requests trickle in.
    Trickling,
    /// One request every so many microseconds on one connection, late or not.
    Paced(u64),
    /// Echoes once on every connection, then holds them open until standard input ends.
    Hold,
}

/// What to do, as it travels on the command line of the load generator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) server: SocketAddr,
    /// The process whose CPU time, system calls and samples are taken.
    pub(crate) pid: u32,
    pub(crate) arrival: Arrival,
    pub(crate) connections: usize,
    pub(crate) size: usize,
    pub(crate) depth: usize,
    pub(crate) warm_ms: u64,
    pub(crate) run_ms: u64,
    /// Take the two windows with instruments, too.
    pub(crate) profile: bool,
}

/// What the windows showed. Times are the server's, except the latencies and `load_busy`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) requests_per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) cpu_ns: f64,
    pub(crate) user_ns: Option<f64>,
    pub(crate) system_calls: Option<f64>,
    /// The share of the timed window in which the load generator itself was on its CPU.
    pub(crate) load_busy: f64,
}

/// Carries out an order and prints the report as one line of JSON.
pub(crate) fn run(order: &str) -> Result<(), Failure> {
    let order: Order = serde_json::from_str(order)?;
    // A harness that is killed must not leave load behind on its cores.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let mut client = Client::connect(&order)?;
    let mut out = std::io::stdout();
    if order.arrival == Arrival::Hold {
        client.once_each()?;
        writeln!(out, "held")?;
        out.flush()?;
        // The harness closes our standard input when it has read what it wants.
        std::io::stdin().read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    let mut latency = Histogram::<u64>::new(3)?;
    client.run(Duration::from_millis(order.warm_ms), &mut latency)?;
    latency.reset();

    let mut report = Report::default();
    let (load_before, server_before) = (thread_cpu(), observe::server_cpu(order.pid)?);
    let window = Instant::now();
    let requests = client.run(Duration::from_millis(order.run_ms), &mut latency)?;
    let seconds = window.elapsed().as_secs_f64();
    let server_ns = observe::server_cpu(order.pid)? - server_before;
    report.load_busy = (thread_cpu() - load_before) as f64 / 1e9 / seconds;
    if requests == 0 {
        return Err("no answer within the timed window".into());
    }
    report.requests_per_second = requests as f64 / seconds;
    report.cpu_ns = server_ns as f64 / requests as f64;
    report.p50_us = latency.value_at_quantile(0.50) as f64 / 1_000.0;
    report.p99_us = latency.value_at_quantile(0.99) as f64 / 1_000.0;

    if order.profile {
        // Where the kernel refuses an instrument the figure stays empty; the report says so.
        if let Ok(mut calls) = observe::SystemCalls::of(order.pid) {
            let before = calls.read()?;
            let requests = client.run(Duration::from_millis(order.run_ms / 2), &mut latency)?;
            report.system_calls = Some((calls.read()? - before) as f64 / requests.max(1) as f64);
        }
        if let Ok(mut samples) = observe::Samples::of(order.pid) {
            client.run(Duration::from_millis(order.run_ms), &mut latency)?;
            report.user_ns = samples.user_share().map(|share| share * report.cpu_ns);
        }
    }
    writeln!(out, "{}", serde_json::to_string(&report)?)?;
    Ok(())
}

fn thread_cpu() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
