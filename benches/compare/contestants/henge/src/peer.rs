//! What the rows ask of a runtime, in henge's words.

use std::future::Future;
use std::time::Duration;

use henge::runtime::{Builder, Runtime};
use henge::shard::ShardId;
use henge::sync::mpsc;
use henge::task::JoinHandle;

pub use henge::spawn as spawn_local;
pub use henge::spawn;
pub use henge::task::{spawn_blocking, yield_now};
pub use henge::time::sleep;
pub use run as run_local;

fn build(builder: &mut Builder) -> Runtime {
    match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("no runtime: {error}"),
    }
}

/// Runs a future on a new runtime of one shard: this thread.
pub fn run<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    build(&mut Builder::new_current_thread()).block_on(make())
}

/// The same, but it sleeps at once when it has nothing to do.
pub fn run_without_spin<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    let mut builder = Builder::new_current_thread();
    build(builder.spin_before_park(Duration::ZERO)).block_on(make())
}

pub fn detach<T>(handle: JoinHandle<T>) {
    drop(handle);
}

/// Two shards of one runtime.
pub fn pair<A, B>(
    here: impl FnOnce() -> A + Send + 'static,
    there: impl FnOnce() -> B + Send + 'static,
) -> A::Output
where
    A: Future<Output: Send> + 'static,
    B: Future<Output: Send> + 'static,
{
    build(Builder::new_multi_thread().worker_threads(2)).run(move || async move {
        let there = henge::spawn_on(ShardId::new(1), there);
        let output = here().await;
        drop(there.await);
        output
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
