//! What the rows ask of a runtime, in glommio's words.

use std::future::Future;
use std::thread;

use glommio::channels::local_channel::{self, LocalReceiver, LocalSender};
use glommio::{LocalExecutorBuilder, Placement, Task};

pub use glommio::timer::sleep;
pub use glommio::{spawn_local as spawn, spawn_local};
pub use run as run_local;

/// Runs a future on a new executor.
pub fn run<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    match LocalExecutorBuilder::new(Placement::Unbound).make() {
        Ok(executor) => executor.run(make()),
        Err(error) => panic!("no executor: {error}"),
    }
}

pub async fn yield_now() {
    glommio::executor().yield_now().await
}

pub fn spawn_blocking(work: fn()) -> impl Future<Output = ()> {
    let executor = glommio::executor();
    async move { executor.spawn_blocking(work).await }
}

pub fn detach<T>(handle: Task<T>) {
    drop(handle.detach());
}

/// Two executors, a thread each.
pub fn pair<A: Future, B: Future>(
    here: impl FnOnce() -> A,
    there: impl FnOnce() -> B + Send,
) -> A::Output {
    thread::scope(|scope| {
        scope.spawn(move || drop(run(there)));
        run(here)
    })
}

pub fn channel() -> (LocalSender<()>, LocalReceiver<()>) {
    local_channel::new_bounded(1)
}

pub async fn send(to: &LocalSender<()>) {
    if to.send(()).await.is_err() {
        panic!("the receiver is gone");
    }
}

pub async fn receive(from: &mut LocalReceiver<()>) {
    if from.recv().await.is_none() {
        panic!("the sender is gone");
    }
}
