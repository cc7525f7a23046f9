//! Models of the channels and of those who wait for them: no lost wake, no lost message, a close
//! against a send, and a waiter that goes away against the one who wakes it.
//!
//! A wake that is lost leaves a thread parked for ever, which the explorer reports as a deadlock.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use loom::thread::{self, Thread};

use crate::sync::{CancellationToken, Notify, broadcast, mpsc, oneshot, watch};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// One poll by a task that nobody will wake.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Everything that arrives until the end.
fn drain<T>(mut rx: mpsc::Receiver<T>) -> Vec<T> {
    block_on(async {
        let mut got = Vec::new();
        while let Some(value) = rx.recv().await {
            got.push(value);
        }
        got
    })
}

#[test]
fn loom_mpsc_all_that_is_sent_arrives_in_order() {
    loom::model(|| {
        let (tx, rx) = mpsc::channel(2);
        let senders: Vec<_> = [tx.clone(), tx]
            .into_iter()
            .enumerate()
            .map(|(n, tx)| {
                thread::spawn(move || {
                    tx.try_send(10 * n).unwrap_or(());
                    block_on(tx.send(10 * n + 1)).unwrap();
                })
            })
            .collect();
        let got = drain(rx);
        for sender in senders {
            sender.join().unwrap();
        }
        for n in 0..2 {
            let own: Vec<_> = got.iter().filter(|value| **value / 10 == n).collect();
            assert!(own.is_sorted() && own.contains(&&(10 * n + 1)), "{got:?}");
        }
    });
}

/// Capacity goes to and fro: each side waits for the other.
#[test]
fn loom_mpsc_a_full_channel_and_an_empty_one() {
    loom::model(|| {
        let (tx, rx) = mpsc::channel(1);
        let sender = thread::spawn(move || {
            for n in 0..3 {
                block_on(tx.send(n)).unwrap();
            }
        });
        assert_eq!(drain(rx), [0, 1, 2]);
        sender.join().unwrap();
    });
}

#[test]
fn loom_mpsc_a_close_and_a_send() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::channel(1);
        let sender = thread::spawn(move || {
            [1, 2].map(|n| block_on(tx.send(Arc::new(n))).map_err(|refused| *refused.0))
        });
        block_on(rx.recv()).unwrap();
        rx.close();
        let got: Vec<_> = drain(rx).into_iter().map(|n| *n).collect();
        match sender.join().unwrap() {
            [Ok(()), Ok(())] => assert_eq!(got, [2]),
            [Ok(()), Err(2)] => assert_eq!(got, []),
            other => panic!("{other:?}"),
        }
    });
}

/// A receiver that goes away drops what is there, and who sends afterwards gets it back.
#[test]
fn loom_mpsc_a_dropped_receiver_and_a_send() {
    loom::model(|| {
        let message = Arc::new(());
        let (tx, rx) = mpsc::unbounded_channel();
        let sent = message.clone();
        let sender = thread::spawn(move || tx.send(sent).map_err(|refused| refused.0).err());
        drop(rx);
        drop(sender.join().unwrap());
        assert_eq!(Arc::strong_count(&message), 1, "nobody has it any more");
    });
}

#[test]
fn loom_mpsc_the_last_sender_goes() {
    loom::model(|| {
        let (tx, rx) = mpsc::channel::<()>(1);
        let weak = tx.downgrade();
        let others = [
            thread::spawn(move || drop(tx)),
            thread::spawn(move || {
                if let Some(tx) = weak.upgrade() {
                    tx.try_send(()).unwrap();
                }
            }),
        ];
        assert!(drain(rx).len() <= 1);
        for other in others {
            other.join().unwrap();
        }
    });
}

/// A sender in line that goes away passes on what it was given.
#[test]
fn loom_mpsc_a_waiting_sender_goes_away() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::channel(1);
        tx.try_send(0).unwrap();
        let next = tx.clone();
        let mut first = Box::pin(async move { tx.send(1).await });
        assert!(poll(first.as_mut()).is_pending());
        let next = thread::spawn(move || block_on(next.send(2)));
        let leaves = thread::spawn(move || drop(first));
        let got = [block_on(rx.recv()), block_on(rx.recv())];
        assert_eq!(got, [Some(0), Some(2)]);
        leaves.join().unwrap();
        next.join().unwrap().unwrap();
    });
}

/// The receiver has taken a batch: what comes back of it needs no mutex, and those who come to wait
/// for it, or leave, do.
#[test]
fn loom_mpsc_capacity_of_a_batch_comes_back() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::channel(2);
        tx.try_send(0).unwrap();
        tx.try_send(1).unwrap();
        assert_eq!(rx.try_recv(), Ok(0));
        let other = tx.clone();
        let sender = thread::spawn(move || {
            for n in 2..4 {
                block_on(tx.send(n)).unwrap();
            }
        });
        let leaves = thread::spawn(move || {
            let mut all = pin!(other.reserve_many(2));
            _ = poll(all.as_mut());
        });
        assert_eq!(drain(rx), [1, 2, 3]);
        sender.join().unwrap();
        leaves.join().unwrap();
    });
}

/// Capacity that has come back is not lost on who looks for it on another thread.
#[test]
fn loom_mpsc_capacity_is_seen_once_it_has_come_back() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::channel(2);
        tx.try_send(0).unwrap();
        tx.try_send(1).unwrap();
        assert_eq!(rx.try_recv(), Ok(0));
        let receiver = thread::spawn(move || {
            assert_eq!(rx.try_recv(), Ok(1));
            rx
        });
        let seen = tx.capacity();
        assert!(seen == 1 || seen == 2);
        let _rx = receiver.join().unwrap();
        assert_eq!(tx.capacity(), 2);
        tx.try_send(2).unwrap();
        tx.try_send(3).unwrap();
    });
}

/// A receiver that has closed waits for the permits that are out.
#[test]
fn loom_mpsc_permits_come_back_after_the_close() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::channel(2);
        let used = tx.clone().try_reserve_owned().unwrap();
        let unused = tx.try_reserve_owned().unwrap();
        let others =
            [thread::spawn(move || drop(used.send(1))), thread::spawn(move || drop(unused))];
        rx.close();
        assert_eq!(drain(rx), [1]);
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn loom_mpsc_those_who_wait_for_the_close() {
    loom::model(|| {
        let (tx, rx) = mpsc::channel::<()>(1);
        let other = tx.clone();
        let waiting = thread::spawn(move || block_on(other.closed()));
        let goes_away = thread::spawn(move || {
            let mut closed = pin!(tx.closed());
            _ = poll(closed.as_mut());
        });
        drop(rx);
        waiting.join().unwrap();
        goes_away.join().unwrap();
    });
}

#[test]
fn loom_oneshot_a_send_and_a_receive() {
    loom::model(|| {
        let (tx, rx) = oneshot::channel();
        let sender = thread::spawn(move || tx.send(1));
        assert_eq!(block_on(rx), Ok(1));
        sender.join().unwrap().unwrap();
    });
}

/// The receiver moves to another task while the message comes.
#[test]
fn loom_oneshot_a_receiver_that_moves() {
    loom::model(|| {
        let (tx, mut rx) = oneshot::channel();
        let sender = thread::spawn(move || tx.send(1));
        match poll(Pin::new(&mut rx)) {
            Poll::Ready(got) => assert_eq!(got, Ok(1)),
            Poll::Pending => {
                let other = thread::spawn(move || assert_eq!(block_on(rx), Ok(1)));
                other.join().unwrap();
            }
        }
        sender.join().unwrap().unwrap();
    });
}

/// A thread that looks for its wake before it sleeps.
#[test]
fn loom_oneshot_a_thread_that_waits() {
    loom::model(|| {
        let (tx, rx) = oneshot::channel();
        let sender = thread::spawn(move || tx.send(1));
        assert_eq!(rx.blocking_recv(), Ok(1));
        sender.join().unwrap().unwrap();
    });
}

#[test]
fn loom_oneshot_a_sender_goes() {
    loom::model(|| {
        let (tx, rx) = oneshot::channel::<()>();
        let sender = thread::spawn(move || drop(tx));
        assert!(block_on(rx).is_err());
        sender.join().unwrap();
    });
}

#[test]
fn loom_oneshot_a_close_and_a_send() {
    loom::model(|| {
        let (tx, mut rx) = oneshot::channel();
        let sender = thread::spawn(move || tx.send(1).is_ok());
        rx.close();
        let got = rx.try_recv().is_ok();
        assert_eq!(sender.join().unwrap(), got, "it was sent and received, or neither");
    });
}

#[test]
fn loom_oneshot_a_dropped_receiver_and_a_send() {
    loom::model(|| {
        let message = Arc::new(());
        let (mut tx, rx) = oneshot::channel();
        let sent = message.clone();
        let sender = thread::spawn(move || {
            if !tx.is_closed() && block_on(async { poll(pin!(tx.closed())) }).is_pending() {
                drop(tx.send(sent));
            }
        });
        drop(rx);
        sender.join().unwrap();
        assert_eq!(Arc::strong_count(&message), 1, "nobody has it any more");
    });
}

#[test]
fn loom_oneshot_a_sender_waits_for_the_close() {
    loom::model(|| {
        let (mut tx, rx) = oneshot::channel::<()>();
        let receiver = thread::spawn(move || drop(rx));
        block_on(tx.closed());
        receiver.join().unwrap();
    });
}

#[test]
fn loom_broadcast_everybody_gets_everything() {
    loom::model(|| {
        let (tx, a) = broadcast::channel(1);
        let receivers = [a, tx.subscribe()].map(|mut rx| {
            thread::spawn(move || block_on(async { [rx.recv().await, rx.recv().await] }))
        });
        tx.send(1).unwrap();
        drop(tx);
        for receiver in receivers {
            let got = receiver.join().unwrap();
            assert_eq!(got, [Ok(1), Err(broadcast::error::RecvError::Closed)]);
        }
    });
}

#[test]
fn loom_broadcast_senders_take_turns() {
    loom::model(|| {
        let (tx, mut rx) = broadcast::channel(2);
        let other = tx.clone();
        let other = thread::spawn(move || other.send(1).unwrap());
        assert_eq!(tx.send(2).unwrap(), 1);
        assert_eq!(other.join().unwrap(), 1);
        let mut got = [rx.try_recv().unwrap(), rx.try_recv().unwrap()];
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
    });
}

/// One that goes away gives its place up, or it was taken out of the line: the other is woken.
#[test]
fn loom_broadcast_a_waiting_receiver_goes_away() {
    loom::model(|| {
        let (tx, mut stays) = broadcast::channel(1);
        let mut goes = tx.subscribe();
        let goes = thread::spawn(move || _ = poll(pin!(goes.recv())));
        let stays = thread::spawn(move || block_on(stays.recv()));
        tx.send(1).unwrap();
        assert_eq!(stays.join().unwrap(), Ok(1));
        goes.join().unwrap();
    });
}

/// Who lags is told how far, and nobody keeps a message that all have read or left.
#[test]
fn loom_broadcast_a_receiver_goes_while_another_lags() {
    loom::model(|| {
        let messages = [Arc::new(()), Arc::new(())];
        let (tx, mut slow) = broadcast::channel(1);
        let leaves = tx.subscribe();
        let leaves = thread::spawn(move || drop(leaves));
        let sent = messages.clone();
        let sender = thread::spawn(move || sent.map(|message| tx.send(message).is_ok()));
        let mut received = 0;
        let mut missed = 0;
        loop {
            match block_on(slow.recv()) {
                Ok(_) => received += 1,
                Err(broadcast::error::RecvError::Lagged(n)) => missed += n,
                Err(broadcast::error::RecvError::Closed) => break,
            }
        }
        assert_eq!(sender.join().unwrap(), [true, true]);
        assert_eq!(received + missed, 2);
        leaves.join().unwrap();
        assert!(messages.iter().all(|message| Arc::strong_count(message) == 1));
    });
}

#[test]
fn loom_broadcast_the_last_receiver_goes() {
    loom::model(|| {
        let (tx, rx) = broadcast::channel::<u8>(1);
        let others = [rx, tx.subscribe()].map(|rx| thread::spawn(move || drop(rx)));
        block_on(tx.closed());
        assert!(tx.send(1).is_err());
        for other in others {
            other.join().unwrap();
        }
    });
}

/// Two that wait, and two that wake one each.
#[test]
fn loom_notify_one_for_each() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let [first, second] = [(); 2].map(|()| {
            let mut notified = Box::pin(notify.clone().notified_owned());
            assert!(poll(notified.as_mut()).is_pending());
            notified
        });
        let first = thread::spawn(move || block_on(first));
        let other = notify.clone();
        let wakes = thread::spawn(move || other.notify_last());
        notify.notify_one();
        block_on(second);
        first.join().unwrap();
        wakes.join().unwrap();
    });
}

/// A permit that is left while somebody comes to wait.
#[test]
fn loom_notify_who_comes_and_a_permit() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let waits = notify.clone();
        let waits = thread::spawn(move || block_on(waits.notified()));
        notify.notify_one();
        waits.join().unwrap();
    });
}

/// Who was chosen and goes away without having seen it passes it on.
#[test]
fn loom_notify_a_waiter_goes_away() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let mut first = Box::pin(notify.clone().notified_owned());
        let mut second = Box::pin(notify.clone().notified_owned());
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        let leaves = thread::spawn(move || drop(first));
        let second = thread::spawn(move || block_on(second));
        notify.notify_one();
        leaves.join().unwrap();
        second.join().unwrap();
    });
}

/// What was made before the call is woken by it, polled or not; no permit stays.
#[test]
fn loom_notify_waiters_and_who_has_not_been_polled() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let made = notify.clone().notified_owned();
        let waiting = thread::spawn(move || block_on(made));
        notify.notify_waiters();
        waiting.join().unwrap();
        assert!(poll(pin!(notify.notified())).is_pending());
    });
}

#[test]
fn loom_notify_enable_and_then_look() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let ready = Arc::new(loom::sync::atomic::AtomicBool::new(false));
        let (other, sets) = (notify.clone(), ready.clone());
        let setter = thread::spawn(move || {
            sets.store(true, loom::sync::atomic::Ordering::Relaxed);
            other.notify_one();
        });
        let mut notified = pin!(notify.notified());
        let told = notified.as_mut().enable();
        if !told && !ready.load(loom::sync::atomic::Ordering::Relaxed) {
            block_on(notified.as_mut());
        }
        setter.join().unwrap();
    });
}

#[test]
fn loom_watch_a_change_and_the_end_are_seen() {
    loom::model(|| {
        let (tx, mut rx) = watch::channel(0);
        let sender = thread::spawn(move || {
            tx.send_replace(1);
            tx.send_replace(2);
        });
        let mut seen = vec![0];
        while block_on(rx.changed()).is_ok() {
            seen.push(*rx.borrow_and_update());
        }
        sender.join().unwrap();
        assert!(seen.is_sorted() && seen.last() == Some(&2), "{seen:?}");
    });
}

/// The flag that somebody waits falls when the line is empty, while another one comes.
#[test]
fn loom_watch_one_is_told_while_another_comes() {
    loom::model(|| {
        let (tx, rx) = watch::channel(0);
        let receivers = [rx.clone(), rx].map(|mut rx| {
            thread::spawn(move || {
                assert!(block_on(rx.wait_for(|value| *value == 2)).is_ok());
            })
        });
        tx.send_replace(1);
        tx.send_replace(2);
        for receiver in receivers {
            receiver.join().unwrap();
        }
    });
}

#[test]
fn loom_watch_a_waiter_goes_away() {
    loom::model(|| {
        let (tx, mut rx) = watch::channel(0);
        let mut leaves = rx.clone();
        let leaves = thread::spawn(move || {
            _ = poll(pin!(leaves.changed()));
        });
        let sender = thread::spawn(move || tx.send_replace(1));
        block_on(rx.changed()).unwrap();
        leaves.join().unwrap();
        sender.join().unwrap();
    });
}

#[test]
fn loom_watch_the_last_receiver_goes() {
    loom::model(|| {
        let (tx, rx) = watch::channel(0);
        let others = [rx.clone(), rx].map(|rx| thread::spawn(move || drop(rx)));
        block_on(tx.closed());
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn loom_token_a_cancel_and_who_waits() {
    loom::model(|| {
        let token = CancellationToken::new();
        let child = token.child_token();
        let waiting = thread::spawn(move || block_on(child.cancelled()));
        let cancels = token.clone();
        let cancels = thread::spawn(move || cancels.cancel());
        let late = token.child_token();
        block_on(late.cancelled());
        waiting.join().unwrap();
        cancels.join().unwrap();
    });
}

/// A token between two others goes while the one above it is cancelled.
#[test]
fn loom_token_a_parent_goes_while_its_own_is_cancelled() {
    loom::model(|| {
        let token = CancellationToken::new();
        let parent = token.child_token();
        let child = parent.child_token();
        let goes = thread::spawn(move || drop(parent));
        let cancels = thread::spawn(move || token.cancel());
        block_on(child.cancelled());
        goes.join().unwrap();
        cancels.join().unwrap();
    });
}
