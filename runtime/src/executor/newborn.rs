//! Tasks made on another thread than their home's, or for a home that takes none.
//!
//! Such a task lies in an allocation of its own, and travels to its home by its own link, on which
//! it stands from the start.

use std::sync::Arc;

use super::current;
use super::header::{Header, TaskPtr};
use super::id::Id;
use super::join::JoinHandle;
use super::raw::Task;
use super::slab::{self, Alone};
use super::span::{self, SpanId};
use super::spawn_meta::SpawnMeta;
use super::state::{DONE, Kind, Local, RUNNING, Shared};
use super::waker;
use crate::executor::inbox::Inbox;

impl Inbox {
    /// Spawns a task on the home of this inbox, from any thread. If the home has closed, the
    /// task is cancelled at once, on this thread.
    pub(crate) fn spawn_from<F>(
        self: &Arc<Self>,
        meta: SpawnMeta<'_>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_elsewhere(self, meta, future)
    }

    /// Spawns the task that `make` makes, over there: the future need not be Send.
    #[track_caller]
    pub(crate) fn spawn_with<M, F>(self: &Arc<Self>, make: M) -> JoinHandle<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        // A task holds its future from the start, so the closure travels inside of one that
        // becomes what it makes at its first poll.
        spawn_elsewhere(self, SpawnMeta::new(), async move { make().await })
    }
}

/// A task that is made here, to live at the home of `inbox`. What is in the future before its
/// first poll must be Send.
fn spawn_elsewhere<F: Future>(
    inbox: &Arc<Inbox>,
    meta: SpawnMeta<'_>,
    future: F,
) -> JoinHandle<F::Output> {
    let traced = span::of_task(meta, future);
    let span = span::id::<F>(&traced);
    let task = make(inbox, traced, span, Shared::newborn(), 0);
    if let Some(roster) = inbox.roster() {
        roster.add::<F>(Id::of(task), meta);
    }
    // The reference is made first: the task may be done before the push returns.
    // SAFETY: the reference of a newborn; `F::Output` is its result.
    let handle = unsafe { JoinHandle::new(task) };
    // SAFETY: a newborn is LINKED from the start, and on no list.
    if unsafe { inbox.push_link(task.as_ptr().cast()) }.is_err() {
        if let Some(roster) = inbox.roster() {
            roster.remove(Id::of(task));
        }
        stillborn(task);
    }
    handle
}

/// A task for a home that has closed: cancelled on this thread, which made its future.
pub(super) fn refused<F: Future>(future: F) -> JoinHandle<F::Output> {
    // An inbox of its own, closed from the start: that of the home may still be open, while the
    // home drops its tasks, and would take a link that nobody answers.
    let inbox = Arc::new(Inbox::new(|| ()));
    drop(inbox.close());
    let task = make(&inbox, future, span::UNSEEN, Shared::newborn(), 0);
    // SAFETY: the reference of a newborn; `F::Output` is its result.
    let handle = unsafe { JoinHandle::new(task) };
    stillborn(task);
    handle
}

fn make<F: Future>(
    inbox: &Arc<Inbox>,
    future: F,
    span: SpanId,
    shared: Shared,
    refs: i32,
) -> TaskPtr {
    let memory = Alone::allocate(Task::<F>::SIZE, Task::<F>::ALIGN, slab::nobody(), inbox.clone());
    let local = Local::new(RUNNING, refs, Kind::Alone);
    let header = Header::new(Task::<F>::VTABLE, shared, local, span);
    // SAFETY: fresh memory of the task's size and alignment, of the kind that is named.
    unsafe { Task::<F>::write(memory, header, future) }
}

/// Ends a newborn that no home has taken in.
fn stillborn(task: TaskPtr) {
    let header = task.header();
    let outer = current::set_task(Some(Id::of(task)));
    // SAFETY: no home knows of the task, so this thread, which made it, acts for it.
    unsafe { (header.vtable.cancel)(task) };
    current::set_task(outer);
    header.local.set_flags(DONE);
    // The handle is a reference and in the hands of this thread's caller, so nothing is to be
    // freed yet; the link was under way and is given back.
    let free = header.shared.close(0, || debug_assert!(false, "its handle was not dropped"));
    debug_assert!(!free);
    waker::refused(task);
}
