//! What the rows ask of a runtime, in tokio's words.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use tokio::runtime::{Builder, LocalOptions};
use tokio::task::JoinHandle;

use crate::sync::Flavour;

pub use tokio::fs;
pub use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
pub use tokio::net::{TcpListener, TcpStream, UdpSocket};
pub use tokio::select;
pub use tokio::sync::{Mutex, Notify, Semaphore, broadcast, mpsc, oneshot, watch};
pub use tokio::task::{JoinSet, spawn_blocking, spawn_local, yield_now};
pub use tokio::time::sleep;

/// Runs a future on a new runtime of one thread.
pub fn run<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(make()),
        Err(error) => panic!("no runtime: {error}"),
    }
}

/// It cannot be more exact than it is.
pub use run as run_exact;

/// The same, with tasks that need not be `Send`.
pub fn run_local<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
        Ok(runtime) => runtime.block_on(make()),
        Err(error) => panic!("no runtime: {error}"),
    }
}

pub fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
}

pub fn detach<T>(handle: JoinHandle<T>) {
    drop(handle);
}

/// Two runtimes, a thread each.
pub fn pair<A: Future, B: Future>(
    here: impl FnOnce() -> A,
    there: impl FnOnce() -> B + Send,
) -> A::Output {
    thread::scope(|scope| {
        scope.spawn(move || drop(run(there)));
        run(here)
    })
}

pub fn channel() -> (mpsc::Sender<()>, mpsc::Receiver<()>) {
    mpsc::channel(1)
}

pub async fn send(to: &mpsc::Sender<()>) {
    if to.send(()).await.is_err() {
        panic!("the receiver is gone");
    }
}

pub async fn receive(from: &mut mpsc::Receiver<()>) {
    if from.recv().await.is_none() {
        panic!("the sender is gone");
    }
}

/// The runtime's channels and locks.
pub struct Everywhere;

impl Flavour for Everywhere {
    type Sender = mpsc::Sender<()>;
    type Receiver = mpsc::Receiver<()>;
    type Asker = oneshot::Receiver<()>;
    type Answerer = oneshot::Sender<()>;
    type Mutex = Mutex<u64>;

    fn channel() -> (Self::Sender, Self::Receiver) {
        channel()
    }

    async fn send(to: &Self::Sender) {
        send(to).await;
    }

    async fn receive(from: &mut Self::Receiver) {
        receive(from).await;
    }

    fn oneshot() -> (Self::Answerer, Self::Asker) {
        oneshot::channel()
    }

    fn answer(with: Self::Answerer) {
        if with.send(()).is_err() {
            panic!("nobody waits for the answer");
        }
    }

    fn mutex() -> Self::Mutex {
        Mutex::new(0)
    }

    async fn lock(mutex: &Self::Mutex) {
        *mutex.lock().await += 1;
    }
}

pub fn lane(_there: bool, capacity: usize) -> (mpsc::Sender<u64>, mpsc::Receiver<u64>) {
    mpsc::channel(capacity)
}

pub fn open(lane: mpsc::Receiver<u64>) -> mpsc::Receiver<u64> {
    lane
}

pub async fn lane_send(to: &mpsc::Sender<u64>, message: u64) {
    if to.send(message).await.is_err() {
        panic!("the receiver is gone");
    }
}

pub async fn lane_receive(from: &mut mpsc::Receiver<u64>) -> u64 {
    match from.recv().await {
        Some(message) => message,
        None => panic!("the sender is gone"),
    }
}

type Question = (u64, oneshot::Sender<u64>);

/// A task that answers, and a way to ask it: tokio's tutorial calls it an actor.
pub fn questions(capacity: usize) -> (mpsc::Sender<Question>, mpsc::Receiver<Question>) {
    mpsc::channel(capacity)
}

pub async fn ask(to: &mpsc::Sender<Question>, number: u64) -> u64 {
    let (answer, answered) = oneshot::channel();
    if to.send((number, answer)).await.is_err() {
        panic!("nobody answers");
    }
    match answered.await {
        Ok(number) => number,
        Err(_) => panic!("nobody answered"),
    }
}

pub async fn answer(mut from: mpsc::Receiver<Question>, _over: Arc<AtomicBool>) {
    while let Some((number, answer)) = from.recv().await {
        if answer.send(number + 1).is_err() {
            panic!("nobody waits for the answer");
        }
    }
}
