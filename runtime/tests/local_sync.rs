//! The flavours for one shard do what the ones for all do: the same operations by seed on both,
//! future by future and poll by poll, and the same observations, wakes included.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

const SEEDS: u64 = 300;
const STEPS: usize = 200;

struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A future that is polled by hand, and says what came out.
struct Started<'a> {
    future: Pin<Box<dyn Future<Output = String> + 'a>>,
    wakes: Arc<Wakes>,
}

/// Futures by name, and what has been seen of them.
#[derive(Default)]
struct Stage<'a> {
    started: Vec<(usize, Started<'a>)>,
    names: usize,
    seen: Vec<String>,
}

impl<'a> Stage<'a> {
    fn say(&mut self, what: impl std::fmt::Debug) {
        self.seen.push(format!("{what:?}"));
    }

    fn start(&mut self, future: impl Future<Output = String> + 'a) {
        let started = Started { future: Box::pin(future), wakes: Arc::default() };
        self.names += 1;
        self.started.push((self.names, started));
        self.poll(self.started.len() - 1);
    }

    fn poll(&mut self, index: usize) {
        let (name, started) = &mut self.started[index];
        let waker = Waker::from(started.wakes.clone());
        match started.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => {
                self.seen.push(format!("{name} is ready: {output}"));
                self.started.remove(index);
            }
            Poll::Pending => self.seen.push(format!("{name} is pending")),
        }
    }

    /// Polls one, or drops one, if there is any.
    fn poll_or_drop(&mut self, random: &mut Random) {
        if self.started.is_empty() {
            return;
        }
        let index = random.below(self.started.len());
        if random.below(3) == 0 {
            let (name, _) = self.started.remove(index);
            self.say(("dropped", name));
        } else {
            self.poll(index);
        }
    }

    fn look_at_wakes(&mut self) {
        let wakes: Vec<_> = self
            .started
            .iter()
            .map(|(name, started)| (*name, started.wakes.0.load(Ordering::Relaxed)))
            .collect();
        self.say(wakes);
    }
}

/// The same programs for both flavours.
macro_rules! programs {
    ($flavour:ident, $sync:path, $rc:path) => {
        mod $flavour {
            use $rc as Shared;
            use $sync as sync;

            use super::{Random, STEPS, Stage};

            pub(crate) fn mpsc(seed: u64) -> Vec<String> {
                let mut random = Random::new(seed);
                let (tx, rx) = sync::mpsc::channel::<usize>(1 + random.below(3));
                let (mut senders, rx) = (vec![tx], std::cell::RefCell::new(rx));
                let weak = senders[0].downgrade();
                let mut permits = Vec::new();
                let mut stage = Stage::default();
                for n in 0..STEPS {
                    match random.below(20) {
                        0..=2 if !senders.is_empty() => {
                            let tx = senders[random.below(senders.len())].clone();
                            stage.start(async move { format!("{:?}", tx.send(n).await) });
                        }
                        3..=5 if stage.started.len() < 8 => {
                            let rx = &rx;
                            stage.start(std::future::poll_fn(move |cx| {
                                rx.borrow_mut().poll_recv(cx).map(|got| format!("{got:?}"))
                            }));
                        }
                        6 if !senders.is_empty() => stage.say(senders[0].try_send(n)),
                        7 | 8 => stage.say(rx.borrow_mut().try_recv()),
                        9 if !senders.is_empty() => {
                            if let Ok(permit) = senders[0].clone().try_reserve_owned() {
                                permits.push(permit);
                            }
                        }
                        10 if !permits.is_empty() => {
                            let permit = permits.swap_remove(random.below(permits.len()));
                            if random.below(2) == 0 {
                                drop(permit.send(n));
                            } else {
                                drop(permit);
                            }
                        }
                        11 if !senders.is_empty() => senders.push(senders[0].clone()),
                        12 if random.below(4) == 0 => drop(senders.pop()),
                        13 if random.below(20) == 0 => rx.borrow_mut().close(),
                        14 if !senders.is_empty() => {
                            let (tx, n) = (senders[0].clone(), 1 + random.below(3));
                            stage.start(async move {
                                match tx.reserve_many(n).await {
                                    Ok(permits) => {
                                        let (n, mut permits) = (permits.len(), permits);
                                        permits.next().map(|permit| permit.send(1_000));
                                        format!("{n} permits")
                                    }
                                    Err(error) => format!("{error}"),
                                }
                            });
                        }
                        15 if !senders.is_empty() && random.below(8) == 0 => {
                            let tx = senders[0].clone();
                            stage.start(async move { format!("{:?}", tx.closed().await) });
                        }
                        16 => stage.say(weak.upgrade().is_some()),
                        _ => stage.poll_or_drop(&mut random),
                    }
                    let (len, closed) = (rx.borrow().len(), rx.borrow().is_closed());
                    let (free, senders) = (rx.borrow().capacity(), weak.strong_count());
                    stage.say((len, closed, free, senders));
                    stage.look_at_wakes();
                }
                stage.seen
            }

            pub(crate) fn semaphore(seed: u64) -> Vec<String> {
                let mut random = Random::new(seed);
                let semaphore = Shared::new(sync::Semaphore::new(random.below(4)));
                let held = std::cell::RefCell::new(Vec::new());
                let mut stage = Stage::default();
                for _ in 0..STEPS {
                    let n = random.below(4) as u32;
                    match random.below(12) {
                        0..=3 => {
                            let (semaphore, held) = (semaphore.clone(), &held);
                            stage.start(async move {
                                match semaphore.acquire_many_owned(n).await {
                                    Ok(permits) => {
                                        held.borrow_mut().push(permits);
                                        format!("{n} permits")
                                    }
                                    Err(error) => format!("{error}"),
                                }
                            });
                        }
                        4 | 5 => drop(held.borrow_mut().pop()),
                        6 => match semaphore.clone().try_acquire_many_owned(n) {
                            Ok(permits) => held.borrow_mut().push(permits),
                            Err(error) => stage.say(error),
                        },
                        7 => semaphore.add_permits(random.below(2)),
                        8 => stage.say(semaphore.forget_permits(random.below(2))),
                        9 if random.below(20) == 0 => semaphore.close(),
                        _ => stage.poll_or_drop(&mut random),
                    }
                    stage.say((semaphore.available_permits(), semaphore.is_closed()));
                    stage.look_at_wakes();
                }
                stage.seen
            }

            pub(crate) fn mutex(seed: u64) -> Vec<String> {
                let mut random = Random::new(seed);
                let mutex = Shared::new(sync::Mutex::new(0));
                let held = std::cell::RefCell::new(None);
                let mut stage = Stage::default();
                for n in 0..STEPS {
                    match random.below(9) {
                        0..=2 => {
                            let (mutex, held) = (mutex.clone(), &held);
                            stage.start(async move {
                                let mut guard = mutex.lock_owned().await;
                                *guard += n;
                                let seen = format!("{guard}");
                                *held.borrow_mut() = Some(guard);
                                seen
                            });
                        }
                        3 => {
                            let mutex = &mutex;
                            stage.start(async move { format!("{}", mutex.lock().await) });
                        }
                        4 | 5 => drop(held.take()),
                        6 => stage.say(mutex.try_lock().map(|guard| *guard).ok()),
                        _ => stage.poll_or_drop(&mut random),
                    }
                    stage.say(&mutex);
                    stage.look_at_wakes();
                }
                stage.seen
            }

            pub(crate) fn rwlock(seed: u64) -> Vec<String> {
                let mut random = Random::new(seed);
                let lock = Shared::new(sync::RwLock::with_max_readers(0, 3));
                let reading = std::cell::RefCell::new(Vec::new());
                let writing = std::cell::RefCell::new(None);
                let mut stage = Stage::default();
                for n in 0..STEPS {
                    match random.below(12) {
                        0..=2 => {
                            let (lock, reading) = (lock.clone(), &reading);
                            stage.start(async move {
                                let guard = lock.read_owned().await;
                                let seen = format!("{guard}");
                                reading.borrow_mut().push(guard);
                                seen
                            });
                        }
                        3 | 4 => {
                            let (lock, writing) = (lock.clone(), &writing);
                            stage.start(async move {
                                let mut guard = lock.write_owned().await;
                                *guard += n;
                                let seen = format!("{guard}");
                                *writing.borrow_mut() = Some(guard);
                                seen
                            });
                        }
                        5..=6 => drop(reading.borrow_mut().pop()),
                        7 => drop(writing.take()),
                        8 => reading.borrow_mut().extend(writing.take().map(|w| w.downgrade())),
                        9 => stage.say((lock.try_read().is_ok(), lock.try_write().is_ok())),
                        _ => stage.poll_or_drop(&mut random),
                    }
                    stage.look_at_wakes();
                }
                stage.seen
            }

            pub(crate) fn notify(seed: u64) -> Vec<String> {
                let mut random = Random::new(seed);
                let notify = sync::Notify::new();
                let mut stage = Stage::default();
                for _ in 0..STEPS {
                    match random.below(10) {
                        0..=3 => {
                            let notified = notify.notified();
                            stage.start(async move { format!("{:?}", notified.await) });
                        }
                        4 | 5 => notify.notify_one(),
                        6 => notify.notify_last(),
                        7 if random.below(4) == 0 => notify.notify_waiters(),
                        _ => stage.poll_or_drop(&mut random),
                    }
                    stage.look_at_wakes();
                }
                stage.seen
            }

            pub(crate) fn oneshot(seed: u64) -> Vec<String> {
                let mut random = Random::new(seed);
                let mut stage = Stage::default();
                for n in 0..STEPS / 10 {
                    let (tx, rx) = sync::oneshot::channel();
                    let (mut tx, rx) = (Some(tx), Shared::new(std::cell::RefCell::new(rx)));
                    for _ in 0..10 {
                        match random.below(8) {
                            0 => {
                                let rx = rx.clone();
                                stage.start(std::future::poll_fn(move |cx| {
                                    let mut rx = rx.borrow_mut();
                                    if rx.is_terminated() {
                                        return std::task::Poll::Ready("over".into());
                                    }
                                    let rx = std::pin::Pin::new(&mut *rx);
                                    rx.poll(cx).map(|got| format!("{got:?}"))
                                }));
                            }
                            1 => stage.say(rx.borrow_mut().try_recv()),
                            2 if random.below(3) == 0 => rx.borrow_mut().close(),
                            3 => {
                                if let Some(tx) = tx.take() {
                                    stage.say(tx.send(n));
                                }
                            }
                            4 if random.below(3) == 0 => tx = None,
                            5 => stage.say(tx.as_ref().map(|tx| tx.is_closed())),
                            _ => stage.poll_or_drop(&mut random),
                        }
                        stage.say((rx.borrow().is_empty(), rx.borrow().is_terminated()));
                        stage.look_at_wakes();
                    }
                }
                stage.seen
            }

            pub(crate) fn watch(seed: u64) -> Vec<String> {
                let mut random = Random::new(seed);
                let (tx, rx) = sync::watch::channel(0);
                let (mut senders, mut receivers) = (vec![tx], vec![rx]);
                let mut stage = Stage::default();
                for n in 0..STEPS {
                    let pick = random.below(receivers.len().max(1));
                    match random.below(14) {
                        0..=2 if !receivers.is_empty() => {
                            let mut rx = receivers[pick].clone();
                            stage.start(async move {
                                let changed = rx.changed().await.is_ok();
                                format!("{changed} {}", *rx.borrow())
                            });
                        }
                        3 if !receivers.is_empty() => {
                            let mut rx = receivers[pick].clone();
                            stage.start(async move {
                                let found = rx.wait_for(|value| value % 5 == 0).await;
                                format!("{:?}", found.map(|value| *value).ok())
                            });
                        }
                        4 | 5 if !senders.is_empty() => stage.say(senders[0].send(n)),
                        6 if !senders.is_empty() => {
                            let changes = random.below(2) == 0;
                            stage.say(senders[0].send_if_modified(|value| {
                                *value += 1;
                                changes
                            }));
                        }
                        7 if !receivers.is_empty() => {
                            let seen = *receivers[pick].borrow_and_update();
                            stage.say(seen);
                        }
                        8 if !receivers.is_empty() => receivers[pick].mark_changed(),
                        9 if !receivers.is_empty() => {
                            stage.say(receivers[pick].has_changed().ok());
                            receivers.push(receivers[pick].clone());
                        }
                        10 if random.below(3) == 0 => drop(receivers.pop()),
                        11 if random.below(30) == 0 => drop(senders.pop()),
                        12 if !senders.is_empty() && random.below(4) == 0 => {
                            let tx = senders[0].clone();
                            stage.start(async move { format!("{:?}", tx.closed().await) });
                            receivers.push(senders[0].subscribe());
                        }
                        _ => stage.poll_or_drop(&mut random),
                    }
                    stage.say(senders.first().map(|tx| (tx.receiver_count(), tx.sender_count())));
                    stage.look_at_wakes();
                }
                stage.seen
            }

            pub(crate) fn broadcast(seed: u64) -> Vec<String> {
                let mut random = Random::new(seed);
                let (tx, rx) = sync::broadcast::channel(1 + random.below(4));
                let (mut senders, mut receivers) = (vec![tx], vec![rx]);
                let mut stage = Stage::default();
                for n in 0..STEPS {
                    let pick = random.below(receivers.len().max(1));
                    match random.below(13) {
                        0..=2 if receivers.len() > 1 => {
                            let mut rx = receivers.swap_remove(pick);
                            stage.start(async move {
                                let first = rx.recv().await;
                                format!("{first:?}, then {:?}", rx.recv().await)
                            });
                        }
                        3..=5 if !senders.is_empty() => {
                            stage.say(senders[0].send(n).map_err(|error| error.0));
                        }
                        6 | 7 if !receivers.is_empty() => stage.say(receivers[pick].try_recv()),
                        8 | 9 if !senders.is_empty() => receivers.push(senders[0].subscribe()),
                        10 if random.below(3) == 0 => drop(receivers.pop()),
                        11 if random.below(30) == 0 => drop(senders.pop()),
                        12 if !senders.is_empty() && random.below(4) == 0 => {
                            let tx = senders[0].clone();
                            stage.start(async move { format!("{:?}", tx.closed().await) });
                        }
                        _ => stage.poll_or_drop(&mut random),
                    }
                    stage.say(senders.first().map(|tx| (tx.len(), tx.receiver_count())));
                    stage.say(receivers.iter().map(|rx| rx.len()).collect::<Vec<_>>());
                    stage.look_at_wakes();
                }
                stage.seen
            }
        }
    };
}

programs!(everywhere, henge::sync, std::sync::Arc);
programs!(local, henge::sync::local, std::rc::Rc);

#[track_caller]
fn agree(everywhere: fn(u64) -> Vec<String>, local: fn(u64) -> Vec<String>) {
    let mut ready = 0;
    for seed in 1..=SEEDS {
        let (theirs, ours) = (everywhere(seed), local(seed));
        let differ = theirs.iter().zip(&ours).position(|(theirs, ours)| theirs != ours);
        if let Some(at) = differ {
            let story = theirs[at.saturating_sub(12)..at].join("\n");
            panic!("seed {seed}: after\n{story}\nall: {}\nlocal: {}", theirs[at], ours[at]);
        }
        assert_eq!(theirs.len(), ours.len());
        ready += theirs.iter().filter(|seen| seen.contains("is ready")).count();
    }
    assert!(ready > 1_000, "they did little: {ready} futures");
}

#[test]
fn mpsc() {
    agree(everywhere::mpsc, local::mpsc);
}

#[test]
fn semaphore() {
    agree(everywhere::semaphore, local::semaphore);
}

#[test]
fn mutex() {
    agree(everywhere::mutex, local::mutex);
}

#[test]
fn rwlock() {
    agree(everywhere::rwlock, local::rwlock);
}

#[test]
fn notify() {
    agree(everywhere::notify, local::notify);
}

#[test]
fn oneshot() {
    agree(everywhere::oneshot, local::oneshot);
}

#[test]
fn watch() {
    agree(everywhere::watch, local::watch);
}

#[test]
fn broadcast() {
    agree(everywhere::broadcast, local::broadcast);
}

thread_local! {
    static COME_BACK: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
    static TIMES: Cell<usize> = const { Cell::new(0) };
}

/// A waker that uses the primitive when it is woken, and when it is dropped.
struct ComesBack;

impl ComesBack {
    fn come_back() {
        TIMES.set(TIMES.get() + 1);
        COME_BACK.with_borrow(|back| {
            if let Some(back) = back {
                back();
            }
        });
    }
}

impl Wake for ComesBack {
    fn wake(self: Arc<Self>) {
        Self::come_back();
    }
}

impl Drop for ComesBack {
    fn drop(&mut self) {
        Self::come_back();
    }
}

/// Polls with wakers that come back: with one, and then with another that takes its place.
fn poll_twice(future: Pin<&mut (impl Future + ?Sized)>) {
    let mut future = future;
    for _ in 0..2 {
        let waker = Waker::from(Arc::new(ComesBack));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
}

/// What comes back, and how often it did when `act` was done.
fn while_coming_back(back: impl Fn() + 'static, act: impl FnOnce()) {
    COME_BACK.set(Some(Box::new(back)));
    TIMES.set(0);
    act();
    COME_BACK.set(None);
    assert!(TIMES.get() >= 2, "the first waker was dropped, the second one woken");
}

#[test]
fn wakers_may_come_back_to_what_woke_them() {
    use henge::sync::local::{Event, Notify, Semaphore, broadcast, mpsc, oneshot, watch};

    let (tx, mut rx) = mpsc::channel(1);
    let back = tx.clone();
    while_coming_back(
        move || drop((back.capacity(), back.downgrade().upgrade())),
        || {
            poll_twice(pin!(rx.recv()));
            tx.try_send(1).unwrap();
            poll_twice(pin!(tx.send(2)));
            let mut full = pin!(tx.send(3));
            poll_twice(full.as_mut());
            let mut closed = pin!(tx.closed());
            poll_twice(closed.as_mut());
            drop(rx);
        },
    );

    let semaphore = Rc::new(Semaphore::new(0));
    let back = semaphore.clone();
    while_coming_back(
        move || drop(back.try_acquire()),
        || {
            let mut two = pin!(semaphore.acquire_many(2));
            poll_twice(two.as_mut());
            let mut one = pin!(semaphore.acquire());
            poll_twice(one.as_mut());
            semaphore.add_permits(3);
            let mut more = pin!(semaphore.acquire_many(4));
            poll_twice(more.as_mut());
            semaphore.close();
        },
    );

    let notify = Rc::new(Notify::new());
    let back = notify.clone();
    while_coming_back(
        move || back.notify_one(),
        || {
            let (mut a, mut b) = (pin!(notify.notified()), pin!(notify.notified()));
            poll_twice(a.as_mut());
            notify.notify_waiters();
            let waker = Waker::from(Arc::new(ComesBack));
            _ = b.as_mut().poll(&mut Context::from_waker(&waker));
        },
    );

    let event = Rc::new(Event::new());
    let back = event.clone();
    while_coming_back(
        move || _ = back.reset(),
        || {
            let (mut a, mut b) = (pin!(event.wait()), pin!(event.wait()));
            poll_twice(a.as_mut());
            poll_twice(b.as_mut());
            event.set();
            let waker = Waker::noop();
            let ready = |future: Pin<&mut dyn Future<Output = ()>>| {
                future.poll(&mut Context::from_waker(waker)).is_ready()
            };
            assert!(ready(a.as_mut()) && ready(b.as_mut()), "both were told, reset or not");
        },
    );

    let (tx, mut rx) = oneshot::channel();
    while_coming_back(
        || (),
        || {
            poll_twice(Pin::new(&mut rx));
            tx.send(1).unwrap();
        },
    );

    let (tx, mut rx) = watch::channel(0);
    let back = tx.clone();
    while_coming_back(
        move || back.send_modify(|value| *value += 1),
        || {
            poll_twice(pin!(rx.wait_for(|value| *value < 0)));
            let mut other = rx.clone();
            poll_twice(pin!(async { while other.changed().await.is_ok() {} }));
            tx.send(-1).unwrap();
        },
    );

    let (tx, mut rx) = broadcast::channel(4);
    let back = tx.clone();
    while_coming_back(
        move || drop(back.subscribe()),
        || {
            poll_twice(pin!(rx.recv()));
            let mut other = tx.subscribe();
            let mut recv = pin!(other.recv());
            poll_twice(recv.as_mut());
            tx.send(1).unwrap();
        },
    );
}

/// The same of the one for all, on a thread that can be given up: under a mutex it would hang.
#[test]
fn wakers_may_come_back_to_a_notify_for_all() {
    let (done, over) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let notify = Arc::new(henge::sync::Notify::new());
        let back = notify.clone();
        while_coming_back(
            move || back.notify_waiters(),
            || {
                let mut notified = pin!(notify.notified());
                poll_twice(notified.as_mut());
                notify.notify_one();
            },
        );
        done.send(()).unwrap();
    });
    over.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
}

#[test]
fn permits_are_merged_past_what_one_call_takes() {
    let semaphore = henge::sync::local::Semaphore::new(usize::MAX >> 3);
    let many = || semaphore.try_acquire_many(u32::MAX).expect("enough of them");
    let mut permits = many();
    permits.merge(many());
    assert_eq!(permits.num_permits(), 2 * u32::MAX as usize);
    drop(permits);
    assert_eq!(semaphore.available_permits(), usize::MAX >> 3);
}
