//! The tables: Markdown for people, JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::contestants::{self, Contestant};
use crate::figures::{Rounds, Spread};
use crate::rows::{Kind, Row};

/// Where and how the figures were taken.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Circumstances {
    pub(crate) kernel: String,
    pub(crate) cpu: String,
    pub(crate) cpus: usize,
    pub(crate) server_core: usize,
    pub(crate) load_core: usize,
    pub(crate) rounds: usize,
    pub(crate) run_ms: u128,
    /// What a hypervisor took from the two cores while the comparison ran.
    pub(crate) steal_percent: f64,
}

/// Everything that was measured, by row and contestant.
pub(crate) struct Results {
    pub(crate) circumstances: Circumstances,
    pub(crate) rows: Vec<(Row, Vec<(Contestant, Rounds)>)>,
}

/// A contestant's rounds in one row.
pub(crate) fn rounds_of<'a>(cells: &'a [(Contestant, Rounds)], name: &str) -> Option<&'a Rounds> {
    cells.iter().find(|(who, _)| who.name == name).map(|(_, rounds)| rounds)
}

/// The floor of a row: whichever bare loop took less.
fn floor<'a>(cells: &'a [(Contestant, Rounds)], figure: &str) -> Option<&'a Rounds> {
    let bare = cells.iter().filter(|(who, _)| who.name.starts_with("bare")).map(|(_, r)| r);
    bare.filter_map(|rounds| Some((rounds.spread(figure)?.median, rounds)))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, rounds)| rounds)
}

impl Results {
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let c = &self.circumstances;
        // Writing to a string does not fail.
        _ = writeln!(
            text,
            "Linux {}, {} ({} CPUs); server on CPU {}, load on CPU {}; \
             {} interleaved rounds of {} ms; \
             steal {:.2} %.\nMedians; in brackets the smallest and the largest ratio of a round.\n",
            c.kernel,
            c.cpu,
            c.cpus,
            c.server_core,
            c.load_core,
            c.rounds,
            c.run_ms,
            c.steal_percent
        );
        text.push_str(&self.summary());
        for (row, cells) in &self.rows {
            _ = writeln!(text, "\n### {}\n\n`{}`\n", row.title, row.name);
            text.push_str(&match row.kind {
                Kind::Echo { .. } | Kind::Http { .. } => server_table(row, cells),
                Kind::Micro { .. } | Kind::Files { .. } | Kind::Idle { .. } => {
                    single_table(row, cells)
                }
            });
        }
        text
    }

    /// One line a row: the ratio to the base, for everybody.
    fn summary(&self) -> String {
        let mut text = format!("### All rows, as ratios to {}\n\n| row |", contestants::BASE);
        let mut names: Vec<&str> = Vec::new();
        for (who, _) in self.rows.iter().flat_map(|(_, cells)| cells) {
            if !names.contains(&who.name) {
                names.push(who.name);
            }
        }
        for name in &names {
            _ = write!(text, " {name} |");
        }
        _ = writeln!(text, "\n|---|{}", "---:|".repeat(names.len()));
        for (row, cells) in &self.rows {
            _ = write!(text, "| `{}` |", row.name);
            let figure = row.kind.figure();
            let base = rounds_of(cells, contestants::BASE);
            for name in &names {
                let rounds = rounds_of(cells, name);
                let ratio = rounds.zip(base).and_then(|(r, base)| r.ratio(base, figure));
                let cell = match (ratio, rounds) {
                    (Some(ratio), _) => format!("{:.2}", ratio.median),
                    (None, Some(rounds)) if rounds.trouble.is_some() => "×".into(),
                    (None, _) => "–".into(),
                };
                _ = write!(text, " {cell} |");
            }
            text.push('\n');
        }
        text
    }

    pub(crate) fn json(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Cell<'a> {
            contestant: &'a str,
            figures: BTreeMap<&'static str, Spread>,
            ratio_to_base: Option<Spread>,
            ratio_to_floor: Option<Spread>,
            trouble: Option<&'a str>,
        }
        #[derive(Serialize)]
        struct Table<'a> {
            row: &'a str,
            title: &'a str,
            figure: &'static str,
            cells: Vec<Cell<'a>>,
        }
        #[derive(Serialize)]
        struct All<'a> {
            circumstances: &'a Circumstances,
            base: &'static str,
            rows: Vec<Table<'a>>,
        }
        let rows = self.rows.iter().map(|(row, cells)| {
            let figure = row.kind.figure();
            let base = rounds_of(cells, contestants::BASE);
            let floor = floor(cells, figure);
            let cells = cells.iter().map(|(who, rounds)| Cell {
                contestant: who.name,
                figures: rounds.spreads(),
                ratio_to_base: base.and_then(|base| rounds.ratio(base, figure)),
                ratio_to_floor: floor.and_then(|floor| rounds.ratio(floor, figure)),
                trouble: rounds.trouble.as_deref(),
            });
            Table { row: &row.name, title: &row.title, figure, cells: cells.collect() }
        });
        let circumstances = &self.circumstances;
        let all = All { circumstances, base: contestants::BASE, rows: rows.collect() };
        serde_json::to_string_pretty(&all)
    }
}

fn server_table(row: &Row, cells: &[(Contestant, Rounds)]) -> String {
    let mut text = String::from(
        "| contestant | CPU a request, µs | to tokio | to the floor | of it user, ns | \
         system calls a request | requests/s | p50, µs | p99, µs |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let figure = row.kind.figure();
    let base = rounds_of(cells, contestants::BASE);
    let floor = floor(cells, figure);
    for (who, rounds) in cells {
        let Some(cpu) = rounds.spread(figure) else {
            text.push_str(&trouble(who, rounds, 8));
            continue;
        };
        let median = |name: &str, digits: usize| match rounds.spread(name) {
            Some(spread) => format!("{:.digits$}", spread.median),
            None => "–".into(),
        };
        _ = writeln!(
            text,
            "| {} | {:.2} | {} | {} | {} | {} | {} | {} | {} |",
            who.name,
            cpu.median / 1_000.0,
            ratio(base.and_then(|base| rounds.ratio(base, figure))),
            ratio(floor.and_then(|floor| rounds.ratio(floor, figure))),
            median("user_ns", 0),
            median("system_calls", 3),
            median("requests_per_second", 0),
            median("p50_us", 1),
            median("p99_us", 1),
        );
    }
    text
}

fn single_table(row: &Row, cells: &[(Contestant, Rounds)]) -> String {
    let figure = row.kind.figure();
    let (unit, other) = match figure {
        "bytes" => ("bytes", None),
        "wall_ns" => ("time, ns", Some(("CPU, ns", "cpu_ns"))),
        _ => ("CPU, ns", Some(("time, ns", "wall_ns"))),
    };
    let mut text = format!("| contestant | {unit} | to tokio | to the floor |");
    if let Some((unit, _)) = other {
        _ = write!(text, " {unit} |");
    }
    let columns = 3 + usize::from(other.is_some());
    _ = writeln!(text, "\n|---|{}", "---:|".repeat(columns));
    let base = rounds_of(cells, contestants::BASE);
    let floor = floor(cells, figure);
    for (who, rounds) in cells {
        let Some(spread) = rounds.spread(figure) else {
            text.push_str(&trouble(who, rounds, columns));
            continue;
        };
        let median = |figure| rounds.spread(figure).map(|spread| spread.median);
        let late = median("late_us").map(|late| format!(", {late:.0} µs late")).unwrap_or_default();
        let worst = median("late_p99_us").map(|late| format!(" (1 % {late:.0})"));
        let late = late + &worst.unwrap_or_default();
        let to_base = ratio(base.and_then(|base| rounds.ratio(base, figure)));
        let to_floor = ratio(floor.and_then(|floor| rounds.ratio(floor, figure)));
        let (name, median) = (who.name, spread.median);
        _ = write!(text, "| {name} | {median:.1}{late} | {to_base} | {to_floor} |");
        if let Some((_, figure)) = other {
            let median = rounds.spread(figure).map(|spread| spread.median);
            _ = write!(text, " {} |", median.map_or("–".into(), |n| format!("{n:.1}")));
        }
        text.push('\n');
    }
    text
}

fn trouble(who: &Contestant, rounds: &Rounds, columns: usize) -> String {
    let why = rounds.trouble.as_deref().unwrap_or("not measured");
    format!("| {} | {why} |{}\n", who.name, " |".repeat(columns - 1))
}

fn ratio(spread: Option<Spread>) -> String {
    match spread {
        Some(Spread { median, min, max }) => format!("{median:.3} ({min:.2}–{max:.2})"),
        None => "–".into(),
    }
}
