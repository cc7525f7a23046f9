//! A task is polled and dropped on the shard that it was spawned on, and nowhere else, whoever
//! wakes it, aborts it or waits for it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

use henge::runtime::{Builder, Handle, Runtime};
use henge::shard::{self, ShardId};
use henge::task::yield_now;

fn shards(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).build().expect("a runtime")
}

/// A future that is nowhere but at home: it notes each poll and its drop elsewhere.
struct AtHome {
    home: Option<ThreadId>,
    polls: usize,
    away: Arc<AtomicUsize>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl AtHome {
    fn note(&mut self) {
        let here = thread::current().id();
        if *self.home.get_or_insert(here) != here {
            self.away.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Future for AtHome {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.note();
        *self.waker.lock().expect("no panic inside") = Some(cx.waker().clone());
        self.polls = self.polls.saturating_sub(1);
        if self.polls == 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for AtHome {
    fn drop(&mut self) {
        self.note();
    }
}

#[test]
fn wakes_from_everywhere_are_answered_at_home() {
    let runtime = shards(3);
    let away = Arc::new(AtomicUsize::new(0));
    let wakers: Vec<_> = (0..30).map(|_| Arc::new(Mutex::new(None::<Waker>))).collect();
    let tasks: Vec<_> = wakers
        .iter()
        .map(|waker| {
            let (away, waker) = (Arc::clone(&away), Arc::clone(waker));
            runtime.spawn(AtHome { home: None, polls: 200, away, waker })
        })
        .collect();
    let done = Arc::new(AtomicBool::new(false));
    // A foreign thread, and every shard, wake all of them again and again.
    let wake = |wakers: &[Arc<Mutex<Option<Waker>>>]| {
        for waker in wakers {
            let waker = waker.lock().expect("no panic inside").clone();
            waker.iter().for_each(Waker::wake_by_ref);
        }
    };
    let (foreign, stop) = (wakers.clone(), Arc::clone(&done));
    let thread = thread::spawn(move || {
        while !stop.load(Ordering::SeqCst) {
            wake(&foreign);
            thread::yield_now();
        }
    });
    let (on_shards, stop) = (wakers.clone(), Arc::clone(&done));
    let shards = thread::scope(|scope| {
        let each = scope.spawn(|| {
            runtime.run_each(move || {
                let (wakers, stop) = (on_shards.clone(), Arc::clone(&stop));
                async move {
                    while !stop.load(Ordering::SeqCst) {
                        wake(&wakers);
                        yield_now().await;
                    }
                    Ok(())
                }
            })
        });
        runtime.block_on(async {
            for task in tasks {
                assert!(task.await.is_ok());
            }
        });
        done.store(true, Ordering::SeqCst);
        each.join()
    });
    assert!(shards.is_ok_and(|result| result.is_ok()));
    thread.join().expect("no panic");
    assert_eq!(away.load(Ordering::SeqCst), 0);
}

#[test]
fn aborted_from_elsewhere_it_is_dropped_at_home() {
    let runtime = shards(2);
    let away = Arc::new(AtomicUsize::new(0));
    for _ in 0..50 {
        let waker = Arc::new(Mutex::new(None));
        let (counted, there) = (Arc::clone(&away), Arc::clone(&waker));
        let task =
            runtime.spawn(AtHome { home: None, polls: usize::MAX, away: counted, waker: there });
        let abort = task.abort_handle();
        runtime.block_on(async {
            while waker.lock().expect("no panic inside").is_none() {
                yield_now().await;
            }
            abort.abort();
            assert!(task.await.is_err_and(|error| error.is_cancelled()));
        });
    }
    assert_eq!(away.load(Ordering::SeqCst), 0);
}

#[test]
fn spawn_on_makes_the_future_there() {
    let runtime = shards(3);
    let homes = runtime.run(|| async {
        let mut homes = Vec::new();
        for index in 0..shard::count() {
            let there = henge::spawn_on(ShardId::new(index), || {
                let made = shard::current().index();
                // Not `Send`, and so made where it stays.
                let local = std::rc::Rc::new(made);
                async move {
                    yield_now().await;
                    (*local, shard::current().index())
                }
            });
            homes.push(there.await.ok());
        }
        homes
    });
    assert_eq!(homes, [Some((0, 0)), Some((1, 1)), Some((2, 2))]);
}

#[test]
fn handles_spread_tasks_over_all_shards() {
    let runtime = shards(3);
    let (send, receive) = mpsc::channel();
    for _ in 0..300 {
        let send = send.clone();
        drop(runtime.spawn(async move { send.send(shard::current().index()) }));
    }
    drop(send);
    let mut counts = [0; 3];
    receive.iter().for_each(|index: usize| counts[index] += 1);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), 300);
}

#[test]
fn awaiting_elsewhere_moves_only_the_result() {
    let runtime = shards(2);
    let result = runtime.run(|| async {
        let there = henge::spawn_on(ShardId::new(1), || async { thread::current().id() });
        let polled_here = poll_fn(|_| Poll::Ready(thread::current().id())).await;
        (there.await.ok(), polled_here)
    });
    let one = runtime.block_on(henge_on(&runtime, 1));
    assert_eq!(result.0, one);
    assert_ne!(result.0, Some(result.1));
}

/// The thread of a shard.
async fn henge_on(runtime: &Runtime, index: usize) -> Option<ThreadId> {
    let handle: Handle = runtime.handle().clone();
    let ask = handle.spawn(async move {
        henge::spawn_on(ShardId::new(index), || async { thread::current().id() }).await
    });
    ask.await.ok()?.ok()
}
