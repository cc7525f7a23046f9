//! `compare`: henge beside its peers, in one command.
//!
//! Builds the contestants (each a package of its own under `compare/contestants`), measures every
//! row in interleaved rounds (A B C … A B C …), and writes a Markdown table, JSON and a picture.
//! `docs/compare.md` says what the rows mean and what they cannot tell.

#![deny(unsafe_code)]

mod contestants;
mod figures;
mod load;
mod measure;
mod picture;
mod process;
mod report;
mod rows;
mod stolen;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::sched_getaffinity;

use contestants::{Contestant, Takes};
use figures::Rounds;
use measure::{Settings, Unsupported};
use report::{Circumstances, Results};
use rows::{Kind, Row};
use stolen::{Account, Stolen};

/// Whatever went wrong, in words for the person at the terminal.
type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "compare [--rounds N] [--run-ms N] [--rows WORD,…] [--contestants NAME,…] \
                     [--server-core N] [--load-core N] [--quick] [--list] [--out DIR] \
                     [--publish DIR]";

struct Options {
    rounds: usize,
    run: Duration,
    rows: Vec<String>,
    contestants: Vec<String>,
    server_core: Option<usize>,
    load_core: Option<usize>,
    list: bool,
    out: PathBuf,
    publish: Option<PathBuf>,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Options, Failure> {
        let mut options = Options {
            rounds: 5,
            run: Duration::from_secs(1),
            rows: Vec::new(),
            contestants: Vec::new(),
            server_core: None,
            load_core: None,
            list: false,
            out: PathBuf::from("target/compare"),
            publish: None,
        };
        let list = |text: String| text.split(',').map(str::to_owned).collect();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--rounds" => options.rounds = value()?.parse()?,
                "--run-ms" => options.run = Duration::from_millis(value()?.parse()?),
                "--rows" => options.rows = list(value()?),
                "--contestants" => options.contestants = list(value()?),
                "--server-core" => options.server_core = Some(value()?.parse()?),
                "--load-core" => options.load_core = Some(value()?.parse()?),
                "--quick" => {
                    options.rounds = 2;
                    options.run = Duration::from_millis(300);
                }
                "--list" => options.list = true,
                "--out" => options.out = value()?.into(),
                "--publish" => options.publish = Some(value()?.into()),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    if let (Some("load"), Some(order)) = (std::env::args().nth(1).as_deref(), words.nth(1)) {
        return load::run(&order);
    }
    let options = Options::parse(std::env::args().skip(1))?;
    let chosen = |list: &[String], name: &str, exact: bool| {
        list.is_empty() || list.iter().any(|w| if exact { w == name } else { name.contains(w) })
    };
    let rows: Vec<Row> =
        rows::all().into_iter().filter(|row| chosen(&options.rows, &row.name, false)).collect();
    let field: Vec<Contestant> = contestants::ALL
        .into_iter()
        .filter(|who| chosen(&options.contestants, who.name, true))
        .collect();
    if options.list {
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        writeln!(std::io::stdout(), "{}", names.join("\n"))?;
        return Ok(());
    }
    raise_descriptor_limit()?;
    let results = compare(&options, rows, field)?;
    fs::create_dir_all(&options.out)?;
    fs::write(options.out.join("compare.md"), results.markdown())?;
    fs::write(options.out.join("compare.json"), results.json()?)?;
    fs::write(options.out.join("compare.svg"), picture::svg(&results))?;
    if let Some(folder) = &options.publish {
        fs::write(folder.join("measured.md"), results.markdown())?;
        fs::write(folder.join("measured.svg"), picture::svg(&results))?;
    }
    std::io::stdout().write_all(results.markdown().as_bytes())?;
    Ok(())
}

fn compare(options: &Options, rows: Vec<Row>, field: Vec<Contestant>) -> Result<Results, Failure> {
    let (server_core, load_core) = cores(options)?;
    let mut built = Vec::new();
    for who in field {
        if !rows.iter().any(|row| takes_part(&who, &row.kind)) {
            continue;
        }
        eprintln!("building {}", who.name);
        built.push((who, contestants::build(&who, Duration::from_secs(1_200))));
    }
    let mut tables: Vec<(Row, Vec<(Contestant, Rounds)>)> = rows
        .into_iter()
        .map(|row| {
            let takers = built.iter().filter(|(who, _)| takes_part(who, &row.kind));
            let cells = takers.map(|(who, _)| (*who, Rounds::default())).collect();
            (row, cells)
        })
        .collect();
    let mut account = Account::default();
    for round in 0..options.rounds {
        let settings = Settings {
            server_core,
            load_core,
            run: options.run,
            // The instruments' windows are as long as the timed ones: the first round is enough.
            profile: round == 0,
        };
        for (row, cells) in &mut tables {
            // Everybody is first, and next to everybody else, in some round.
            let count = cells.len().max(1);
            for n in 0..cells.len() {
                let (who, rounds) = &mut cells[(n + round) % count];
                let binary = built.iter().find(|(b, _)| b == who).map(|(_, b)| b);
                let started = Instant::now();
                let outcome = match binary {
                    Some(Ok(binary)) => calmest(&mut account, &settings, || {
                        measure::cell(row, who, binary, &settings)
                    })?,
                    Some(Err(error)) => Ok(Err(Unsupported(error.to_string()))),
                    None => Ok(Err(Unsupported("not built".into()))),
                };
                let told = record(rounds, outcome, row.kind.figure());
                let seconds = started.elapsed().as_secs_f64();
                eprintln!(
                    "{}/{} {} {}: {told} ({seconds:.1} s)",
                    round + 1,
                    options.rounds,
                    row.name,
                    who.name
                );
            }
        }
    }
    let circumstances = Circumstances {
        kernel: first_line("/proc/sys/kernel/osrelease")?,
        cpu: cpu_model()?,
        cpus: std::thread::available_parallelism()?.get(),
        server_core,
        load_core,
        rounds: options.rounds,
        run_ms: options.run.as_millis(),
        steal_percent: account.percent(),
        repeated: account.repeated(),
    };
    // The first file row made them; where none was measured there are none.
    drop(fs::remove_dir_all(std::env::temp_dir().join("henge-compare-files")));
    Ok(Results { circumstances, rows: tables })
}

/// What a hypervisor may take from a cell, in percent of its two CPUs, before it is measured again:
/// a tick of the account is three percent of the shortest cells.
const STOLEN_AT_MOST: f64 = 4.0;
/// How often a cell is measured, at most, until little is taken.
const TRIES: usize = 4;

/// Measures a cell, and again while the hypervisor takes much of it; the try that lost least.
fn calmest(
    account: &mut Account,
    settings: &Settings,
    mut cell: impl FnMut() -> measure::Outcome,
) -> Result<measure::Outcome, Failure> {
    let mut best: Option<(Stolen, measure::Outcome)> = None;
    for attempt in 0..TRIES {
        if attempt > 0 {
            account.repeat();
        }
        let (stolen, outcome) = Stolen::while_doing(settings, &mut cell)?;
        let calmer = best.as_ref().is_none_or(|(least, _)| stolen.percent() < least.percent());
        let enough = stolen.percent() <= STOLEN_AT_MOST || !matches!(outcome, Ok(Ok(_)));
        if calmer || enough {
            best = Some((stolen, outcome));
        }
        if enough {
            break;
        }
    }
    let (stolen, outcome) = best.ok_or("nothing was tried")?;
    account.keep(stolen);
    Ok(outcome)
}

/// Notes a cell's outcome; what to tell on the terminal.
fn record(rounds: &mut Rounds, outcome: measure::Outcome, figure: &str) -> String {
    match outcome {
        Ok(Ok(figures)) => {
            let value = figures.get(figure).copied();
            rounds.figures.push(Some(figures));
            value.map_or_else(|| "no figure".into(), |value| format!("{figure} {value:.1}"))
        }
        Ok(Err(Unsupported(why))) => {
            rounds.figures.push(None);
            rounds.trouble.insert(why).clone()
        }
        Err(failure) => {
            rounds.figures.push(None);
            rounds.trouble.insert(format!("failed: {failure}")).clone()
        }
    }
}

fn takes_part(who: &Contestant, kind: &Kind) -> bool {
    match (who.takes, kind) {
        (Takes::ProgramsOnly, kind) => kind.is_program(),
        (Takes::Everything, kind) => !kind.is_program(),
        (Takes::EchoOnly, Kind::Echo { .. } | Kind::Idle { .. }) => true,
        (Takes::ThreadsOnly, Kind::Idle { .. }) => true,
        (Takes::ThreadsOnly, Kind::Micro { row, .. }) => row.starts_with("steal-"),
        (Takes::FilesAndSleeps, Kind::Files { .. }) => true,
        (Takes::FilesAndSleeps, Kind::Micro { row, .. }) => *row == "timer-exact",
        (Takes::ServedFilesOnly, Kind::Http { file: Some(_), .. }) => true,
        (Takes::DirectReadsOnly, Kind::Files { row, .. }) => *row == "direct-read-32",
        (Takes::OneConnection, Kind::Echo { connections, .. }) => *connections == 1,
        _ => false,
    }
}

/// The last two CPUs that we may use, unless told otherwise: the first ones get the interrupts.
fn cores(options: &Options) -> Result<(usize, usize), Failure> {
    let allowed = sched_getaffinity(None)?;
    let allowed: Vec<usize> = (0..1_024).filter(|core| allowed.is_set(*core)).collect();
    let [.., before_last, last] = allowed[..] else {
        return Err("two CPUs are wanted: one for the server, one for the load".into());
    };
    Ok((options.server_core.unwrap_or(before_last), options.load_core.unwrap_or(last)))
}

/// Ten thousand connections want as many descriptors, on both sides.
fn raise_descriptor_limit() -> Result<(), Failure> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(())
}

fn first_line(path: &str) -> Result<String, Failure> {
    Ok(fs::read_to_string(path)?.lines().next().unwrap_or_default().to_owned())
}

fn cpu_model() -> Result<String, Failure> {
    let text = fs::read_to_string("/proc/cpuinfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("model name"));
    Ok(line.map_or("unknown CPU", |line| line.trim_start_matches([' ', '\t', ':'])).to_owned())
}
