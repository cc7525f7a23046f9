//! Runs each test in a process of its own, with a bound in time: signals, panic hooks and paused
//! clocks are a process's, and one that hangs must fail and not stop the rest.

use std::fs::{self, File};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::package::Binary;
use crate::table::{Row, Verdict};

/// Far more than any of them needs.
const LIMIT: Duration = Duration::from_secs(180);
/// For those that are known to hang, always or sometimes.
const SHORT: Duration = Duration::from_secs(4);
/// How often one that surprises is run again.
const AGAIN: u32 = 2;
/// How often one that is known to pass only sometimes is tried until it does.
const TRIES: u32 = 100;
/// Most tests wait rather than compute.
const AT_ONCE: usize = 4;

#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    Ignored,
    Failed(String),
    Hung,
}

#[derive(Debug)]
pub(crate) struct Run {
    /// `file::modules::name`
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
}

/// The results of all tests of all binaries, in the order of their names.
pub(crate) fn all(binaries: &[Binary], rows: &[Row]) -> Vec<Run> {
    let tests =
        binaries.iter().flat_map(|binary| list(binary).into_iter().map(move |t| (binary, t)));
    let queue = Mutex::new(tests.collect::<Vec<_>>().into_iter());
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for worker in 0..AT_ONCE {
            let (queue, results) = (&queue, &results);
            scope.spawn(move || {
                loop {
                    let next = queue.lock().expect("no worker panics").next();
                    let Some((binary, name)) = next else { break };
                    let row = rows.iter().find(|row| row.is_of(&name));
                    let limit = match row.map(|row| row.verdict) {
                        Some(Verdict::Hangs | Verdict::Sometimes) => SHORT,
                        _ => LIMIT,
                    };
                    let mut outcome = one(binary, &name, limit, worker);
                    // Some measure time, which a busy machine makes too long.
                    let sometimes = row.is_some_and(|row| row.verdict == Verdict::Sometimes);
                    for _ in 0..if sometimes { TRIES } else { AGAIN } {
                        if !surprises(row, &outcome) {
                            break;
                        }
                        outcome = one(binary, &name, limit, worker);
                    }
                    results.lock().expect("no worker panics").push(Run { name, outcome });
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no worker panics");
    results.sort_by(|a, b| a.name.cmp(&b.name));
    results
}

/// Whether the table does not say that this would happen.
fn surprises(row: Option<&Row>, outcome: &Outcome) -> bool {
    match row.map(|row| row.verdict) {
        None => matches!(outcome, Outcome::Failed(_) | Outcome::Hung),
        Some(Verdict::Fails | Verdict::Hangs) => matches!(outcome, Outcome::Passed),
        Some(Verdict::Sometimes) => !matches!(outcome, Outcome::Passed),
        Some(Verdict::LeftOut) => false,
    }
}

fn list(binary: &Binary) -> Vec<String> {
    let output = Command::new(&binary.path)
        .args(["--list", "--format", "terse"])
        .output()
        .expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("names of tests");
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

fn one(binary: &Binary, name: &str, limit: Duration, worker: usize) -> Outcome {
    // A file, and not a pipe: children of a test may outlive it and hold the pipe open.
    let log = binary.path.with_extension(format!("{worker}.log"));
    let file = File::create(&log).expect("a file in the target folder");
    let mut child = Command::new(&binary.path)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .current_dir(&binary.folder)
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stderr(file.try_clone().expect("a descriptor"))
        .stdout(file)
        .spawn()
        .expect("the binary runs");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        if start.elapsed() > limit {
            child.kill().expect("it is our child");
            child.wait().expect("it is our child");
            return Outcome::Hung;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let mut text = Vec::new();
    fs::File::open(&log).and_then(|mut log| log.read_to_end(&mut text)).expect("the log");
    let text = String::from_utf8_lossy(&text);
    if text.contains("test result: ok. 0 passed; 0 failed; 1 ignored") {
        return Outcome::Ignored;
    }
    if status.success() && text.contains("test result: ok. 1 passed") {
        return Outcome::Passed;
    }
    let panics = text.lines().skip_while(|line| !line.contains("panicked at"));
    let why: Vec<_> = panics.take(4).collect();
    Outcome::Failed(if why.is_empty() { format!("{status}") } else { why.join(" ") })
}
