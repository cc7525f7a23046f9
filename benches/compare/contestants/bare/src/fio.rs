//! Contestant: fio, the program that devices are measured with, on a ring of its own. Where it is
//! not installed the rows say so.

#![deny(unsafe_code)]

use std::process::{Command, Stdio};

use contestant::files;
use contestant::{Job, NamedRow, Row};

const ROWS: &[NamedRow] = &[("direct-read-32", direct_reads)];

/// In the terse format of version 3, counted from 0.
mod field {
    pub const READ_KIB: usize = 5;
    pub const READ_MS: usize = 8;
    pub const USER_PERCENT: usize = 87;
    pub const SYSTEM_PERCENT: usize = 88;
}

fn direct_reads() -> Row {
    let reads = files::DIRECT_READS;
    let mut fio = Command::new("fio");
    fio.args(["--name=row", "--rw=randread", "--bs=4k", "--direct=1", "--ioengine=io_uring"]);
    fio.args(["--iodepth=32", "--norandommap", "--thread", "--output-format=terse"]);
    fio.arg("--terse-version=3").arg(format!("--number_ios={reads}"));
    fio.arg(format!("--filename={}", files::table().display()));
    let output = match fio.stderr(Stdio::inherit()).output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => panic!("fio: {}", output.status),
        Err(_) => contestant::unsupported("fio is not installed"),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let fields: Vec<&str> = text.trim().split(';').collect();
    let number = |at: usize| -> f64 {
        let field = fields.get(at).map(|field| field.trim_end_matches('%'));
        match field.and_then(|field| field.parse().ok()) {
            Some(number) => number,
            None => panic!("fio's field {at} is no number: {text}"),
        }
    };
    assert_eq!(number(field::READ_KIB) as u64, reads * files::PAGE as u64 / 1024);
    let wall_ns = number(field::READ_MS) * 1e6;
    let busy = (number(field::USER_PERCENT) + number(field::SYSTEM_PERCENT)) / 100.0;
    Row::told(reads, (busy * wall_ns) as u64, wall_ns as u64)
}

fn main() {
    match contestant::job() {
        Job::Micro { row } => contestant::micro(&row, ROWS),
        _ => contestant::unsupported("it serves nobody"),
    }
}
