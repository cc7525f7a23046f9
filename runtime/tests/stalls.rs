//! The detector of stalls names the task that keeps a shard, wherever it was spawned, and nothing
//! else.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use henge::runtime::{Builder, Runtime, Stall};

/// A poll that takes this long is reported, and one of tests does not by chance.
const THRESHOLD: Duration = Duration::from_millis(200);

/// For how long a test's poll blocks its shard: well past the threshold, on a slow machine too.
const LONG: Duration = Duration::from_millis(700);

const PATIENCE: Duration = Duration::from_secs(60);

fn watched(builder: &mut Builder) -> (Runtime, Receiver<Stall>) {
    let (tell, told) = mpsc::channel();
    let runtime = builder
        .detect_stalls(THRESHOLD)
        .on_stall(move |stall| drop(tell.send(stall.clone())))
        .build();
    (runtime.expect("a runtime"), told)
}

fn shards(n: usize) -> (Runtime, Receiver<Stall>) {
    watched(Builder::new_multi_thread().worker_threads(n))
}

async fn hog() {
    thread::sleep(LONG);
}

/// The first report, which must name `line` of this file.
fn assert_names(stall: &Stall, line: u32) {
    let location = stall.location().expect("the task is still there");
    assert_eq!((location.file(), location.line()), (file!(), line), "{stall}");
    assert!(stall.lasted() >= THRESHOLD, "{stall}");
}

#[test]
fn a_task_is_named_by_where_it_was_spawned_and_what_it_is() {
    let (runtime, told) = shards(2);
    let line = line!() + 1;
    let task = runtime.run(|| async { henge::spawn(hog()).id() });
    let stall = told.recv_timeout(PATIENCE).expect("it was reported");
    assert_names(&stall, line);
    assert_eq!((stall.shard().index(), stall.task(), stall.name()), (0, task, None));
    assert!(stall.future().is_some_and(|future| future.contains("stalls::hog")), "{stall}");
    let text = stall.to_string();
    assert!(text.contains("shard 0") && text.contains("stalls.rs"), "{text}");
    assert_eq!(runtime.metrics().shard(0).stalls(), 1);
    assert_eq!(runtime.metrics().shard(1).stalls(), 0);
}

#[test]
fn a_name_is_told_as_well_from_whatever_thread_it_was_given() {
    let (runtime, told) = shards(1);
    let task = henge::task::Builder::new().name("from outside").spawn_on(hog(), runtime.handle());
    let stall = told.recv_timeout(PATIENCE).expect("it was reported");
    assert_eq!(stall.name(), Some("from outside"));
    assert_names(&stall, line!() - 3);
    runtime.block_on(task.expect("spawned")).expect("it ends");
    let line = line!() + 2;
    runtime.run(move || async {
        let task = henge::task::Builder::new().name("from inside").spawn(hog());
        task.expect("spawned").await.expect("it ends");
    });
    let named = |stall: &Stall| stall.name() == Some("from inside");
    let stall = told.iter().find(named).expect("it was reported");
    assert_names(&stall, line);
}

#[test]
fn stealable_tasks_and_calls_are_named_too() {
    let (runtime, told) = watched(Builder::new_multi_thread().worker_threads(2).stealing(true));
    let line = line!() + 1;
    runtime.run(|| async { henge::steal::spawn(hog()).await.expect("it ends") });
    let stall = told.recv_timeout(PATIENCE).expect("it was reported");
    assert_names(&stall, line);
    let line = line!() + 3;
    runtime.run(|| async {
        let there = henge::runtime::ShardId::new(1);
        there.call(hog).await.expect("it ends");
    });
    let stall = told.iter().find(|stall| stall.location().is_some_and(|at| at.line() == line));
    assert_eq!(stall.expect("it was reported").shard().index(), 1);
}

#[test]
fn the_future_of_block_on_is_named_by_where_that_was_called() {
    let (runtime, told) = watched(&mut Builder::new_current_thread());
    let line = line!() + 1;
    runtime.block_on(hog());
    assert_names(&told.recv_timeout(PATIENCE).expect("it was reported"), line);
}

#[test]
fn what_may_block_is_no_stall_nor_are_many_short_polls() {
    let (runtime, told) = shards(1);
    runtime.run(|| async {
        henge::task::block_in_place(|| thread::sleep(LONG));
        let begun = std::time::Instant::now();
        while begun.elapsed() < LONG {
            thread::sleep(THRESHOLD / 50);
            henge::task::yield_now().await;
        }
        henge::time::sleep(LONG).await;
    });
    assert_eq!(told.try_recv().err(), Some(mpsc::TryRecvError::Empty));
    drop(runtime);
    // The detector goes with its runtime.
    assert_eq!(told.recv_timeout(PATIENCE).err(), Some(RecvTimeoutError::Disconnected));
}

#[test]
fn a_poll_that_does_not_end_is_reported_again_when_it_has_doubled() {
    let (runtime, told) = shards(1);
    let (release, wait) = mpsc::channel::<()>();
    let task = runtime.spawn(async move { wait.recv_timeout(PATIENCE).is_ok() });
    let first = told.recv_timeout(PATIENCE).expect("it was reported");
    let second = told.recv_timeout(PATIENCE).expect("it was reported again");
    assert_eq!(first.task(), second.task());
    assert!(second.lasted() >= first.lasted() * 2, "{first}, {second}");
    assert_eq!(runtime.metrics().shard(0).stalls(), 1, "it is one stall");
    release.send(()).expect("it waits");
    assert!(runtime.block_on(task).expect("it ends"));
}

#[test]
fn a_report_that_panics_does_not_end_the_detector() {
    let (tell, told) = mpsc::channel();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .detect_stalls(THRESHOLD)
        .on_stall(move |_| {
            _ = tell.send(());
            panic!("a report's panic, which is swallowed");
        })
        .build()
        .expect("a runtime");
    runtime.run(|| async {
        hog().await;
        henge::task::yield_now().await;
        hog().await;
    });
    for _ in 0..2 {
        told.recv_timeout(PATIENCE).expect("each was reported");
    }
}
