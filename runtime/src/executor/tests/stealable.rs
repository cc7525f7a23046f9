//! Stealable tasks on a scheduler that is only a bag: threads that run what they draw, and threads
//! that do to tasks whatever a thread can.

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use super::super::JoinHandle;
use super::super::stealable::{Entry, Member, Scheduler, spawn};
use super::stress::{Pile, Token, act, step};
use crate::executor::spawn_meta::SpawnMeta;

#[derive(Default)]
struct Bag {
    entries: Mutex<Vec<Entry>>,
    members: Mutex<Vec<Option<Member>>>,
    closed: AtomicBool,
}

impl Bag {
    /// Runs an entry that the seed chooses. False if there is none.
    fn run(&self, seed: &mut u64) -> bool {
        let mut entries = self.entries.lock().unwrap();
        if entries.is_empty() {
            return false;
        }
        let at = step(seed) % entries.len();
        let entry = entries.swap_remove(at);
        drop(entries);
        if let Some(again) = entry.run() {
            self.entries.lock().unwrap().push(again);
        }
        true
    }

    fn close(&self) {
        let members = {
            let mut members = self.members.lock().unwrap();
            self.closed.store(true, Ordering::Relaxed);
            std::mem::take(&mut *members)
        };
        for member in members.into_iter().flatten() {
            member.cancel();
        }
    }
}

impl Scheduler for Bag {
    fn enlist(&self, member: Member) -> Result<usize, Member> {
        let mut members = self.members.lock().unwrap();
        if self.closed.load(Ordering::Relaxed) {
            return Err(member);
        }
        members.push(Some(member));
        Ok(members.len() - 1)
    }

    fn dismiss(&self, key: usize) -> Option<Member> {
        self.members.lock().unwrap().get_mut(key)?.take()
    }

    fn schedule(&self, entry: Entry) {
        self.entries.lock().unwrap().push(entry);
    }
}

fn bag() -> Arc<Bag> {
    Arc::default()
}

fn run(bag: &Bag) {
    let mut seed = 1;
    while bag.run(&mut seed) {}
}

fn poll<T>(handle: &mut JoinHandle<T>) -> Poll<Result<T, super::super::JoinError>> {
    std::pin::Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()))
}

fn result<T>(handle: &mut JoinHandle<T>) -> Result<T, super::super::JoinError> {
    match poll(handle) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it is not done"),
    }
}

#[test]
fn the_result_is_had_once_and_dropped_if_nobody_has_it() {
    let (bag, count) = (bag(), Arc::new(AtomicUsize::new(0)));
    let token = Token::new(&count);
    let mut had = spawn(&bag, SpawnMeta::new(), async move { token });
    let token = Token::new(&count);
    let left = spawn(&bag, SpawnMeta::new(), async move { token });
    let token = Token::new(&count);
    drop(spawn(&bag, SpawnMeta::new(), async move { token }));
    run(&bag);
    assert_eq!(count.load(Ordering::Relaxed), 2, "nobody waits for the third");
    drop(left);
    assert_eq!(count.load(Ordering::Relaxed), 1);
    drop(result(&mut had));
    assert_eq!(count.load(Ordering::Relaxed), 0);
    drop(had);
    assert_eq!(Arc::strong_count(&bag), 1, "their memory was freed");
}

#[test]
fn a_panic_in_each_place_is_the_tasks_own() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let bag = bag();
    let mut polled = spawn(&bag, SpawnMeta::new(), async { panic!("in a poll") });
    let bomb = Bomb;
    let mut dropped = spawn(&bag, SpawnMeta::new(), async move {
        let _bomb = bomb;
        pending::<()>().await;
    });
    let output = spawn(&bag, SpawnMeta::new(), async { Bomb });
    drop(output);
    run(&bag);
    assert!(result(&mut polled).unwrap_err().is_panic());
    dropped.abort();
    run(&bag);
    assert!(result(&mut dropped).unwrap_err().is_panic());
}

#[test]
fn closing_cancels_what_waits_and_what_is_queued() {
    let (bag, count) = (bag(), Arc::new(AtomicUsize::new(0)));
    let spawned = |forever: bool| {
        let token = Token::new(&count);
        spawn(&bag, SpawnMeta::new(), async move {
            let _token = token;
            if forever {
                pending::<()>().await;
            }
        })
    };
    let mut waits = spawned(true);
    run(&bag);
    let mut queued = spawned(false);
    bag.close();
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert!(result(&mut waits).unwrap_err().is_cancelled());
    assert!(result(&mut queued).unwrap_err().is_cancelled());
    let mut late = spawned(false);
    assert!(result(&mut late).unwrap_err().is_cancelled());
    assert_eq!(count.load(Ordering::Relaxed), 0);
    run(&bag);
    drop((waits, queued, late));
    assert_eq!(Arc::strong_count(&bag), 1, "their memory was freed");
}

/// A task that leaves its waker on the pile, and is done after some polls.
fn spawn_one(bag: &Arc<Bag>, pile: &Arc<Pile>, count: &Arc<AtomicUsize>, seed: &mut u64) {
    let (mut left, mut token, kept) = (step(seed) % 5, Some(Token::new(count)), pile.clone());
    let selfish = step(seed) % 4 == 0;
    let handle = spawn(
        bag,
        SpawnMeta::new(),
        poll_fn(move |cx| {
            if left == 0 {
                return Poll::Ready(token.take().expect("ready once"));
            }
            left -= 1;
            if selfish {
                cx.waker().wake_by_ref();
            } else {
                kept.wakers.lock().unwrap().push(cx.waker().clone());
            }
            Poll::Pending
        }),
    );
    if step(seed) % 8 > 0 {
        pile.handles.lock().unwrap().push(handle);
    }
}

fn stress(seed: u64, rounds: usize) {
    let (bag, pile) = (bag(), Arc::new(Pile::default()));
    let count = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let (bag, pile, stop) = (bag.clone(), pile.clone(), stop.clone());
            let mut seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n + 1);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    if n % 2 == 0 {
                        bag.run(&mut seed);
                    } else {
                        act(&pile, &mut seed);
                    }
                }
            })
        })
        .collect();
    let mut seed = seed;
    for _ in 0..rounds {
        spawn_one(&bag, &pile, &count, &mut seed);
        if step(&mut seed) % 2 == 0 {
            bag.run(&mut seed);
        } else {
            act(&pile, &mut seed);
        }
    }
    // The end comes while the threads still run tasks and act.
    bag.close();
    thread::yield_now();
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("no act panics");
    }
    for mut handle in pile.handles.lock().unwrap().drain(..) {
        assert!(poll(&mut handle).is_ready(), "seed {seed}: the scheduler is gone");
    }
    // What is left in the bag is stale.
    run(&bag);
    pile.wakers.lock().unwrap().clear();
    assert_eq!(count.load(Ordering::Relaxed), 0, "every token was dropped");
    assert_eq!(Arc::strong_count(&pile), 1, "every future was dropped");
}

#[test]
fn threads_run_wake_abort_and_drop_what_they_like() {
    for seed in 1..=60 {
        stress(seed, 400);
    }
}
