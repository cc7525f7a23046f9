//! `mem::forget` of what the driver hands out: nothing is freed that the kernel may touch, nothing
//! waits for what will never come, and what was not forgotten goes on (I2).
//!
//! What is forgotten is memory that nobody frees, so it stands in a static where a leak checker
//! finds it.

mod common;

use std::future::{Future, poll_fn};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{Buffer, Counted, Erased, Tally, start};
use henge_driver::{Driver, Fd, Leaked, current, ops, submit};

static FORGOTTEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// As `mem::forget`, but known to the leak checker.
fn forget<T>(value: T) {
    let place = Box::leak(Box::new(value));
    FORGOTTEN.lock().unwrap().push((&raw const *place).addr());
}

const COUNT: usize = 200;
const BOUND: Duration = Duration::from_secs(60);

/// `COUNT` reads of a pipe, in flight, and the pipe's other end.
fn reads(driver: &Driver, tally: &Arc<Tally>) -> (Vec<Erased>, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    let pipe = Arc::new(Fd::from(OwnedFd::from(reader)));
    let _entered = driver.enter();
    let read = |_| {
        let read = ops::ReadAt::new(Arc::clone(&pipe), Buffer::new(tally), u64::MAX);
        start(Counted::new(read, tally))
    };
    let futures = (0..COUNT).map(read).collect();
    driver.turn().unwrap();
    (futures, writer)
}

#[test]
fn futures_in_flight() {
    for abroad in [false, true] {
        let driver = Driver::new().unwrap();
        let tally = Arc::new(Tally::default());
        let (futures, mut writer) = reads(&driver, &tally);
        if abroad {
            thread::spawn(|| forget(futures)).join().unwrap();
        } else {
            forget(futures);
        }
        // The kernel writes to half of the buffers: those are still there.
        writer.write_all(&[7; 16 * COUNT / 2]).unwrap();
        let end = Instant::now() + BOUND;
        {
            let _entered = driver.enter();
            while driver.in_flight() > COUNT / 2 {
                assert!(Instant::now() < end, "the reads did not complete");
                driver.park(Some(end), || false).unwrap();
            }
        }
        driver.block_on(submit(ops::Nop::new())).unwrap().unwrap();
        assert_eq!(driver.shutdown(Duration::ZERO, BOUND), Leaked::default());
        assert_eq!(tally.finals(), COUNT, "all have ended");
        assert_eq!((tally.ended(), tally.buffers()), (0, 0), "and nothing of theirs is freed");
    }
}

#[test]
fn futures_that_were_never_polled() {
    let driver = Driver::new().unwrap();
    forget(submit(ops::Timeout::new(Duration::from_secs(3600))));
    assert_eq!(driver.in_flight(), 0);
    assert_eq!(driver.shutdown(Duration::ZERO, BOUND), Leaked::default());
}

/// The driver stays the thread's for the rest of its life, and is never shut down.
#[test]
fn the_guard_of_enter() {
    thread::spawn(|| {
        let driver = Driver::new().unwrap();
        let id = driver.id();
        forget(driver.enter());
        drop(driver);
        assert_eq!(current::with(Driver::id), Ok(id));
        let mut nop = submit(ops::Nop::new());
        let mut polled = || {
            let mut cx = Context::from_waker(Waker::noop());
            std::pin::Pin::new(&mut nop).poll(&mut cx)
        };
        assert!(polled().is_pending());
        current::with(|driver| driver.turn()).unwrap().unwrap();
        assert!(matches!(polled(), Poll::Ready(Ok(()))));
        // The guard would have done this when the last handle went.
        let leaked = current::with(|driver| driver.shutdown(Duration::ZERO, BOUND));
        assert_eq!(leaked, Ok(Leaked::default()));
    })
    .join()
    .unwrap();
}

/// Nobody ends its operations in order: the kernel does so when the thread goes, and their memory
/// stays.
#[test]
fn the_driver_with_operations_in_flight() {
    let tally = Arc::new(Tally::default());
    let there = Arc::clone(&tally);
    let (futures, writer) = thread::spawn(move || {
        let driver = Driver::new().unwrap();
        let given = reads(&driver, &there);
        forget(driver);
        given
    })
    .join()
    .unwrap();
    // They ask a home that no thread turns.
    drop(futures);
    assert_eq!((tally.ended(), tally.buffers()), (0, 0));
    drop(writer);
}

#[test]
fn a_future_that_another_waits_beside() {
    let driver = Driver::new().unwrap();
    let tally = Arc::new(Tally::default());
    let (futures, mut writer) = reads(&driver, &tally);
    let mut futures = futures.into_iter();
    let mut last = futures.next_back().unwrap();
    forget(futures);
    writer.write_all(&[7; 16 * COUNT]).unwrap();
    driver.block_on(poll_fn(|cx| last.as_mut().poll(cx))).unwrap();
    drop(last);
    assert_eq!((tally.ended(), tally.buffers()), (1, 1), "the one that was not forgotten");
}
