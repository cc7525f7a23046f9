//! What becomes of operations when their thread goes on to something else than its ring.

use std::io::{PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use henge_driver::ops::{ReadAt, WriteAll, events};
use henge_driver::{Cqe, Driver, Fd, Next, Op, Operation, Sqe, submit_now};

/// Nothing takes so long.
const LONG: Duration = Duration::from_secs(60);
/// For how long a peer is waited for that takes nothing.
const STUCK: Duration = Duration::from_millis(20);
const FULL: usize = 64 << 10;

fn shared(fd: impl Into<OwnedFd>) -> Arc<Fd> {
    Arc::new(Fd::from(fd.into()))
}

fn start<O: Operation>(driver: &Driver, op: O) -> Op<O> {
    let _entered = driver.enter();
    submit_now(op, &mut Context::from_waker(Waker::noop())).expect("a driver")
}

/// A write to a pipe that is full, which its thread has left.
fn left_write(driver: &Driver) -> (PipeReader, Op<WriteAll<Vec<u8>>>) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&[0; FULL]).expect("it has room");
    let write = start(driver, WriteAll::new(shared(writer), b"hello".to_vec(), u64::MAX));
    driver.hand_over(STUCK, LONG).expect("it turns");
    assert_eq!(driver.in_flight(), 0, "it was given back");
    (reader, write)
}

/// All that comes until the writer is closed.
fn rest(mut reader: PipeReader) -> mpsc::Receiver<usize> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(reader.read_to_end(&mut Vec::new()).expect("a pipe")));
    told
}

#[test]
fn a_write_goes_on_where_it_is_awaited() {
    let driver = Driver::new().expect("a driver");
    let (reader, write) = left_write(&driver);
    let told = rest(reader);
    let there = thread::spawn(|| Driver::new()?.block_on(write).map(|(result, _)| result));
    there.join().expect("no panic").expect("a driver").expect("it is written");
    assert_eq!(told.recv_timeout(LONG), Ok(FULL + 5));
}

#[test]
fn a_write_goes_on_where_its_future_is_dropped() {
    let driver = Driver::new().expect("a driver");
    let (reader, write) = left_write(&driver);
    let told = rest(reader);
    let there = thread::spawn(|| {
        let driver = Driver::new().expect("a driver");
        driver.block_on(async { drop(write) }).expect("it turns");
        while driver.in_flight() > 0 {
            driver.park(None, || false).expect("it turns");
        }
    });
    there.join().expect("no panic");
    assert_eq!(told.recv_timeout(LONG), Ok(FULL + 5));
}

#[test]
fn a_write_whose_future_is_dropped_where_no_ring_is_goes_on_where_it_was() {
    let driver = Driver::new().expect("a driver");
    let (reader, write) = left_write(&driver);
    let told = rest(reader);
    thread::spawn(|| drop(write)).join().expect("no panic");
    let deadline = Instant::now() + LONG;
    let sum = loop {
        driver.park(Some(Instant::now() + STUCK), || false).expect("it turns");
        match told.try_recv() {
            Ok(sum) => break sum,
            Err(_) => assert!(Instant::now() < deadline, "it is not written"),
        }
    };
    assert_eq!(sum, FULL + 5);
}

#[test]
fn a_read_that_is_given_back_and_dropped_closes_its_descriptor() {
    let driver = Driver::new().expect("a driver");
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let read = start(&driver, ReadAt::new(shared(reader), vec![0; 8], u64::MAX));
    driver.hand_over(LONG, LONG).expect("it turns");
    thread::spawn(|| drop(read)).join().expect("no panic");
    let error = writer.write(b"hello").expect_err("nobody reads");
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

#[test]
fn a_read_has_its_bytes_or_leaves_them_to_the_next_one() {
    let driver = Driver::new().expect("a driver");
    for round in 0..500_u32 {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let reader = shared(reader);
        let mut read = start(&driver, ReadAt::new(Arc::clone(&reader), vec![0; 8], u64::MAX));
        driver.turn().expect("it turns");
        let writing = thread::spawn(move || {
            (0..round % 100).for_each(|_| std::hint::spin_loop());
            writer.write_all(b"hello").expect("somebody reads");
            writer
        });
        driver.hand_over(LONG, LONG).expect("it turns");
        let writer = writing.join().expect("no panic");
        let (result, bytes) = driver.block_on(&mut read).expect("it turns");
        assert_eq!(&bytes[..result.expect("bytes")], b"hello");
        drop((reader, writer));
    }
}

/// Waits for what never comes, and does not say what becomes of it.
struct Mine(Arc<Fd>);

// SAFETY: the entry points to no memory; the descriptor is kept open by the `Arc`.
unsafe impl Operation for Mine {
    type Output = i32;

    fn prepare(&mut self) -> Sqe {
        Sqe::poll_add(&self.0, events::IN)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<i32> {
        Next::Done(cqe.result())
    }
}

#[test]
fn what_says_nothing_stays_under_way_and_is_not_waited_for() {
    let driver = Driver::new().expect("a driver");
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let mut mine = start(&driver, Mine(shared(reader)));
    let begun = Instant::now();
    driver.hand_over(LONG, LONG).expect("it turns");
    assert!(begun.elapsed() < LONG);
    assert_eq!(driver.in_flight(), 1);
    writer.write_all(b"hello").expect("somebody reads");
    let told = driver.block_on(&mut mine).expect("it turns");
    assert!(told > 0);
}
