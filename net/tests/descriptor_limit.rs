//! A listener at the limit of descriptors: told of it, and going on when there is one again.

use std::fs::File;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use henge_driver::Driver;
use henge_net::TcpListener;

/// Set in the child, whose limit is low.
const CHILD: &str = "HENGE_TEST_FEW_DESCRIPTORS";
/// How often a connection waits for a descriptor.
const ROUNDS: usize = 100;
/// Less than the listener's pause of 50 ms, after which it would go on by itself.
const SOON: Duration = Duration::from_millis(45);

#[test]
fn a_closed_descriptor_is_used_at_once() {
    if std::env::var_os(CHILD).is_none() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""]);
        shell.arg(std::env::current_exe().unwrap());
        shell.args(["a_closed_descriptor_is_used_at_once", "--exact", "--nocapture"]);
        assert!(shell.env(CHILD, "1").status().unwrap().success());
        return;
    }
    let driver = Driver::new().unwrap();
    let done = driver.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut others = Vec::new();
        let mut soon = 0;
        for _ in 0..ROUNDS {
            let client = std::net::TcpStream::connect(address)?;
            let (first, _) = listener.accept().await?;
            while let Ok(file) = File::open("/dev/null") {
                others.push(file);
            }
            drop(others.pop());
            // The last descriptor; nobody has turned the driver since, so it still waits.
            let second = std::net::TcpStream::connect(address)?;
            let told = listener.accept().await.map(drop).unwrap_err();
            assert_eq!(told.raw_os_error(), Some(24), "EMFILE, not {told}");
            let closed = Instant::now();
            drop(first);
            let (served, _) = listener.accept().await?;
            soon += usize::from(closed.elapsed() < SOON);
            drop((client, second, served));
            others.clear();
        }
        io::Result::Ok(soon)
    });
    // On a busy machine not all of them are.
    let soon = done.unwrap().unwrap();
    assert!(soon >= ROUNDS / 4, "{soon} of {ROUNDS} connections were accepted at once");
}
