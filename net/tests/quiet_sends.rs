//! Sends that the kernel answers only if it could not do all of them: those that it did end all the
//! same, and those that it did not lose nothing.

mod common;

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice, Read, Write};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::pair;
use henge_driver::{Config, Driver, coop, ops, submit_now};
use henge_net::TcpStream;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Longer than anything here takes.
const BOUND: Duration = Duration::from_secs(60);

fn write(stream: &mut TcpStream, bytes: &[u8]) -> Poll<io::Result<usize>> {
    Pin::new(stream).poll_write(&mut Context::from_waker(Waker::noop()), bytes)
}

#[test]
fn what_was_sent_has_no_completion() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    let before = driver.counters();
    for round in 0..10 {
        assert!(matches!(write(&mut a, &[round; 64]), Poll::Ready(Ok(64))));
        assert!(driver.has_queued());
        assert_eq!(driver.turn().expect("it turns").completions, 0);
        assert!(!driver.has_queued(), "the turn has seen to the end of it");
        assert_eq!((driver.unsent(), driver.in_flight()), (0, 0));
        let mut bytes = [0; 64];
        peer.read_exact(&mut bytes).expect("they were sent");
        assert_eq!(bytes, [round; 64]);
    }
    let after = driver.counters();
    assert_eq!(after.submissions - before.submissions, 10);
    assert_eq!(after.completions, before.completions);
    assert_eq!(after.unknown_completions, 0);
}

#[test]
fn what_a_full_socket_leaves_is_sent_when_there_is_room() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    let at = |place: usize| (place % 251) as u8;
    let mut written = 0;
    let deadline = Instant::now() + BOUND;
    loop {
        // Less than is sent without the ring.
        let bytes: Vec<u8> = (written..written + 5_000).map(at).collect();
        match write(&mut a, &bytes) {
            Poll::Ready(n) => written += n.expect("the peer lives"),
            Poll::Pending => break,
        }
        driver.turn().expect("it turns");
        assert!(Instant::now() < deadline, "no socket takes everything");
    }
    assert!(driver.unsent() > 0, "the rest waits");
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).map(|_| bytes)
    });
    driver.block_on(a.shutdown()).expect("it turns").expect("all is sent");
    let read = reader.join().expect("no panic").expect("no reset");
    assert_eq!(read.len(), written);
    assert!(read.iter().enumerate().all(|(place, byte)| *byte == at(place)));
}

#[test]
fn who_waits_for_one_that_is_under_way_is_told_though_no_completion_comes() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, _peer) = pair(&driver);
    assert!(matches!(write(&mut a, b"hello"), Poll::Ready(Ok(5))));
    // The kernel has it, and the driver has not looked yet what became of it.
    driver.flush().expect("it submits");
    let mut flush = pin!(a.flush());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(flush.as_mut().poll(&mut cx).is_pending());
    let begun = Instant::now();
    driver.park(Some(begun + BOUND), || false).expect("it turns");
    assert!(begun.elapsed() < BOUND / 2, "it slept, and nothing would have woken it");
    assert!(matches!(flush.as_mut().poll(&mut cx), Poll::Ready(Ok(()))));
}

#[test]
fn a_flush_does_not_wait_for_the_enter() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    let mut cx = Context::from_waker(Waker::noop());
    let before = driver.counters();
    assert!(matches!(write(&mut a, b"hello"), Poll::Ready(Ok(5))));
    assert!(matches!(Pin::new(&mut a).poll_flush(&mut cx), Poll::Ready(Ok(()))));
    let mut bytes = [0; 5];
    peer.read_exact(&mut bytes).expect("the kernel has them");
    assert_eq!(&bytes, b"hello");
    // Nor does the end, which flushes.
    assert!(matches!(write(&mut a, b"bye"), Poll::Ready(Ok(3))));
    assert!(matches!(Pin::new(&mut a).poll_shutdown(&mut cx), Poll::Ready(Ok(()))));
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).expect("no reset");
    assert_eq!(rest, b"bye");
    assert_eq!(driver.counters().enters, before.enters);
    assert!(!driver.has_queued());
}

/// The news that a letter was not sent stands behind completions that found no room in the queue.
#[test]
fn what_failed_is_told_though_completions_overflow() {
    let driver = Driver::with_config(&Config::new().ring_entries(4)).expect("a ring");
    let _entered = driver.enter();
    let (mut a, peer) = pair(&driver);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(write(&mut a, b"unread"), Poll::Ready(Ok(6))));
    assert!(matches!(Pin::new(&mut a).poll_flush(&mut cx), Poll::Ready(Ok(()))));
    // There is something that it has not read, so this resets the connection.
    drop(peer);
    // They complete where they are submitted.
    let nops = [(); 200].map(|()| submit_now(ops::Nop::new(), &mut cx).expect("it is queued"));
    driver.flush().expect("it submits");
    assert!(matches!(write(&mut a, b"for nobody"), Poll::Ready(Ok(10))));
    driver.flush().expect("it submits");
    let flushed = driver.block_on(a.flush()).expect("it turns");
    assert!(flushed.is_err(), "the send has failed");
    drop(nops);
    assert_eq!(driver.counters().unknown_completions, 0);
}

#[test]
fn a_flush_needs_no_budget() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(write(&mut a, b"hello"), Poll::Ready(Ok(5))));
    coop::budget(0, || {
        assert!(matches!(Pin::new(&mut a).poll_flush(&mut cx), Poll::Ready(Ok(()))));
        assert!(matches!(Pin::new(&mut a).poll_flush(&mut cx), Poll::Ready(Ok(()))));
        assert!(write(&mut a, b"what is written does").is_pending());
        assert!(matches!(Pin::new(&mut a).poll_shutdown(&mut cx), Poll::Ready(Ok(()))));
    });
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes).expect("no reset");
    assert_eq!(bytes, b"hello");
}

#[test]
fn a_flush_waits_where_the_socket_is_full() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    let mut cx = Context::from_waker(Waker::noop());
    let mut written = 0;
    let deadline = Instant::now() + BOUND;
    while let Poll::Ready(Ok(n)) = write(&mut a, &[7; 4_000]) {
        written += n;
        assert!(Instant::now() < deadline, "no socket takes everything");
        if Pin::new(&mut a).poll_flush(&mut cx).is_pending() {
            break;
        }
    }
    assert!(driver.unsent() > 0, "the rest waits");
    let reader = thread::spawn(move || {
        let mut bytes = vec![0; written];
        peer.read_exact(&mut bytes).map(|()| bytes)
    });
    driver.block_on(a.flush()).expect("it turns").expect("all is sent");
    assert_eq!(driver.unsent(), 0);
    let read = reader.join().expect("no panic").expect("no reset");
    assert!(read.iter().all(|byte| *byte == 7));
}

#[test]
fn what_is_written_in_one_turn_goes_as_one() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let ((mut a, mut peer), (mut b, mut other)) = (pair(&driver), pair(&driver));
    let before = driver.counters();
    for word in [b"one, ", b"two, "] {
        assert!(matches!(write(&mut a, word), Poll::Ready(Ok(5))));
        assert!(matches!(write(&mut b, word), Poll::Ready(Ok(5))));
    }
    assert!(matches!(write(&mut a, &[b'.'; 6_000]), Poll::Ready(Ok(6_000))));
    driver.turn().expect("it turns");
    assert_eq!(driver.counters().submissions - before.submissions, 2);
    let mut bytes = [0; 6_010];
    peer.read_exact(&mut bytes).expect("they were sent");
    assert!(bytes.starts_with(b"one, two, ..") && bytes.ends_with(&[b'.'; 6_000]));
    other.read_exact(&mut bytes[..10]).expect("they were sent");
    assert_eq!(&bytes[..10], b"one, two, ");
}

fn write_pieces(stream: &mut TcpStream, pieces: &[&[u8]]) -> Poll<io::Result<usize>> {
    let pieces: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    Pin::new(stream).poll_write_vectored(&mut Context::from_waker(Waker::noop()), &pieces)
}

#[test]
fn pieces_go_as_one_with_what_was_written_before_and_after() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    let before = driver.counters();
    assert!(matches!(write_pieces(&mut a, &[b"one", b"", b" two"]), Poll::Ready(Ok(7))));
    assert!(matches!(write_pieces(&mut a, &[b"", b""]), Poll::Ready(Ok(0))));
    assert!(matches!(write(&mut a, b" three"), Poll::Ready(Ok(6))));
    assert!(matches!(write_pieces(&mut a, &[b" four", b" five"]), Poll::Ready(Ok(10))));
    driver.turn().expect("it turns");
    assert_eq!(driver.counters().submissions - before.submissions, 1);
    let mut bytes = [0; 23];
    peer.read_exact(&mut bytes).expect("they were sent");
    assert_eq!(&bytes, b"one two three four five");
}

#[test]
fn pieces_are_taken_as_far_as_there_is_room_and_behind_what_the_kernel_has() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    let part = [1; 7_000];
    // The room is 64 KiB: nine times seven thousand, and 2,536.
    for _ in 0..9 {
        assert!(matches!(write_pieces(&mut a, &[&part[..3], &part[3..]]), Poll::Ready(Ok(7_000))));
    }
    assert!(matches!(write_pieces(&mut a, &[&[2; 2_000], &[3; 2_000]]), Poll::Ready(Ok(2_536))));
    assert!(write_pieces(&mut a, &[&[4; 10], &[4; 10]]).is_pending());
    // The kernel has it, and the driver has not looked yet what became of it.
    driver.flush().expect("it submits");
    assert!(matches!(write_pieces(&mut a, &[b"la", b"st"]), Poll::Ready(Ok(4))));
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).map(|_| bytes)
    });
    driver.block_on(a.shutdown()).expect("it turns").expect("all is sent");
    let read = reader.join().expect("no panic").expect("no reset");
    let parts: [&[u8]; 4] = [&[1; 63_000], &[2; 2_000], &[3; 536], b"last"];
    assert!(read == parts.concat());
}

#[test]
fn what_is_written_behind_what_the_kernel_has_comes_after_it() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    assert!(matches!(write(&mut a, b"first, "), Poll::Ready(Ok(7))));
    driver.flush().expect("it submits");
    // It is not known yet whether all of the first has been sent.
    assert!(matches!(write(&mut a, b"second"), Poll::Ready(Ok(6))));
    assert_eq!(driver.unsent(), 13);
    driver.block_on(a.flush()).expect("it turns").expect("it is sent");
    assert_eq!((driver.unsent(), driver.in_flight()), (0, 0));
    let mut bytes = [0; 13];
    peer.read_exact(&mut bytes).expect("they were sent");
    assert_eq!(&bytes, b"first, second");
}

#[test]
fn a_flush_needs_no_completion() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    let before = driver.counters();
    for _ in 0..10 {
        assert!(matches!(write(&mut a, b"hello"), Poll::Ready(Ok(5))));
        driver.block_on(a.flush()).expect("it turns").expect("it is sent");
        peer.set_nonblocking(true).expect("a socket");
        let mut bytes = [0; 5];
        peer.read_exact(&mut bytes).expect("the kernel has them");
        assert_eq!(&bytes, b"hello");
    }
    assert_eq!(driver.counters().completions, before.completions);
}

#[test]
fn one_that_is_dropped_before_the_enter_is_closed_after_its_bytes() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    assert!(matches!(write(&mut a, b"the last "), Poll::Ready(Ok(9))));
    assert!(matches!(write(&mut a, b"word"), Poll::Ready(Ok(4))));
    drop(a);
    while driver.unsent() > 0 {
        driver.turn().expect("it turns");
    }
    let mut bytes = Vec::new();
    peer.set_read_timeout(Some(BOUND)).expect("a socket");
    peer.read_to_end(&mut bytes).expect("it is closed");
    assert_eq!(bytes, b"the last word");
}

#[test]
fn one_that_moves_before_the_enter_takes_its_bytes_along() {
    for submitted in [false, true] {
        let driver = Driver::new().expect("a ring");
        let _entered = driver.enter();
        let (mut a, mut peer) = pair(&driver);
        assert!(matches!(write(&mut a, b"here, "), Poll::Ready(Ok(6))));
        if submitted {
            driver.flush().expect("it submits");
        }
        let there = thread::spawn(move || {
            let driver = Driver::new().expect("a ring");
            driver.block_on(async { a.write_all(b"there").await.and(a.flush().await) })
        });
        let mut bytes = [0; 11];
        peer.set_nonblocking(true).expect("a socket");
        let (mut read, deadline) = (0, Instant::now() + BOUND);
        while read < bytes.len() {
            driver.park(Some(Instant::now() + BOUND / 1_000), || false).expect("it turns");
            match peer.read(&mut bytes[read..]) {
                Ok(n) => read += n,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            assert!(Instant::now() < deadline, "they do not come");
        }
        assert_eq!(&bytes, b"here, there");
        there.join().expect("no panic").expect("it turns").expect("it is sent");
    }
}

#[test]
fn a_failure_is_told() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    peer.write_all(b"unread").expect("the socket has room");
    // What it has not read makes its close a reset.
    assert!(matches!(write(&mut a, b"unread, too"), Poll::Ready(Ok(11))));
    driver.turn().expect("it turns");
    drop(peer);
    let deadline = Instant::now() + BOUND;
    let error = loop {
        match write(&mut a, b"nobody reads this") {
            Poll::Ready(Err(error)) => break error,
            _ => driver.turn().expect("it turns"),
        };
        assert!(Instant::now() < deadline, "the reset is never told");
    };
    assert!(matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe));
    let again = driver.block_on(poll_fn(|cx| Pin::new(&mut a).poll_write(cx, b"again")));
    assert_eq!(again.expect("it turns").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn a_stream_that_is_dropped_meanwhile_is_closed_after_its_bytes() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut a, mut peer) = pair(&driver);
    assert!(matches!(write(&mut a, b"the last word"), Poll::Ready(Ok(13))));
    driver.flush().expect("it submits");
    drop(a);
    driver.turn().expect("it turns");
    let mut bytes = Vec::new();
    peer.set_read_timeout(Some(BOUND)).expect("a socket");
    peer.read_to_end(&mut bytes).expect("it is closed");
    assert_eq!(bytes, b"the last word");
    assert_eq!(driver.in_flight(), 0);
}
