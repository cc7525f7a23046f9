//! Rows about channels and locks, for every flavour that a runtime has of them.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

use contestant::{Meter, Row};

use crate::peer;

/// Channels and locks of one kind.
pub trait Flavour: 'static {
    type Sender: 'static;
    type Receiver: 'static;
    type Asker: Future + 'static;
    type Answerer: 'static;
    type Mutex: 'static;

    /// A bounded channel of capacity one.
    fn channel() -> (Self::Sender, Self::Receiver);
    fn send(to: &Self::Sender) -> impl Future<Output = ()>;
    fn receive(from: &mut Self::Receiver) -> impl Future<Output = ()>;

    /// A channel for one message.
    fn oneshot() -> (Self::Answerer, Self::Asker);
    fn answer(with: Self::Answerer);

    fn mutex() -> Self::Mutex;
    /// Locks, raises what is inside, and unlocks.
    fn lock(mutex: &Self::Mutex) -> impl Future<Output = ()>;
}

const TRIPS: u64 = 300_000;
const WARM: u64 = 10_000;

/// There and back again over two channels of capacity one.
pub fn channel_round_trip<F: Flavour>() -> Row {
    peer::run_local(|| async {
        let (to_other, mut at_other) = F::channel();
        let (to_us, mut at_us) = F::channel();
        let other = peer::spawn_local(async move {
            for _ in 0..WARM + TRIPS {
                F::receive(&mut at_other).await;
                F::send(&to_us).await;
            }
        });
        let mut meter = Meter::start();
        for trip in 0..WARM + TRIPS {
            if trip == WARM {
                meter = Meter::start();
            }
            F::send(&to_other).await;
            F::receive(&mut at_us).await;
        }
        let row = meter.stop(TRIPS);
        _ = other.await;
        row
    })
}

/// Where the one who answers waits for a question. The same for every contestant.
struct Desk<T> {
    question: RefCell<Option<T>>,
    waker: RefCell<Option<Waker>>,
}

impl<T> Desk<T> {
    fn put(&self, question: T) {
        *self.question.borrow_mut() = Some(question);
        // Taken out first: `wake` is foreign code and must not run inside the borrow.
        let waker = self.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn take(&self) -> T {
        poll_fn(|cx| match self.question.borrow_mut().take() {
            Some(question) => Poll::Ready(question),
            None => {
                *self.waker.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            }
        })
        .await
    }
}

/// A question with a channel for its answer, handed to another task, and the answer awaited.
pub fn oneshot_round_trip<F: Flavour>() -> Row {
    peer::run_local(|| async {
        let desk = Rc::new(Desk { question: RefCell::new(None), waker: RefCell::new(None) });
        let other = {
            let desk = desk.clone();
            peer::spawn_local(async move {
                for _ in 0..WARM + TRIPS {
                    F::answer(desk.take().await);
                }
            })
        };
        let mut meter = Meter::start();
        for trip in 0..WARM + TRIPS {
            if trip == WARM {
                meter = Meter::start();
            }
            let (answerer, asker) = F::oneshot();
            desk.put(answerer);
            _ = asker.await;
        }
        let row = meter.stop(TRIPS);
        _ = other.await;
        row
    })
}

/// A mutex that nobody else wants, locked and unlocked.
pub fn mutex_uncontended<F: Flavour>() -> Row {
    const LOCKS: u64 = 3_000_000;
    peer::run_local(|| async {
        let mutex = F::mutex();
        for _ in 0..LOCKS / 10 {
            F::lock(&mutex).await;
        }
        let meter = Meter::start();
        for _ in 0..LOCKS {
            F::lock(&mutex).await;
        }
        meter.stop(LOCKS)
    })
}
