//! The buffer pool against real sockets, with incremental buffers and without.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use henge_driver::pool::Piece;
use henge_driver::{Config, Cqe, Driver, Fd, Next, Operation, Sqe, current};

#[derive(Default)]
struct Got {
    pieces: Vec<Piece>,
    ended: Option<i32>,
}

struct Receive {
    socket: Arc<Fd>,
    group: u16,
    got: Arc<Mutex<Got>>,
}

// SAFETY: the entry points to no memory; the buffers are the pool's.
unsafe impl Operation for Receive {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        Sqe::recv_multishot(&self.socket, self.group)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        let piece = current::with(|driver| driver.pool().take(&cqe)).unwrap();
        let mut got = self.got.lock().unwrap();
        got.pieces.extend(piece);
        if cqe.has_more() {
            return Next::Held;
        }
        got.ended = Some(cqe.result());
        Next::Done(())
    }
}

struct Rig {
    driver: Driver,
    peer: UnixStream,
    got: Arc<Mutex<Got>>,
    socket: Arc<Fd>,
}

impl Rig {
    fn new(config: &Config) -> Rig {
        let driver = Driver::with_config(config).unwrap();
        let (peer, socket) = UnixStream::pair().unwrap();
        let socket = Arc::new(Fd::from(OwnedFd::from(socket)));
        let rig = Rig { driver, peer, got: Arc::default(), socket };
        rig.arm();
        rig
    }

    fn arm(&self) {
        let _entered = self.driver.enter();
        let group = self.driver.pool().group();
        let (socket, got) = (Arc::clone(&self.socket), Arc::clone(&self.got));
        self.got.lock().unwrap().ended = None;
        self.driver.submit_detached(Receive { socket, group, got });
    }

    /// Turns until `done`, at most ten seconds.
    fn until(&self, what: &str, done: impl Fn(&Got) -> bool) {
        let _entered = self.driver.enter();
        let end = Instant::now() + Duration::from_secs(10);
        while !done(&self.got.lock().unwrap()) {
            assert!(Instant::now() < end, "{what} did not happen");
            self.driver.park(Some(Instant::now() + Duration::from_millis(50)), || false).unwrap();
        }
    }

    /// What has come since the last time; the pieces are given back at home.
    fn bytes(&self) -> Vec<u8> {
        let _entered = self.driver.enter();
        let pieces = std::mem::take(&mut self.got.lock().unwrap().pieces);
        pieces.iter().flat_map(|piece| piece.iter().copied()).collect()
    }
}

fn len(got: &Got) -> usize {
    got.pieces.iter().map(|piece| piece.len()).sum()
}

fn both_modes(test: impl Fn(&Config, bool)) {
    for incremental in [true, false] {
        test(&Config::new().incremental_buffers(incremental), incremental);
    }
}

#[test]
fn bytes_come_in_order_and_buffers_go_round() {
    both_modes(|config, incremental| {
        let rig = Rig::new(config);
        assert_eq!(rig.driver.pool().is_incremental(), Some(incremental), "this kernel has both");
        let before = rig.driver.pool().bytes();
        let mut next = 0_u32;
        for round in 0..400_u32 {
            let count = round % 900 + 1;
            let words: Vec<u8> = (next..next + count).flat_map(u32::to_le_bytes).collect();
            next += count;
            (&rig.peer).write_all(&words).unwrap();
            rig.until("the bytes", |got| len(got) == words.len());
            assert_eq!(rig.bytes(), words);
        }
        assert_eq!(rig.driver.pool().found_empty_count(), 0);
        assert_eq!(rig.driver.pool().bytes(), before, "nothing was held, so nothing grew");
    });
}

#[test]
fn held_pieces_empty_the_pool_which_grows_to_its_cap_and_recovers() {
    const TOTAL: usize = 1 << 20;
    const CAP: usize = 512 << 10;
    both_modes(|config, _| {
        let rig = Rig::new(&config.clone().buffer_memory(CAP));
        let writer = thread::spawn({
            let mut peer = rig.peer.try_clone().unwrap();
            move || peer.write_all(&vec![7; TOTAL]).unwrap()
        });
        let mut read = 0;
        while read < TOTAL {
            rig.until("an empty pool, or the end of the bytes", |got| {
                got.ended.is_some() || read + len(got) == TOTAL
            });
            let pool = rig.driver.pool();
            assert!(pool.bytes() <= CAP, "never past the cap");
            if !pool.has_room() {
                assert_eq!(pool.bytes(), CAP, "an empty pool grows as long as it may");
                read += rig.bytes().len();
                assert!(pool.has_room(), "what was given back can be used");
            } else if rig.got.lock().unwrap().ended.is_none() {
                read += rig.bytes().len();
            }
            if rig.got.lock().unwrap().ended.is_some() {
                rig.arm();
            }
        }
        writer.join().unwrap();
        assert_eq!(read, TOTAL);
        assert!(rig.driver.pool().found_empty_count() > 0);
    });
}

#[test]
fn pieces_dropped_on_another_thread_come_back() {
    const ROUND: usize = 9_000;
    both_modes(|config, _| {
        // Room for seven rounds, or for sixteen receives: without the returns it would end there.
        let rig = Rig::new(&config.clone().buffer_memory(64 << 10));
        for _ in 0..200 {
            (&rig.peer).write_all(&[1; ROUND]).unwrap();
            let mut read = 0;
            while read < ROUND {
                rig.until("some of the bytes", |got| got.ended.is_some() || len(got) > 0);
                let (pieces, ended) = {
                    let mut got = rig.got.lock().unwrap();
                    (std::mem::take(&mut got.pieces), got.ended.take())
                };
                read += pieces.iter().map(|piece| piece.len()).sum::<usize>();
                thread::spawn(move || drop(pieces)).join().unwrap();
                rig.driver.turn().unwrap();
                if ended.is_some() {
                    rig.arm();
                }
            }
            assert_eq!(read, ROUND);
        }
    });
}

#[test]
fn pieces_that_any_pool_takes_back_come_back() {
    const ROUND: usize = 9_000;
    both_modes(|config, _| {
        let rig = Rig::new(&config.clone().buffer_memory(64 << 10));
        // It has buffers of its own with the same numbers, all of them unused.
        let other = Driver::with_config(config).unwrap();
        let _group = {
            let _entered = other.enter();
            other.pool().group()
        };
        for round in 0..200 {
            (&rig.peer).write_all(&[1; ROUND]).unwrap();
            let mut read = 0;
            while read < ROUND {
                rig.until("some of the bytes", |got| got.ended.is_some() || len(got) > 0);
                let (pieces, ended) = {
                    let mut got = rig.got.lock().unwrap();
                    (std::mem::take(&mut got.pieces), got.ended.take())
                };
                read += pieces.iter().map(|piece| piece.len()).sum::<usize>();
                let taker = if round % 2 == 0 { &rig.driver } else { &other };
                pieces.into_iter().for_each(|piece| taker.pool().take_back(piece));
                rig.driver.turn().unwrap();
                if ended.is_some() {
                    rig.arm();
                }
            }
            assert_eq!(read, ROUND);
        }
    });
}

#[test]
fn pieces_outlive_their_driver() {
    both_modes(|config, _| {
        let rig = Rig::new(config);
        (&rig.peer).write_all(b"still here").unwrap();
        rig.until("the bytes", |got| len(got) == 10);
        let Rig { driver, got, .. } = rig;
        let mut pieces = std::mem::take(&mut got.lock().unwrap().pieces);
        drop(driver);
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        assert_eq!(bytes, b"still here");
        let last = pieces.pop();
        thread::spawn(move || drop(last)).join().unwrap();
        drop(pieces);
    });
}
