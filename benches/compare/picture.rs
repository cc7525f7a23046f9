//! The picture: for every row a line, on a logarithmic scale of ratios to tokio, and on it a mark
//! for each contestant. Written out by hand: an SVG of circles and words needs no library.

use std::fmt::Write;

use crate::contestants;
use crate::report::{Results, base, rounds_of};

const LEFT: f64 = 300.0;
const WIDTH: f64 = 760.0;
const TOP: f64 = 70.0;
const STEP: f64 = 22.0;
/// The ends of the scale; what lies beyond is drawn at its end.
const SMALLEST: f64 = 0.05;
const LARGEST: f64 = 4.0;

const COLOURS: [(&str, &str); 12] = [
    ("henge", "#c1121f"),
    ("henge-owned", "#ff7b7b"),
    ("henge-no-spin", "#f4b6c2"),
    ("tokio", "#222222"),
    ("tokio-multi", "#8d8d8d"),
    ("monoio", "#1d70b8"),
    ("glommio", "#2a9d3f"),
    ("compio", "#b8860b"),
    ("kimojio", "#7b2cbf"),
    ("bare-multishot", "#00a6a6"),
    ("bare-oneshot", "#7fd6d6"),
    ("threads", "#d15fb0"),
];

fn x(ratio: f64) -> f64 {
    let at = (ratio.clamp(SMALLEST, LARGEST) / SMALLEST).ln() / (LARGEST / SMALLEST).ln();
    LEFT + at * WIDTH
}

pub(crate) fn svg(results: &Results) -> String {
    // The programs have a table of their own, and are as many as all the other rows.
    let rows: Vec<_> = results.rows.iter().filter(|(row, _)| !row.kind.is_program()).collect();
    let height = TOP + STEP * rows.len() as f64 + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"15\">CPU (or memory) as a ratio to {base}: \
         further left is less</text>\n",
        w = LEFT + WIDTH + 40.0,
        base = contestants::BASES[0],
    );
    // Writing to a string does not fail, here and below.
    for (n, (name, colour)) in COLOURS.iter().enumerate() {
        let at = 14.0 + n as f64 * 91.0;
        _ = writeln!(
            svg,
            "<circle cx=\"{at}\" cy=\"38\" r=\"5\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"42\" font-size=\"11\">{name}</text>",
            at + 9.0
        );
    }
    for mark in [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0] {
        let weight = if mark == 1.0 { 1.5 } else { 0.4 };
        _ = writeln!(
            svg,
            "<line x1=\"{x}\" x2=\"{x}\" y1=\"{TOP}\" y2=\"{}\" stroke=\"#888\" \
             stroke-width=\"{weight}\"/><text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" \
             font-size=\"10\">{mark}</text>",
            height - 24.0,
            TOP - 6.0,
            x = x(mark),
        );
    }
    for (n, (row, cells)) in rows.into_iter().enumerate() {
        let y = TOP + STEP * (n as f64 + 0.6);
        let name_x = LEFT - 10.0;
        _ = writeln!(
            svg,
            "<text x=\"{name_x}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            y + 4.0,
            row.name
        );
        let figure = row.kind.figure();
        let Some(base) = base(cells, figure) else { continue };
        // The first of the list is drawn last, on top.
        for (name, colour) in COLOURS.iter().rev() {
            let ratio = rounds_of(cells, name).and_then(|r| r.ratio(base, figure));
            if let Some(ratio) = ratio {
                _ = writeln!(
                    svg,
                    "<circle cx=\"{:.1}\" cy=\"{y}\" r=\"5\" fill=\"{colour}\" \
                     fill-opacity=\"0.85\"><title>{name}: {:.3}</title></circle>",
                    x(ratio.median),
                    ratio.median
                );
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}
