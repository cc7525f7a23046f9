//! Models of the protocol of stealable tasks: all interleavings of threads that wake, run, join,
//! abort and close, of the code itself.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc as StdArc;
use std::task::{Context, Poll, Wake, Waker};

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex, Notify};
use loom::thread;

use super::{Entry, Member, Scheduler, spawn};
use crate::executor::spawn_meta::SpawnMeta;
use crate::executor::{JoinError, JoinHandle};

/// One queue and one list, for as many threads as like.
struct Queue {
    entries: Mutex<Vec<Entry>>,
    members: Mutex<Option<Vec<Option<Member>>>>,
    bell: Notify,
}

// SAFETY: what is in it is Send, and behind loom's locks, which do not say so themselves.
unsafe impl Sync for Queue {}
// SAFETY: as above.
unsafe impl Send for Queue {}

impl Queue {
    fn new() -> StdArc<Queue> {
        StdArc::new(Queue {
            entries: Mutex::new(Vec::new()),
            members: Mutex::new(Some(Vec::new())),
            bell: Notify::new(),
        })
    }

    /// Runs what is queued.
    fn run(&self) {
        loop {
            let Some(entry) = self.entries.lock().unwrap().pop() else { return };
            if let Some(again) = entry.run() {
                self.entries.lock().unwrap().push(again);
            }
        }
    }

    fn close(&self) {
        let members = self.members.lock().unwrap().take();
        for member in members.into_iter().flatten().flatten() {
            member.cancel();
        }
    }
}

impl Scheduler for Queue {
    fn enlist(&self, member: Member) -> Result<usize, Member> {
        match &mut *self.members.lock().unwrap() {
            Some(members) => {
                members.push(Some(member));
                Ok(members.len() - 1)
            }
            None => Err(member),
        }
    }

    fn dismiss(&self, key: usize) -> Option<Member> {
        self.members.lock().unwrap().as_mut()?.get_mut(key)?.take()
    }

    fn schedule(&self, entry: Entry) {
        self.entries.lock().unwrap().push(entry);
        self.bell.notify();
    }
}

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(f);
}

/// Counts its drops: a future or a result that is lost, or dropped twice, shows.
struct Token(StdArc<AtomicUsize>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task that is ready when `ready` is set, and its waker.
fn waiting(
    queue: &StdArc<Queue>,
    ready: &Arc<AtomicBool>,
) -> (JoinHandle<Token>, Waker, StdArc<AtomicUsize>) {
    let slot = StdArc::new(std::sync::Mutex::new(None));
    let drops = StdArc::new(AtomicUsize::new(0));
    let (ready, kept, mut token) = (ready.clone(), slot.clone(), Some(Token(drops.clone())));
    let handle = spawn(queue, SpawnMeta::new(), async move {
        poll_fn(move |cx| {
            if ready.load(Ordering::Relaxed) {
                return Poll::Ready(token.take().expect("ready once"));
            }
            *kept.lock().unwrap() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    });
    queue.run();
    let waker = slot.lock().unwrap().take().expect("it was polled");
    (handle, waker, drops)
}

fn poll<T>(handle: &mut JoinHandle<T>, waker: &Waker) -> Poll<Result<T, JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(waker))
}

struct Bell(Notify);

impl Wake for Bell {
    fn wake(self: StdArc<Self>) {
        self.0.notify();
    }
}

#[test]
fn loom_a_wake_while_it_runs_or_is_queued_is_not_lost() {
    model(|| {
        let (queue, ready) = (Queue::new(), Arc::new(AtomicBool::new(false)));
        let (mut handle, waker, drops) = waiting(&queue, &ready);
        let (runner, set, another) = (queue.clone(), ready.clone(), waker.clone());
        let other = thread::spawn(move || {
            // Woken for nothing, perhaps: so that the second wake finds the task in every state.
            another.wake();
            runner.run();
        });
        // Relaxed: the wake alone must make this seen by the poll.
        set.store(true, Ordering::Relaxed);
        waker.wake();
        queue.run();
        other.join().unwrap();
        queue.run();
        let Poll::Ready(Ok(token)) = poll(&mut handle, Waker::noop()) else {
            panic!("the wake was lost")
        };
        drop((token, handle));
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn loom_a_joiner_is_woken_by_the_end() {
    model(|| {
        let (queue, ready) = (Queue::new(), Arc::new(AtomicBool::new(false)));
        let (mut handle, waker, drops) = waiting(&queue, &ready);
        let (runner, set) = (queue.clone(), ready.clone());
        let other = thread::spawn(move || {
            set.store(true, Ordering::Relaxed);
            waker.wake();
            runner.run();
        });
        let bell = StdArc::new(Bell(Notify::new()));
        let mut polls = 0;
        let result = loop {
            // Another waker the second time.
            polls += 1;
            let waker = Waker::from(bell.clone());
            match poll(&mut handle, &waker) {
                Poll::Ready(result) => break result,
                Poll::Pending if polls == 1 => {}
                Poll::Pending => bell.0.wait(),
            }
        };
        assert!(result.is_ok());
        other.join().unwrap();
        drop((result, handle));
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn loom_a_handle_that_goes_leaves_nothing_behind() {
    model(|| {
        let (queue, ready) = (Queue::new(), Arc::new(AtomicBool::new(false)));
        let (mut handle, waker, drops) = waiting(&queue, &ready);
        let bell = StdArc::new(Bell(Notify::new()));
        assert!(poll(&mut handle, &Waker::from(bell.clone())).is_pending());
        let (runner, set) = (queue.clone(), ready.clone());
        let other = thread::spawn(move || {
            set.store(true, Ordering::Relaxed);
            waker.wake();
            runner.run();
        });
        drop(handle);
        other.join().unwrap();
        assert_eq!(drops.load(Ordering::SeqCst), 1);
        assert_eq!(StdArc::strong_count(&bell), 1, "the joiner's waker was dropped");
    });
}

#[test]
fn loom_an_abort_ends_it_once() {
    model(|| {
        let (queue, ready) = (Queue::new(), Arc::new(AtomicBool::new(false)));
        let (mut handle, waker, drops) = waiting(&queue, &ready);
        let (runner, set, abort) = (queue.clone(), ready.clone(), handle.abort_handle());
        let other = thread::spawn(move || {
            set.store(true, Ordering::Relaxed);
            waker.wake();
            runner.run();
        });
        abort.abort();
        drop(abort);
        queue.run();
        other.join().unwrap();
        queue.run();
        let Poll::Ready(result) = poll(&mut handle, Waker::noop()) else {
            panic!("it neither ended nor was it cancelled")
        };
        drop((result, handle));
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn loom_the_end_of_the_scheduler_comes_at_any_time() {
    model(|| {
        let (queue, ready) = (Queue::new(), Arc::new(AtomicBool::new(false)));
        let (mut handle, waker, drops) = waiting(&queue, &ready);
        let runner = queue.clone();
        let other = thread::spawn(move || {
            waker.wake();
            runner.run();
        });
        queue.close();
        other.join().unwrap();
        // A stale entry may be left.
        queue.run();
        let Poll::Ready(result) = poll(&mut handle, Waker::noop()) else {
            panic!("it was not cancelled")
        };
        assert!(result.is_err_and(|error| error.is_cancelled()));
        drop(handle);
        assert_eq!(drops.load(Ordering::SeqCst), 1);
        assert_eq!(StdArc::strong_count(&queue), 1, "the task's memory was freed");
    });
}
