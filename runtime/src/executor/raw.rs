//! A task with its future: the header, and the stage that holds the future or its result.

use std::any::Any;
use std::mem::{ManuallyDrop, offset_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use super::current;
use super::error::JoinError;
use super::header::{Header, TaskPtr, Vtable};
use super::id::Id;

/// The memory of one task.
#[repr(C)]
pub(super) struct Task<F: Future> {
    header: Header,
    stage: Stage<F>,
}

/// Which one it is the header's flags say: the result if `DONE`, until the join handle takes it.
#[repr(C)]
union Stage<F: Future> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<Result<F::Output, JoinError>>,
}

impl<F: Future> Task<F> {
    pub(super) const SIZE: usize = size_of::<Self>();
    pub(super) const ALIGN: usize = align_of::<Self>();

    pub(super) const VTABLE: &'static Vtable = &Vtable {
        poll: poll::<F>,
        cancel: cancel::<F>,
        drop_output: drop_output::<F>,
        output: offset_of!(Self, stage),
        size: Self::SIZE,
        align: Self::ALIGN,
    };

    /// Makes a task out of memory.
    ///
    /// # Safety
    /// `memory` is uninitialised, as large and aligned as `SIZE` and `ALIGN` say, and lies in an
    /// allocation as `header.kind` says.
    #[inline]
    pub(super) unsafe fn write(memory: NonNull<Header>, header: Header, future: F) -> TaskPtr {
        let stage = Stage { future: ManuallyDrop::new(future) };
        // SAFETY: the caller's promise.
        unsafe { memory.cast::<Self>().write(Self { header, stage }) };
        // SAFETY: initialised in the line before; the provenance is the caller's.
        unsafe { TaskPtr::new(memory) }
    }
}

/// # Safety
/// The task's future is an `F`.
unsafe fn stage<F: Future>(task: TaskPtr) -> *mut Stage<F> {
    let task = task.as_ptr().cast::<Task<F>>().as_ptr();
    // SAFETY: a live task of this type, so the field is inside.
    unsafe { &raw mut (*task).stage }
}

/// Runs something that may panic where nobody can be told.
pub(crate) fn swallow(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        discard(payload);
    }
}

/// Drops a panic's payload, which may panic itself. What that panics with is leaked: there is
/// no end to it otherwise.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

/// Polls; see [`Vtable::poll`].
///
/// # Safety
/// For the home's thread; the task's future is an `F`, and neither gone nor being polled.
unsafe fn poll<F: Future>(task: TaskPtr, cx: &mut Context<'_>) -> Poll<()> {
    // SAFETY: the caller's promise.
    let stage = unsafe { stage::<F>(task) };
    let polled = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the stage holds the future, and only the home's thread, which is here, looks
        // at it until the task is done.
        let stage = unsafe { &mut *stage };
        // SAFETY: likewise.
        let future = unsafe { &mut *stage.future };
        // SAFETY: the future stays where it is until it is dropped in place.
        unsafe { Pin::new_unchecked(future) }.poll(cx)
    }));
    let result = match polled {
        Ok(Poll::Pending) => return Poll::Pending,
        // SAFETY: the future is there, and nobody polls it any more.
        Ok(Poll::Ready(output)) => match unsafe { drop_future::<F>(stage) } {
            Ok(()) => Ok(output),
            Err(payload) => {
                swallow(|| drop(output));
                Err(JoinError::panic(Id::of(task), payload))
            }
        },
        Err(payload) => {
            // The first panic is the one to report.
            // SAFETY: as above.
            if let Err(second) = unsafe { drop_future::<F>(stage) } {
                discard(second);
            }
            Err(JoinError::panic(Id::of(task), payload))
        }
    };
    // SAFETY: the future was dropped above.
    unsafe { store::<F>(stage, result) };
    Poll::Ready(())
}

/// See [`Vtable::cancel`].
///
/// # Safety
/// As for [`poll`].
unsafe fn cancel<F: Future>(task: TaskPtr) {
    // SAFETY: the caller's promise.
    let stage = unsafe { stage::<F>(task) };
    // SAFETY: the future is there, and nobody polls it any more.
    let error = match unsafe { drop_future::<F>(stage) } {
        Ok(()) => JoinError::cancelled(Id::of(task)),
        Err(payload) => JoinError::panic(Id::of(task), payload),
    };
    // SAFETY: the future was dropped above.
    unsafe { store::<F>(stage, Err(error)) };
}

/// # Safety
/// The stage holds the future, which counts as gone afterwards whatever the answer.
unsafe fn drop_future<F: Future>(stage: *mut Stage<F>) -> Result<(), Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller's promise.
        let stage = unsafe { &mut *stage };
        // SAFETY: likewise.
        let future = unsafe { &mut stage.future };
        // SAFETY: as above; in place, as a pinned value wants it.
        unsafe { ManuallyDrop::drop(future) };
    }))
}

/// # Safety
/// The stage holds nothing.
unsafe fn store<F: Future>(stage: *mut Stage<F>, result: Result<F::Output, JoinError>) {
    let output = Stage { output: ManuallyDrop::new(result) };
    // SAFETY: the memory is the stage's; writing over nothing leaks nothing.
    unsafe { stage.write(output) };
}

/// See [`Vtable::drop_output`].
///
/// # Safety
/// The task is done, its result is there, and the caller is the one who may have it.
unsafe fn drop_output<F: Future>(task: TaskPtr) {
    // SAFETY: the caller's promise.
    let stage = unsafe { stage::<F>(task) };
    if !std::mem::needs_drop::<Result<F::Output, JoinError>>() {
        return;
    }
    let outer = current::set_task(Some(Id::of(task)));
    swallow(|| {
        // SAFETY: the caller's promise.
        let stage = unsafe { &mut *stage };
        // SAFETY: likewise.
        let output = unsafe { &mut stage.output };
        // SAFETY: as above, and the caller asks once.
        unsafe { ManuallyDrop::drop(output) };
    });
    current::set_task(outer);
}
