//! Child processes: nothing of them is left behind, whatever becomes of their handles.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::process::{Child, Command};
use henge::time::timeout;

const LONG: Duration = Duration::from_secs(60);

fn sleeper() -> Command {
    let mut command = Command::new("sleep");
    command.arg("1000");
    command
}

/// What the system says about a process: `Z` for one that nobody has reaped.
fn state(id: u32) -> Option<char> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    text.rsplit(") ").next()?.chars().next()
}

fn eventually(what: &str, check: impl Fn() -> bool) {
    let begun = Instant::now();
    while !check() {
        assert!(begun.elapsed() < LONG, "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}

async fn eventually_here(what: &str, check: impl Fn() -> bool) {
    let begun = Instant::now();
    while !check() {
        assert!(begun.elapsed() < LONG, "{what}");
        henge::time::sleep(Duration::from_millis(2)).await;
    }
}

#[henge::test]
async fn many_at_once_end_with_their_own_status() {
    let mut children: Vec<_> = (0..40)
        .map(|n| Command::new("sh").args(["-c", &format!("exit {n}")]).spawn().unwrap())
        .collect();
    for (n, child) in children.iter_mut().enumerate() {
        let status = timeout(LONG, child.wait()).await.expect("it ends").unwrap();
        assert_eq!(status.code(), Some(n as i32));
        assert_eq!(child.id(), None);
        child.start_kill().expect("there is nothing left to kill, and nobody is");
    }
}

#[henge::test]
async fn a_wait_that_is_dropped_loses_nothing() {
    let mut child = sleeper().spawn().unwrap();
    for _ in 0..3 {
        assert!(timeout(Duration::from_millis(5), child.wait()).await.is_err());
    }
    child.kill().await.unwrap();
    assert!(!child.wait().await.unwrap().success());
    child.kill().await.unwrap();
}

#[henge::test]
async fn a_mebibyte_through_a_child() {
    let mut child =
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let sent: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut received = Vec::new();
    let feed = async {
        stdin.write_all(&sent).await.unwrap();
        drop(stdin);
    };
    let (_, read) = henge::join!(feed, stdout.read_to_end(&mut received));
    read.unwrap();
    assert!(received == sent);
    assert!(child.wait().await.unwrap().success());
}

#[henge::test]
async fn one_that_is_dropped_is_reaped_when_it_ends() {
    let child = Command::new("sleep").arg("0.05").spawn().unwrap();
    let id = child.id().unwrap();
    drop(child);
    assert!(state(id).is_some_and(|state| state != 'Z'), "it goes on");
    eventually_here("it is reaped", || state(id).is_none()).await;
}

#[henge::test]
async fn killed_on_drop_if_asked_for() {
    let child = sleeper().kill_on_drop(true).spawn().unwrap();
    let id = child.id().unwrap();
    drop(child);
    eventually_here("it is killed and reaped", || state(id).is_none()).await;

    let waiting = sleeper().kill_on_drop(true).status();
    assert!(timeout(Duration::from_millis(10), waiting).await.is_err());
}

#[test]
fn dropped_without_a_runtime_it_is_reaped_by_the_next() {
    let runtime = henge::runtime::Runtime::new().unwrap();
    let spawn = || Command::new("true").spawn().unwrap();
    let (outside, in_flight): (Child, Child) = runtime.block_on(async { (spawn(), spawn()) });
    let ids = [outside.id().unwrap(), in_flight.id().unwrap()];
    drop(outside);
    // Watched by a ring that ends.
    runtime.block_on(async move { drop(in_flight) });
    drop(runtime);
    eventually("both have ended", || ids.iter().all(|&id| matches!(state(id), None | Some('Z'))));
    let runtime = henge::runtime::Runtime::new().unwrap();
    runtime.block_on(async { Command::new("true").status().await }).unwrap();
    assert!(ids.iter().all(|&id| state(id).is_none()), "both are reaped");
}

#[test]
fn waited_for_by_another_runtime_than_before() {
    let mut child = sleeper().spawn().unwrap();
    for _ in 0..2 {
        let runtime = henge::runtime::Builder::new_current_thread().build().unwrap();
        let waited =
            runtime.block_on(async { timeout(Duration::from_millis(5), child.wait()).await });
        assert!(waited.is_err());
    }
    let runtime = henge::runtime::Runtime::new().unwrap();
    runtime.block_on(child.kill()).unwrap();
}

#[henge::test]
async fn a_program_that_is_not_there_is_an_error() {
    let error = Command::new("no such program").spawn().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
