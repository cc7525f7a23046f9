//! The small programs as one table, with those at its head in which henge loses most.

use std::fmt::Write;

use super::{base, ratio};
use crate::contestants::Contestant;
use crate::figures::Rounds;
use crate::rows::Row;

/// One line a program for everybody but the one that all are put in proportion to, sorted by the
/// larger of the two ratios. Empty if no program was measured.
pub(super) fn table(rows: &[(Row, Vec<(Contestant, Rounds)>)]) -> String {
    let mut lines: Vec<(f64, String)> = Vec::new();
    for (row, cells) in rows.iter().filter(|(row, _)| row.kind.is_program()) {
        let base = base(cells, "cpu_ns");
        for (who, rounds) in cells.iter().filter(|(_, rounds)| !is(base, rounds)) {
            lines.push(line(row, who, rounds, base));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut text = String::from(
        "## Programs\n\n\
         | program | an operation | contestant | CPU, ns | to tokio | time, ns | to tokio |\n\
         |---|---|---|---:|---:|---:|---:|\n",
    );
    text.extend(lines.into_iter().map(|(_, line)| line));
    text.push('\n');
    text
}

fn is(base: Option<&Rounds>, rounds: &Rounds) -> bool {
    base.is_some_and(|base| std::ptr::eq(base, rounds))
}

/// A line, and what it is sorted by: what has no ratio comes first, for something is wrong with it.
fn line(row: &Row, who: &Contestant, rounds: &Rounds, base: Option<&Rounds>) -> (f64, String) {
    let mut text = format!("| `{}` | {} | {} |", row.name, row.title, who.name);
    let mut worst: Option<f64> = None;
    for figure in ["cpu_ns", "wall_ns"] {
        let median = rounds.spread(figure).map(|spread| format!("{:.0}", spread.median));
        let to_base = base.and_then(|base| rounds.ratio(base, figure));
        let trouble = || rounds.trouble.clone().unwrap_or_else(|| "–".into());
        // Writing to a string does not fail.
        _ = write!(text, " {} | {} |", median.unwrap_or_else(trouble), ratio(to_base));
        worst = to_base.map(|ratio| ratio.median).into_iter().chain(worst).reduce(f64::max);
    }
    text.push('\n');
    (worst.unwrap_or(f64::INFINITY), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contestants::ALL;
    use crate::measure::Figures;
    use crate::rows;

    fn rounds(cpu: f64, wall: f64) -> Rounds {
        let figures = Figures::from([("cpu_ns", cpu), ("wall_ns", wall)]);
        Rounds { figures: vec![Some(figures)], trouble: None }
    }

    #[test]
    fn the_worst_comes_first() {
        let [henge, tokio] = ["henge", "tokio"]
            .map(|name| ALL.into_iter().find(|who| who.name == name).expect("it is known"));
        let programs = rows::all().into_iter().filter(|row| row.kind.is_program());
        let broken = Rounds { figures: vec![None], trouble: Some("failed: it does".into()) };
        let ours = [rounds(90.0, 120.0), broken, rounds(150.0, 10.0), rounds(10.0, 10.0)];
        let measured: Vec<_> = programs
            .zip(ours)
            .map(|(row, ours)| (row, vec![(henge, ours), (tokio, rounds(100.0, 100.0))]))
            .collect();
        let text = table(&measured);
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
        let order = [1, 2, 0, 3].map(|n: usize| format!("| `{}` |", measured[n].0.name));
        assert_eq!(lines.len(), order.len(), "a line a program, none for tokio");
        for (line, start) in lines.iter().zip(order) {
            assert!(line.starts_with(&start), "{line} is not {start}");
        }
        assert!(lines[0].contains("failed: it does"));
        assert!(lines[2].contains("| 90 | 0.900 (0.90–0.90) | 120 | 1.200 (1.20–1.20) |"));
        assert_eq!(table(&[]), "");
    }
}
