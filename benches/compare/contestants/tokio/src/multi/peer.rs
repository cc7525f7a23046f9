//! What the rows ask of a runtime, in the words of tokio's `multi_thread`.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

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
