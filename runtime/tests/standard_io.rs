//! Standard input, output and error, as a child process of this test has them.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use henge::io::{AsyncReadExt, AsyncWriteExt, stderr, stdin, stdout};
use henge::time::timeout;

/// This test binary once more, running one of the tests that are ignored.
fn child(test: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "the child of another test"]
fn copies() {
    henge::runtime::Runtime::new().unwrap().block_on(async {
        let mut to = stderr();
        henge::io::copy(&mut stdin(), &mut to).await.unwrap();
        to.flush().await.unwrap();
        let mut out = stdout();
        out.write_all(b"[all copied]").await.unwrap();
        out.flush().await.unwrap();
    });
}

#[test]
fn everything_arrives_in_order() {
    let mut child = child("copies");
    let sent: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut stdin, mut stderr) = (child.stdin.take().unwrap(), child.stderr.take().unwrap());
    let feeding = thread::spawn({
        let sent = sent.clone();
        move || stdin.write_all(&sent)
    });
    let mut received = Vec::new();
    stderr.read_to_end(&mut received).unwrap();
    feeding.join().unwrap().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{}", String::from_utf8_lossy(&received));
    assert!(received == sent, "{} bytes of {}", received.len(), sent.len());
    assert!(said.contains("[all copied]"), "{said}");
}

#[test]
#[ignore = "the child of another test"]
fn gives_up_and_reads_on() {
    henge::runtime::Runtime::new().unwrap().block_on(async {
        let mut stdin = stdin();
        let mut bytes = [0; 8];
        let nothing = timeout(Duration::from_millis(20), stdin.read(&mut bytes)).await;
        assert!(nothing.is_err());
        eprint!("?");
        stdin.read_exact(&mut bytes[..4]).await.unwrap();
        assert_eq!(&bytes[..4], b"four");
        // A read that nobody waits for keeps nothing from ending.
        let pending = henge::spawn(async move { stdin.read(&mut [0; 8]).await });
        henge::task::yield_now().await;
        drop(pending);
    });
}

#[test]
fn a_read_that_is_dropped_loses_nothing_and_holds_nothing_up() {
    let mut child = child("gives_up_and_reads_on");
    let mut question = [0; 1];
    child.stderr.as_mut().unwrap().read_exact(&mut question).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"four").unwrap();
    // It stays open: the child ends by itself.
    assert!(child.wait().unwrap().success());
}
