//! The end of a driver with a hundred thousand operations in flight (I9): bounded, complete, and
//! without freeing anything under the kernel, whoever holds the futures (I2); and with a
//! completion queue that overflows by tens of thousands.

mod common;

use std::io::{PipeWriter, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::{Buffer, Counted, Erased, Tally, start};
use henge_driver::{Config, Driver, Fd, Leaked, ops};

const COUNT: usize = 100_000;

/// Entries of the ring; its completion queue has room for four times as many.
const ENTRIES: [u32; 2] = [256, 1024];

/// Of so many operations twenty are reads and one is a time-out, and the others complete at once.
/// A cancel that finds nothing costs the kernel a walk through all time-outs, so they are few.
const KINDS: usize = 80;

/// A hang fails, a slow machine does not.
const BOUND: Duration = Duration::from_secs(120);

struct Rig {
    driver: Driver,
    tally: Arc<Tally>,
    futures: Vec<Erased>,
    /// The other end of what is read.
    writer: PipeWriter,
    reads: usize,
}

impl Rig {
    /// Reads of a pipe, time-outs, and operations that complete at once, whose completions nobody
    /// reaps: most of them find the queue full. The kernel has them all.
    fn new(entries: u32) -> Rig {
        let driver = Driver::with_config(&Config::new().ring_entries(entries)).unwrap();
        let tally = Arc::new(Tally::default());
        let (reader, writer) = std::io::pipe().unwrap();
        let pipe = Arc::new(Fd::from(OwnedFd::from(reader)));
        let mut futures = Vec::with_capacity(COUNT);
        let entered = driver.enter();
        for i in 0..COUNT {
            let pipe = Arc::clone(&pipe);
            futures.push(match i % KINDS {
                0..20 => {
                    let read = ops::ReadAt::new(pipe, Buffer::new(&tally), u64::MAX);
                    start(Counted::new(read, &tally))
                }
                20 => start(Counted::new(ops::Timeout::new(Duration::from_secs(3600)), &tally)),
                _ => start(Counted::new(ops::Nop::new(), &tally)),
            });
        }
        driver.flush().unwrap();
        drop(entered);
        assert_eq!(driver.in_flight(), COUNT, "nothing was reaped");
        Rig { driver, tally, futures, writer, reads: COUNT / 4 }
    }

    fn shutdown(&self) {
        let begin = Instant::now();
        let leaked = self.driver.shutdown(Duration::ZERO, BOUND);
        assert_eq!(leaked, Leaked::default(), "the kernel gave everything back");
        assert!(begin.elapsed() < BOUND, "{:?}", begin.elapsed());
        assert_eq!(self.tally.finals(), COUNT, "each has its last completion, once");
        assert_eq!(self.driver.counters().unknown_completions, 0);
    }

    fn assert_all_gone(&self) {
        assert_eq!(self.tally.ended(), COUNT, "each operation was dropped, once");
        assert_eq!(self.tally.buffers(), self.reads, "and so was each buffer");
    }
}

#[test]
fn futures_that_outlive_the_driver() {
    for entries in ENTRIES {
        let mut rig = Rig::new(entries);
        rig.shutdown();
        let futures = std::mem::take(&mut rig.futures);
        thread::spawn(move || drop(futures)).join().unwrap();
        rig.assert_all_gone();
    }
}

#[test]
fn futures_that_were_dropped_just_before() {
    for entries in ENTRIES {
        let mut rig = Rig::new(entries);
        let mut here = std::mem::take(&mut rig.futures);
        let there = here.split_off(COUNT / 2);
        thread::scope(|scope| {
            scope.spawn(move || drop(there));
            let _entered = rig.driver.enter();
            drop(here);
        });
        rig.shutdown();
        rig.assert_all_gone();
    }
}

/// Two hundred reads are about to complete when everything is cancelled.
#[test]
fn completions_on_their_way() {
    for entries in ENTRIES {
        let mut rig = Rig::new(entries);
        rig.writer.write_all(&[7; 3_200]).unwrap();
        rig.shutdown();
        drop(std::mem::take(&mut rig.futures));
        rig.assert_all_gone();
    }
}

/// The last handle of a driver goes, and its deadlines with it, while other threads still drop
/// futures.
#[test]
fn futures_that_go_while_the_driver_does() {
    for entries in ENTRIES {
        let mut rig = Rig::new(entries);
        let futures = std::mem::take(&mut rig.futures);
        let dropper = thread::spawn(move || futures.into_iter().for_each(drop));
        rig.shutdown();
        dropper.join().unwrap();
        rig.assert_all_gone();
    }
}

#[test]
fn patience_without_end() {
    let driver = Driver::new().expect("a driver");
    assert_eq!(driver.shutdown(Duration::MAX, Duration::MAX), Leaked::default());
}
