//! The target's end of a cell: what it answers with.

use std::any::Any;
use std::sync::Arc;
use std::task::Waker;

use super::super::current;
use super::super::error::CallError;
use super::{Cell, Job, Payload};
use crate::executor::inbox::Parcel;
use crate::executor::swallow;

/// Which way the answer goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Back {
    /// By the lane to the shard of this number.
    Lane(usize),
    /// The caller's thread has no lanes: it is woken from here.
    Direct,
}

/// What the target has to answer with. Dropped, it answers that there is no answer. It stays on the
/// target's thread.
pub(in super::super) struct Reply<J: Job> {
    /// Empty once it was used.
    pub(super) cell: Option<Arc<Parcel<Cell<J>>>>,
    pub(super) back: Back,
}

impl<J: Job> Reply<J> {
    /// Whether the caller has gone.
    #[inline]
    pub(in super::super) fn is_gone(&self) -> bool {
        self.cell.as_ref().is_none_or(|cell| cell.content.is_gone())
    }

    /// Has the running job woken when the caller goes.
    #[inline]
    pub(in super::super) fn wake_if_gone(&self, waker: &Waker) {
        let Some(cell) = &self.cell else { return };
        let known = cell.content.target.with(|own| {
            // SAFETY: this is the target's thread, and `will_wake` calls no code of others.
            let own = unsafe { &*own };
            own.as_ref().is_some_and(|own| own.will_wake(waker))
        });
        if !known {
            let waker = waker.clone();
            // SAFETY: as above; the old waker is dropped below.
            let old = cell.content.target.with_mut(|own| unsafe { &mut *own }.replace(waker));
            drop(old);
        }
    }

    /// Sends the answer.
    pub(in super::super) fn finish(mut self, result: Result<J::Output, Box<dyn Any + Send>>) {
        self.answer(result.map_err(CallError::panicked));
    }

    fn answer(&mut self, result: Result<J::Output, CallError>) {
        let Some(cell) = self.cell.take() else { return };
        // SAFETY: this is the target's thread.
        drop(cell.content.target.with_mut(|waker| unsafe { &mut *waker }.take()));
        if cell.content.is_gone() {
            swallow(|| drop(result));
            swallow(|| drop(cell));
            return;
        }
        // SAFETY: begun and not answered: the payload is the letter's, which is ours.
        drop(unsafe { cell.content.replace(Payload::Answered(result)) });
        match self.back {
            Back::Direct => Cell::deliver(cell),
            Back::Lane(to) => current::with(|local| match local {
                Some(local) => local.send(to, cell),
                None => Cell::deliver(cell),
            }),
        }
    }
}

impl<J: Job> Drop for Reply<J> {
    fn drop(&mut self) {
        if self.cell.is_some() {
            let error = if std::thread::panicking() {
                CallError::panicked(Box::new("a destructor of the call panicked"))
            } else {
                CallError::Closed
            };
            self.answer(Err(error));
        }
    }
}
