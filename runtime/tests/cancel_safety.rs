//! What the documentation says under "Cancel safety", of every asynchronous function of `sync`,
//! `task` and `time`, and of streams: each is dropped after its first, second, … n-th poll, at once
//! or when it has been woken and not polled again, by seed, and then called once more. What came
//! out is counted: nothing is lost, nothing comes twice, nobody waits for ever.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use henge::runtime::{Builder, Runtime};
use henge::time::{Duration, timeout};

const SEEDS: u64 = 60;

#[derive(Debug)]
struct Random(Cell<u64>);

impl Random {
    fn below(&self, n: u64) -> u64 {
        let mut state = self.0.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        state % n
    }
}

/// Calls that are cut short.
#[derive(Debug, Clone)]
struct Cuts {
    random: Rc<Random>,
    made: Rc<Cell<usize>>,
}

/// When a call is cut short.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// After so many polls …
    polls: u64,
    /// … at once, or when it was woken and would be polled again.
    at_once: bool,
}

impl Cuts {
    fn new(seed: u64) -> Self {
        let random = Random(Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        Self { random: Rc::new(random), made: Rc::default() }
    }

    fn below(&self, n: u64) -> u64 {
        self.random.below(n)
    }

    /// Calls until a call is not cut short, which is so in the end.
    async fn call<T>(&self, mut call: impl AsyncFnMut() -> T) -> T {
        loop {
            let cut = match self.below(4) {
                0 => None,
                _ => Some(Cut { polls: self.below(4), at_once: self.below(2) == 0 }),
            };
            if let Some(output) = self.until(call(), cut).await {
                return output;
            }
            self.made.set(self.made.get() + 1);
            if self.below(2) == 0 {
                henge::task::yield_now().await;
            }
        }
    }

    async fn until<F: Future>(&self, future: F, cut: Option<Cut>) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut polls = 0;
        poll_fn(|cx| {
            // Polled more often than woken, now and then.
            for _ in 0..=self.below(2) {
                if cut.is_some_and(|cut| polls == cut.polls) {
                    return Poll::Ready(None);
                }
                polls += 1;
                if let Poll::Ready(output) = future.as_mut().poll(cx) {
                    return Poll::Ready(Some(output));
                }
            }
            match cut {
                Some(cut) if cut.at_once && polls == cut.polls => Poll::Ready(None),
                _ => Poll::Pending,
            }
        })
        .await
    }

    async fn sometimes_yield(&self) {
        for _ in 0..self.below(3) {
            henge::task::yield_now().await;
        }
    }
}

fn runtime(paused: bool) -> Runtime {
    Builder::new_current_thread().start_paused(paused).build().unwrap()
}

/// Plays by every seed, each on a runtime of its own.
fn play(paused: bool, play: impl AsyncFn(Cuts)) {
    let mut made = 0;
    for seed in 1..=SEEDS {
        let cuts = Cuts::new(seed);
        let counts = cuts.made.clone();
        // A hang is a failure with a seed. A clock that stands still would be in a hurry.
        let limit = Duration::from_secs(if paused { 1_000_000 } else { 120 });
        let over = runtime(paused).block_on(async { timeout(limit, play(cuts)).await });
        assert!(over.is_ok(), "seed {seed} waits for ever");
        made += counts.get();
    }
    assert!(made > 50, "only {made} calls were cut short");
}

/// The same plays for the flavour of all shards, and for that of one.
macro_rules! plays {
    ($flavour:ident, $sync:path, $rc:path) => {
        mod $flavour {
            use $rc as Shared;
            use $sync as sync;

            use super::*;

            #[test]
            fn mpsc() {
                play(false, async |cuts| {
                    const SENDERS: usize = 3;
                    const EACH: usize = 20;
                    let (tx, mut rx) = sync::mpsc::channel(1 + cuts.below(3) as usize);
                    for sender in 0..SENDERS {
                        let (tx, cuts) = (tx.clone(), cuts.clone());
                        henge::spawn(async move {
                            let mut next = 0;
                            while next < EACH {
                                let n = next;
                                let say = |n: usize| (sender, n);
                                match cuts.below(5) {
                                    0 => {
                                        cuts.call(async || tx.reserve().await.unwrap().send(say(n)))
                                            .await
                                    }
                                    1 => {
                                        let own = async || tx.clone().reserve_owned().await;
                                        drop(cuts.call(own).await.unwrap().send(say(n)));
                                    }
                                    2 => {
                                        let room = (EACH - n).min(tx.max_capacity());
                                        let many = async || {
                                            let permits = tx.reserve_many(room).await.unwrap();
                                            permits.enumerate().for_each(|(i, permit)| {
                                                permit.send(say(n + i));
                                            });
                                        };
                                        cuts.call(many).await;
                                        next += room - 1;
                                    }
                                    3 => {
                                        let long = Duration::from_secs(1_000);
                                        let send = async || tx.send_timeout(say(n), long).await;
                                        cuts.call(send).await.unwrap();
                                    }
                                    _ => cuts.call(async || tx.send(say(n)).await).await.unwrap(),
                                }
                                next += 1;
                                cuts.sometimes_yield().await;
                            }
                            cuts.call(async || tx.closed().await).await;
                        });
                    }
                    drop(tx);
                    let mut got = Vec::new();
                    while got.len() < SENDERS * EACH {
                        if cuts.below(2) == 0 {
                            got.extend(cuts.call(async || rx.recv().await).await);
                        } else {
                            cuts.call(async || rx.recv_many(&mut got, 3).await).await;
                        }
                        cuts.sometimes_yield().await;
                    }
                    for sender in 0..SENDERS {
                        let own: Vec<_> = got.iter().filter(|(from, _)| *from == sender).collect();
                        let numbers: Vec<_> = own.iter().map(|(_, n)| *n).collect();
                        assert_eq!(numbers, (0..EACH).collect::<Vec<_>>());
                    }
                    rx.close();
                    assert_eq!(cuts.call(async || rx.recv().await).await, None);
                });
            }

            #[test]
            fn mpsc_unbounded() {
                play(false, async |cuts| {
                    let (tx, mut rx) = sync::mpsc::unbounded_channel();
                    let other = cuts.clone();
                    let sender = henge::spawn(async move {
                        for n in 0..50 {
                            tx.send(n).unwrap();
                            other.sometimes_yield().await;
                        }
                        other.call(async || tx.closed().await).await;
                    });
                    for n in 0..50 {
                        assert_eq!(cuts.call(async || rx.recv().await).await, Some(n));
                    }
                    drop(rx);
                    sender.await.unwrap();
                });
            }

            #[test]
            fn oneshot() {
                play(false, async |cuts| {
                    for n in 0..20 {
                        let (mut tx, mut rx) = sync::oneshot::channel();
                        let other = cuts.clone();
                        let sender = henge::spawn(async move {
                            other.sometimes_yield().await;
                            if n % 4 > 0 {
                                tx.send(n).unwrap();
                            } else {
                                other.call(async || tx.closed().await).await;
                            }
                        });
                        if n % 4 > 0 {
                            assert_eq!(cuts.call(async || (&mut rx).await).await, Ok(n));
                        }
                        drop(rx);
                        sender.await.unwrap();
                    }
                });
            }

            #[test]
            fn broadcast() {
                play(false, async |cuts| {
                    let (tx, first) = sync::broadcast::channel(64);
                    let receivers = [first, tx.subscribe(), tx.subscribe()].map(|mut rx| {
                        let cuts = cuts.clone();
                        henge::spawn(async move {
                            for n in 0..40 {
                                assert_eq!(cuts.call(async || rx.recv().await).await, Ok(n));
                            }
                        })
                    });
                    for n in 0..40 {
                        tx.send(n).unwrap();
                        cuts.sometimes_yield().await;
                    }
                    cuts.call(async || tx.closed().await).await;
                    for receiver in receivers {
                        receiver.await.unwrap();
                    }
                });
            }

            /// Each value is answered before the next, so none may be missed.
            #[test]
            fn watch() {
                play(false, async |cuts| {
                    let (tx, mut rx) = sync::watch::channel(0);
                    let (answers, mut answered) = sync::watch::channel(0);
                    let other = cuts.clone();
                    let receiver = henge::spawn(async move {
                        for n in 1..=30 {
                            other.call(async || rx.changed().await).await.unwrap();
                            assert_eq!(*rx.borrow(), n);
                            answers.send(n).unwrap();
                        }
                        drop(rx);
                        other.call(async || answers.closed().await).await;
                    });
                    for n in 1..=30 {
                        tx.send(n).unwrap();
                        cuts.call(async || {
                            drop(answered.wait_for(|seen| *seen == n).await.unwrap())
                        })
                        .await;
                    }
                    cuts.call(async || tx.closed().await).await;
                    drop(answered);
                    receiver.await.unwrap();
                });
            }

            /// As many are woken as were notified, whoever goes away in between.
            #[test]
            fn notify() {
                play(false, async |cuts| {
                    let notify = Shared::new(sync::Notify::new());
                    let woken = Rc::new(Cell::new(0));
                    for _ in 0..3 {
                        let (notify, woken) = (notify.clone(), woken.clone());
                        let cuts = cuts.clone();
                        henge::spawn(async move {
                            loop {
                                if cuts.below(2) == 0 {
                                    cuts.call(async || notify.notified().await).await;
                                } else {
                                    let own = async || notify.clone().notified_owned().await;
                                    cuts.call(own).await;
                                }
                                woken.set(woken.get() + 1);
                            }
                        });
                    }
                    for n in 1..=40 {
                        if cuts.below(3) == 0 {
                            notify.notify_last();
                        } else {
                            notify.notify_one();
                        }
                        while woken.get() < n {
                            henge::task::yield_now().await;
                        }
                        assert_eq!(woken.get(), n);
                    }
                });
            }

            #[test]
            fn semaphore() {
                play(false, async |cuts| {
                    const PERMITS: usize = 3;
                    let semaphore = Shared::new(sync::Semaphore::new(PERMITS));
                    let held = Rc::new(Cell::new(0));
                    let tasks: Vec<_> = (0..4)
                        .map(|_| {
                            let (semaphore, held) = (semaphore.clone(), held.clone());
                            let cuts = cuts.clone();
                            henge::spawn(async move {
                                for _ in 0..15 {
                                    let n = 1 + cuts.below(PERMITS as u64) as u32;
                                    let taken = |n: usize| {
                                        held.set(held.get() + n);
                                        assert!(held.get() <= PERMITS);
                                        n
                                    };
                                    if cuts.below(2) == 0 {
                                        let permits = match cuts.below(2) {
                                            0 => {
                                                cuts.call(async || semaphore.acquire().await).await
                                            }
                                            _ => {
                                                cuts.call(async || semaphore.acquire_many(n).await)
                                                    .await
                                            }
                                        };
                                        let permits = permits.unwrap();
                                        let n = taken(permits.num_permits());
                                        cuts.sometimes_yield().await;
                                        held.set(held.get() - n);
                                    } else {
                                        let own = || semaphore.clone();
                                        let permits = match cuts.below(2) {
                                            0 => {
                                                cuts.call(async || own().acquire_owned().await)
                                                    .await
                                            }
                                            _ => {
                                                cuts.call(async || {
                                                    own().acquire_many_owned(n).await
                                                })
                                                .await
                                            }
                                        };
                                        let permits = permits.unwrap();
                                        let n = taken(permits.num_permits());
                                        cuts.sometimes_yield().await;
                                        held.set(held.get() - n);
                                    }
                                }
                            })
                        })
                        .collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                    assert_eq!(semaphore.available_permits(), PERMITS);
                });
            }

            #[test]
            fn mutex() {
                play(false, async |cuts| {
                    let mutex = Shared::new(sync::Mutex::new(0));
                    let tasks: Vec<_> = (0..4)
                        .map(|_| {
                            let (mutex, cuts) = (mutex.clone(), cuts.clone());
                            henge::spawn(async move {
                                for _ in 0..15 {
                                    let before = if cuts.below(2) == 0 {
                                        let mut guard =
                                            cuts.call(async || mutex.lock().await).await;
                                        let before = *guard;
                                        cuts.sometimes_yield().await;
                                        *guard = before + 1;
                                        before
                                    } else {
                                        let own = async || mutex.clone().lock_owned().await;
                                        let mut guard = cuts.call(own).await;
                                        let before = *guard;
                                        cuts.sometimes_yield().await;
                                        *guard = before + 1;
                                        before
                                    };
                                    assert!(before < 60);
                                }
                            })
                        })
                        .collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                    assert_eq!(*mutex.try_lock().unwrap(), 60);
                });
            }

            #[test]
            fn rwlock() {
                play(false, async |cuts| {
                    let lock = Shared::new(sync::RwLock::new((0, 0)));
                    let tasks: Vec<_> = (0..5)
                        .map(|_| {
                            let (lock, cuts) = (lock.clone(), cuts.clone());
                            henge::spawn(async move {
                                let mut written = 0;
                                for _ in 0..15 {
                                    match cuts.below(4) {
                                        0 => {
                                            let guard = cuts.call(async || lock.read().await).await;
                                            cuts.sometimes_yield().await;
                                            assert_eq!(guard.0, guard.1);
                                        }
                                        1 => {
                                            let own = async || lock.clone().read_owned().await;
                                            let guard = cuts.call(own).await;
                                            cuts.sometimes_yield().await;
                                            assert_eq!(guard.0, guard.1);
                                        }
                                        2 => {
                                            let mut guard =
                                                cuts.call(async || lock.write().await).await;
                                            guard.0 += 1;
                                            cuts.sometimes_yield().await;
                                            guard.1 += 1;
                                            written += 1;
                                        }
                                        _ => {
                                            let own = async || lock.clone().write_owned().await;
                                            let mut guard = cuts.call(own).await;
                                            guard.0 += 1;
                                            cuts.sometimes_yield().await;
                                            guard.1 += 1;
                                            written += 1;
                                        }
                                    }
                                }
                                written
                            })
                        })
                        .collect();
                    let mut written = 0;
                    for task in tasks {
                        written += task.await.unwrap();
                    }
                    assert_eq!(*lock.try_write().unwrap(), (written, written));
                });
            }
        }
    };
}

plays!(everywhere, henge::sync, std::sync::Arc);
plays!(local, henge::sync::local, std::rc::Rc);

#[test]
fn event() {
    use henge::sync::local::Event;

    play(false, async |cuts| {
        let doors = Rc::new([Event::new(), Event::new()]);
        let passed = Rc::new(Cell::new(0));
        for _ in 0..3 {
            let (doors, passed, cuts) = (doors.clone(), passed.clone(), cuts.clone());
            henge::spawn(async move {
                for door in (0..20).map(|n| &doors[n % 2]) {
                    cuts.call(async || door.wait().await).await;
                    passed.set(passed.get() + 1);
                }
            });
        }
        for n in 0..20 {
            cuts.sometimes_yield().await;
            doors[n % 2].set();
            while passed.get() < 3 * (n + 1) {
                henge::task::yield_now().await;
            }
            // All are in front of the other one.
            doors[n % 2].reset();
        }
    });
}

#[test]
fn cells_that_are_filled_once() {
    use henge::sync::{OnceCell, SetOnce};

    play(false, async |cuts| {
        let (cell, once) = (Rc::new(OnceCell::new()), Rc::new(SetOnce::new()));
        let made = Rc::new(Cell::new(0));
        let tasks: Vec<_> = (0..4)
            .map(|n| {
                let (cell, once, made) = (cell.clone(), once.clone(), made.clone());
                let cuts = cuts.clone();
                henge::spawn(async move {
                    let make = async || {
                        cuts.sometimes_yield().await;
                        made.set(made.get() + 1);
                        n
                    };
                    let fail = async || {
                        cuts.sometimes_yield().await;
                        Err(())
                    };
                    _ = cuts.call(async || cell.get_or_try_init(fail).await.copied()).await;
                    let value = cuts.call(async || *cell.get_or_init(make).await).await;
                    _ = once.set(value);
                    assert_eq!(cuts.call(async || *once.wait().await).await, value);
                    value
                })
            })
            .collect();
        let mut values = Vec::new();
        for task in tasks {
            values.push(task.await.unwrap());
        }
        assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
        assert_eq!(made.get(), 1);
    });
}

/// Who was polled has arrived, dropped or not: that is what the documentation says.
#[test]
fn barrier() {
    let barrier = henge::sync::Barrier::new(3);
    runtime(false).block_on(async {
        for _ in 0..2 {
            let cuts = Cuts::new(1);
            let cut = Some(Cut { polls: 1, at_once: true });
            assert!(cuts.until(barrier.wait(), cut).await.is_none());
        }
        assert!(barrier.wait().await.is_leader());
    });
}

#[test]
fn tokens_and_trackers() {
    use henge::sync::CancellationToken;
    use henge::task::TaskTracker;

    play(false, async |cuts| {
        let (token, tracker) = (CancellationToken::new(), TaskTracker::new());
        for n in 0..4 {
            let (token, cuts) = (token.child_token(), cuts.clone());
            tracker.spawn(async move {
                let forever = std::future::pending::<()>;
                match n {
                    0 => cuts.call(async || token.cancelled().await).await,
                    1 => cuts.call(async || token.clone().cancelled_owned().await).await,
                    2 => {
                        let run = async || token.run_until_cancelled(forever()).await;
                        assert_eq!(cuts.call(run).await, None);
                    }
                    _ => {
                        let own = || token.clone();
                        let run = async || own().run_until_cancelled_owned(forever()).await;
                        assert_eq!(cuts.call(run).await, None);
                    }
                }
            });
        }
        cuts.sometimes_yield().await;
        token.cancel();
        tracker.close();
        cuts.call(async || tracker.wait().await).await;
        assert!(tracker.is_empty());
    });
}

#[test]
fn polled_senders_and_semaphores() {
    use henge::sync::{PollSemaphore, PollSender, Semaphore, mpsc};

    play(false, async |cuts| {
        let (tx, mut rx) = mpsc::channel(1);
        let semaphore = Arc::new(Semaphore::new(1));
        for sender in 0..3 {
            let mut tx = PollSender::new(tx.clone());
            let mut semaphore = PollSemaphore::new(semaphore.clone());
            let cuts = cuts.clone();
            henge::spawn(async move {
                for n in 0..10 {
                    let reserve = async || poll_fn(|cx| tx.poll_reserve(cx)).await;
                    cuts.call(reserve).await.unwrap();
                    if cuts.below(3) == 0 {
                        assert!(tx.abort_send());
                        poll_fn(|cx| tx.poll_reserve(cx)).await.unwrap();
                    }
                    tx.send_item((sender, n)).unwrap();
                    let acquire = async || poll_fn(|cx| semaphore.poll_acquire(cx)).await;
                    let permit = cuts.call(acquire).await.unwrap();
                    cuts.sometimes_yield().await;
                    drop(permit);
                }
            });
        }
        drop(tx);
        let mut next = [0; 3];
        while let Some((sender, n)) = cuts.call(async || rx.recv().await).await {
            assert_eq!(n, std::mem::replace(&mut next[sender], n + 1));
        }
        assert_eq!(next, [10; 3]);
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn tasks() {
    use henge::task::{self, JoinMap, JoinSet};

    play(false, async |cuts| {
        let (mut set, mut map) = (JoinSet::new(), JoinMap::new());
        let cuts_of_tasks = cuts.clone();
        let task = move |n: u32| {
            let cuts = cuts_of_tasks.clone();
            async move {
                cuts.sometimes_yield().await;
                cuts.call(async || task::yield_now().await).await;
                cuts.call(async || task::coop::consume_budget().await).await;
                n
            }
        };
        for n in 0..10 {
            set.spawn(task(n));
            map.spawn(n, task(n));
        }
        let (mut of_set, mut of_map) = (Vec::new(), Vec::new());
        loop {
            if cuts.below(2) == 0 {
                let Some(joined) = cuts.call(async || set.join_next().await).await else { break };
                of_set.push(joined.unwrap());
            } else {
                let joined = cuts.call(async || set.join_next_with_id().await).await;
                let Some(joined) = joined else { break };
                of_set.push(joined.unwrap().1);
            }
        }
        while let Some((key, joined)) = cuts.call(async || map.join_next().await).await {
            assert_eq!(joined.unwrap(), key);
            of_map.push(key);
        }
        of_set.sort_unstable();
        of_map.sort_unstable();
        assert_eq!(of_set, (0..10).collect::<Vec<_>>());
        assert_eq!(of_map, of_set);

        for n in 0..5 {
            set.spawn(std::future::pending());
            map.spawn(n, std::future::pending());
        }
        cuts.call(async || set.shutdown().await).await;
        cuts.call(async || map.shutdown().await).await;
        assert!(set.is_empty() && map.is_empty());

        let mut one = henge::spawn(task(1));
        assert_eq!(cuts.call(async || (&mut one).await).await.unwrap(), 1);
    });
}

#[test]
fn a_local_set_goes_on_where_it_was() {
    use henge::task::LocalSet;

    play(false, async |cuts| {
        let set = LocalSet::new();
        let done = Rc::new(Cell::new(0));
        for _ in 0..5 {
            let (done, cuts) = (done.clone(), cuts.clone());
            set.spawn_local(async move {
                cuts.sometimes_yield().await;
                done.set(done.get() + 1);
            });
        }
        let all = async || {
            set.run_until(poll_fn(|cx| {
                if done.get() == 5 {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            }))
            .await
        };
        cuts.call(all).await;
    });
}

/// Children go with their scope, and what they do is safe or not by itself.
#[test]
fn scopes() {
    use henge::sync::local::{Mutex, mpsc};
    use henge::task;

    play(false, async |cuts| {
        let (tx, rx) = mpsc::unbounded_channel();
        let rx = Mutex::new(rx);
        let (got, alive) = (RefCell::new(Vec::new()), Cell::new(0));
        let sender = cuts.clone();
        henge::spawn(async move {
            for n in 0..30 {
                tx.send(n).unwrap();
                sender.sometimes_yield().await;
            }
        });
        struct Alive<'a>(&'a Cell<i32>);
        impl Drop for Alive<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        let (rx, got, alive) = (&rx, &got, &alive);
        while got.borrow().len() < 30 {
            cuts.call(async || {
                task::scope(|s| async move {
                    for _ in 0..3 {
                        alive.set(alive.get() + 1);
                        let own = Alive(alive);
                        drop(s.spawn(async move {
                            let _own = own;
                            let next = rx.lock().await.recv().await;
                            got.borrow_mut().extend(next);
                        }));
                    }
                })
                .await;
            })
            .await;
            assert_eq!(alive.get(), 0, "nothing of a scope outlives it");
        }
        assert_eq!(*got.borrow(), (0..30).collect::<Vec<_>>());
    });
}

/// The clock stands still, and goes on by itself when there is nothing else to do.
#[test]
fn time() {
    use henge::time::{Instant, advance, interval, sleep, sleep_until, timeout_at};

    play(true, async |cuts| {
        let start = Instant::now();
        let period = Duration::from_millis(10);
        let mut interval = interval(period);
        for n in 0..20 {
            let tick = cuts.call(async || interval.tick().await).await;
            assert_eq!(tick, start + period * n);
        }
        let deadline = Instant::now() + period;
        cuts.call(async || sleep_until(deadline).await).await;
        assert_eq!(Instant::now(), deadline);
        let mut slept = pin!(sleep(period));
        cuts.call(async || slept.as_mut().await).await;
        assert_eq!(Instant::now(), deadline + period);
        let late = timeout_at(deadline + period * 2, std::future::pending::<()>());
        let mut late = pin!(late);
        assert!(cuts.call(async || late.as_mut().await).await.is_err());
        assert_eq!(Instant::now(), deadline + period * 2);

        // Dropped or not, the clock has moved when it was polled.
        let before = Instant::now();
        let mut calls = 0;
        cuts.call(async || {
            calls += 1;
            advance(period).await;
        })
        .await;
        let moved = Instant::now() - before;
        assert!(moved >= period && moved <= period * calls, "{moved:?} by {calls} calls");
    });
}

/// Bytes come in order, once, over a stream of which every call is cut short.
#[test]
fn streams() {
    use henge::io::{AsyncReadExt, AsyncWriteExt};
    use henge::net::{TcpListener, TcpStream};

    const BYTES: usize = 40_000;
    let byte = |at: usize| (at % 251) as u8;
    play(false, async |cuts| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let other = cuts.clone();
        let writer = henge::spawn(async move {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            let mut at = 0;
            while at < BYTES {
                let len = 1 + other.below(4_000) as usize;
                let piece: Vec<u8> = (at..BYTES.min(at + len)).map(byte).collect();
                at += other.call(async || stream.write(&piece).await).await.unwrap();
                if other.below(4) == 0 {
                    other.call(async || stream.flush().await).await.unwrap();
                }
                other.sometimes_yield().await;
            }
            stream.shutdown().await.unwrap();
        });
        let (mut stream, _) = cuts.call(async || listener.accept().await).await.unwrap();
        let mut at = 0;
        let mut buf = vec![0; 3_000];
        loop {
            let len = 1 + cuts.below(3_000) as usize;
            if cuts.below(4) == 0 {
                cuts.call(async || stream.readable().await).await.unwrap();
            }
            let n = cuts.call(async || stream.read(&mut buf[..len]).await).await.unwrap();
            if n == 0 {
                break;
            }
            assert!(buf[..n].iter().enumerate().all(|(i, got)| *got == byte(at + i)), "at {at}");
            at += n;
        }
        assert_eq!(at, BYTES);
        writer.await.unwrap();
    });
}

/// Every asynchronous function stands above, or here with the reason why it does not.
#[test]
fn nobody_is_left_out() {
    const ELSEWHERE: [(&str, &str); 1] =
        [("join_all", "takes the set: dropped, it takes the tasks along")];
    let mut missing = Vec::new();
    let own = include_str!("cancel_safety.rs");
    let sources = RefCell::new(Vec::new());
    for folder in ["sync", "task", "time"] {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
        collect(&root, &sources);
    }
    let sources = sources.into_inner();
    assert!(sources.len() > 50, "the walk found only {} files", sources.len());
    for source in sources {
        for line in source.lines() {
            let Some(rest) = line.trim_start().strip_prefix("pub async fn ") else { continue };
            let name: String = rest.chars().take_while(|c| *c != '(' && *c != '<').collect();
            let called = own.contains(&format!("{name}("));
            if !called && ELSEWHERE.iter().all(|(elsewhere, _)| *elsewhere != name) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "cut these short as well: {missing:?}");
}

fn collect(folder: &std::path::Path, into: &RefCell<Vec<String>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else {
            into.borrow_mut().push(std::fs::read_to_string(path).unwrap());
        }
    }
}
