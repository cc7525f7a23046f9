//! A listener at the limit of descriptors: told of it, and going on when there is one again.

use std::fs::File;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use henge_driver::Driver;
use henge_net::TcpListener;

/// Set in the child, whose limit is low.
const CHILD: &str = "HENGE_TEST_FEW_DESCRIPTORS";
/// How often a connection waits for a descriptor. After its pause alone, of 50 ms, the listener
/// would take more than twice as long as is allowed.
const ROUNDS: u32 = 100;
const ALLOWED: Duration = Duration::from_millis(2_400);

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
    let begun = Instant::now();
    let done = driver.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut others = Vec::new();
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
            drop(first);
            let (served, _) = listener.accept().await?;
            drop((client, second, served));
            others.clear();
        }
        io::Result::Ok(())
    });
    done.unwrap().unwrap();
    let took = begun.elapsed();
    assert!(took < ALLOWED, "{took:?} for {ROUNDS} connections");
}
