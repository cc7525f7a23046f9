//! Child processes, and signals to this one.

use std::process::Stdio;

use rustix::process::{Signal, getpid, kill_process};

use crate::rt::io::{AsyncReadExt, AsyncWriteExt};
use crate::rt::process::Command;
use crate::rt::runtime::Runtime;
use crate::rt::signal::unix::{SignalKind, signal as listen};

/// A child that does nothing.
pub fn status(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        for _ in 0..times {
            assert!(Command::new("true").status().await.unwrap().success());
        }
    });
}

/// A child that sends back what it is sent.
pub fn piped(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        for _ in 0..times {
            let mut command = Command::new("cat");
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut to = child.stdin.take().unwrap();
            to.write_all(b"mirror").await.unwrap();
            drop(to);
            let mut text = String::new();
            child.stdout.take().unwrap().read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "mirror");
            assert!(child.wait().await.unwrap().success());
        }
    });
}

/// A signal to this process.
pub fn signal(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let mut signals = listen(SignalKind::user_defined1()).unwrap();
        for _ in 0..times {
            kill_process(getpid(), Signal::USR1).unwrap();
            assert_eq!(signals.recv().await, Some(()));
        }
    });
}
