//! Threads that do to tasks whatever a thread can, in an order that the seed and the scheduler
//! choose.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use super::super::{AbortHandle, Home, JoinHandle};
use super::{home, run};
use crate::executor::spawn_meta::SpawnMeta;

const THREADS: usize = 3;

/// What the threads share: wakers and handles, thrown in and taken out at random.
#[derive(Default)]
pub(super) struct Pile {
    pub(super) wakers: Mutex<Vec<Waker>>,
    pub(super) handles: Mutex<Vec<JoinHandle<Token>>>,
    aborts: Mutex<Vec<AbortHandle>>,
}

/// Counts itself.
pub(super) struct Token(Arc<AtomicUsize>);

impl Token {
    pub(super) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn step(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 33) as usize
}

fn take<T>(pile: &Mutex<Vec<T>>, seed: &mut u64) -> Option<T> {
    let mut pile = pile.lock().unwrap();
    if pile.is_empty() {
        return None;
    }
    let index = step(seed) % pile.len();
    Some(pile.swap_remove(index))
}

/// One act of a thread that is not the home.
pub(super) fn act(pile: &Pile, seed: &mut u64) {
    match step(seed) % 9 {
        0 => {
            if let Some(waker) = take(&pile.wakers, seed) {
                waker.wake();
            }
        }
        1 | 2 => {
            if let Some(waker) = take(&pile.wakers, seed) {
                waker.wake_by_ref();
                pile.wakers.lock().unwrap().push(waker);
            }
        }
        3 => {
            if let Some(waker) = take(&pile.wakers, seed) {
                let another = waker.clone();
                drop(waker);
                pile.wakers.lock().unwrap().push(another);
            }
        }
        4 => drop(take(&pile.wakers, seed)),
        5 => {
            if let Some(mut handle) = take(&pile.handles, seed) {
                let mut cx = Context::from_waker(Waker::noop());
                match std::pin::Pin::new(&mut handle).poll(&mut cx) {
                    Poll::Ready(result) => drop(result),
                    Poll::Pending => pile.handles.lock().unwrap().push(handle),
                }
            }
        }
        6 => {
            if let Some(handle) = take(&pile.handles, seed) {
                pile.aborts.lock().unwrap().push(handle.abort_handle());
                if step(seed) % 2 == 0 {
                    handle.abort();
                }
            }
        }
        7 => {
            if let Some(abort) = take(&pile.aborts, seed)
                && step(seed) % 2 == 0
            {
                abort.abort();
            }
        }
        _ => drop(take(&pile.handles, seed)),
    }
}

/// A task that leaves its waker on the pile, and is done after some polls.
fn spawn(home: &Home, pile: &Arc<Pile>, count: &Arc<AtomicUsize>, seed: &mut u64) {
    let polls = step(seed) % 5;
    let (mut left, token, kept) = (polls, Some(Token::new(count)), pile.clone());
    let mut token = token;
    let future = poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(token.take().expect("ready once"));
        }
        left -= 1;
        kept.wakers.lock().unwrap().push(cx.waker().clone());
        Poll::Pending
    });
    let handle = match step(seed) % 4 {
        0 => {
            let big = [0_u64; 200];
            home.spawn(async move {
                let output = future.await;
                std::hint::black_box(&big);
                output
            })
        }
        _ => home.spawn(future),
    };
    if step(seed) % 8 > 0 {
        pile.handles.lock().unwrap().push(handle);
    }
}

fn stress(seed: u64, rounds: usize) {
    let pile = Arc::new(Pile::default());
    let count = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..THREADS)
        .map(|n| {
            let (pile, stop) = (pile.clone(), stop.clone());
            let mut seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n as u64 + 1);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    act(&pile, &mut seed);
                }
            })
        })
        .collect();
    let mut seed = seed;
    let home = home();
    let elsewhere = home.inbox().clone();
    {
        let _entered = home.enter();
        for _ in 0..rounds {
            spawn(&home, &pile, &count, &mut seed);
            act(&pile, &mut seed);
            if step(&mut seed) % 4 == 0 {
                run(&home);
            }
            if step(&mut seed) % 16 == 0 {
                let token = Token::new(&count);
                let handle = elsewhere.spawn_from(SpawnMeta::new(), async move { token });
                pile.handles.lock().unwrap().push(handle);
            }
        }
    }
    // The end comes while the threads still act.
    drop(home);
    thread::yield_now();
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("no act panics");
    }
    drop(elsewhere);
    for mut handle in pile.handles.lock().unwrap().drain(..) {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(std::pin::Pin::new(&mut handle).poll(&mut cx).is_ready(), "the home is gone");
    }
    pile.wakers.lock().unwrap().clear();
    assert_eq!(count.load(Ordering::Relaxed), 0, "every token was dropped");
    assert_eq!(Arc::strong_count(&pile), 1, "every future was dropped");
}

#[test]
fn threads_do_what_they_like() {
    for seed in 1..=40 {
        stress(seed, 500);
    }
}
