//! Wakers that do more than they should: use streams, drop them, turn the driver, panic. Nothing
//! that the driver or the kernel has may be freed by that.

mod common;

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::time::Instant;

use common::pair;
use henge_driver::{Driver, Link, Posted, current, ops, submit_now};
use henge_net::{TcpListener, TcpStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Calls a function when it is woken, and another one when it is dropped.
struct Calls {
    woken: fn(),
    dropped: fn(),
}

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        (self.woken)();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        (self.woken)();
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        (self.dropped)();
    }
}

fn nothing() {}

fn waker(woken: fn(), dropped: fn()) -> Waker {
    Arc::new(Calls { woken, dropped }).into()
}

fn read(stream: &mut TcpStream, by: &Waker) -> Poll<io::Result<Vec<u8>>> {
    let mut memory = [0; 64];
    let mut buf = ReadBuf::new(&mut memory);
    let polled = Pin::new(stream).poll_read(&mut Context::from_waker(by), &mut buf);
    polled.map_ok(|()| buf.filled().to_vec())
}

fn write(stream: &mut TcpStream, bytes: &[u8]) {
    let polled = Pin::new(stream).poll_write(&mut Context::from_waker(Waker::noop()), bytes);
    assert!(matches!(polled, Poll::Ready(Ok(n)) if n == bytes.len()));
}

thread_local! {
    static STREAMS: RefCell<Vec<TcpStream>> = const { RefCell::new(Vec::new()) };
}

/// Turns until what was cancelled has ended, and begins to receive on another stream.
fn turn_and_receive() {
    let streams = STREAMS.take();
    if streams.is_empty() {
        return;
    }
    current::with(|driver| {
        while driver.in_flight() > 0 {
            driver.turn().expect("it turns");
        }
    })
    .expect("entered");
    for mut stream in streams {
        assert!(read(&mut stream, Waker::noop()).is_pending());
        STREAMS.with_borrow_mut(|streams| streams.push(stream));
    }
}

#[test]
fn a_waker_whose_drop_turns_the_driver() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut first, mut peer) = pair(&driver);
    let (second, mut other_peer) = pair(&driver);
    {
        let waker = waker(nothing, turn_and_receive);
        assert!(read(&mut first, &waker).is_pending());
    }
    driver.turn().expect("it turns");
    peer.write_all(b"a").expect("connected");
    // Not by a sleep, before which streams let go of wakers that nobody waits by.
    while driver.turn().expect("it turns").completions == 0 {}
    STREAMS.with_borrow_mut(|streams| streams.push(second));
    drop(first);
    // It has been at home all the time, and so is safe.
    let mut second = STREAMS.take().pop().expect("it was put back");
    other_peer.write_all(b"b").expect("connected");
    let read = driver.block_on(std::future::poll_fn(|cx| read(&mut second, cx.waker())));
    assert_eq!(read.expect("it turns").expect("connected"), b"b");
    drop(second);
    while driver.in_flight() > 0 {
        driver.turn().expect("it turns");
    }
}

thread_local! {
    static PEER: RefCell<Option<std::net::TcpStream>> = const { RefCell::new(None) };
}

/// Has something sent that cannot be, and drops the stream before that is known.
fn write_and_drop() {
    let Some(mut stream) = STREAMS.with_borrow_mut(Vec::pop) else { return };
    // There is something that it has not read, so this resets the connection.
    drop(PEER.take());
    write(&mut stream, b"for nobody");
    current::with(Driver::flush).expect("entered").expect("it submits");
    drop(stream);
}

#[test]
fn a_waker_that_writes_to_a_stream_that_is_told_of_its_last_letter_only_then() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut first, peer) = pair(&driver);
    let (mut second, _second_peer) = pair(&driver);
    let waker = waker(write_and_drop, nothing);
    for (stream, by) in [(&mut first, Waker::noop()), (&mut second, &waker)] {
        write(stream, b"a");
        current::with(Driver::flush).expect("entered").expect("it submits");
        let flushed = Pin::new(stream).poll_flush(&mut Context::from_waker(by));
        assert!(flushed.is_pending());
    }
    PEER.set(Some(peer));
    STREAMS.with_borrow_mut(|streams| streams.push(first));
    driver.turn().expect("it turns");
    assert!(STREAMS.with_borrow(Vec::is_empty), "woken");
    while driver.has_queued() || driver.in_flight() > 0 {
        driver.turn().expect("it turns");
    }
    assert_eq!(driver.counters().unknown_completions, 0);
}

/// What a thread posts that does not know what it does.
#[derive(Default)]
struct Mine {
    link: Link,
}

impl Posted for Mine {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, _: &Driver) {
        panic!("something posted that panics");
    }
}

/// Has something sent that cannot be, by a turn that ends in a panic before that is known.
fn write_and_panic() {
    STREAMS.with_borrow_mut(|streams| write(&mut streams[0], b"for nobody"));
    let parked = current::with(|driver| {
        driver.remote().post(Arc::new(Mine::default())).expect("it has not ended");
        catch_unwind(AssertUnwindSafe(|| driver.park(Some(Instant::now()), || false)))
    });
    assert!(parked.expect("entered").is_err());
}

#[test]
fn a_waker_in_which_a_turn_panics_before_it_has_reaped() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let (mut stream, peer) = pair(&driver);
    write(&mut stream, b"a");
    driver.turn().expect("it turns");
    // There is something that it has not read, so this resets the connection.
    drop(peer);
    STREAMS.with_borrow_mut(|streams| streams.push(stream));
    let waker = waker(write_and_panic, nothing);
    let op = submit_now(ops::Nop::new(), &mut Context::from_waker(&waker)).expect("entered");
    driver.turn().expect("it turns");
    while driver.has_queued() || driver.in_flight() > 0 {
        driver.turn().expect("it turns");
    }
    assert_eq!(driver.counters().unknown_completions, 0);
    let mut stream = STREAMS.take().pop().expect("it is there");
    let mut cx = Context::from_waker(Waker::noop());
    let told = Pin::new(&mut stream).poll_write(&mut cx, b"more");
    assert!(matches!(told, Poll::Ready(Err(_))), "it was told: {told:?}");
    drop(op);
}

fn panics() {
    panic!("a waker that panics");
}

#[test]
fn a_waker_that_panics_as_the_driver_ends() {
    let driver = Driver::new().expect("a ring");
    let entered = driver.enter();
    let (mut stream, mut peer) = pair(&driver);
    peer.write_all(b"received").expect("connected");
    let received = driver.block_on(stream.recv()).expect("it turns").expect("connected");
    assert!(read(&mut stream, &waker(panics, nothing)).is_pending());
    driver.turn().expect("it turns");
    drop(entered);
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(driver)));
    assert!(dropped.is_err(), "it has panicked");
    assert_eq!(*received, *b"received");
    drop((received, stream));
}

thread_local! {
    static LISTENER: RefCell<Option<Rc<TcpListener>>> = const { RefCell::new(None) };
    static WOKEN: Cell<bool> = const { Cell::new(false) };
}

/// A waker that asks the listener each time it is cloned.
fn asks_when_cloned() -> Waker {
    const TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, |_| ());
    fn clone(data: *const ()) -> RawWaker {
        LISTENER.with_borrow(|listener| {
            let cx = &mut Context::from_waker(Waker::noop());
            assert!(listener.as_ref().is_none_or(|listener| listener.poll_accept(cx).is_pending()));
        });
        RawWaker::new(data, &TABLE)
    }
    fn wake(_: *const ()) {
        WOKEN.set(true);
    }
    // SAFETY: there is no data, and what the functions use belongs to the thread that calls them.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &TABLE)) }
}

#[test]
fn a_waker_that_asks_the_listener_when_it_is_cloned() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let bound = driver.block_on(TcpListener::bind("127.0.0.1:0")).expect("it turns");
    let listener = Rc::new(bound.expect("a free port"));
    LISTENER.set(Some(Rc::clone(&listener)));
    let address = listener.local_addr().expect("bound");
    let waker = asks_when_cloned();
    let mut cx = Context::from_waker(&waker);
    assert!(listener.poll_accept(&mut cx).is_pending());
    let _peer = std::net::TcpStream::connect(address).expect("it listens");
    while !WOKEN.get() {
        driver.turn().expect("it turns");
    }
    drop(LISTENER.take());
    assert!(listener.poll_accept(&mut cx).is_ready());
    drop(listener);
    while driver.in_flight() > 0 {
        driver.turn().expect("it turns");
    }
}

/// Two accept in a task that may move, one of which has a waker that panics.
#[test]
fn a_waker_that_panics_keeps_nobody_else_at_a_listener_waiting() {
    thread_local! {
        static WOKEN: Cell<u32> = const { Cell::new(0) };
    }
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let bound = driver.block_on(TcpListener::bind("127.0.0.1:0")).expect("it turns");
    let listener = bound.expect("a free port");
    let mut accepts = [(); 3].map(|()| Box::pin(listener.accept()));
    let wakers = [
        waker(|| panic!("a waker that panics"), nothing),
        waker(|| WOKEN.set(WOKEN.get() + 1), nothing),
        waker(|| WOKEN.set(WOKEN.get() + 1), nothing),
    ];
    for (accept, waker) in accepts.iter_mut().zip(&wakers) {
        let mut cx = Context::from_waker(waker);
        assert!(current::moving(|| accept.as_mut().poll(&mut cx)).is_pending());
    }
    let address = listener.local_addr().expect("it is bound");
    let _peer = std::net::TcpStream::connect(address).expect("it listens");
    while driver.turn().expect("it turns").completions == 0 {}
    assert_eq!(WOKEN.get(), 2);
}
