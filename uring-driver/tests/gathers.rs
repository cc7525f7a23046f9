//! What completes together is handled together, as far as that pays: transfers of files, whose
//! completions come many at a time, and which a device is told of once an enter.

use std::io::{self, PipeWriter, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Waker};

use henge_driver::{Driver, Fd, Op, ops, submit_now};

/// More than an enter brings, which is some twenty, and less than a turn fetches at most.
const READS: u32 = 50;

#[test]
fn a_turn_brings_all_reads_that_have_completed() {
    let driver = Driver::new().unwrap();
    let entered = driver.enter();
    let mut cx = Context::from_waker(Waker::noop());
    type Read = Op<ops::ReadAt<Vec<u8>>>;
    let (reads, mut writers): (Vec<Read>, Vec<PipeWriter>) = (0..READS)
        .map(|_| {
            let (reader, writer) = io::pipe().unwrap();
            let fd = Arc::new(Fd::from(OwnedFd::from(reader)));
            let read = ops::ReadAt::new(fd, Vec::with_capacity(8), u64::MAX);
            (submit_now(read, &mut cx).unwrap(), writer)
        })
        .unzip();
    // They wait in the kernel.
    assert_eq!(driver.turn().unwrap().completions, 0);
    for writer in &mut writers {
        writer.write_all(b"x").unwrap();
    }
    assert_eq!(driver.turn().unwrap().completions, READS);
    drop(reads);
    drop(entered);
}
