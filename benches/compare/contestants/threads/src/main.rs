//! Contestant: a thread for each connection, with std alone.

#![deny(unsafe_code)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use contestant::Job;

fn main() -> std::io::Result<()> {
    let Job::Echo { addr, buffer, .. } = contestant::job() else {
        contestant::unsupported("threads, no tasks and no timers");
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
