//! Threads that send and receive at full speed, and messages that only one thread at a time may
//! touch.

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use super::error::{RecvError, TryRecvError};
use super::{Receiver, Sender, WeakSender, channel};

/// Checks that what comes is what was sent, in order and without a gap that was not told of, up to
/// the end at `sent`.
fn follow(mut rx: Receiver<u64>, sent: u64, by_hand: bool) {
    let mut next = 0;
    loop {
        let received = if by_hand {
            match rx.try_recv() {
                Ok(value) => Ok(value),
                Err(TryRecvError::Empty) => continue,
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
            }
        } else {
            rx.blocking_recv()
        };
        match received {
            Ok(value) => {
                assert_eq!(value, next);
                next += 1;
            }
            Err(RecvError::Lagged(missed)) => next += missed,
            Err(RecvError::Closed) => break,
        }
    }
    assert_eq!(next, sent);
}

#[test]
fn threads_get_all_in_order_or_are_told_what_they_miss() {
    const SENT: u64 = 20_000;
    for capacity in [1, 2, 8, 64] {
        let tx = Sender::new(capacity);
        let receivers: Vec<_> = [false, true, false]
            .into_iter()
            .map(|by_hand| {
                let rx = tx.subscribe();
                thread::spawn(move || follow(rx, SENT, by_hand))
            })
            .collect();
        for n in 0..SENT {
            tx.send(n).unwrap();
        }
        drop(tx);
        for receiver in receivers {
            receiver.join().unwrap();
        }
    }
}

/// Whoever leaves in the middle leaves nothing to be read by nobody.
#[test]
fn threads_come_and_go_and_every_message_is_dropped() {
    let (tx, rx) = channel(4);
    let message = Arc::new(());
    let visitors: Vec<_> = (0..3)
        .map(|n| {
            let tx = tx.downgrade();
            thread::spawn(move || {
                while let Some(tx) = tx.upgrade() {
                    let mut rx = tx.subscribe();
                    drop(tx);
                    for _ in 0..n {
                        if rx.blocking_recv() == Err(RecvError::Closed) {
                            return;
                        }
                    }
                }
            })
        })
        .collect();
    for _ in 0..5_000 {
        tx.send(message.clone()).unwrap();
    }
    drop(tx);
    for visitor in visitors {
        visitor.join().unwrap();
    }
    drop(rx);
    assert_eq!(Arc::strong_count(&message), 1);
}

#[test]
fn what_only_one_thread_at_a_time_may_touch_can_be_sent() {
    fn for_all_threads<T: Send + Sync>() {}
    for_all_threads::<Sender<Cell<u8>>>();
    for_all_threads::<WeakSender<Cell<u8>>>();
    for_all_threads::<Receiver<Cell<u8>>>();

    fn is_for_all_threads<T: Send + Sync>(_: &T) {}
    let (_tx, mut rx) = channel(1);
    let cell: &mut Receiver<Cell<u8>> = &mut rx;
    is_for_all_threads(&cell.recv());
}

/// A message whose first clone panics.
#[derive(Debug)]
struct Fragile(Arc<AtomicUsize>);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert!(self.0.fetch_add(1, Ordering::Relaxed) > 0, "as expected");
        Self(self.0.clone())
    }
}

#[test]
fn a_clone_that_panics_counts_as_a_reading() {
    let (tx, mut a) = channel(2);
    let mut b = tx.subscribe();
    let clones = Arc::new(AtomicUsize::new(0));
    tx.send(Fragile(clones.clone())).unwrap();
    let panics = std::panic::AssertUnwindSafe(|| a.try_recv().map(drop));
    std::panic::catch_unwind(panics).unwrap_err();
    assert_eq!(a.try_recv().map(drop), Err(TryRecvError::Empty));
    assert_eq!(tx.len(), 1);
    drop(b.try_recv().unwrap());
    assert_eq!(tx.len(), 0);
    assert_eq!(Arc::strong_count(&clones), 1, "nobody keeps what all have read");
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Seats of rounds that are over belong to others: giving one up must not touch them.
#[test]
fn who_waits_is_told_once_whoever_leaves() {
    let (tx, mut stays) = channel(4);
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(count.clone());
    let mut cx = Context::from_waker(&waker);
    let mut leaves = [(); 40].map(|()| tx.subscribe());
    for round in 1..=3 {
        let stays = &mut stays;
        let mut waits = pin!(stays.recv());
        assert!(waits.as_mut().poll(&mut cx).is_pending());
        for rx in &mut leaves {
            // Given up at once, and again after a message came.
            assert!(pin!(rx.recv()).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let told = Waker::from(count.clone());
        let mut others: Vec<_> = leaves.iter_mut().map(|rx| Box::pin(rx.recv())).collect();
        for other in &mut others {
            assert!(other.as_mut().poll(&mut Context::from_waker(&told)).is_pending());
        }
        let before = count.0.load(Ordering::Relaxed);
        tx.send(round).unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed) - before, 41, "all of the round, each once");
        drop(others);
        assert_eq!(waits.as_mut().poll(&mut cx), Poll::Ready(Ok(round)));
        for rx in &mut leaves {
            assert_eq!(rx.try_recv(), Ok(round));
        }
    }
}

/// Looks at the channel from within a wake.
struct Look(Sender<Cell<u8>>, AtomicUsize);

impl Wake for Look {
    fn wake(self: Arc<Self>) {
        assert_eq!((self.0.receiver_count(), self.0.len()), (0, 0));
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn who_waits_for_the_last_receiver_finds_nothing_unread() {
    let (tx, rx) = channel(2);
    tx.send(Cell::new(1)).unwrap();
    let look = Arc::new(Look(tx.clone(), AtomicUsize::new(0)));
    let waker = Waker::from(look.clone());
    let mut closed = pin!(tx.closed());
    assert!(closed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(rx);
    assert_eq!(look.1.load(Ordering::Relaxed), 1);
}
