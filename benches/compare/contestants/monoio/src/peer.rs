//! What the rows ask of a runtime, in monoio's words.

use std::future::Future;
use std::thread;

use monoio::blocking::DefaultThreadPool;
use monoio::task::JoinHandle;
use monoio::{IoUringDriver, RuntimeBuilder};

pub use contestant::yield_now;
pub use monoio::time::sleep;
pub use monoio::{spawn, spawn as spawn_local, spawn_blocking};
pub use run as run_local;

/// Runs a future on a new runtime. The pool has to be attached by hand; its size is ours.
pub fn run<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    let pool = Box::new(DefaultThreadPool::new(4));
    let builder = RuntimeBuilder::<IoUringDriver>::new().enable_timer().attach_thread_pool(pool);
    match builder.build() {
        Ok(mut runtime) => runtime.block_on(make()),
        Err(error) => panic!("no runtime: {error}"),
    }
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
