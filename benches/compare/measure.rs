//! One cell of the table: one row, one contestant, one round.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Failure;
use crate::contestants::Contestant;
use crate::load::{Arrival, Order, Report};
use crate::process::Running;
use crate::rows::{Kind, Row};

/// What was measured, by name of the figure.
pub(crate) type Figures = BTreeMap<&'static str, f64>;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) server_core: usize,
    pub(crate) load_core: usize,
    pub(crate) run: Duration,
    /// Take the windows with instruments, too.
    pub(crate) profile: bool,
}

/// Why a cell has no figures, when that is not a failure: the contestant has no means for the row.
#[derive(Debug)]
pub(crate) struct Unsupported(pub(crate) String);

pub(crate) type Outcome = Result<Result<Figures, Unsupported>, Failure>;

const START: Duration = Duration::from_secs(10);
const MICRO: Duration = Duration::from_secs(60);
const HOLD: Duration = Duration::from_secs(60);

pub(crate) fn cell(row: &Row, who: &Contestant, binary: &Path, settings: &Settings) -> Outcome {
    match row.kind {
        Kind::Echo { size, connections, depth, arrival } => {
            let server = match Server::echo(who, binary, settings, 16 * 1_024)? {
                Ok(server) => server,
                Err(unsupported) => return Ok(Err(unsupported)),
            };
            let order = Order {
                server: server.addr,
                pid: server.running.pid(),
                arrival,
                connections,
                size,
                depth,
                warm_ms: settings.run.as_millis() as u64 / 4,
                run_ms: settings.run.as_millis() as u64,
                profile: settings.profile,
            };
            let report = load(&order, settings)?;
            let line = report.line(6 * settings.run + Duration::from_secs(20))?;
            Ok(Ok(figures(&serde_json::from_str(&line)?)))
        }
        Kind::Http { connections, file } => {
            let mut command = Command::new(binary);
            command.args(["http", "--addr", "127.0.0.1:0", "--variant", who.variant]);
            if let Some(bytes) = file {
                command.args(["--file", &bytes.to_string()]);
            }
            match Server::start(command, settings)? {
                Ok(server) => http(&server, connections, settings).map(Ok),
                Err(unsupported) => Ok(Err(unsupported)),
            }
        }
        Kind::Micro { row, cores, .. } | Kind::Program { row, cores } => {
            micro(row, cores, binary, settings)
        }
        // The pool's threads get a core of their own, for whoever has one.
        Kind::Files { row, .. } => micro(row, 2, binary, settings),
        Kind::Idle { connections } => idle(who, binary, connections, settings),
    }
}

struct Server {
    running: Running,
    addr: SocketAddr,
}

impl Server {
    fn echo(
        who: &Contestant,
        binary: &Path,
        settings: &Settings,
        buffer: usize,
    ) -> Result<Result<Server, Unsupported>, Failure> {
        let mut command = Command::new(binary);
        command.args(["echo", "--addr", "127.0.0.1:0"]);
        command.args(["--buffer", &buffer.to_string(), "--variant", who.variant]);
        Server::start(command, settings)
    }

    fn start(
        mut command: Command,
        settings: &Settings,
    ) -> Result<Result<Server, Unsupported>, Failure> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let running = Running::start(&mut command, Some(&[settings.server_core]))?;
        let line = running.line(START)?;
        match line.strip_prefix("ready ") {
            Some(addr) => Ok(Ok(Server { addr: addr.parse()?, running })),
            None => Ok(Err(unsupported(&line)?)),
        }
    }
}

fn unsupported(line: &str) -> Result<Unsupported, Failure> {
    let value: serde_json::Value = serde_json::from_str(line)?;
    match value.get("unsupported").and_then(|why| why.as_str()) {
        Some(why) => Ok(Unsupported(why.into())),
        None => Err(format!("answered {line:?}").into()),
    }
}

fn load(order: &Order, settings: &Settings) -> Result<Running, Failure> {
    let mut command = Command::new(own_binary()?);
    command.arg("load").arg(serde_json::to_string(order)?);
    // Held connections end when this pipe closes.
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Running::start(&mut command, Some(&[settings.load_core]))
}

/// The load generator is this very program, so that one command builds all.
fn own_binary() -> Result<PathBuf, Failure> {
    Ok(std::env::current_exe()?)
}

fn figures(report: &Report) -> Figures {
    let mut figures = Figures::from([
        ("cpu_ns", report.cpu_ns),
        ("requests_per_second", report.requests_per_second),
        ("p50_us", report.p50_us),
        ("p99_us", report.p99_us),
        ("load_busy", report.load_busy),
    ]);
    figures.extend(report.user_ns.map(|ns| ("user_ns", ns)));
    figures.extend(report.system_calls.map(|calls| ("system_calls", calls)));
    figures
}

fn micro(row: &str, cores: usize, binary: &Path, settings: &Settings) -> Outcome {
    let mut command = Command::new(binary);
    command.args(["micro", row]).stdin(Stdio::null()).stdout(Stdio::piped());
    let cores = &[settings.server_core, settings.load_core][..cores];
    let running = Running::start(&mut command, Some(cores))?;
    let lines = running.all_lines(MICRO)?;
    let line = lines.last().ok_or("ended without an answer")?;
    let value: serde_json::Value = serde_json::from_str(line)?;
    let number = |key: &str| value.get(key).and_then(serde_json::Value::as_f64);
    let Some(ops) = number("ops") else { return Ok(Err(unsupported(line)?)) };
    let mut figures = Figures::new();
    if let Some(bytes) = number("bytes") {
        figures.insert("bytes", bytes);
    } else {
        let (Some(cpu), Some(wall)) = (number("cpu_ns"), number("wall_ns")) else {
            return Err(format!("answered {line:?}").into());
        };
        figures.insert("cpu_ns", cpu / ops);
        figures.insert("wall_ns", wall / ops);
    }
    for late in ["late_us", "late_p99_us"] {
        figures.extend(number(late).map(|value| (late, value)));
    }
    Ok(Ok(figures))
}

fn http(server: &Server, connections: usize, settings: &Settings) -> Result<Figures, Failure> {
    let seconds = settings.run.as_secs().max(1);
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", "--latency", &format!("-c{connections}"), &format!("-d{seconds}s")]);
    wrk.arg(format!("http://{}/", server.addr));
    wrk.stdin(Stdio::null()).stdout(Stdio::piped());
    let before = crate::load::server_cpu(server.running.pid())?;
    let wrk = Running::start(&mut wrk, Some(&[settings.load_core]))?;
    let lines = wrk.all_lines(settings.run + Duration::from_secs(20))?;
    let cpu = crate::load::server_cpu(server.running.pid())? - before;
    let field = |marker: &str, at: usize| {
        let line = lines.iter().find(|line| line.contains(marker));
        line.and_then(|line| line.split_whitespace().nth(at)).ok_or("wrk said something else")
    };
    if lines.iter().any(|line| line.contains("Socket errors") || line.contains("Non-2xx")) {
        return Err("wrk met errors".into());
    }
    let requests: f64 = field("requests in", 0)?.parse()?;
    Ok(Figures::from([
        ("cpu_ns", cpu as f64 / requests),
        ("requests_per_second", field("Requests/sec", 1)?.parse()?),
        ("p50_us", micros(field(" 50%", 1)?)?),
        ("p99_us", micros(field(" 99%", 1)?)?),
    ]))
}

/// wrk writes `41.00us`, `1.21ms` or `2.00s`.
fn micros(text: &str) -> Result<f64, Failure> {
    let (number, scale) = if let Some(number) = text.strip_suffix("us") {
        (number, 1.0)
    } else if let Some(number) = text.strip_suffix("ms") {
        (number, 1e3)
    } else {
        (text.strip_suffix('s').ok_or("a time without a unit")?, 1e6)
    };
    Ok(number.parse::<f64>()? * scale)
}

/// The memory of `connections` that came after a first one, which paid for what is made on first
/// use. Buffers of a server that holds one a connection are small here, as a server with many idle
/// connections would have them.
fn idle(who: &Contestant, binary: &Path, connections: usize, settings: &Settings) -> Outcome {
    const SIZE: usize = 64;
    let server = match Server::echo(who, binary, settings, SIZE)? {
        Ok(server) => server,
        Err(unsupported) => return Ok(Err(unsupported)),
    };
    let order = Order {
        server: server.addr,
        pid: server.running.pid(),
        arrival: Arrival::Hold,
        connections: 1,
        size: SIZE,
        depth: 1,
        warm_ms: 0,
        run_ms: 0,
        profile: false,
    };
    let first = load(&order, settings)?;
    first.line(HOLD)?;
    let before = resident(server.running.pid())?;
    let many = load(&Order { connections, ..order }, settings)?;
    many.line(HOLD)?;
    let bytes = resident(server.running.pid())?.saturating_sub(before);
    Ok(Ok(Figures::from([("bytes", bytes as f64 / connections as f64)])))
}

/// Anonymous and shared resident memory: the heap, stacks and buffer rings, not the program text.
fn resident(pid: u32) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mut total = 0;
    for key in ["RssAnon:", "RssShmem:"] {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or("no such line")?;
        total += line.split_whitespace().next().ok_or("an empty line")?.parse::<u64>()?;
    }
    Ok(1_024 * total)
}
