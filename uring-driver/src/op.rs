//! The future of an operation.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, RawWakerVTable, ready};

use crate::cell::awaited::Awaited;
use crate::coop;
use crate::current::{self, NoDriver};
use crate::operation::Operation;
use crate::remote::Remote;

/// Makes a future of an operation: submitted at its first poll, to the driver of the thread that
/// polls it.
///
/// ```
/// use henge_driver::{Driver, ops, submit};
///
/// let driver = Driver::new()?;
/// driver.block_on(submit(ops::Nop::new()))??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn submit<O: Operation>(op: O) -> Op<O> {
    Op { stage: Stage::Waiting(op) }
}

/// As [`submit`], but gives the operation to the driver at once; `cx` is whom it wakes, as if it
/// had been polled.
///
/// # Errors
///
/// [`NoDriver`] on a thread without one.
///
/// ```
/// use std::task::{Context, Waker};
/// use henge_driver::{Driver, ops, submit_now};
///
/// let driver = Driver::new()?;
/// let _entered = driver.enter();
/// let started = submit_now(ops::Nop::new(), &mut Context::from_waker(Waker::noop()))?;
/// assert!(driver.has_queued());
/// # drop(started);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn submit_now<O: Operation>(op: O, cx: &mut Context<'_>) -> Result<Op<O>, NoDriver> {
    let waker = cx.waker().clone();
    let parts = (waker.data(), waker.vtable());
    let submitted = current::with(|driver| Submitted {
        cell: driver.submit_awaited(op, waker),
        home: driver.remote().clone(),
        waker: parts,
    })?;
    Ok(Op { stage: Stage::Submitted(submitted) })
}

/// The future of an [`Operation`]; made by [`submit`]. Can be moved to other threads while the
/// operation is in flight.
///
/// # Cancel safety
///
/// Dropping it asks the kernel to cancel, unless the operation [persists](Operation::PERSISTS).
/// The operation may succeed all the same; its result is then disposed of by
/// [`Operation::orphaned`].
///
/// # Panics
///
/// The first poll panics on a thread without a driver, and so does one that has to submit the
/// operation [anew](crate::AtLeave::Renews). Any poll after it was ready panics.
///
/// ```
/// use henge_driver::{Driver, Op, ops, submit};
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
///
/// /// A future with an operation inside: no box, no pinning.
/// struct Tick(Op<ops::Timeout>);
///
/// impl Future for Tick {
///     type Output = std::io::Result<()>;
///     fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
///         Pin::new(&mut self.0).poll(cx)
///     }
/// }
///
/// let tick = Tick(submit(ops::Timeout::new(std::time::Duration::from_millis(1))));
/// Driver::new()?.block_on(tick)??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "an operation does nothing until it is polled"]
pub struct Op<O: Operation> {
    stage: Stage<O>,
}

enum Stage<O: Operation> {
    Waiting(O),
    Submitted(Submitted<O>),
    Finished,
}

struct Submitted<O: Operation> {
    cell: NonNull<Awaited<O>>,
    home: Remote,
    /// What the waker in the cell is made of, to compare without touching it.
    waker: (*const (), &'static RawWakerVTable),
}

// SAFETY: the operation and its output are Send (the trait says so). The pointer is to a cell,
// which is shared with the driver by the protocol of `cell/state.rs`; the parts of the waker are
// only compared.
unsafe impl<O: Operation> Send for Op<O> {}
// SAFETY: a shared `Op` offers nothing.
unsafe impl<O: Operation> Sync for Op<O> {}

// Nothing in it is pinned: the operation moves into its cell before it is prepared.
impl<O: Operation> Unpin for Op<O> {}

impl<O: Operation> Op<O> {
    /// Another driver has it, whose thread may be far from turning it: what changes nothing, and so
    /// may be asked for twice, is then better submitted anew where it is awaited.
    #[doc(hidden)]
    pub fn is_elsewhere(&self) -> bool {
        match &self.stage {
            Stage::Submitted(submitted) => !current::is(submitted.home.id()),
            Stage::Waiting(_) | Stage::Finished => false,
        }
    }
}

impl<O: Operation> Future for Op<O> {
    type Output = O::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O::Output> {
        let spent = ready!(coop::poll_proceed(cx));
        if let Stage::Submitted(submitted) = &mut self.stage {
            let cell = submitted.cell;
            if let Some(output) = ready!(Awaited::poll(cell, cx, &mut submitted.waker)) {
                spent.made_progress();
                self.stage = Stage::Finished;
                return Poll::Ready(output);
            }
            // SAFETY: the poll has just said so, and the stage that knows the cell is replaced.
            self.stage = Stage::Waiting(unsafe { Awaited::take_back(cell) });
        }
        match std::mem::replace(&mut self.stage, Stage::Finished) {
            Stage::Waiting(op) => {
                match submit_now(op, cx) {
                    Ok(submitted) => *self = submitted,
                    Err(error) => panic!("{error}"),
                }
                spent.made_progress();
                Poll::Pending
            }
            Stage::Submitted(_) => unreachable!("handled above"),
            Stage::Finished => panic!("an operation was polled after it had finished"),
        }
    }
}

impl<O: Operation> Drop for Op<O> {
    fn drop(&mut self) {
        if let Stage::Submitted(submitted) = &self.stage {
            // SAFETY: the cell was made for this future, which goes away with this call.
            unsafe { Awaited::abandon(submitted.cell, &submitted.home) };
        }
    }
}

impl<O: Operation> fmt::Debug for Op<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::Waiting(_) => "waiting to be polled",
            Stage::Submitted(_) => "submitted",
            Stage::Finished => "finished",
        };
        f.debug_tuple("Op").field(&stage).finish()
    }
}
