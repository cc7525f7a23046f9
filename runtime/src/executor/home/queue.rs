//! Which task is next: those that are to be polled, in order, and those that gave way.
//!
//! The future of a `block_on` stands in neither line. As in tokio, it is polled when the tasks that
//! were woken with it have run, and those that these have woken: at the beginning of a turn, or
//! when the queue is empty. So what it does next meets tasks that have done what they were about
//! to: a client that asks again finds the connection given back.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::task::Waker;

use crate::executor::header::TaskPtr;
use crate::executor::raw::swallow;
use crate::executor::waker;
use crate::queue::local::Ring;

/// Polls in a row out of the LIFO slot, before the queue has its turn.
const LIFO_IN_A_ROW: u8 = 3;
/// Slots from which on an empty queue gives its memory back.
const HUGE: usize = 32 << 10;

/// The tasks of a home that wait for their turn.
pub(super) struct RunQueue {
    /// Tasks to be polled, in order.
    ready: Fifo,
    /// Tasks that gave way, until the shard has looked at its ring.
    yielded: Fifo,
    /// Wakers of those that gave way inside something that wakes by itself.
    yielded_wakers: RefCell<Vec<Waker>>,
    /// The future of `block_on`, when it was woken.
    root: Cell<Option<TaskPtr>>,
    /// It gave way, and waits until the shard has looked at its ring.
    root_yielded: Cell<bool>,
    /// The task woken last, if the slot is used.
    lifo: Cell<Option<TaskPtr>>,
    uses_lifo: Cell<bool>,
    lifo_run: Cell<u8>,
}

/// A ring that is reached through a shared reference.
struct Fifo(UnsafeCell<Ring<TaskPtr>>);

impl Fifo {
    fn new() -> Self {
        Self(UnsafeCell::new(Ring::new()))
    }

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut Ring<TaskPtr>) -> R) -> R {
        // SAFETY: for one thread, as it is not Sync, and never nested: the closures of this
        // file call nothing but methods of `Ring`, which run no code of others.
        f(unsafe { &mut *self.0.get() })
    }
}

impl RunQueue {
    pub(super) fn new() -> Self {
        Self {
            ready: Fifo::new(),
            yielded: Fifo::new(),
            yielded_wakers: RefCell::new(Vec::new()),
            root: Cell::new(None),
            root_yielded: Cell::new(false),
            lifo: Cell::new(None),
            uses_lifo: Cell::new(false),
            lifo_run: Cell::new(0),
        }
    }

    /// Runs the task that was woken last before the others, three in a row at most. Off unless
    /// asked for.
    pub(super) fn use_lifo_slot(&self, on: bool) {
        self.uses_lifo.set(on);
    }

    /// Tasks that wait for their turn.
    pub(super) fn len(&self) -> usize {
        self.ready.with(|ready| ready.len())
            + self.yielded.with(|yielded| yielded.len())
            + usize::from(self.lifo.get().is_some())
            + usize::from(self.root.get().is_some())
    }

    /// Whether a task can run now, or could after [`end_turn`](Self::end_turn).
    #[inline]
    pub(super) fn has_work(&self) -> bool {
        self.ready.with(|ready| !ready.is_empty())
            || self.lifo.get().is_some()
            || self.has_root()
            || self.has_yielded()
    }

    /// Whether somebody gave way, but for the future of `block_on`.
    #[inline]
    pub(super) fn has_yielded(&self) -> bool {
        self.yielded.with(|yielded| !yielded.is_empty()) || !self.yielded_wakers.borrow().is_empty()
    }

    /// Puts a task behind the others that are ready.
    #[inline]
    pub(super) fn push(&self, task: TaskPtr) {
        self.ready.with(|ready| ready.push(task));
    }

    /// The same for a task that was woken, which the slot is for.
    #[inline]
    pub(super) fn push_woken(&self, task: TaskPtr) {
        let task = if self.uses_lifo.get() {
            match self.lifo.replace(Some(task)) {
                Some(older) => older,
                None => return,
            }
        } else {
            task
        };
        self.push(task);
    }

    /// Keeps a task that gave way until the turn ends.
    #[inline]
    pub(super) fn push_yielded(&self, task: TaskPtr) {
        self.yielded.with(|yielded| yielded.push(task));
    }

    /// Has a future of `block_on` polled at its time; if it gave way, in the next turn. There are
    /// two of them if one was left, and is to be cancelled, or if the other turns inside of a task
    /// that blocks in place: then the older one is a task as any other.
    pub(super) fn set_root(&self, task: TaskPtr, yielded: bool) {
        if let Some(older) = self.root.replace(Some(task)) {
            self.push(older);
        }
        self.root_yielded.set(yielded);
    }

    #[inline]
    pub(super) fn has_root(&self) -> bool {
        self.root.get().is_some()
    }

    /// Whether the future of `block_on` was woken, and did not give way in this turn.
    #[inline]
    pub(super) fn root_is_due(&self) -> bool {
        self.has_root() && !self.root_yielded.get()
    }

    /// The future of `block_on`, if it was woken.
    #[inline]
    pub(super) fn pop_root(&self) -> Option<TaskPtr> {
        if self.root_is_due() { self.root.take() } else { None }
    }

    /// The task whose turn it is.
    #[inline]
    pub(super) fn pop(&self) -> Option<TaskPtr> {
        if self.uses_lifo.get() {
            return self.pop_lifo();
        }
        self.ready.with(Ring::pop)
    }

    #[inline(never)]
    fn pop_lifo(&self) -> Option<TaskPtr> {
        if let Some(task) = self.lifo.get()
            && (self.lifo_run.get() < LIFO_IN_A_ROW || self.ready.with(|ready| ready.is_empty()))
        {
            self.lifo_run.set(self.lifo_run.get().saturating_add(1));
            self.lifo.set(None);
            return Some(task);
        }
        self.lifo_run.set(0);
        self.ready.with(Ring::pop)
    }

    /// Puts those that gave way behind the others.
    #[inline]
    pub(super) fn end_turn(&self) {
        self.root_yielded.set(false);
        if self.yielded.with(|yielded| !yielded.is_empty()) {
            self.ready.with(|ready| self.yielded.with(|yielded| ready.append(yielded)));
        } else {
            // Nobody waits: what a crowd has needed is given back. One who gave way in the middle
            // of something may be about to spawn as many again.
            self.ready.with(|ready| {
                if ready.is_empty() && ready.capacity() >= HUGE {
                    ready.rest();
                }
            });
        }
        if !self.yielded_wakers.borrow().is_empty() {
            for waker in self.yielded_wakers.take() {
                waker::wake_any(waker);
            }
        }
    }

    /// Keeps a waker until the turn ends.
    pub(super) fn defer(&self, waker: &Waker) {
        let mut deferred = self.yielded_wakers.borrow_mut();
        if !deferred.last().is_some_and(|last| last.will_wake(waker)) {
            drop(deferred);
            // Cloning is the waker's own code, which may come back here.
            let waker = waker.clone();
            deferred = self.yielded_wakers.borrow_mut();
            deferred.push(waker);
        }
    }

    /// Forgets all tasks, and drops the wakers.
    pub(super) fn clear(&self) {
        self.lifo.set(None);
        self.root.set(None);
        self.ready.with(|ready| *ready = Ring::new());
        self.yielded.with(|yielded| *yielded = Ring::new());
        for waker in self.yielded_wakers.take() {
            swallow(|| drop(waker));
        }
    }
}
