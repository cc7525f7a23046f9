//! What the rows ask of a runtime, in compio's words.

use std::future::Future;
use std::thread;

use compio::runtime::{JoinHandle, Runtime};

pub use compio::runtime::{spawn, spawn as spawn_local, spawn_blocking};
pub use compio::time::sleep;
pub use contestant::yield_now;
pub use run as run_local;

/// Runs a future on a new runtime.
pub fn run<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    match Runtime::new() {
        Ok(runtime) => runtime.block_on(make()),
        Err(error) => panic!("no runtime: {error}"),
    }
}

pub fn detach<T>(handle: JoinHandle<T>) {
    handle.detach();
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
