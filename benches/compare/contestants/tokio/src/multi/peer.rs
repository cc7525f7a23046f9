//! What the rows ask of a runtime, in the words of tokio's `multi_thread`.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub use tokio::fs;
pub use tokio::io::AsyncWriteExt;
pub use tokio::task::{spawn_blocking, yield_now};
pub use tokio::time::sleep;

fn runtime() -> Runtime {
    match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("no runtime: {error}"),
    }
}

/// Runs a future on a worker: `block_on` alone would poll it on the calling thread.
pub fn run<F>(make: impl FnOnce() -> F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    let runtime = runtime();
    match runtime.block_on(runtime.spawn(make())) {
        Ok(output) => output,
        Err(error) => panic!("the row's task: {error}"),
    }
}

pub fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
}

pub fn detach<T>(handle: JoinHandle<T>) {
    drop(handle);
}

/// All tasks of this runtime may be run by every worker.
pub mod steal {
    pub use super::{detach, run, spawn};
    pub use tokio::io::{AsyncReadExt, AsyncWriteExt};
    pub use tokio::net::{TcpListener, TcpStream};
    pub use tokio::sync::Semaphore;
}

/// Two workers of one runtime.
pub fn pair<A, B>(here: impl FnOnce() -> A, there: impl FnOnce() -> B) -> A::Output
where
    A: Future<Output: Send> + Send + 'static,
    B: Future<Output: Send> + Send + 'static,
{
    let runtime = runtime();
    let there = runtime.spawn(there());
    match runtime.block_on(runtime.spawn(here())) {
        Ok(output) => {
            drop(runtime.block_on(there));
            output
        }
        Err(error) => panic!("the row's task: {error}"),
    }
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
