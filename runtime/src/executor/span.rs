//! What `tracing` is told of tasks, with the feature of that name: a span for each task, entered
//! while its future is polled or dropped, and an event for each step in the life of its wakers.
//!
//! Names, targets and fields are those that [tokio's console](https://docs.rs/console-subscriber)
//! looks for, so that it shows tasks of henge as it does tokio's. Without the feature nothing of
//! this takes a byte or an instruction.
//!
//! A subscriber is code of others, and may spawn, wake and panic. It runs before a task is made,
//! inside of what a poll and a drop of the future catch, and where a waker's own code runs, which
//! nobody calls while something is borrowed.

use super::header::TaskPtr;

#[cfg(not(feature = "tracing"))]
use untold as told;

pub(super) use told::{SpanId, Traced, UNSEEN, id, of_task};

/// What happens to a waker.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Clone,
    Wake,
    WakeByRef,
    Drop,
}

/// Tells of something that happens to a waker of this task.
#[inline(always)]
pub(super) fn tell(task: TaskPtr, step: Step) {
    told::tell(task.header().span, step);
}

#[cfg(feature = "tracing")]
mod told {
    use std::num::NonZeroU64;

    use tracing::instrument::{Instrument, Instrumented};

    use super::Step;
    use crate::executor::spawn_meta::{Details, Kind, SpawnMeta};

    /// A future in its span.
    pub(in crate::executor) type Traced<F> = Instrumented<F>;
    /// The span of a task, if somebody wants to know of it.
    pub(in crate::executor) type SpanId = Option<NonZeroU64>;

    /// Of a task that nobody is told of.
    pub(in crate::executor) const UNSEEN: SpanId = None;

    pub(in crate::executor) fn of_task<F>(meta: SpawnMeta<'_>, future: F) -> Traced<F> {
        let (location, Details { kind, name }) = (meta.location, meta.details());
        let span = tracing::trace_span!(
            target: "henge::task",
            parent: None,
            "runtime.spawn",
            kind = word(kind),
            task.name = name,
            size.bytes = size_of::<F>(),
            loc.file = location.file(),
            loc.line = location.line(),
            loc.col = location.column(),
        );
        future.instrument(span)
    }

    pub(in crate::executor) fn id<F>(future: &Traced<F>) -> SpanId {
        future.span().id().map(|id| id.into_non_zero_u64())
    }

    pub(super) fn tell(span: SpanId, step: Step) {
        if let Some(span) = span {
            let op = match step {
                Step::Clone => "waker.clone",
                Step::Wake => "waker.wake",
                Step::WakeByRef => "waker.wake_by_ref",
                Step::Drop => "waker.drop",
            };
            tracing::trace!(target: "runtime::waker", op, task.id = span.get());
        }
    }

    fn word(kind: Kind) -> &'static str {
        match kind {
            Kind::Task => "task",
            Kind::Local => "local",
            Kind::Blocking => "blocking",
            Kind::BlockOn => "block_on",
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod untold {
    use super::Step;
    use crate::executor::spawn_meta::SpawnMeta;

    pub(in crate::executor) type Traced<F> = F;

    /// Nobody wants to know.
    #[derive(Clone, Copy, Debug)]
    pub(in crate::executor) struct SpanId;

    pub(in crate::executor) const UNSEEN: SpanId = SpanId;

    #[inline(always)]
    pub(in crate::executor) fn of_task<F>(_: SpawnMeta<'_>, future: F) -> Traced<F> {
        future
    }

    #[inline(always)]
    pub(in crate::executor) fn id<F>(_: &Traced<F>) -> SpanId {
        SpanId
    }

    #[inline(always)]
    pub(super) fn tell(_: SpanId, _: Step) {}
}
