//! `compare-kv`: kv beside redis-server, and on one shard beside two, in one command.
//!
//! Servers have CPUs 0 and 1, or 0 alone for the single shard; the load has 2 and 3:
//! `redis-benchmark` with two threads, and [one](load) that takes less CPU and so keeps two shards
//! busy. All servers are up; rounds are interleaved (A B C … A B C …), and every other one goes
//! backwards. `docs/measured-kv.md` says what came out.

#![deny(unsafe_code)]

mod load;
#[path = "../compare/process.rs"]
mod process;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use load::Ask;
use process::Running;
use rustix::thread::sched_getaffinity;

/// Whatever went wrong, in words for the person at the terminal.
type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "compare-kv [--rounds N] [--requests N]";

/// Who takes part: a name, a program, its arguments beside the port, its CPUs.
const SERVERS: [(&str, &str, &[&str], &[usize]); 4] = [
    ("redis", "redis-server", &["--save", "", "--appendonly", "no"], &[0, 1]),
    ("redis-2", "redis-server", &["--save", "", "--io-threads", "2"], &[0, 1]),
    ("kv-1", "kv", &["--shards", "1"], &[0]),
    ("kv-2", "kv", &["--shards", "2"], &[0, 1]),
];
const LOAD: [usize; 2] = [2, 3];
/// The first of the servers' ports.
const PORT: u16 = 7641;

/// Who asks, on fifty connections.
enum Load {
    /// `redis-benchmark` with these arguments, and so many requests for one of an unpipelined row.
    Benchmark(&'static [&'static str], u64),
    /// [`load`], so many commands at a time.
    Light(Ask, usize),
}

/// What is asked for, by a name.
const ROWS: [(&str, Load); 10] = [
    ("set", Load::Benchmark(&["-t", "set", "-c", "50"], 1)),
    ("get", Load::Benchmark(&["-t", "get", "-c", "50"], 1)),
    ("set -P 16", Load::Benchmark(&["-t", "set", "-c", "50", "-P", "16"], 10)),
    ("get -P 16", Load::Benchmark(&["-t", "get", "-c", "50", "-P", "16"], 10)),
    ("set, light load", Load::Light(Ask::Set, 1)),
    ("get, light load", Load::Light(Ask::Get, 1)),
    ("set -P 16, light load", Load::Light(Ask::Set, 16)),
    ("get -P 16, light load", Load::Light(Ask::Get, 16)),
    ("set -P 64, light load", Load::Light(Ask::Set, 64)),
    ("get -P 64, light load", Load::Light(Ask::Get, 64)),
];

/// Longer than any run takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// One run.
#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    /// Nanoseconds of the server's CPU time.
    cpu_per_request: f64,
    /// How many CPUs the server had work for.
    cpus: f64,
}

fn main() -> Result<(), Failure> {
    let (mut rounds, mut requests) = (5, 100_000);
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == load::WORD).is_some() {
        return say(&format!("{}\n", load::run(words)?));
    }
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
        match word.as_str() {
            "--rounds" => rounds = value()?.parse()?,
            "--requests" => requests = value()?.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    for tool in ["redis-server", "redis-benchmark"] {
        if Command::new(tool).arg("--version").stdout(Stdio::null()).status().is_err() {
            return say(&format!("skipped: {tool} is not installed (Debian: redis)\n"));
        }
    }
    if sched_getaffinity(None)?.count() < 4 {
        return say("skipped: four CPUs are needed, two for the servers and two for the load\n");
    }
    let kv = build()?;
    let mut servers = Vec::new();
    for (port, (name, program, args, cores)) in (PORT..).zip(SERVERS) {
        let program = if program == "kv" { kv.as_path() } else { Path::new(program) };
        servers.push((name, port, start(program, args, cores, port)?));
        load::fill(port)?;
    }
    let mut table: BTreeMap<(&str, &str), Vec<Figures>> = BTreeMap::new();
    for round in 0..rounds {
        for (row, load) in ROWS {
            for n in 0..servers.len() {
                let at = if round % 2 == 0 { n } else { servers.len() - 1 - n };
                let (name, port, server) = &servers[at];
                let figures = match load {
                    Load::Benchmark(args, factor) => {
                        benchmark(server, *port, args, requests * factor)?
                    }
                    Load::Light(ask, at_once) => light(server, *port, ask, at_once)?,
                };
                eprintln!("{}/{rounds} {row} {name}: {:.0}", round + 1, figures.per_second);
                table.entry((row, name)).or_default().push(figures);
            }
        }
    }
    say(&report(&table)?)
}

/// kv as a user has it: built by cargo.
fn build() -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let built = Command::new(cargo)
        .args(["build", "-q", "--release", "-p", "henge-examples", "--bin", "kv"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(&root)
        .stderr(Stdio::inherit())
        .output()?;
    if !built.status.success() {
        return Err("kv does not build".into());
    }
    // Cargo says where it put it.
    for line in String::from_utf8(built.stdout)?.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        if let Some(path) = message["executable"].as_str() {
            return Ok(path.into());
        }
    }
    Err("cargo names no executable".into())
}

fn start(program: &Path, args: &[&str], cores: &[usize], port: u16) -> Result<Running, Failure> {
    let mut command = Command::new(program);
    command.args(args).args(["--port", &port.to_string()]).stdout(Stdio::piped());
    let server = Running::start(&mut command, Some(cores))?;
    loop {
        let line = server.line(Duration::from_secs(30))?;
        if line.contains("serving") || line.contains("Ready to accept connections") {
            return Ok(server);
        }
    }
}

fn benchmark(
    server: &Running,
    port: u16,
    args: &[&str],
    requests: u64,
) -> Result<Figures, Failure> {
    let mut command = Command::new("redis-benchmark");
    command.args(["-p", &port.to_string(), "-n", &requests.to_string()]);
    command.args(["-r", &load::KEYS.to_string(), "--threads", "2", "--csv"]).args(args);
    let (line, used, wall) = under(server, &mut command)?;
    // "SET","123456.78",…; a header before it, since Redis 7.
    let field = line.split(',').nth(1).ok_or("no second field")?;
    Ok(Figures {
        per_second: field.trim_matches('"').parse()?,
        cpu_per_request: used / requests as f64,
        cpus: used / wall,
    })
}

fn light(server: &Running, port: u16, ask: Ask, at_once: usize) -> Result<Figures, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(load::words(port, ask, at_once));
    let (line, used, _with_its_start) = under(server, &mut command)?;
    let answered: f64 = line.parse()?;
    Ok(Figures {
        per_second: answered / load::PERIOD.as_secs_f64(),
        cpu_per_request: used / answered,
        cpus: used / load::PERIOD.as_nanos() as f64,
    })
}

/// Runs a load: the last line that it says, and, in nanoseconds, the CPU time that the server took
/// and the time that passed.
fn under(server: &Running, load: &mut Command) -> Result<(String, f64, f64), Failure> {
    load.stdout(Stdio::piped()).stderr(Stdio::null());
    let (cpu, begun) = (cpu_nanos(server.pid())?, Instant::now());
    let mut load = Running::start(load, Some(&LOAD))?;
    let mut lines = load.all_lines(PATIENCE)?;
    let wall = begun.elapsed().as_nanos() as f64;
    if !load.wait(PATIENCE)?.is_some_and(|status| status.success()) {
        return Err("the load failed".into());
    }
    let used = (cpu_nanos(server.pid())? - cpu) as f64;
    Ok((lines.pop().ok_or("the load says nothing")?, used, wall))
}

/// What all threads of a process have used.
fn cpu_nanos(process: u32) -> Result<u64, Failure> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        sum += text.split(' ').next().ok_or("an empty schedstat")?.parse::<u64>()?;
    }
    Ok(sum)
}

fn report(table: &BTreeMap<(&str, &str), Vec<Figures>>) -> Result<String, Failure> {
    let median = |row, name, figure: fn(&Figures) -> f64| {
        let mut values: Vec<f64> = table[&(row, name)].iter().map(figure).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let mut text = String::from(
        "| row | server | requests a second | to redis | CPU a request | to redis | CPUs busy |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
    );
    for (row, ..) in ROWS {
        for (name, ..) in SERVERS {
            let (rate, cost) = (|f: &Figures| f.per_second, |f: &Figures| f.cpu_per_request);
            text += &format!(
                "| {row} | {name} | {:.0} | {:.2} | {:.2} µs | {:.2} | {:.2} |\n",
                median(row, name, rate),
                median(row, name, rate) / median(row, "redis", rate),
                median(row, name, cost) / 1e3,
                median(row, name, cost) / median(row, "redis", cost),
                median(row, name, |f| f.cpus),
            );
        }
    }
    text += "\nTwo shards to one, requests a second, by rounds: ";
    for (row, ..) in ROWS {
        let pairs = table[&(row, "kv-2")].iter().zip(&table[&(row, "kv-1")]);
        let mut ratios: Vec<f64> =
            pairs.map(|(two, one)| two.per_second / one.per_second).collect();
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (ratios.first().ok_or("no rounds")?, ratios.last().ok_or("none")?);
        text += &format!("{row} {:.2} ({least:.2}–{most:.2}); ", ratios[ratios.len() / 2]);
    }
    text += "\n";
    Ok(text)
}

fn say(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().write_all(text.as_bytes())?)
}
