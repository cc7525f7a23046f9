//! A running `kv`, ended with the test.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

pub(crate) struct Kv {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Kv {
    /// Starts it with so many shards, and waits until it says that it serves.
    pub(crate) fn start(shards: usize) -> Kv {
        Kv::start_as(Command::new(env!("CARGO_BIN_EXE_kv")), shards)
    }

    /// As `start`, by a command that gives some options already.
    pub(crate) fn start_as(mut command: Command, shards: usize) -> Kv {
        let address = free_address();
        let mut child = command
            .args(["--port", &address.port().to_string(), "--shards", &shards.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("kv starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("kv says something");
        assert_eq!(line, format!("kv: serving {address} on {shards} shards\n"));
        Kv { child, address }
    }
}

impl Drop for Kv {
    fn drop(&mut self) {
        // It may have ended already, as the test wanted it to.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// An address that nobody listens on. It is below the ports that the kernel gives to clients, so
/// that no client has it a moment later.
pub(crate) fn free_address() -> SocketAddr {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    loop {
        let tried = std::process::id().wrapping_mul(101).wrapping_add(TRIED.fetch_add(1, Relaxed));
        let address = SocketAddr::from(([127, 0, 0, 1], 10_000 + (tried % 20_000) as u16));
        // Not by listening there: a process that another test starts at that moment would go on
        // with it until it is another program.
        if TcpStream::connect(address).is_err() {
            return address;
        }
    }
}
