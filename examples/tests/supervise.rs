//! The supervisor, with programs that fail, that last, and that do not want to end.

#[path = "../15_supervise.rs"]
mod supervise;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use henge::process::Command;
use henge::signal::unix::{SignalKind, signal};
use henge::sync::{CancellationToken, mpsc};
use henge::time::{sleep, timeout};
use rustix::process::{Signal, getpid, kill_process};
use supervise::{Event, Patience};

/// What `cargo run` runs.
const _: fn() -> std::io::Result<()> = supervise::main;

const BOUND: Duration = Duration::from_secs(60);
const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;

const PATIENCE: Patience = Patience {
    first: Duration::from_millis(5),
    longest: Duration::from_millis(20),
    stable: Duration::from_secs(600),
    grace: Duration::from_secs(30),
};

/// Supervises a line of shell, and gives what happens and the way to stop it.
fn start(
    line: &str,
    patience: Patience,
) -> (mpsc::UnboundedReceiver<Event>, CancellationToken, henge::task::JoinHandle<()>) {
    let (events, told) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    let tell = move |event| _ = events.send(event);
    let task = henge::spawn(supervise::supervise(command, patience, stop.clone(), tell));
    (told, stop, task)
}

async fn next(told: &mut mpsc::UnboundedReceiver<Event>) -> Option<Event> {
    timeout(BOUND, told.recv()).await.expect("something happens")
}

#[henge::test]
async fn what_fails_is_started_again_and_waits_longer_each_time() {
    let (mut told, stop, task) = start("exit 3", PATIENCE);
    let mut waits = Vec::new();
    while waits.len() < 4 {
        match next(&mut told).await {
            Some(Event::Started(id)) => assert!(id.is_some()),
            Some(Event::Ended(status)) => assert_eq!(status.code(), Some(3)),
            Some(Event::Waits(wait)) => waits.push(wait.as_millis()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waits, [5, 10, 20, 20]);
    stop.cancel();
    timeout(BOUND, task).await.expect("it ends").unwrap();
}

#[henge::test]
async fn a_program_that_ran_long_enough_begins_with_the_first_wait() {
    let patience = Patience { stable: Duration::ZERO, ..PATIENCE };
    let (mut told, stop, task) = start("true", patience);
    let mut waits = Vec::new();
    while waits.len() < 3 {
        if let Some(Event::Waits(wait)) = next(&mut told).await {
            waits.push(wait.as_millis());
        }
    }
    assert_eq!(waits, [5, 5, 5]);
    stop.cancel();
    timeout(BOUND, task).await.expect("it ends").unwrap();
}

#[henge::test]
async fn a_signal_stops_all_and_kills_who_does_not_end() {
    let ready = std::env::temp_dir().join(format!("henge-supervise-{}", std::process::id()));
    let stubborn = format!("trap '' TERM; : > {}; while :; do sleep 0.05; done", ready.display());
    let patience = Patience { grace: Duration::from_millis(100), ..PATIENCE };
    let (mut first, stop_first, first_task) = start("exec sleep 600", PATIENCE);
    let (mut second, stop_second, second_task) = start(&stubborn, patience);
    assert!(matches!(next(&mut first).await, Some(Event::Started(_))));
    assert!(matches!(next(&mut second).await, Some(Event::Started(_))));
    timeout(BOUND, async {
        while !ready.exists() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the second has set its trap");
    fs::remove_file(&ready).unwrap();

    let stop = CancellationToken::new();
    let signals =
        [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).unwrap());
    henge::spawn(supervise::stop_on(signals, stop.clone()));
    kill_process(getpid(), Signal::TERM).unwrap();
    timeout(BOUND, stop.cancelled()).await.expect("the signal comes");
    stop_first.cancel();
    stop_second.cancel();

    for (told, signal) in [(&mut first, SIGTERM), (&mut second, SIGKILL)] {
        match next(told).await {
            Some(Event::Stopped(status)) => assert_eq!(status.signal(), Some(signal)),
            other => panic!("{other:?}"),
        }
        assert!(next(told).await.is_none(), "and is not started again");
    }
    for task in [first_task, second_task] {
        timeout(BOUND, task).await.expect("it ends").unwrap();
    }
}

#[henge::test]
async fn what_cannot_be_started_is_tried_again() {
    let (events, mut told) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let command = Command::new("/no/such/program");
    let tell = move |event| _ = events.send(event);
    let task = henge::spawn(supervise::supervise(command, PATIENCE, stop.clone(), tell));
    for _ in 0..3 {
        match next(&mut told).await {
            Some(Event::Failed(error)) => assert_eq!(error.kind(), ErrorKind::NotFound),
            other => panic!("{other:?}"),
        }
        assert!(matches!(next(&mut told).await, Some(Event::Waits(_))));
    }
    stop.cancel();
    timeout(BOUND, task).await.expect("it ends").unwrap();
}
