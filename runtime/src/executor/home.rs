//! One shard's tasks: spawned, queued, polled and dropped here, and nowhere else.

mod asked;
mod close;
mod poll;
mod queue;

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::marker::PhantomData;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use super::current;
use super::gauge::Gauge;
use super::header::{Header, TaskPtr};
use super::id::Id;
use super::join::JoinHandle;
use super::newborn;
use super::raw::Task;
use super::slab::{self, Alone, Slab};
use super::span::{self, Traced};
use super::spawn_meta::SpawnMeta;
use super::state::{Kind, Local, NOTIFIED, ROOT, Shared};
use crate::executor::inbox::Inbox;

pub(crate) use poll::Polls;
use queue::RunQueue;

/// The tasks of one shard. It belongs to the thread that made it; what others may have is its
/// [`Inbox`].
pub(crate) struct Home {
    queue: RunQueue,
    slab: Slab,
    inbox: Arc<Inbox>,
    /// Tasks that are not done.
    alive: Cell<usize>,
    /// Tasks are cancelled, and no more are taken in.
    closed: Cell<bool>,
    /// Tasks stand in a roster while they are not done.
    is_watched: bool,
    gauge: OnceCell<Arc<Gauge>>,
    /// How often this is entered, and what was entered around the first time.
    entries: Cell<usize>,
    around: Cell<*const Home>,
    /// These are the tasks of a set inside of a task, not a shard's.
    is_set: Cell<bool>,
    /// Neither Send nor Sync, whatever the fields say.
    here: PhantomData<*const ()>,
}

/// Makes a home this thread's current one until it is dropped.
#[must_use]
pub(crate) struct Entered<'a> {
    home: &'a Home,
    outer: *const Home,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.home.entries.set(self.home.entries.get() - 1);
        current::set_home(self.outer);
    }
}

impl Home {
    /// An empty home. Whoever puts something into the inbox from elsewhere calls `bell`
    /// afterwards: from any thread, at any time, even when the home is gone.
    pub(crate) fn new(bell: impl Fn() + Send + Sync + 'static) -> Rc<Self> {
        Self::with_inbox(Arc::new(Inbox::new(bell)))
    }

    /// An empty home for an inbox that has none. What was sent to it before is there.
    pub(crate) fn with_inbox(inbox: Arc<Inbox>) -> Rc<Self> {
        Rc::new(Self {
            queue: RunQueue::new(),
            slab: Slab::new(inbox.clone()),
            is_watched: inbox.roster().is_some(),
            gauge: OnceCell::new(),
            inbox,
            alive: Cell::new(0),
            closed: Cell::new(false),
            entries: Cell::new(0),
            around: Cell::new(ptr::null()),
            is_set: Cell::new(false),
            here: PhantomData,
        })
    }

    /// Runs the task that was woken last before the others, three in a row at most. Off unless
    /// asked for.
    pub(crate) fn use_lifo_slot(&self, on: bool) {
        self.queue.use_lifo_slot(on);
    }

    /// From now on says what it polls.
    pub(crate) fn set_gauge(&self, gauge: Arc<Gauge>) {
        #[cfg(feature = "backtrace")]
        gauge.sit();
        // A home is given one once; if not, the first one stays.
        drop(self.gauge.set(gauge));
    }

    pub(crate) fn gauge(&self) -> Option<&Gauge> {
        self.gauge.get().map(Arc::as_ref)
    }

    /// What other threads may have of this home.
    pub(crate) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Makes this the current home: wakes and drops of its tasks' references take the short way.
    /// Tasks are polled only inside. Nests, and must be left in the opposite order.
    pub(crate) fn enter(&self) -> Entered<'_> {
        let outer = current::set_home(self);
        if self.entries.replace(self.entries.get() + 1) == 0 {
            self.around.set(outer);
        }
        Entered { home: self, outer }
    }

    /// Calls `f` with the home that this thread has entered.
    #[inline]
    pub(crate) fn with_current<R>(f: impl FnOnce(Option<&Home>) -> R) -> R {
        let home = current::home();
        // SAFETY: an entered home is live until it is left, outside of this call.
        f(unsafe { home.as_ref() })
    }

    /// Calls `f` with the home of the shard whose loop this thread runs, whatever is entered inside
    /// of it.
    #[inline]
    pub(crate) fn with_shards<R>(f: impl FnOnce(Option<&Home>) -> R) -> R {
        Self::with_current(|home| match home {
            Some(home) if home.is_set.get() => {
                let mut home = home;
                while home.is_set.get() {
                    // SAFETY: what was entered around something that is entered is live.
                    match unsafe { home.around.get().as_ref() } {
                        Some(around) => home = around,
                        None => return f(None),
                    }
                }
                f(Some(home))
            }
            home => f(home),
        })
    }

    /// Marks this as the home of a set of tasks that is polled inside of something else.
    pub(crate) fn set_inside(&self) {
        self.is_set.set(true);
    }

    /// Whether these are the tasks of a set inside of a task.
    pub(crate) fn is_set(&self) -> bool {
        self.is_set.get()
    }

    /// Tasks that are not done.
    pub(crate) fn alive(&self) -> usize {
        self.alive.get()
    }

    /// Tasks that wait for their turn.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Whether the future of a `block_on` was woken and waits, though it gave way.
    #[inline]
    pub(crate) fn root_waits(&self) -> bool {
        self.queue.has_root()
    }

    /// Whether a task can run now, or could after [`end_turn`](Self::end_turn).
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        self.queue.has_work()
    }

    /// Puts those that gave way behind the others. To be called when the shard has looked at its
    /// ring; until then they do not run.
    #[inline]
    pub(crate) fn end_turn(&self) {
        self.queue.end_turn();
    }

    /// Keeps a waker until the turn ends.
    pub(super) fn defer(&self, waker: &Waker) {
        self.queue.defer(waker);
    }

    /// Spawns a task. On a home that has closed, it is cancelled at once.
    #[inline]
    #[track_caller]
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_from(SpawnMeta::new(), future)
    }

    /// The same, for callers that know better where it comes from.
    #[inline]
    pub(crate) fn spawn_from<F>(&self, meta: SpawnMeta<'_>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        if self.closed.get() {
            return newborn::refused(future);
        }
        let task = self.settle_new(meta, future, 0);
        self.queue.push(task);
        // SAFETY: the reference that the task was made with; `F::Output` is its result.
        unsafe { JoinHandle::new(task) }
    }

    /// The same for the future of a `block_on`, which is not polled in the order of the queue.
    pub(crate) fn spawn_root<F>(&self, meta: SpawnMeta<'_>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        if self.closed.get() {
            return newborn::refused(future);
        }
        let task = self.settle_new(meta, future, ROOT);
        self.queue.set_root(task, false);
        // SAFETY: as in `spawn_from`.
        unsafe { JoinHandle::new(task) }
    }

    /// Makes a task with these flags, that is to be queued, and with one reference: the join
    /// handle's.
    #[inline]
    fn settle_new<F: Future>(&self, meta: SpawnMeta<'_>, future: F, flags: u8) -> TaskPtr {
        let future = span::of_task(meta, future);
        let (size, align) = (Task::<Traced<F>>::SIZE, Task::<Traced<F>>::ALIGN);
        let (memory, kind) = if slab::shares(size, align) {
            (self.slab.alloc(size, self), Kind::Block)
        } else {
            (Alone::allocate(size, align, self, self.inbox.clone()), Kind::Alone)
        };
        let local = Local::new(NOTIFIED | flags, 1, kind);
        let vtable = Task::<Traced<F>>::VTABLE;
        let header = Header::new(vtable, Shared::new(), local, span::id::<F>(&future));
        // SAFETY: fresh memory of the task's size and alignment, of the kind that is named.
        let task = unsafe { Task::<Traced<F>>::write(memory, header, future) };
        if kind == Kind::Alone {
            self.slab.adopt(task);
        }
        if self.is_watched {
            self.register::<F>(task, meta);
        }
        self.alive.set(self.alive.get() + 1);
        task
    }

    /// Puts a task on the roster.
    #[cold]
    fn register<F>(&self, task: TaskPtr, meta: SpawnMeta<'_>) {
        if let Some(roster) = self.inbox.roster() {
            roster.add::<F>(Id::of(task), meta);
        }
    }

    /// Takes a task off the roster.
    #[cold]
    fn strike(&self, task: TaskPtr) {
        if let Some(roster) = self.inbox.roster() {
            roster.remove(Id::of(task));
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home")
            .field("alive", &self.alive())
            .field("queued", &self.queued())
            .field("closed", &self.closed.get())
            .finish_non_exhaustive()
    }
}
