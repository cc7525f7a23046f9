//! What the rows ask of a runtime, in henge's words.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use henge::mesh;
use henge::runtime::{Builder, Runtime};
use henge::shard::ShardId;
use henge::task::JoinHandle;

use crate::sync::Flavour;

pub use henge::fs;
pub use henge::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
pub use henge::net::{TcpListener, TcpStream, UdpSocket};
pub use henge::select;
pub use henge::spawn as spawn_local;
pub use henge::spawn;
pub use henge::sync::{Mutex, Notify, Semaphore, broadcast, mpsc, oneshot, watch};
pub use henge::task::{JoinSet, spawn_blocking, yield_now};
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

/// The same, with timers that are less than 100 µs late.
pub fn run_exact<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    build(Builder::new_current_thread().exact_timers(true)).block_on(make())
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

/// Tasks that any shard may run.
pub mod steal {
    use std::future::Future;

    use henge::runtime::Builder;

    pub use super::detach;
    pub use henge::io::{AsyncReadExt, AsyncWriteExt};
    pub use henge::net::{TcpListener, TcpStream};
    pub use henge::steal::spawn;
    pub use henge::sync::Semaphore;

    /// Runs a future on one of as many shards as there are CPUs.
    pub fn run<F>(make: impl FnOnce() -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send> + 'static,
    {
        super::build(Builder::new_multi_thread().stealing(true)).run(make)
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

/// The runtime's channels and locks of both kinds: the words are the same.
macro_rules! flavour {
    ($(#[$doc:meta])* $name:ident, $sync:ident $(:: $local:ident)?) => {
        $(#[$doc])*
        pub struct $name;

        impl Flavour for $name {
            type Sender = henge::$sync$(::$local)?::mpsc::Sender<()>;
            type Receiver = henge::$sync$(::$local)?::mpsc::Receiver<()>;
            type Asker = henge::$sync$(::$local)?::oneshot::Receiver<()>;
            type Answerer = henge::$sync$(::$local)?::oneshot::Sender<()>;
            type Mutex = henge::$sync$(::$local)?::Mutex<u64>;

            fn channel() -> (Self::Sender, Self::Receiver) {
                henge::$sync$(::$local)?::mpsc::channel(1)
            }

            async fn send(to: &Self::Sender) {
                if to.send(()).await.is_err() {
                    panic!("the receiver is gone");
                }
            }

            async fn receive(from: &mut Self::Receiver) {
                if from.recv().await.is_none() {
                    panic!("the sender is gone");
                }
            }

            fn oneshot() -> (Self::Answerer, Self::Asker) {
                henge::$sync$(::$local)?::oneshot::channel()
            }

            fn answer(with: Self::Answerer) {
                if with.send(()).is_err() {
                    panic!("nobody waits for the answer");
                }
            }

            fn mutex() -> Self::Mutex {
                henge::$sync$(::$local)?::Mutex::new(0)
            }

            async fn lock(mutex: &Self::Mutex) {
                *mutex.lock().await += 1;
            }
        }
    };
}

flavour! {
    /// Those that work from everywhere.
    Everywhere, sync
}

flavour! {
    /// Those of one shard.
    Local, sync::local
}

/// To shard 1, or to shard 0.
pub fn lane(there: bool, capacity: usize) -> (mesh::Sender<u64>, mesh::Port<u64>) {
    mesh::channel(ShardId::new(usize::from(there)), capacity)
}

pub fn open(port: mesh::Port<u64>) -> mesh::Receiver<u64> {
    port.open()
}

pub async fn lane_send(to: &mesh::Sender<u64>, message: u64) {
    if to.send(message).await.is_err() {
        panic!("the receiver is gone");
    }
}

pub async fn lane_receive(from: &mut mesh::Receiver<u64>) -> u64 {
    match from.recv().await {
        Some(message) => message,
        None => panic!("the sender is gone"),
    }
}

/// A shard answers calls by itself.
pub fn questions(_capacity: usize) -> (ShardId, ()) {
    (ShardId::new(1), ())
}

pub async fn ask(to: &ShardId, number: u64) -> u64 {
    match to.call_sync(move || number + 1).await {
        Ok(number) => number,
        Err(error) => panic!("nobody answered: {error}"),
    }
}

pub async fn answer((): (), over: Arc<AtomicBool>) {
    // Looks seldom, so that the shard may sleep when it likes.
    while !over.load(Ordering::Relaxed) {
        sleep(Duration::from_millis(1)).await;
    }
}
