//! The trait by which anybody adds an operation, and the future of one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, RawWakerVTable, ready};

use crate::cell::awaited::Awaited;
use crate::coop;
use crate::cqe::Cqe;
use crate::current::{self, NoDriver};
use crate::remote::Remote;
use crate::sqe::{Sqe, Timespec};

/// What an operation makes of a completion.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Next<T> {
    /// The result. If the completion has [more](Cqe::has_more) to come, the driver cancels the
    /// rest; the operation still sees every completion, and outputs of those are
    /// [orphaned](Operation::orphaned).
    Done(T),
    /// A result, with more completions to come, which the operation wants. A future resolves with
    /// the first result; later ones are orphaned.
    More(T),
    /// No result yet; a later completion brings it (the notification of a zero-copy send). Only
    /// for a completion that has more to come.
    Held,
    /// Prepare and submit once more, under the same ticket: the kernel has ended a multishot, or
    /// moved less than all. With more completions to come it means `Held`. Once the driver shuts
    /// down, the operation gets one more completion instead, with `ECANCELED`.
    Again,
}

/// One kind of request to the kernel.
///
/// The driver moves the operation into memory that does not move again, calls
/// [`prepare`](Operation::prepare) and submits; it calls [`complete`](Operation::complete) with
/// every completion, on the thread of its ring. The operation, and with it all memory that it
/// owns, lives until the last of them, whatever becomes of the future.
///
/// Inside `complete` the driver can be asked for ([`current::with`](crate::current::with)) and
/// given other operations; it cannot be turned.
///
/// # Safety
///
/// All memory that the entries made by `prepare` point to must be owned by the operation (or live
/// for ever), must not move when the operation is moved (until `prepare`, which sees it in its
/// final place), and must not be touched by anybody else until the last completion, nor by the
/// operation where the kernel may write. Descriptors must stay open until the last completion.
///
/// ```
/// use henge_driver::{Cqe, Driver, Next, Operation, Sqe, submit};
///
/// /// Nothing, some more times.
/// struct Nops(u32);
///
/// // SAFETY: the entry points to no memory and names no descriptor.
/// unsafe impl Operation for Nops {
///     type Output = i32;
///     fn prepare(&mut self) -> Sqe { Sqe::nop() }
///     fn complete(&mut self, cqe: Cqe) -> Next<i32> {
///         match self.0 {
///             0 => Next::Done(cqe.result()),
///             _ => { self.0 -= 1; Next::Again }
///         }
///     }
/// }
///
/// let driver = Driver::new()?;
/// assert_eq!(driver.block_on(submit(Nops(3)))?, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
pub unsafe trait Operation: Send + 'static {
    /// The result.
    type Output: Send + 'static;

    /// Goes on when its future is dropped: it is then neither cancelled nor kept from being
    /// repeated. For what was promised to somebody who need not wait for it.
    const PERSISTS: bool = false;

    /// The kernel keeps it with its time-outs, where it finds all of them fast and one of many
    /// slowly; everything else it keeps the other way round. What it costs to shut down depends
    /// on this, and nothing else does.
    const IS_TIMEOUT: bool = false;

    /// The entry to submit. `self` is where it will be until the last completion.
    fn prepare(&mut self) -> Sqe;

    /// Makes sense of a completion.
    fn complete(&mut self, cqe: Cqe) -> Next<Self::Output>;

    /// Disposes of a result that nobody waits for any more: closes a descriptor, gives bytes back
    /// to whoever owns the stream. On the thread of the ring, or on that of the future.
    fn orphaned(output: Self::Output) {
        drop(output);
    }

    /// The kernel cancels the entry after this span (a linked time-out). Asked after `prepare`;
    /// the span must stay where it is until the first completion.
    fn time_limit(&self) -> Option<&Timespec> {
        None
    }

    /// Bytes that were promised to somebody and are still to be sent: shutting down waits for
    /// operations that have some, up to its first deadline.
    fn unsent(&self) -> u64 {
        0
    }
}

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
/// The first poll panics on a thread without a driver. Any poll after it was ready panics.
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

impl<O: Operation> Future for Op<O> {
    type Output = O::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O::Output> {
        let spent = ready!(coop::poll_proceed(cx));
        if let Stage::Submitted(submitted) = &mut self.stage {
            let output = ready!(Awaited::poll(submitted.cell, cx, &mut submitted.waker));
            spent.made_progress();
            self.stage = Stage::Finished;
            return Poll::Ready(output);
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
