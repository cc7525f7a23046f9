//! What can be seen of the server from outside: CPU time, system calls, user-time samples.

use std::fs;

use perf_event::events::{Software, Tracepoint};
use perf_event::{Builder, Counter, Sampler};

use crate::Failure;

/// The nanoseconds that all threads of a process have spent on a CPU: the scheduler's own account,
/// not the sampled one of `/proc/PID/stat`. The work that the kernel does for a socket on somebody
/// else's CPU time (loopback delivery in the sender's context) is in that other account.
pub(crate) fn server_cpu(pid: u32) -> Result<u64, Failure> {
    let mut total = 0;
    for thread in threads(pid)? {
        let text = fs::read_to_string(format!("/proc/{pid}/task/{thread}/schedstat"))?;
        let field = text.split_whitespace().next().ok_or("an empty schedstat")?;
        total += field.parse::<u64>()?;
    }
    Ok(total)
}

fn threads(pid: u32) -> Result<Vec<i32>, Failure> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        threads.push(entry?.file_name().to_string_lossy().parse()?);
    }
    Ok(threads)
}

/// Counts system calls by the tracepoint, which costs a call some tens of nanoseconds.
pub(crate) struct SystemCalls {
    counters: Vec<Counter>,
}

impl SystemCalls {
    pub(crate) fn of(pid: u32) -> Result<SystemCalls, Failure> {
        let folder = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
        let id = folder
            .iter()
            .find_map(|f| fs::read_to_string(format!("{f}/events/raw_syscalls/sys_enter/id")).ok())
            .ok_or("no tracepoints here")?;
        let id: u64 = id.trim().parse()?;
        let mut counters = Vec::new();
        for thread in threads(pid)? {
            let mut builder = Builder::new(Tracepoint::with_id(id));
            let mut counter = builder.observe_pid(thread).any_cpu().include_kernel().build()?;
            counter.enable()?;
            counters.push(counter);
        }
        Ok(SystemCalls { counters })
    }

    pub(crate) fn read(&mut self) -> Result<u64, Failure> {
        let mut total = 0;
        for counter in &mut self.counters {
            total += counter.read()?;
        }
        Ok(total)
    }
}

/// Samples where the server is, some thousand times a second: how much of its time is the kernel's
/// and how much its own. `getrusage` tells the same from a tick of 4 ms: too coarse by far.
pub(crate) struct Samples {
    samplers: Vec<Sampler>,
}

impl Samples {
    const HERTZ: u64 = 5_000;
    /// Pages for the samples of a window: 16 bytes each.
    const PAGES: usize = 128;

    pub(crate) fn of(pid: u32) -> Result<Samples, Failure> {
        let mut samplers = Vec::new();
        for thread in threads(pid)? {
            let mut builder = Builder::new(Software::CPU_CLOCK);
            builder.observe_pid(thread).any_cpu().include_kernel();
            builder.sample_frequency(Self::HERTZ).sample(perf_event::SampleFlag::IP);
            let mut sampler = builder.build()?.sampled(Self::PAGES)?;
            sampler.enable()?;
            samplers.push(sampler);
        }
        Ok(Samples { samplers })
    }

    /// The share of samples that were taken in user mode; none if there were too few to tell.
    pub(crate) fn user_share(&mut self) -> Option<f64> {
        // From the kernel's interface: PERF_RECORD_SAMPLE, and the CPU mode in the low bits.
        const SAMPLE: u32 = 9;
        const MODE: u16 = 7;
        const USER: u16 = 2;
        let (mut all, mut user) = (0_u64, 0_u64);
        for sampler in &mut self.samplers {
            while let Some(record) = sampler.next_record() {
                if record.ty() == SAMPLE {
                    all += 1;
                    user += u64::from(record.misc() & MODE == USER);
                }
            }
        }
        (all >= 100).then(|| user as f64 / all as f64)
    }
}
