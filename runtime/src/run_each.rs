//! The same future on every shard.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::executor::JoinHandle;
use crate::runtime::{Handle, Runtime};

/// Makes and runs a future on every shard of this runtime, and ends when all of them have ended.
///
/// The first error ends it: the others are cancelled, on their shards, and waited for. So does a
/// panic, which is then resumed here.
///
/// # Errors
/// The first of the futures'.
///
/// # Panics
/// Outside of a runtime, and if one of the futures does.
///
/// # Cancel safety
/// Dropping it cancels the futures on all shards, and does not wait for them.
///
/// # Examples
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// static VISITED: AtomicUsize = AtomicUsize::new(0);
///
/// #[henge::main(worker_threads = 3)]
/// async fn main() -> std::io::Result<()> {
///     henge::run_each(|| async {
///         VISITED.fetch_add(1, Ordering::Relaxed);
///         Ok(())
///     })
///     .await?;
///     assert_eq!(VISITED.load(Ordering::Relaxed), 3);
///     Ok(())
/// }
/// ```
pub async fn run_each<M, F>(make: M) -> io::Result<()>
where
    M: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = io::Result<()>> + 'static,
{
    let handle = Handle::current();
    let shared = handle.shared();
    let spawn = |shard| {
        let make = make.clone();
        shared.spawn_on(shard, make)
    };
    let mut each = Each { running: (0..shared.shards()).map(spawn).collect(), first: Ok(Ok(())) };
    poll_fn(|cx| each.poll(cx)).await;
    match std::mem::replace(&mut each.first, Ok(Ok(()))) {
        Ok(result) => result,
        Err(panic) => resume_unwind(panic),
    }
}

impl Runtime {
    /// Runs [`henge::run_each`](run_each) and waits for it.
    ///
    /// # Errors
    /// The first of the futures'.
    ///
    /// # Panics
    /// In async context, where nothing may block; and if one of the futures does.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    /// let result = runtime.run_each(|| async {
    ///     match henge::shard::current().index() {
    ///         1 => Err(std::io::Error::other("shard 1 has had enough")),
    ///         _ => std::future::pending().await,
    ///     }
    /// });
    /// assert!(result.is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn run_each<M, F>(&self, make: M) -> io::Result<()>
    where
        M: Fn() -> F + Clone + Send + 'static,
        F: Future<Output = io::Result<()>> + 'static,
    {
        self.block_on(run_each(make))
    }
}

/// The tasks on the shards, cancelled when this is dropped.
struct Each {
    running: Vec<JoinHandle<io::Result<()>>>,
    /// The first error or panic.
    first: std::thread::Result<io::Result<()>>,
}

impl Each {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut at = 0;
        while at < self.running.len() {
            let Poll::Ready(ended) = Pin::new(&mut self.running[at]).poll(cx) else {
                at += 1;
                continue;
            };
            drop(self.running.swap_remove(at));
            let ended = match ended {
                Ok(result) => Ok(result),
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => Err(panic),
                    // Cancelled by us, or by the shard, which is shutting down.
                    Err(_) => Ok(Err(io::Error::other("the shard has been shut down"))),
                },
            };
            if matches!(self.first, Ok(Ok(()))) && !matches!(ended, Ok(Ok(()))) {
                self.first = ended;
                self.cancel();
            }
        }
        if self.running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn cancel(&self) {
        self.running.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for Each {
    fn drop(&mut self) {
        self.cancel();
    }
}
