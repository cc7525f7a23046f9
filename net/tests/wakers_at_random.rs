//! Streams in the hands of wakers that do anything: when they are woken, and when they are dropped,
//! they use streams, drop them, have them moved, and turn the driver. Random programs by seed, for
//! AddressSanitizer to watch: nothing is freed that the driver or the kernel has, and all else is.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use henge_driver::pool::RecvBuf;
use henge_driver::{Driver, current};
use henge_net::UnixStream;
use henge_net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const SEEDS: u64 = 8;
const STEPS: u64 = 600;
/// So deep do wakers run within what another one does.
const DEEPEST: u32 = 3;
const STREAMS: usize = 12;

/// A stream, in one of the ways to have one.
enum Thing {
    Stream(UnixStream),
    Reads(OwnedReadHalf),
    Writes(OwnedWriteHalf),
    /// In a future that borrows nothing, and gives it back.
    Lent(Pin<Box<dyn Future<Output = UnixStream> + Send>>),
}

thread_local! {
    static RANDOM: Cell<u64> = const { Cell::new(1) };
    /// 0 where wakers do nothing: no program runs.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static THINGS: RefCell<Vec<Thing>> = const { RefCell::new(Vec::new()) };
    static RECEIVED: RefCell<Vec<RecvBuf>> = const { RefCell::new(Vec::new()) };
}

/// A number below `n`.
fn random(n: usize) -> usize {
    let mut x = RANDOM.get();
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    RANDOM.set(x);
    (x >> 11) as usize % n
}

/// When a waker does anything: a bit each for being woken and dropped.
struct Anything(usize);

impl Anything {
    fn waker() -> Waker {
        Arc::new(Anything(random(4))).into()
    }

    fn act(&self, when: usize) {
        if self.0 & when == 0 || !(1..=DEEPEST).contains(&DEPTH.get()) {
            return;
        }
        (0..random(3)).for_each(|_| step());
    }
}

impl Wake for Anything {
    fn wake(self: Arc<Self>) {
        self.act(1);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.act(1);
    }
}

impl Drop for Anything {
    fn drop(&mut self) {
        self.act(2);
    }
}

fn put(thing: Thing) {
    THINGS.with_borrow_mut(|things| things.push(thing));
}

fn take() -> Option<Thing> {
    THINGS.with_borrow_mut(|things| {
        let at = (!things.is_empty()).then(|| random(things.len()));
        at.map(|at| things.swap_remove(at))
    })
}

fn read(from: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) {
    let mut memory = vec![0; [1, 64, 5_000, 100_000][random(4)]];
    let _polled = Pin::new(from).poll_read(cx, &mut ReadBuf::new(&mut memory)).is_ready();
}

fn write(to: &mut (impl AsyncWrite + Unpin), cx: &mut Context<'_>) {
    let to = Pin::new(to);
    let bytes = vec![0; [1, 64, 5_000, 20_000, 300_000][random(5)]];
    let _done = match random(12) {
        0..4 => to.poll_flush(cx).is_ready(),
        4 => to.poll_shutdown(cx).is_ready(),
        _ => to.poll_write(cx, &bytes).is_ready(),
    };
}

/// Polls a thing, which is there afterwards if it has not ended.
fn use_it(thing: Thing, waker: &Waker) -> Option<Thing> {
    let cx = &mut Context::from_waker(waker);
    Some(match thing {
        Thing::Stream(mut stream) => {
            if random(2) == 0 {
                read(&mut stream, cx)
            } else {
                write(&mut stream, cx)
            }
            Thing::Stream(stream)
        }
        Thing::Reads(mut half) => {
            read(&mut half, cx);
            Thing::Reads(half)
        }
        Thing::Writes(mut half) => {
            write(&mut half, cx);
            Thing::Writes(half)
        }
        Thing::Lent(mut future) => match future.as_mut().poll(cx) {
            Poll::Ready(stream) => Thing::Stream(stream),
            Poll::Pending => Thing::Lent(future),
        },
    })
}

/// Another thread with a driver of its own has it for a while, and drops it or gives it back.
fn use_elsewhere(thing: Thing) -> Option<Thing> {
    let seed = RANDOM.get();
    let user = thread::spawn(move || {
        RANDOM.set(seed ^ 0x5555);
        let driver = Driver::new().expect("a ring");
        let _entered = driver.enter();
        let mut thing = Some(thing);
        for _ in 0..10 {
            thing = thing.and_then(|thing| use_it(thing, Waker::noop()));
            driver.turn().expect("it turns");
        }
        thing.filter(|_| random(2) == 0)
    });
    while !user.is_finished() {
        turn();
        thread::yield_now();
    }
    user.join().expect("no waker of these panics")
}

/// Not inside of an operation's `complete`, where wakers are woken, too.
fn may_turn() -> bool {
    current::with(Driver::is_turnable).expect("entered")
}

fn turn() {
    if may_turn() {
        current::with(|driver| driver.turn().map(drop)).expect("entered").expect("it turns");
    }
}

/// Something else than to poll.
fn change(thing: Thing) {
    match (thing, random(4)) {
        (Thing::Stream(stream), 0) if may_turn() => {
            if let Ok(stream) = stream.into_std() {
                put(Thing::Stream(UnixStream::from_std(stream).expect("it was one")));
            }
        }
        (Thing::Stream(stream), 1) => {
            let (reads, writes) = stream.into_split();
            put(Thing::Reads(reads));
            put(Thing::Writes(writes));
        }
        (Thing::Stream(mut stream), 2) => {
            stream.let_go();
            put(Thing::Stream(stream));
        }
        (Thing::Stream(mut stream), _) => {
            let what = random(5);
            put(Thing::Lent(Box::pin(async move {
                match what {
                    0 => drop(stream.read_owned(Vec::with_capacity(10_000)).await),
                    1 => drop(stream.write_owned(vec![0; 100_000]).await),
                    2 => drop(stream.write_all_owned(vec![0; 1_000_000]).await),
                    3 => drop(stream.readable().await),
                    _ => {
                        if let Ok(bytes) = stream.recv().await {
                            RECEIVED.with_borrow_mut(|all| all.push(bytes));
                        }
                    }
                }
                stream
            })));
        }
        (thing, 0) => drop(thing),
        (thing, _) => put(thing),
    }
}

fn one_of_all() {
    match random(16) {
        0 | 1 if THINGS.with_borrow(Vec::len) < STREAMS => {
            let (a, b) = UnixStream::pair().expect("a pair");
            put(Thing::Stream(a));
            put(Thing::Stream(b));
        }
        2..5 => turn(),
        5 => current::with(Driver::flush).expect("entered").expect("it submits"),
        6 if may_turn() => {
            let soon = Instant::now() + Duration::from_micros(50);
            let parked = current::with(|driver| driver.park(Some(soon), || false).map(drop));
            parked.expect("entered").expect("it turns");
        }
        7 => drop(take()),
        8 => drop(RECEIVED.take()),
        9 | 10 => take().into_iter().for_each(change),
        11 => {
            let waker = Anything::waker();
            let moved = |thing| current::moving(|| use_it(thing, &waker));
            take().and_then(moved).into_iter().for_each(put);
        }
        12 if random(4) == 0 && may_turn() => {
            take().and_then(use_elsewhere).into_iter().for_each(put)
        }
        _ => {
            let waker = Anything::waker();
            take().and_then(|thing| use_it(thing, &waker)).into_iter().for_each(put);
        }
    }
}

fn step() {
    let depth = DEPTH.replace(DEPTH.get() + 1);
    one_of_all();
    DEPTH.set(depth);
}

fn program(seed: u64) {
    RANDOM.set(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let driver = Driver::new().expect("a ring");
    let entered = driver.enter();
    (0..STEPS).for_each(|_| step());
    DEPTH.set(1);
    let little = Duration::from_millis(3);
    driver.shutdown(little, little);
    drop(entered);
    drop(driver);
    DEPTH.set(0);
    drop((RECEIVED.take(), THINGS.take()));
}

#[test]
fn nothing_is_freed_that_is_in_use() {
    for seed in 1..=SEEDS {
        let run = thread::spawn(move || program(seed));
        assert!(run.join().is_ok(), "seed {seed}");
    }
}
