//! The driver alone, under an event loop that somebody else owns.
//!
//! `cargo run -p henge-examples --example 06_epoll`
//!
//! A database, a game or a desktop program has a loop already and wants io_uring in it, and no
//! runtime. To such a loop `henge-driver` is one more descriptor, and three calls are all that
//! there is to it:
//!
//! - `as_fd`: readable when a turn would find something to do;
//! - `turn`: does it, with at most one system call, and never waits;
//! - `next_deadline`: when to turn at the latest, though the descriptor says nothing.
//!
//! `henge-net` and `henge-fs` know the driver and nothing above it, so their sockets and files work
//! here as they do in henge. Timers of the ring are operations.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use henge_driver::{Driver, Remote, ops, submit};
use henge_net::TcpListener;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

fn main() -> io::Result<()> {
    let driver = Driver::new()?;
    let packets = UdpSocket::bind("127.0.0.1:0")?;
    packets.set_nonblocking(true)?;
    let to = packets.local_addr()?;
    let (echoed, seen) = host(&driver, &packets, TICK, guest(|server| spawn_client(server, to)))?;
    println!("the guest echoed {} bytes; meanwhile the host saw {seen:?}", echoed?);
    Ok(())
}

/// What runs on the ring: an echo server for one connection, and then a rest.
async fn guest(client: impl FnOnce(SocketAddr)) -> io::Result<usize> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    client(listener.local_addr()?);
    let (mut stream, _peer) = listener.accept().await?;
    let mut echoed = 0;
    loop {
        let bytes = stream.recv().await?;
        if bytes.is_empty() {
            break;
        }
        echoed += bytes.len();
        let (written, _buffer) = stream.write_all_owned(bytes.to_vec()).await;
        written?;
    }
    submit(ops::Timeout::new(Duration::from_millis(30))).await?;
    Ok(echoed)
}

/// What the host's own business came to.
#[derive(Debug, Default)]
struct Seen {
    ticks: u32,
    packets: u32,
}

/// How often the host does something by the clock.
const TICK: Duration = Duration::from_millis(10);
/// The names that epoll tells the host's descriptors apart by.
const RING: u64 = 0;
const PACKETS: u64 = 1;

/// A loop that has a socket and a clock of its own, and a future on the side.
fn host<F: Future>(
    driver: &Driver,
    packets: &UdpSocket,
    tick: Duration,
    guest: F,
) -> io::Result<(F::Output, Seen)> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, driver, EventData::new_u64(RING), EventFlags::IN)?;
    epoll::add(&epoll, packets, EventData::new_u64(PACKETS), EventFlags::IN)?;

    // What the guest calls finds this thread's ring while this guard lives.
    let _entered = driver.enter();
    let woken = Arc::new(Woken { flag: AtomicBool::new(true), remote: driver.remote().clone() });
    let waker = Waker::from(Arc::clone(&woken));
    let mut guest = pin!(guest);

    let mut seen = Seen::default();
    let mut next_tick = Instant::now() + tick;
    let mut events = Vec::with_capacity(8);
    loop {
        // Acquire: see what the waker's caller did before.
        if woken.flag.swap(false, Ordering::Acquire)
            && let Poll::Ready(output) = guest.as_mut().poll(&mut Context::from_waker(&waker))
        {
            return Ok((output, seen));
        }
        // Submits what the guest has just asked for, takes what is complete, wakes.
        driver.turn()?;

        let now = Instant::now();
        if now >= next_tick {
            seen.ticks += 1;
            next_tick = now + tick;
        }
        let latest = match driver.next_deadline() {
            _ if woken.flag.load(Ordering::Relaxed) => now,
            Some(deadline) => deadline.min(next_tick),
            None => next_tick,
        };
        wait(&epoll, latest.saturating_duration_since(now), &mut events)?;
        for event in events.drain(..) {
            // Nothing is to be done for `RING`: there is a turn in every round.
            if event.data.u64() == PACKETS {
                while packets.recv(&mut [0; 16]).is_ok() {
                    seen.packets += 1;
                }
            }
        }
    }
}

/// Sleeps until a descriptor is ready, no longer than `span`.
fn wait(
    epoll: impl rustix::fd::AsFd,
    span: Duration,
    events: &mut Vec<epoll::Event>,
) -> io::Result<()> {
    let span = Timespec { tv_sec: span.as_secs() as i64, tv_nsec: span.subsec_nanos().into() };
    match epoll::wait(epoll, spare_capacity(events), Some(&span)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Has the guest polled again, from whatever thread.
struct Woken {
    flag: AtomicBool,
    remote: Remote,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        // Release: what was done before is seen by the poll that this causes.
        if !self.flag.swap(true, Ordering::Release) {
            // Makes the driver's descriptor readable if the loop sleeps.
            self.remote.wake();
        }
    }
}

/// Talks to both: to the guest by TCP, to the host by UDP.
fn spawn_client(server: SocketAddr, host: SocketAddr) {
    thread::spawn(move || -> io::Result<()> {
        let mut stream = std::net::TcpStream::connect(server)?;
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        for _ in 0..5 {
            stream.write_all(b"hello, ring")?;
            stream.read_exact(&mut [0; 11])?;
            socket.send_to(b"hello, host", host)?;
        }
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_and_the_loop_get_their_turns() {
        let driver = Driver::new().unwrap();
        let packets = UdpSocket::bind("127.0.0.1:0").unwrap();
        packets.set_nonblocking(true).unwrap();
        let to = packets.local_addr().unwrap();
        let guest = guest(|server| spawn_client(server, to));
        let (echoed, seen) = host(&driver, &packets, TICK, guest).unwrap();
        assert_eq!(echoed.unwrap(), 55);
        assert_eq!(seen.packets, 5);
        assert!(seen.ticks > 0, "the guest rested for three of them");
        assert!(driver.counters().enters < 1_000, "it slept in between");
    }

    #[test]
    fn a_wake_from_another_thread_ends_the_sleep_of_the_loop() {
        let driver = Driver::new().unwrap();
        let packets = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut started = false;
        let guest = std::future::poll_fn(move |cx| {
            if started {
                return Poll::Ready(());
            }
            started = true;
            let waker = cx.waker().clone();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                waker.wake();
            });
            Poll::Pending
        });
        let (_output, seen) = host(&driver, &packets, Duration::from_secs(60), guest).unwrap();
        assert_eq!(seen.ticks, 0, "it was the wake and not the clock");
    }
}
