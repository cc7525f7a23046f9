//! What every contestant shares: the command line, the ready line, and how a row is measured.
//!
//! A contestant is one small binary:
//!
//! ```text
//! NAME echo --addr 127.0.0.1:0 --buffer 16384 [--variant owned]
//!                    prints "ready ADDRESS", serves until killed
//! NAME http --addr 127.0.0.1:0 [--file BYTES] [--variant sendfile]  likewise, HTTP/1.1
//! NAME micro ROW     prints one line of JSON and ends
//! ```
//!
//! A row or a job that the runtime has no means for prints `{"unsupported": "…"}`, so that the
//! harness can tell "cannot" from "broke".

#![deny(unsafe_code)]

pub mod files;
mod meter;
mod pause;
mod turn;
pub mod work;

use std::io::Write;
use std::net::SocketAddr;

pub use meter::{Meter, Row, resident};
pub use pause::yield_now;
pub use turn::Turn;

/// What the harness asks a contestant to do.
pub enum Job {
    /// Serve an echo on `addr`, reading into buffers of `buffer` bytes.
    Echo { addr: SocketAddr, buffer: usize, variant: String },
    /// Serve a fixed answer over HTTP/1.1 on `addr`, or a file of so many bytes.
    Http { addr: SocketAddr, file: Option<u64>, variant: String },
    /// Measure one micro row.
    Micro { row: String },
}

/// Reads the command line, and ties this process's life to its parent's.
pub fn job() -> Job {
    // A harness that is killed must not leave servers behind on its cores.
    if let Err(error) =
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
    {
        refuse(&format!("no parent-death signal: {error}"));
    }
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let (mut addr, mut buffer, mut variant, mut row) = (None, 16 * 1024, String::new(), None);
    let mut file = None;
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| refuse(&format!("{word} wants a value")));
        match word.as_str() {
            "--addr" => addr = value().parse().ok(),
            "--buffer" => buffer = value().parse().unwrap_or_else(|_| refuse("--buffer: a number")),
            "--file" => file = value().parse().ok(),
            "--variant" => variant = value(),
            _ => row = Some(word),
        }
    }
    let addr = || addr.unwrap_or_else(|| refuse("--addr IP:PORT is wanted"));
    match command.as_str() {
        "echo" => Job::Echo { addr: addr(), buffer, variant },
        "http" => Job::Http { addr: addr(), file, variant },
        "micro" => Job::Micro { row: row.unwrap_or_else(|| refuse("micro ROW")) },
        _ => refuse("echo | http | micro"),
    }
}

/// Says where the server listens; the harness waits for this line.
pub fn ready(addr: SocketAddr) {
    println!("ready {addr}");
    // The reader may be gone; the parent-death signal ends us then.
    drop(std::io::stdout().flush());
}

/// Says that this runtime has no means for what was asked, and ends.
pub fn unsupported(why: &str) -> ! {
    println!("{{\"unsupported\": \"{why}\"}}");
    std::process::exit(0)
}

/// A micro row: its name, and the function that measures it.
pub type NamedRow = (&'static str, fn() -> Row);

/// Runs the row of that name and prints what it measured.
pub fn micro(row: &str, rows: &[NamedRow]) {
    match rows.iter().find(|(name, _)| *name == row) {
        Some((_, measure)) => println!("{}", measure().json()),
        None => unsupported("no means for this row"),
    }
}

fn refuse(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(2)
}
