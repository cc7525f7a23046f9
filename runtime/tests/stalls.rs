//! The detector of stalls names the task that keeps a shard, wherever it was spawned, and nothing
//! else.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use henge::runtime::{Builder, Runtime, Stall};

/// A poll that takes this long is reported, and one of tests does not by chance.
const THRESHOLD: Duration = Duration::from_millis(200);

/// Well past the threshold.
const LONG: Duration = Duration::from_millis(700);

const PATIENCE: Duration = Duration::from_secs(60);

/// What was reported, whoever takes it.
#[derive(Clone)]
struct Reports(Arc<Mutex<Receiver<Stall>>>);

impl Reports {
    fn next(&self) -> Result<Stall, RecvTimeoutError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(PATIENCE)
    }

    /// Waits for a report. There may be others before it, of what a slow machine made long.
    fn find(&self, is_it: impl Fn(&Stall) -> bool) -> Stall {
        loop {
            let stall = self.next().expect("it was reported");
            if is_it(&stall) {
                return stall;
            }
        }
    }
}

fn watched(builder: &mut Builder) -> (Runtime, Reports) {
    let (tell, told) = mpsc::channel();
    let runtime = builder
        .detect_stalls(THRESHOLD)
        .on_stall(move |stall| drop(tell.send(stall.clone())))
        .build();
    (runtime.expect("a runtime"), Reports(Arc::new(Mutex::new(told))))
}

fn shards(n: usize) -> (Runtime, Reports) {
    watched(Builder::new_multi_thread().worker_threads(n))
}

/// Blocks its shard until it has been reported, as spawned at `line` of this file: the detector
/// looks now and then, and does not see a poll that is over by then.
async fn hog(reports: Reports, line: u32) -> Stall {
    let is_here = |stall: &Stall| {
        stall.location().is_some_and(|at| (at.file(), at.line()) == (file!(), line))
    };
    let stall = reports.find(is_here);
    assert!(stall.lasted() >= THRESHOLD, "{stall}");
    stall
}

#[test]
fn a_task_is_named_by_where_it_was_spawned_and_what_it_is() {
    let (runtime, reports) = shards(2);
    let line = line!() + 2;
    let (id, stall) = runtime.run(move || async move {
        let task = henge::spawn(hog(reports, line));
        (task.id(), task.await.expect("it ends"))
    });
    assert_eq!((stall.shard().index(), stall.task(), stall.name()), (0, id, None));
    assert!(stall.future().is_some_and(|future| future.contains("stalls::hog")), "{stall}");
    let text = stall.to_string();
    assert!(text.contains("shard 0") && text.contains("stalls.rs"), "{text}");
    assert!(runtime.metrics().shard(0).stalls() >= 1);
    assert_eq!(runtime.metrics().shard(1).stalls(), 0);
}

#[test]
fn a_name_is_told_as_well_from_whatever_thread_it_was_given() {
    let (runtime, reports) = shards(1);
    let task = henge::task::Builder::new().name("from outside");
    let line = line!() + 1;
    let task = task.spawn_on(hog(reports.clone(), line), runtime.handle()).expect("spawned");
    let stall = runtime.block_on(task).expect("it ends");
    assert_eq!(stall.name(), Some("from outside"));
    let line = line!() + 3;
    let stall = runtime.run(move || async move {
        let task = henge::task::Builder::new().name("from inside");
        task.spawn(hog(reports, line)).expect("spawned").await.expect("it ends")
    });
    assert_eq!(stall.name(), Some("from inside"));
}

#[test]
fn stealable_tasks_and_calls_are_named_too() {
    let (runtime, reports) = watched(Builder::new_multi_thread().worker_threads(2).stealing(true));
    let stealable = reports.clone();
    let line = line!() + 2;
    runtime.run(move || async move {
        henge::steal::spawn(hog(stealable, line)).await.expect("it ends");
    });
    let line = line!() + 3;
    let stall = runtime.run(move || async move {
        let there = henge::runtime::ShardId::new(1);
        there.call(move || hog(reports, line)).await.expect("it ends")
    });
    assert_eq!(stall.shard().index(), 1);
}

#[test]
fn the_future_of_block_on_is_named_by_where_that_was_called() {
    let (runtime, reports) = watched(&mut Builder::new_current_thread());
    let line = line!() + 1;
    runtime.block_on(hog(reports, line));
}

#[test]
fn what_may_block_is_no_stall_nor_are_many_short_polls() {
    let (runtime, reports) = shards(1);
    let longest = runtime.run(|| async {
        henge::task::block_in_place(|| thread::sleep(LONG));
        let (begun, mut longest) = (Instant::now(), Duration::ZERO);
        let mut last = begun;
        while begun.elapsed() < LONG {
            thread::sleep(THRESHOLD / 50);
            let now = Instant::now();
            longest = longest.max(now - last);
            last = now;
            henge::task::yield_now().await;
        }
        henge::time::sleep(LONG).await;
        longest
    });
    drop(runtime);
    // The detector goes with its runtime, and has reported nothing, unless a slow machine has made
    // a poll long: each lies in two of the stretches that were measured.
    let end = loop {
        match reports.next() {
            Ok(stall) => assert!(stall.lasted() <= longest * 2, "{stall}: {longest:?}"),
            Err(end) => break end,
        }
    };
    assert_eq!(end, RecvTimeoutError::Disconnected);
}

#[test]
fn a_poll_that_does_not_end_is_reported_again_when_it_has_doubled() {
    let (runtime, reports) = shards(1);
    let (release, wait) = mpsc::channel::<()>();
    let task = runtime.spawn(async move { wait.recv_timeout(PATIENCE).is_ok() });
    let first = reports.next().expect("it was reported");
    let second = reports.next().expect("it was reported again");
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
    runtime.run(move || async move {
        // Printing a panic with its backtrace can take longer than a short stall: the second lasts
        // until it is reported.
        told.recv_timeout(PATIENCE).expect("the first was reported");
        henge::task::yield_now().await;
        told.recv_timeout(PATIENCE).expect("the second was reported");
    });
}
