//! Contestant: a bare io_uring loop, the floor under every runtime: no tasks, no wakers, no timers,
//! one enter a turn. Reads and writes of files, sleeps, and two servers, because no one way is best
//! at every size:
//!
//! - `multishot`: multishot receive into a provided-buffer ring, echoed from the ring's buffer;
//! - `oneshot`: one buffer a connection, a receive into it, a send from it, in turn.

#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "memory that the kernel writes to, and the ring's tail")]
mod buffers;
#[allow(unsafe_code, reason = "entries name memory and descriptors")]
mod files;
mod multishot;
mod oneshot;
#[allow(unsafe_code, reason = "entries name memory and descriptors")]
mod ring;
mod timers;

use std::net::TcpListener;

use contestant::Job;

fn main() -> std::io::Result<()> {
    match contestant::job() {
        Job::Echo { addr, buffer, variant } => {
            let listener = TcpListener::bind(addr)?;
            contestant::ready(listener.local_addr()?);
            match variant.as_str() {
                "oneshot" => oneshot::serve(&listener, buffer),
                _ => multishot::serve(&listener, buffer),
            }
        }
        Job::Http { .. } => contestant::unsupported("a loop, no HTTP"),
        Job::Micro { row } => {
            contestant::micro(&row, &[files::ROWS, timers::ROWS].concat());
            Ok(())
        }
    }
}
