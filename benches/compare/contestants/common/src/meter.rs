//! CPU time, wall time and resident memory of this process, around a piece of work.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// What a micro row measured. `figures` is what there is beside CPU time and wall time.
pub struct Row {
    ops: u64,
    cpu_ns: u64,
    wall_ns: u64,
    figures: Vec<(&'static str, f64)>,
}

impl Row {
    /// A row about memory: `bytes` for each of `ops` things.
    pub fn memory(ops: u64, bytes: u64) -> Row {
        Row::told(ops, 0, 0).with("bytes", bytes as f64 / ops as f64)
    }

    /// A row that was measured by other means.
    pub fn told(ops: u64, cpu_ns: u64, wall_ns: u64) -> Row {
        Row { ops, cpu_ns, wall_ns, figures: Vec::new() }
    }

    /// The same row with one figure more.
    pub fn with(mut self, name: &'static str, value: f64) -> Row {
        self.figures.push((name, value));
        self
    }

    /// One line of JSON.
    pub fn json(&self) -> String {
        let figures = self.figures.iter();
        let figures: String =
            figures.map(|(name, value)| format!(", \"{name}\": {value:.1}")).collect();
        let Row { ops, cpu_ns, wall_ns, .. } = self;
        format!("{{\"ops\": {ops}, \"cpu_ns\": {cpu_ns}, \"wall_ns\": {wall_ns}{figures}}}")
    }
}

/// Started before the work, stopped after it.
pub struct Meter {
    cpu: u64,
    wall: Instant,
}

impl Meter {
    /// Starts measuring this process: all its threads.
    pub fn start() -> Meter {
        Meter { cpu: process_cpu(), wall: Instant::now() }
    }

    /// What `ops` operations took since `start`.
    pub fn stop(self, ops: u64) -> Row {
        let wall_ns = self.wall.elapsed().as_nanos() as u64;
        Row::told(ops, process_cpu() - self.cpu, wall_ns)
    }
}

fn process_cpu() -> u64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// This process's anonymous resident memory, in bytes.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = |key: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    1024 * kib("RssAnon:")
}
