//! Operations that are written outside of the driver, with its public names alone, work like its
//! own: they are cancelled when their future is dropped, their memory stays until the last
//! completion, results that nobody waits for are disposed of, a multishot comes again and again.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{FromRawFd, OwnedFd};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use henge_driver::{Cqe, Driver, Fd, Leaked, Next, Operation, Sqe, submit, submit_now};

const OP_ACCEPT: u8 = 13;
const OP_READ: u8 = 22;
const OP_FADVISE: u8 = 24;
const ACCEPT_MULTISHOT: u16 = 1;
const SOCK_CLOEXEC: u32 = 0o2_000_000;
const EINVAL: i32 = 22;
const EOPNOTSUPP: i32 = 95;
const ECANCELED: i32 = 125;

const BOUND: Duration = Duration::from_secs(60);

/// Turns until `done`, or fails.
fn turn_until(driver: &Driver, what: &str, done: impl Fn() -> bool) {
    let _entered = driver.enter();
    let end = Instant::now() + BOUND;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        driver.park(Some(Instant::now() + Duration::from_millis(20)), || false).unwrap();
    }
}

fn end(driver: Driver) {
    assert_eq!(driver.counters().unknown_completions, 0);
    assert_eq!(driver.shutdown(Duration::ZERO, BOUND), Leaked::default());
}

struct Advise {
    file: Arc<Fd>,
    advice: u32,
}

// SAFETY: the entry points to no memory; the descriptor is kept open by the `Arc`.
unsafe impl Operation for Advise {
    type Output = io::Result<u32>;

    fn prepare(&mut self) -> Sqe {
        // SAFETY: it concerns this file alone.
        unsafe { Sqe::raw(OP_FADVISE, Some(&self.file)) }
            .with_offset(0)
            .with_len(0)
            .with_op_flags(self.advice)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<u32>> {
        Next::Done(cqe.into_result())
    }
}

#[test]
fn an_entry_without_a_constructor_arrives_as_it_was_made() {
    let driver = Driver::new().unwrap();
    let file = std::fs::File::open("/proc/self/exe").unwrap();
    let file = Arc::new(Fd::from(OwnedFd::from(file)));
    let ask = |advice| driver.block_on(submit(Advise { file: file.clone(), advice })).unwrap();
    assert_eq!(ask(2).unwrap(), 0, "sequential");
    assert_eq!(ask(99).unwrap_err().raw_os_error(), Some(EINVAL), "no such advice");
    end(driver);
}

/// Reads into memory of its own.
struct ReadOwn {
    pipe: Arc<Fd>,
    bytes: Box<[u8; 16]>,
    fates: Arc<Fates>,
}

/// What became of some operations.
#[derive(Default)]
struct Fates {
    completed: AtomicUsize,
    orphaned: AtomicUsize,
    dropped: AtomicUsize,
}

impl Fates {
    fn all(&self) -> [usize; 3] {
        [&self.completed, &self.orphaned, &self.dropped].map(|fate| fate.load(Ordering::Relaxed))
    }
}

// SAFETY: the box does not move with the operation, nobody touches it until the completion, and the
// kernel gets its whole length. The descriptor is kept open by the `Arc`.
unsafe impl Operation for ReadOwn {
    type Output = (i32, Arc<Fates>);

    fn prepare(&mut self) -> Sqe {
        let to = self.bytes.as_mut_ptr();
        // SAFETY: it concerns this pipe alone.
        unsafe { Sqe::raw(OP_READ, Some(&self.pipe)) }
            .with_address(to as u64)
            .with_len(16)
            .with_offset(u64::MAX)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
        self.fates.completed.fetch_add(1, Ordering::Relaxed);
        Next::Done((cqe.result(), self.fates.clone()))
    }

    fn orphaned((_, fates): Self::Output) {
        fates.orphaned.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for ReadOwn {
    fn drop(&mut self) {
        self.fates.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn dropped_in_flight_it_is_cancelled_and_its_memory_stays_until_then() {
    for bytes_come in [false, true] {
        let driver = Driver::new().unwrap();
        let (reader, mut writer) = io::pipe().unwrap();
        let fates = Arc::<Fates>::default();
        let pipe = Arc::new(Fd::from(OwnedFd::from(reader)));
        let read = ReadOwn { pipe: pipe.clone(), bytes: Box::default(), fates: fates.clone() };
        {
            let _entered = driver.enter();
            let read = submit_now(read, &mut Context::from_waker(Waker::noop())).unwrap();
            driver.turn().unwrap();
            if bytes_come {
                writer.write_all(b"late").unwrap();
            }
            drop(read);
        }
        assert_eq!(fates.all(), [0, 0, 0], "it and its memory are the driver's");
        assert_eq!((driver.in_flight(), Arc::strong_count(&pipe)), (1, 2));
        turn_until(&driver, "it was not cancelled", || driver.in_flight() == 0);
        assert_eq!(fates.all(), [1, 1, 1]);
        assert_eq!(Arc::strong_count(&pipe), 1, "it holds its descriptor no more");
        end(driver);
    }
}

#[test]
fn what_has_ended_is_found_on_another_thread() {
    let driver = Driver::new().unwrap();
    let (reader, mut writer) = io::pipe().unwrap();
    let fates = Arc::<Fates>::default();
    let pipe = Arc::new(Fd::from(OwnedFd::from(reader)));
    let read = ReadOwn { pipe, bytes: Box::default(), fates: fates.clone() };
    let mut read = {
        let _entered = driver.enter();
        submit_now(read, &mut Context::from_waker(Waker::noop())).unwrap()
    };
    writer.write_all(b"hello").unwrap();
    turn_until(&driver, "nothing came", || driver.in_flight() == 0);
    let there = std::thread::spawn(move || {
        match Pin::new(&mut read).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready((result, _)) => result,
            Poll::Pending => panic!("it has ended"),
        }
    });
    assert_eq!(there.join().unwrap(), 5);
    assert_eq!(fates.all(), [1, 0, 1]);
    end(driver);
}

/// Connections, again and again, into a queue that others see.
struct Accept {
    listener: Arc<Fd>,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    connections: Mutex<VecDeque<OwnedFd>>,
    ended: AtomicUsize,
}

fn accept(listener: &Fd) -> Sqe {
    // SAFETY: it concerns this listener alone; the descriptors that it makes are nobody's yet.
    unsafe { Sqe::raw(OP_ACCEPT, Some(listener)) }
        .with_ioprio(ACCEPT_MULTISHOT)
        .with_op_flags(SOCK_CLOEXEC)
}

fn descriptor(cqe: Cqe) -> io::Result<OwnedFd> {
    let number = cqe.into_result()?.cast_signed();
    // SAFETY: the kernel made it for this completion, so it is open and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

// SAFETY: the entry points to no memory; the descriptor is kept open by the `Arc`.
unsafe impl Operation for Accept {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        accept(&self.listener)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        if let Ok(connection) = descriptor(cqe) {
            self.queue.connections.lock().unwrap().push_back(connection);
        }
        if cqe.has_more() {
            return Next::Held;
        }
        self.queue.ended.fetch_add(1, Ordering::Relaxed);
        Next::Done(())
    }
}

#[test]
fn a_multishot_comes_again_until_it_is_cancelled() {
    let driver = Driver::new().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let queue = Arc::<Queue>::default();
    let listener = Arc::new(Fd::from(OwnedFd::from(listener)));
    let ticket = driver.submit_detached(Accept { listener, queue: queue.clone() });
    let arrived = || queue.connections.lock().unwrap().len();
    for count in 1..=20 {
        let _client = TcpStream::connect(address).unwrap();
        turn_until(&driver, "a connection did not arrive", || arrived() == count);
        assert!(driver.is_in_flight(ticket));
    }
    assert_eq!(driver.counters().submissions, 1);
    driver.cancel(ticket);
    turn_until(&driver, "it was not cancelled", || !driver.is_in_flight(ticket));
    assert_eq!((queue.ended.load(Ordering::Relaxed), arrived()), (1, 20));
    end(driver);
}

/// The same for a future, which has the first and leaves the others.
struct AcceptFirst(Arc<Fd>);

// SAFETY: as `Accept`.
unsafe impl Operation for AcceptFirst {
    type Output = io::Result<OwnedFd>;

    fn prepare(&mut self) -> Sqe {
        accept(&self.0)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
        // Of the first it is the result; the driver cancels the rest, and whatever comes before it
        // has is orphaned, which closes it.
        Next::Done(descriptor(cqe))
    }
}

#[test]
fn a_future_has_the_first_of_a_multishot_and_the_others_are_closed() {
    let driver = Driver::new().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let mut clients: Vec<_> = (0..4).map(|_| TcpStream::connect(address).unwrap()).collect();
    let listener = Arc::new(Fd::from(OwnedFd::from(listener)));
    let first = driver.block_on(submit(AcceptFirst(listener.clone()))).unwrap().unwrap();
    turn_until(&driver, "it goes on", || driver.in_flight() == 0);
    drop((first, listener));
    for client in &mut clients {
        client.set_read_timeout(Some(BOUND)).unwrap();
        // Either end of stream or a reset, of those that the listener still had.
        match client.read(&mut [0]) {
            Ok(count) => assert_eq!(count, 0),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }
    end(driver);
}

/// Asks a socket for an option by a command, which Linux has since 6.7: the answer is memory of
/// the operation's own.
struct Option32 {
    socket: Arc<Fd>,
    level: u32,
    name: u32,
    value: u32,
}

// SAFETY: the entry points to `value`, whose length it says; the operation does not move after
// `prepare`, and nobody looks there until it has ended. The descriptor is kept open by the `Arc`.
unsafe impl Operation for Option32 {
    type Output = io::Result<u32>;

    fn prepare(&mut self) -> Sqe {
        const GETSOCKOPT: u32 = 2;
        let name = [self.level.to_ne_bytes(), self.name.to_ne_bytes()];
        let mut field = [0; 8];
        field.copy_from_slice(name.as_flattened());
        // SAFETY: it concerns this socket alone.
        unsafe { Sqe::command(&self.socket, GETSOCKOPT) }
            .with_address(u64::from_ne_bytes(field))
            .with_file_index(4)
            .with_address3((&raw mut self.value) as u64)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<io::Result<u32>> {
        Next::Done(cqe.into_result().map(|len| {
            assert_eq!(len, 4);
            self.value
        }))
    }
}

#[test]
fn a_command_to_a_socket() {
    const SOL_SOCKET: u32 = 1;
    const SO_ERROR: u32 = 4;
    const SO_TYPE: u32 = 3;
    let driver = Driver::new().unwrap();
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let socket = Arc::new(Fd::from(OwnedFd::from(socket)));
    let ask = |name| {
        let option = Option32 { socket: socket.clone(), level: SOL_SOCKET, name, value: u32::MAX };
        driver.block_on(submit(option)).unwrap()
    };
    match ask(SO_TYPE) {
        Ok(kind) => assert_eq!((kind, ask(SO_ERROR).unwrap()), (1, 0)),
        // A kernel before 6.7 has no command for sockets.
        Err(error) => {
            let release = driver.capabilities().unwrap().to_string();
            let old = ["Linux 6.1.", "Linux 6.2.", "Linux 6.3.", "Linux 6.4.", "Linux 6.5."];
            let old = old.iter().chain(&["Linux 6.6."]).any(|old| release.starts_with(old));
            assert!(old && error.raw_os_error() == Some(EOPNOTSUPP), "{error} on {release}");
        }
    }
    end(driver);
}

#[test]
fn an_end_of_the_driver_ends_it_and_frees_its_memory() {
    let driver = Driver::new().unwrap();
    let (reader, writer) = io::pipe().unwrap();
    let fates = Arc::<Fates>::default();
    let pipe = Arc::new(Fd::from(OwnedFd::from(reader)));
    let read = ReadOwn { pipe, bytes: Box::default(), fates: fates.clone() };
    let mut read = {
        let _entered = driver.enter();
        submit_now(read, &mut Context::from_waker(Waker::noop())).unwrap()
    };
    end(driver);
    match Pin::new(&mut read).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready((result, _)) => assert_eq!(result, -ECANCELED),
        Poll::Pending => panic!("it has ended"),
    }
    assert_eq!(fates.all(), [1, 0, 1]);
    drop(writer);
}
