//! A sleep that waits for several completions ends when they are there, or when its time is over.

use std::io::{self, PipeWriter, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use henge_driver::{Driver, Fd, Op, ops, submit_now};

/// Far longer than anything here takes, and what nothing here may take.
const FOR_EVER: Duration = Duration::from_secs(60);

type Read = Op<ops::ReadAt<Vec<u8>>>;

/// Reads that wait in the kernel for what is written.
fn reads(driver: &Driver, count: u32) -> (Vec<Read>, Vec<PipeWriter>) {
    let mut cx = Context::from_waker(Waker::noop());
    let pairs = (0..count).map(|_| {
        let (reader, writer) = io::pipe().unwrap();
        let fd = Arc::new(Fd::from(OwnedFd::from(reader)));
        let read = ops::ReadAt::new(fd, Vec::with_capacity(8), u64::MAX);
        (submit_now(read, &mut cx).unwrap(), writer)
    });
    let reads = pairs.unzip();
    assert_eq!(driver.turn().unwrap().completions, 0);
    reads
}

fn waits(driver: &Driver) -> bool {
    driver.capabilities().unwrap().has("MIN_TIMEOUT")
}

#[test]
fn it_ends_when_all_are_there() {
    let driver = Driver::new().unwrap();
    let entered = driver.enter();
    if waits(&driver) {
        let (reads, mut writers) = reads(&driver, 3);
        driver.set_min_wait(3, FOR_EVER);
        let writing = thread::spawn(move || {
            for writer in &mut writers {
                thread::sleep(Duration::from_millis(20));
                writer.write_all(b"x").unwrap();
            }
            writers
        });
        let turn = driver.park(Some(Instant::now() + FOR_EVER), || false).unwrap();
        assert_eq!(turn.completions, 3);
        assert_eq!(turn.operations.count_ones(), 3);
        drop((writing.join().unwrap(), reads));
    }
    drop(entered);
}

#[test]
fn when_its_time_is_over_one_is_enough() {
    let driver = Driver::new().unwrap();
    let entered = driver.enter();
    let (reads, mut writers) = reads(&driver, 3);
    driver.set_min_wait(3, Duration::from_millis(10));
    let begun = Instant::now();
    writers[0].write_all(b"x").unwrap();
    assert_eq!(driver.park(None, || false).unwrap().completions, 1);
    // One that comes later ends the sleep at once, and the sleep is still the same one.
    let writing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        writers[1].write_all(b"x").unwrap();
        writers
    });
    let before = driver.enters();
    assert_eq!(driver.park(None, || false).unwrap().completions, 1);
    assert_eq!(driver.enters(), before + 1);
    assert!(begun.elapsed() < FOR_EVER);
    drop((writing.join().unwrap(), reads));
    drop(entered);
}

#[test]
fn the_deadline_comes_first() {
    let driver = Driver::new().unwrap();
    driver.set_min_wait(3, FOR_EVER);
    let begun = Instant::now();
    let turn = driver.park(Some(begun + Duration::from_millis(10)), || false).unwrap();
    assert_eq!(turn.completions, 0);
    assert!(begun.elapsed() < FOR_EVER);
}

#[test]
fn one_is_an_ordinary_sleep() {
    let driver = Driver::new().unwrap();
    let entered = driver.enter();
    let (reads, mut writers) = reads(&driver, 2);
    driver.set_min_wait(2, FOR_EVER);
    driver.set_min_wait(1, FOR_EVER);
    let begun = Instant::now();
    writers[0].write_all(b"x").unwrap();
    assert_eq!(driver.park(None, || false).unwrap().completions, 1);
    assert!(begun.elapsed() < FOR_EVER);
    drop((reads, entered));
}

#[test]
fn a_wake_waits_like_a_completion() {
    let driver = Driver::new().unwrap();
    driver.set_min_wait(2, Duration::from_millis(10));
    let remote = driver.remote().clone();
    let waking = thread::spawn(move || {
        thread::sleep(Duration::from_millis(5));
        remote.wake_at_once();
    });
    let begun = Instant::now();
    assert_eq!(driver.park(Some(begun + FOR_EVER), || false).unwrap().wakes, 1);
    assert!(begun.elapsed() < FOR_EVER);
    waking.join().unwrap();
}
