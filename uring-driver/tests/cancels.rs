//! Cancels are never dropped (I4): not while the submission queue is full, not while the kernel
//! takes nothing from it, not while completions overflow, and not from another thread.
//!
//! A cancel that is lost shows itself: the operations wait for bytes that never come, or for an
//! hour, so one that was not cancelled stays in flight.

mod common;

use std::io::{PipeWriter, Write};
use std::mem::offset_of;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{Buffer, Counted, Erased, Tally, start};
use henge_driver::{
    Config, Cqe, Driver, Fd, Leaked, Next, Operation, Sqe, Timespec, ops, submit, submit_now,
};

/// A hundred times what the largest of the queues holds.
const COUNT: usize = 800;

struct Rig {
    driver: Driver,
    tally: Arc<Tally>,
    silent: Arc<Fd>,
    noisy: Arc<Fd>,
    /// Keep both pipes open.
    writers: [PipeWriter; 2],
    /// Buffers that were made.
    buffers: usize,
}

impl Rig {
    fn new(entries: u32) -> Rig {
        let pipe = || {
            let (reader, writer) = std::io::pipe().unwrap();
            (Arc::new(Fd::from(OwnedFd::from(reader))), writer)
        };
        let ((silent, first), (noisy, second)) = (pipe(), pipe());
        Rig {
            driver: Driver::with_config(&Config::new().ring_entries(entries)).unwrap(),
            tally: Arc::default(),
            silent,
            noisy,
            writers: [first, second],
            buffers: 0,
        }
    }

    /// `COUNT` operations in flight, and no turn taken: reads of a pipe without bytes, time-outs,
    /// reads that bytes will come for, and ones that complete at once.
    fn start(&mut self) -> Vec<Erased> {
        let tally = Arc::clone(&self.tally);
        let _entered = self.driver.enter();
        let mut started = Vec::new();
        for i in 0..COUNT {
            started.push(match i % 4 {
                kind @ (0 | 1) => {
                    let pipe = Arc::clone(if kind == 0 { &self.silent } else { &self.noisy });
                    self.buffers += 1;
                    let read = ops::ReadAt::new(pipe, Buffer::new(&tally), u64::MAX);
                    start(Counted::new(read, &tally))
                }
                2 => start(Counted::new(ops::Timeout::new(Duration::from_secs(3600)), &tally)),
                _ => start(Counted::new(ops::Nop::new(), &tally)),
            });
        }
        assert_eq!(self.driver.in_flight(), COUNT);
        started
    }

    /// Turns until nothing is in flight, at most a minute, and looks whether all is as it was.
    fn settle(self) -> henge_driver::Counters {
        let Rig { driver, tally, buffers, writers, .. } = self;
        let end = Instant::now() + Duration::from_secs(60);
        {
            let _entered = driver.enter();
            while driver.in_flight() > 0 {
                assert!(Instant::now() < end, "{} operations stay in flight", driver.in_flight());
                let step = Instant::now() + Duration::from_millis(50);
                driver.park(Some(step), || false).unwrap();
            }
        }
        assert_eq!(tally.finals(), COUNT, "each operation has its last completion, once");
        assert_eq!(tally.ended(), COUNT, "and goes with it");
        assert_eq!(tally.buffers(), buffers, "and its buffer comes back");
        let counters = driver.counters();
        assert_eq!(counters.unknown_completions, 0);
        assert_eq!(counters.completions, counters.submissions);
        // The ring works as before.
        driver.block_on(submit(ops::Nop::new())).unwrap().unwrap();
        assert_eq!(driver.shutdown(Duration::ZERO, Duration::from_secs(10)), Leaked::default());
        drop(writers);
        counters
    }
}

const ENTRIES: [u32; 2] = [4, 8];

#[test]
fn dropped_at_home_in_one_go() {
    for entries in ENTRIES {
        let mut rig = Rig::new(entries);
        let started = rig.start();
        {
            let _entered = rig.driver.enter();
            drop(started);
        }
        assert_eq!(rig.driver.in_flight(), COUNT, "nothing was reaped meanwhile");
        assert_eq!(rig.settle().cancels, COUNT as u64);
    }
}

#[test]
fn dropped_on_another_thread() {
    for entries in ENTRIES {
        let mut rig = Rig::new(entries);
        let started = rig.start();
        thread::spawn(move || drop(started)).join().unwrap();
        assert!(rig.driver.has_posted());
        // The nops were cancelled too: their requests come before their completions are reaped,
        // or find them gone.
        let cancels = rig.settle().cancels;
        assert!((COUNT as u64 * 3 / 4..=COUNT as u64).contains(&cancels), "{cancels}");
    }
}

#[test]
fn dropped_while_completions_overflow() {
    for entries in ENTRIES {
        let mut rig = Rig::new(entries);
        let started = rig.start();
        // All that wait for bytes complete, into a queue of four times `entries`.
        rig.writers[1].write_all(&[7; 16 * COUNT]).unwrap();
        let mut turns = 0;
        let mut kept = started.into_iter();
        while kept.len() > 0 {
            let _entered = rig.driver.enter();
            // More are dropped than places come free.
            kept.by_ref().take(40).for_each(drop);
            if turns < 10 {
                let turn = rig.driver.turn().unwrap();
                assert!(turn.completions <= 4 * entries, "{turn:?}");
            }
            turns += 1;
        }
        assert!(rig.driver.in_flight() > 4 * entries as usize, "more than the queue holds");
        rig.settle();
    }
}

/// The kernel may be out of memory for requests at the moment that room is needed, and answers
/// EAGAIN: what was queued then waits outside, and cancels wait behind it.
#[test]
fn dropped_while_the_kernel_takes_nothing() {
    for entries in ENTRIES {
        // The filter stays with the thread that it is put on.
        let work = thread::spawn(move || {
            refuse_submissions_between_turns().unwrap();
            let mut rig = Rig::new(entries);
            let started = rig.start();
            {
                let _entered = rig.driver.enter();
                drop(started);
            }
            assert_eq!(rig.tally.finals(), 0, "none of them was reaped");
            let counters = rig.settle();
            assert_eq!(counters.cancels, COUNT as u64);
            // All but what the queue held, twice: the operation and its cancel.
            assert!(counters.overflows >= 2 * COUNT as u64 - u64::from(entries), "{counters:?}");
        });
        work.join().unwrap();
    }
}

/// A read that gives up after an hour: two entries, which belong together.
struct Limited(ops::ReadAt<Vec<u8>>, Timespec);

// SAFETY: does what `ReadAt` does, which has made the same promise.
unsafe impl Operation for Limited {
    type Output = ();
    fn prepare(&mut self) -> Sqe {
        self.0.prepare()
    }
    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        match self.0.complete(cqe) {
            Next::Done(_) => Next::Done(()),
            _ => Next::Again,
        }
    }
    fn time_limit(&self) -> Option<&Timespec> {
        Some(&self.1)
    }
}

/// One place is left in the queue: too little for two entries, which wait outside, but not for the
/// cancel that comes after them.
#[test]
fn a_cancel_does_not_overtake_what_waits_outside_for_more_room() {
    let work = thread::spawn(|| {
        refuse_submissions_between_turns().unwrap();
        let driver = Driver::with_config(&Config::new().ring_entries(4)).unwrap();
        driver.turn().unwrap();
        let (reader, _writer) = std::io::pipe().unwrap();
        let reader = Arc::new(Fd::from(OwnedFd::from(reader)));
        for _ in 0..3 {
            driver.submit_detached(ops::After::new(Duration::ZERO, || ()));
        }
        let read = ops::ReadAt::new(reader, vec![0; 8], u64::MAX);
        let hour = Timespec::from(Duration::from_secs(3600));
        let read = driver.submit_detached(Limited(read, hour));
        driver.cancel(read);
        assert_eq!(driver.counters().overflows, 2, "both wait outside");
        let end = Instant::now() + Duration::from_secs(60);
        while driver.is_in_flight(read) && Instant::now() < end {
            driver.park(Some(Instant::now() + Duration::from_millis(50)), || false).unwrap();
        }
        assert!(!driver.is_in_flight(read), "its cancel was before it");
    });
    work.join().unwrap();
}

#[test]
fn a_drop_on_another_thread_wakes_a_driver_that_sleeps() {
    let driver = Driver::new().unwrap();
    let _entered = driver.enter();
    let mut cx = Context::from_waker(Waker::noop());
    let rest = submit_now(ops::Timeout::new(Duration::from_secs(3600)), &mut cx).unwrap();
    driver.turn().unwrap();
    let elsewhere = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        drop(rest);
    });
    let begun = Instant::now();
    while driver.in_flight() > 0 && begun.elapsed() < Duration::from_secs(30) {
        driver.park(Some(begun + Duration::from_secs(60)), || false).unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "nobody told it");
    elsewhere.join().unwrap();
}

/// Half of them abroad, half at home, in an order that a seed makes, with turns in between.
#[test]
fn dropped_everywhere_at_once() {
    for (entries, seed) in ENTRIES.into_iter().zip([0x9E37_79B9_7F4A_7C15_u64, 42]) {
        let mut random = seed;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let mut rig = Rig::new(entries);
        let (mut home, mut abroad) = (Vec::new(), Vec::new());
        for future in rig.start() {
            if next() % 2 == 0 { home.push(future) } else { abroad.push(future) }
        }
        thread::scope(|scope| {
            scope.spawn(move || abroad.into_iter().for_each(drop));
            let _entered = rig.driver.enter();
            for future in home {
                drop(future);
                match next() % 8 {
                    0 => drop(rig.driver.turn().unwrap()),
                    1 => rig.driver.flush().unwrap(),
                    2 => rig.writers[1].write_all(&[7; 16]).unwrap(),
                    _ => {}
                }
            }
        });
        rig.settle();
    }
}

/// From now on an enter of this thread's that only submits gets EAGAIN; those of turns, which ask
/// for completions too, go on.
fn refuse_submissions_between_turns() -> std::io::Result<()> {
    const GETEVENTS: u32 = 1;
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const SKIP_UNLESS: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const SKIP_IF_SET: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
    const ANSWER: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    // The fourth argument is the flags; its low half comes first.
    let flags = offset_of!(libc::seccomp_data, args) as u32 + 3 * 8;
    let mut steps = [
        step(LOAD, offset_of!(libc::seccomp_data, nr) as u32, 0, 0),
        step(SKIP_UNLESS, libc::SYS_io_uring_enter as u32, 0, 3),
        step(LOAD, flags, 0, 0),
        step(SKIP_IF_SET, GETEVENTS, 1, 0),
        step(ANSWER, libc::SECCOMP_RET_ERRNO | libc::EAGAIN as u32, 0, 0),
        step(ANSWER, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: integers only.
    let allowed = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: the program and its steps outlive the call, which copies them.
    let set =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    if allowed < 0 || set < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}
