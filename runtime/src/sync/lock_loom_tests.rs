//! Models of the semaphore's word and line, and of what stands on them: locks that are handed over
//! while waiters come, go and are woken; cells that are filled once; the barrier.
//!
//! What a lock guards is a cell of the explorer's, which fails the model if two are let in.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Wake, Waker};

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::{self, Thread};

use crate::sync::{Barrier, Mutex, OnceCell, RwLock, Semaphore, SetOnce, TryLockError};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

fn waker() -> Waker {
    Waker::from(std::sync::Arc::new(Unpark(thread::current())))
}

/// What `sync::blocking` does, with the explorer's threads: it finds a lost wake, as a deadlock.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = waker();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

type Cell = UnsafeCell<usize>;

fn increment(cell: &Cell) {
    // A read and a write with a switch in between, were there no lock.
    let before = read(cell);
    // SAFETY: the lock lets one in; the model fails if it does not.
    cell.with_mut(|value| unsafe { *value = before + 1 });
}

fn read(cell: &Cell) -> usize {
    // SAFETY: the lock lets nobody write meanwhile; the model fails if it does.
    cell.with(|value| unsafe { *value })
}

/// The fast paths of both sides against each other and against the slow ones.
#[test]
fn loom_a_mutex_lets_one_in_and_forgets_nobody() {
    loom::model(|| {
        let mutex = Arc::new(Mutex::new(Cell::new(0)));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let mutex = mutex.clone();
                thread::spawn(move || increment(&block_on(mutex.lock())))
            })
            .collect();
        increment(&block_on(mutex.lock()));
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(read(&mutex.try_lock().unwrap()), 3);
    });
}

/// Who tries never gets in beside somebody, and never breaks the line.
#[test]
fn loom_try_lock_beside_lock() {
    loom::model(|| {
        let mutex = Arc::new(Mutex::new(Cell::new(0)));
        let tries = {
            let mutex = mutex.clone();
            thread::spawn(move || match mutex.try_lock() {
                Ok(cell) => increment(&cell),
                Err(TryLockError { .. }) => {}
            })
        };
        let locks = {
            let mutex = mutex.clone();
            thread::spawn(move || increment(&block_on(mutex.lock())))
        };
        increment(&block_on(mutex.lock()));
        tries.join().unwrap();
        locks.join().unwrap();
        assert!(read(&mutex.try_lock().unwrap()) >= 2);
    });
}

/// The lock is handed to a waiter who goes away: before, while or after that, the next one gets it.
#[test]
fn loom_a_waiter_who_goes_away_passes_the_lock_on() {
    loom::model(|| {
        let mutex = Arc::new(Mutex::new(Cell::new(0)));
        let held = mutex.try_lock().unwrap();
        let goes = {
            let mutex = mutex.clone();
            thread::spawn(move || {
                let mut waiting = Box::pin(mutex.lock());
                if let Poll::Ready(cell) = poll(waiting.as_mut()) {
                    increment(&cell);
                }
            })
        };
        let stays = {
            let mutex = mutex.clone();
            thread::spawn(move || increment(&block_on(mutex.lock())))
        };
        increment(&held);
        drop(held);
        goes.join().unwrap();
        stays.join().unwrap();
        assert!(read(&mutex.try_lock().unwrap()) >= 2);
    });
}

/// The waker of the last poll is the one that is called, whenever the lock comes.
#[test]
fn loom_a_waiter_changes_its_waker() {
    loom::model(|| {
        let mutex = Arc::new(Mutex::new(Cell::new(0)));
        let held = mutex.try_lock().unwrap();
        let other = {
            let mutex = mutex.clone();
            thread::spawn(move || {
                let mut waiting = Box::pin(mutex.lock());
                match poll(waiting.as_mut()) {
                    Poll::Ready(cell) => increment(&cell),
                    Poll::Pending => increment(&block_on(waiting)),
                }
            })
        };
        increment(&held);
        drop(held);
        other.join().unwrap();
        assert_eq!(read(&mutex.try_lock().unwrap()), 2);
    });
}

#[test]
fn loom_readers_share_and_a_writer_does_not() {
    loom::model(|| {
        let lock = Arc::new(RwLock::new(Cell::new(0)));
        let reader = {
            let lock = lock.clone();
            thread::spawn(move || read(&block_on(lock.read())))
        };
        let writer = {
            let lock = lock.clone();
            thread::spawn(move || increment(&block_on(lock.write())))
        };
        assert!(read(&block_on(lock.read())) <= 1);
        assert!(reader.join().unwrap() <= 1);
        writer.join().unwrap();
        assert_eq!(read(&lock.try_write().unwrap()), 1);
    });
}

/// Two writers collect their permits one after the other, never a part each.
#[test]
fn loom_writers_take_turns() {
    loom::model(|| {
        let lock = Arc::new(RwLock::new(Cell::new(0)));
        let reading = lock.try_read().unwrap();
        let other = {
            let lock = lock.clone();
            thread::spawn(move || increment(&block_on(lock.write())))
        };
        assert!(read(&reading) == 0);
        drop(reading);
        increment(&block_on(lock.write()));
        other.join().unwrap();
        assert_eq!(read(&lock.try_read().unwrap()), 2);
    });
}

/// A writer who has collected a part of the permits goes away: those behind it get them.
#[test]
fn loom_a_writer_who_goes_away_gives_back_what_it_has() {
    loom::model(|| {
        let lock = Arc::new(RwLock::with_max_readers(Cell::new(0), 2));
        let reading = lock.try_read().unwrap();
        let goes = {
            let lock = lock.clone();
            thread::spawn(move || {
                let mut waiting = Box::pin(lock.write());
                if let Poll::Ready(cell) = poll(waiting.as_mut()) {
                    increment(&cell);
                }
            })
        };
        let stays = {
            let lock = lock.clone();
            thread::spawn(move || read(&block_on(lock.read())))
        };
        read(&reading);
        drop(reading);
        goes.join().unwrap();
        stays.join().unwrap();
        assert!(lock.try_write().is_ok(), "all permits are there");
    });
}

/// Between the write and the reads after a downgrade nobody writes.
#[test]
fn loom_a_downgrade_lets_no_writer_in() {
    loom::model(|| {
        let lock = Arc::new(RwLock::with_max_readers(Cell::new(0), 2));
        let writer = {
            let lock = lock.clone();
            thread::spawn(move || increment(&block_on(lock.write())))
        };
        let writing = block_on(lock.write());
        increment(&writing);
        let before = read(&writing);
        let reading = writing.downgrade();
        assert_eq!(read(&reading), before);
        drop(reading);
        writer.join().unwrap();
        assert_eq!(read(&lock.try_read().unwrap()), 2);
    });
}

/// A close, a permit that comes back, and one who waits for it: it gets the permit or the error,
/// and the permit is there in the end.
#[test]
fn loom_a_semaphore_is_closed_while_a_permit_comes_back() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = semaphore.try_acquire().unwrap();
        let waits = {
            let semaphore = semaphore.clone();
            thread::spawn(move || drop(block_on(semaphore.acquire())))
        };
        let closes = {
            let semaphore = semaphore.clone();
            thread::spawn(move || semaphore.close())
        };
        drop(permit);
        waits.join().unwrap();
        closes.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// Whoever waits for many collects what two give back at the same time.
#[test]
fn loom_a_waiter_collects_from_two() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(2));
        let (a, b) = (semaphore.try_acquire().unwrap(), semaphore.try_acquire().unwrap());
        a.forget();
        b.forget();
        let other = {
            let semaphore = semaphore.clone();
            thread::spawn(move || semaphore.add_permits(1))
        };
        let collects = {
            let semaphore = semaphore.clone();
            thread::spawn(move || block_on(semaphore.acquire_many(2)).unwrap().num_permits())
        };
        semaphore.add_permits(1);
        assert_eq!(collects.join().unwrap(), 2);
        other.join().unwrap();
        assert_eq!(semaphore.available_permits(), 2);
    });
}

/// A value that is set once: of two who set it one does, and who waits is woken by that one.
#[test]
fn loom_set_once_wakes_who_waits() {
    loom::model(|| {
        let once = Arc::new(SetOnce::new());
        let waits = {
            let once = once.clone();
            thread::spawn(move || *block_on(once.wait()))
        };
        let sets = {
            let once = once.clone();
            thread::spawn(move || once.set(1).is_ok())
        };
        let set = once.set(2).is_ok();
        assert_ne!(sets.join().unwrap(), set);
        assert_eq!(waits.join().unwrap(), if set { 2 } else { 1 });
    });
}

/// Who waits for a value may go away while it comes.
#[test]
fn loom_set_once_while_a_waiter_goes_away() {
    loom::model(|| {
        let once = Arc::new(SetOnce::new());
        let goes = {
            let once = once.clone();
            thread::spawn(move || {
                let mut waiting = Box::pin(once.wait());
                poll(waiting.as_mut()).is_ready()
            })
        };
        let stays = {
            let once = once.clone();
            thread::spawn(move || *block_on(once.wait()))
        };
        assert!(once.set(1).is_ok());
        goes.join().unwrap();
        assert_eq!(stays.join().unwrap(), 1);
    });
}

#[test]
fn loom_a_value_is_made_once() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let made = Arc::new(AtomicUsize::new(0));
        let get = |cell: Arc<OnceCell<usize>>, made: Arc<AtomicUsize>| {
            *block_on(cell.get_or_init(|| async {
                made.fetch_add(1, Ordering::Relaxed);
                7
            }))
        };
        let other = {
            let (cell, made) = (cell.clone(), made.clone());
            thread::spawn(move || get(cell, made))
        };
        assert_eq!(get(cell, made.clone()), 7);
        assert_eq!(other.join().unwrap(), 7);
        assert_eq!(made.load(Ordering::Relaxed), 1);
    });
}

/// Who makes the value goes away; the one behind makes it.
#[test]
fn loom_a_maker_who_goes_away_leaves_it_to_the_next() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let goes = {
            let cell = cell.clone();
            thread::spawn(move || {
                let mut making = Box::pin(cell.get_or_init(std::future::pending));
                poll(making.as_mut()).is_ready()
            })
        };
        assert_eq!(*block_on(cell.get_or_init(|| async { 7 })), 7);
        goes.join().unwrap();
    });
}

#[test]
fn loom_a_barrier_has_one_leader_a_round() {
    loom::model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let rounds = |barrier: Arc<Barrier>| [(); 2].map(|()| block_on(barrier.wait()).is_leader());
        let other = {
            let barrier = barrier.clone();
            thread::spawn(move || rounds(barrier))
        };
        let own = rounds(barrier);
        let other = other.join().unwrap();
        assert!(own[0] != other[0] && own[1] != other[1]);
    });
}
