//! Where the body of a function under `#[henge::main]` runs: on shard 0, or, if it cannot be sent
//! there, on the thread that calls the function.
//!
//! The attribute knows no types, so the compiler chooses: it calls `run` by value where it can,
//! which is [`OnShard`], and else by reference, which is [`Here`].

use std::cell::Cell;
use std::future::Future;

use super::Runtime;

/// What makes the body's future.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "only the attribute names it")]
pub struct Body<M>(Cell<Option<M>>);

impl<M> Body<M> {
    #[doc(hidden)]
    pub fn new(make: M) -> Body<M> {
        Body(Cell::new(Some(make)))
    }

    fn make<F>(&self) -> F
    where
        M: FnOnce() -> F,
    {
        let make = self.0.take().expect("a body runs once");
        make()
    }
}

/// Of a body that can be sent, and whose result can be sent back.
#[doc(hidden)]
pub trait OnShard {
    /// What it results in.
    type Output;

    /// Runs it on shard 0.
    fn run(self, runtime: &Runtime) -> Self::Output;
}

impl<M, F> OnShard for Body<M>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    type Output = F::Output;

    #[track_caller]
    fn run(self, runtime: &Runtime) -> F::Output {
        runtime.run(move || self.make())
    }
}

/// Of every body.
#[doc(hidden)]
pub trait Here {
    /// What it results in.
    type Output;

    /// Runs it on this thread.
    fn run(self, runtime: &Runtime) -> Self::Output;
}

impl<M, F> Here for &Body<M>
where
    M: FnOnce() -> F,
    F: Future,
{
    type Output = F::Output;

    #[track_caller]
    fn run(self, runtime: &Runtime) -> F::Output {
        runtime.block_on(self.make())
    }
}
