//! Contestant: a thread for each connection, or a CPU, with std alone.

#![deny(unsafe_code)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use contestant::work::{self, Work};
use contestant::{Job, Meter, NamedRow, Row};

const ROWS: &[NamedRow] =
    &[("steal-large", || divided(&work::LARGE)), ("steal-small", || divided(&work::SMALL))];

/// The work of many tasks as one loop a CPU, each with as many steps as the others.
fn divided(load: &Work) -> Row {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let total: u64 = load.steps().sum();
    let meter = Meter::start();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| std::hint::black_box(work::compute(total / threads)));
        }
    });
    meter.stop(load.tasks)
}

fn main() -> std::io::Result<()> {
    let (addr, buffer) = match contestant::job() {
        Job::Echo { addr, buffer, .. } => (addr, buffer),
        Job::Http { .. } => contestant::unsupported("threads, no tasks and no timers"),
        Job::Micro { row } => {
            contestant::micro(&row, ROWS);
            return Ok(());
        }
    };
    let listener = TcpListener::bind(addr)?;
    contestant::ready(listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        std::thread::Builder::new().spawn(move || echo(stream, buffer))?;
    }
    Ok(())
}

fn echo(mut stream: TcpStream, buffer: usize) {
    let mut buf = vec![0; buffer];
    while let Ok(n @ 1..) = stream.read(&mut buf) {
        if stream.write_all(&buf[..n]).is_err() {
            break;
        }
    }
}
