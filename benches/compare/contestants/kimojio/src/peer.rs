//! What the rows ask of a runtime, in kimojio's words.

use std::future::Future;
use std::thread;
use std::time::Duration;

use kimojio::operations::{self, TaskHandle};
use kimojio::{Receiver, Sender};

pub use kimojio::operations::{spawn_task as spawn, spawn_task as spawn_local};
pub use run as run_local;

/// Runs a future on a new runtime.
pub fn run<F: Future<Output: 'static> + 'static>(make: impl FnOnce() -> F) -> F::Output {
    match kimojio::run(0, make()) {
        Some(Ok(output)) => output,
        _ => panic!("the future panicked, or the loop was shut down"),
    }
}

/// Two runtimes, a thread each.
pub fn pair<A, B>(here: impl FnOnce() -> A, there: impl FnOnce() -> B + Send) -> A::Output
where
    A: Future<Output: 'static> + 'static,
    B: Future<Output: 'static> + 'static,
{
    thread::scope(|scope| {
        scope.spawn(move || drop(run(there)));
        run(here)
    })
}

pub async fn yield_now() {
    operations::yield_io().await
}

pub async fn sleep(duration: Duration) {
    if let Err(error) = operations::sleep(duration).await {
        panic!("sleep: {error}");
    }
}

pub fn detach<T: 'static>(handle: TaskHandle<T>) {
    drop(handle);
}

pub fn channel() -> (Sender<()>, Receiver<()>) {
    kimojio::async_channel()
}

pub async fn send(to: &Sender<()>) {
    if to.send(()).await.is_err() {
        panic!("the receiver is gone");
    }
}

pub async fn receive(from: &mut Receiver<()>) {
    if from.recv().await.is_err() {
        panic!("the sender is gone");
    }
}
