//! The tables: Markdown for people, JSON for programs.

mod programs;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::contestants::{self, Contestant};
use crate::figures::{Rounds, Spread};
use crate::rows::{Kind, Row};

/// How the page begins.
const HEAD: &str = "\
# Measured

What `compare` has printed ([how, and what it cannot tell](compare.md)). Ratios are to tokio's
`current_thread`, or to its `multi_thread` in the rows that want several threads: CPU time a request
or an operation unless the row says otherwise; below 1 is less. Rows that henge loses are here like
the others. × stands for what a runtime cannot do or has failed at, – for what was not measured;
† is a ratio to the bare loop, in rows that tokio cannot do.

![all rows, as ratios to tokio](measured.svg)

";

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
    /// What a hypervisor took from the two cores while the figures were taken.
    pub(crate) steal_percent: f64,
    /// How often a cell was measured again since it took much.
    pub(crate) repeated: usize,
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

/// What a row's ratios are to: tokio's `current_thread`, or its `multi_thread` where the former
/// cannot take part.
pub(crate) fn base<'a>(cells: &'a [(Contestant, Rounds)], figure: &str) -> Option<&'a Rounds> {
    let bases = contestants::BASES.iter().filter_map(|name| rounds_of(cells, name));
    bases.into_iter().find(|rounds| rounds.spread(figure).is_some())
}

/// The floor of a row: whichever bare loop took less.
fn floor<'a>(cells: &'a [(Contestant, Rounds)], figure: &str) -> Option<&'a Rounds> {
    let bare = cells.iter().filter(|(who, _)| who.name.starts_with("bare")).map(|(_, r)| r);
    bare.filter_map(|rounds| Some((rounds.spread(figure)?.median, rounds)))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, rounds)| rounds)
}

impl Results {
    /// The page for people.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from(HEAD);
        let c = &self.circumstances;
        // Writing to a string does not fail.
        _ = writeln!(
            text,
            "Linux {}, {} ({} CPUs); server on CPU {}, load on CPU {}; {} interleaved rounds of \
             {} ms; steal {:.2} %, {} repetitions for it.\nMedians; in brackets the smallest and \
             the largest ratio of a round.\n",
            c.kernel,
            c.cpu,
            c.cpus,
            c.server_core,
            c.load_core,
            c.rounds,
            c.run_ms,
            c.steal_percent,
            c.repeated
        );
        self.summary(&mut text, "Servers", Kind::is_server);
        self.summary(&mut text, "Tasks, timers, channels, shards, files", |kind| {
            !kind.is_server() && !kind.is_program()
        });
        text.push_str(&programs::table(&self.rows));
        text.push_str("## Row by row\n");
        for (row, cells) in self.rows.iter().filter(|(row, _)| !row.kind.is_program()) {
            _ = writeln!(text, "\n### {}\n\n`{}`\n", row.title, row.name);
            text.push_str(&match row.kind.is_server() {
                true => server_table(row, cells),
                false => single_table(row, cells),
            });
        }
        text
    }

    /// One line for each row that `which` picks: the ratio to the base, or to the floor where the
    /// base cannot take part, for everybody.
    fn summary(&self, text: &mut String, title: &str, which: impl Fn(&Kind) -> bool) {
        let rows: Vec<_> = self.rows.iter().filter(|(row, _)| which(&row.kind)).collect();
        let mut names: Vec<&str> = Vec::new();
        for (who, _) in rows.iter().flat_map(|(_, cells)| cells) {
            if !names.contains(&who.name) {
                names.push(who.name);
            }
        }
        if names.is_empty() {
            return;
        }
        let columns = "---:|".repeat(names.len());
        _ = writeln!(text, "## {title}\n\n| row | {} |\n|---|{columns}", names.join(" | "));
        for (row, cells) in rows {
            _ = write!(text, "| `{}` |", row.name);
            let figure = row.kind.figure();
            let (base, mark) = match base(cells, figure) {
                Some(base) => (Some(base), ""),
                None => (floor(cells, figure), "†"),
            };
            for name in &names {
                let rounds = rounds_of(cells, name);
                let ratio = rounds.zip(base).and_then(|(r, base)| r.ratio(base, figure));
                let cell = match (ratio, rounds) {
                    (Some(ratio), _) => format!("{:.2}{mark}", ratio.median),
                    (None, Some(rounds)) if rounds.trouble.is_some() => "×".into(),
                    (None, _) => "–".into(),
                };
                _ = write!(text, " {cell} |");
            }
            text.push('\n');
        }
        text.push('\n');
    }

    pub(crate) fn json(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Cell<'a> {
            contestant: &'a str,
            figures: BTreeMap<&'static str, Spread>,
            ratio_to_base: Option<Spread>,
            ratio_to_floor: Option<Spread>,
            /// Of all figures, of which `ratio_to_base` is one.
            ratios_to_base: BTreeMap<&'static str, Spread>,
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
            let base = base(cells, figure);
            let floor = floor(cells, figure);
            let cells = cells.iter().map(|(who, rounds)| Cell {
                contestant: who.name,
                figures: rounds.spreads(),
                ratio_to_base: base.and_then(|base| rounds.ratio(base, figure)),
                ratio_to_floor: floor.and_then(|floor| rounds.ratio(floor, figure)),
                ratios_to_base: base.map(|base| rounds.ratios(base)).unwrap_or_default(),
                trouble: rounds.trouble.as_deref(),
            });
            Table { row: &row.name, title: &row.title, figure, cells: cells.collect() }
        });
        let circumstances = &self.circumstances;
        let all = All { circumstances, base: contestants::BASES[0], rows: rows.collect() };
        serde_json::to_string_pretty(&all)
    }
}

fn server_table(row: &Row, cells: &[(Contestant, Rounds)]) -> String {
    let mut text = String::from(
        "| contestant | CPU a request, µs | to tokio | to the floor | of it user, ns | \
         system calls a request | requests/s | of tokio's | p50, µs | p99, µs |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let figure = row.kind.figure();
    let (base, floor) = (base(cells, figure), floor(cells, figure));
    for (who, rounds) in cells {
        let Some(cpu) = rounds.spread(figure) else {
            text.push_str(&trouble(who, rounds, 9));
            continue;
        };
        let median = |name: &str, digits: usize| match rounds.spread(name) {
            Some(spread) => format!("{:.digits$}", spread.median),
            None => "–".into(),
        };
        _ = writeln!(
            text,
            "| {} | {:.2} | {} | {} | {} | {} | {} | {} | {} | {} |",
            who.name,
            cpu.median / 1_000.0,
            ratio(base.and_then(|base| rounds.ratio(base, figure))),
            ratio(floor.and_then(|floor| rounds.ratio(floor, figure))),
            median("user_ns", 0),
            median("system_calls", 3),
            median("requests_per_second", 0),
            ratio(base.and_then(|base| rounds.ratio(base, "requests_per_second"))),
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
    let (base, floor) = (base(cells, figure), floor(cells, figure));
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
