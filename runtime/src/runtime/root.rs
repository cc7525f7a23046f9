//! The future of a `block_on` as a task: it borrows from the caller's frame, and is polled when the
//! tasks that were woken before it, and those that these have woken, have run.
//!
//! A task's future lives for as long as the queue likes; this one lives in the frame of `block_on`.
//! So the task holds a pointer to it in a slot that both share, and [`Root`], which that frame
//! holds and drops before the future, empties the slot. A task whose slot is empty is done. Queue,
//! frame and future are of one thread, so nothing of this is atomic.

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::executor::spawn_meta::{Details, SpawnMeta};
use crate::executor::{Home, JoinHandle, View};

type Slot = Rc<Cell<Option<NonNull<dyn Future<Output = ()>>>>>;

/// Keeps the task from polling the future that it borrows, from its drop on.
pub(super) struct Root<'a> {
    slot: Slot,
    task: JoinHandle<()>,
    _future: PhantomData<Pin<&'a mut dyn Future<Output = ()>>>,
}

impl<'a> Root<'a> {
    /// Has `future` polled, as whoever calls this. The value must be dropped, not
    /// forgotten, which is why it stays in this crate.
    pub(super) fn new(
        home: &Home,
        meta: SpawnMeta<'_>,
        future: Pin<&'a mut (dyn Future<Output = ()> + 'a)>,
    ) -> Root<'a> {
        // SAFETY: the future is not moved by anybody who gets it by this pointer: `Borrowed` pins
        // it again.
        let future = NonNull::from(unsafe { Pin::into_inner_unchecked(future) });
        // SAFETY: only the lifetime changes. The pointer is used through the slot alone, which is
        // emptied when `'a`, which this value has too, ends at the latest.
        let future = unsafe {
            std::mem::transmute::<
                NonNull<dyn Future<Output = ()> + 'a>,
                NonNull<dyn Future<Output = ()> + 'static>,
            >(future)
        };
        let slot = Slot::new(Cell::new(Some(future)));
        let borrowed = Borrowed { slot: Rc::clone(&slot), view: View::current() };
        let task = home.spawn_root(meta.with(Details::BLOCK_ON), borrowed);
        Root { slot, task, _future: PhantomData }
    }
}

impl Drop for Root<'_> {
    fn drop(&mut self) {
        self.slot.set(None);
        self.task.abort();
    }
}

struct Borrowed {
    slot: Slot,
    view: View,
}

impl Future for Borrowed {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(mut future) = self.slot.get() else { return Poll::Ready(()) };
        // SAFETY: the slot is full, so `Root` lives and with it what it borrows. A task is not
        // polled inside its own poll, so this is the only reference.
        let future = unsafe { future.as_mut() };
        // SAFETY: pinned when `Root` got it, and not moved since.
        let future = unsafe { Pin::new_unchecked(future) };
        Home::with_current(|home| {
            if let Some(gauge) = home.and_then(Home::gauge) {
                gauge.disregard();
            }
        });
        // It is no task to its author, and has no id of its own. It catches its panics.
        self.view.during(|| future.poll(cx))
    }
}
