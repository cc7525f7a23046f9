//! One shard's tasks: spawned, queued, polled and dropped here, and nowhere else.

use std::cell::{Cell, OnceCell, RefCell, UnsafeCell};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use henge_driver::coop::{self, Budgets};

use super::current;
use super::gauge::Gauge;
use super::header::{Header, TaskPtr};
use super::id::Id;
use super::join::JoinHandle;
use super::newborn;
use super::raw::{Task, swallow};
use super::slab::{self, Alone, Slab};
use super::state::{
    ABORT, DETACHED, DONE, Kind, Local, MERGED, NOTIFIED, RUNNING, Settled, Shared, YIELDED,
};
use super::waker;
use crate::queue::inbox::{Entries, Entry, Inbox, Message};
use crate::queue::local::Ring;

/// Polls in a row out of the LIFO slot, before the queue has its turn.
const LIFO_IN_A_ROW: u8 = 3;
/// Slots from which on an empty queue gives its memory back.
const HUGE: usize = 32 << 10;

/// The tasks of one shard. It belongs to the thread that made it; what others may have is its
/// [`Inbox`].
pub(crate) struct Home {
    /// Tasks to be polled, in order.
    queue: Queue,
    /// Tasks that gave way, until the shard has looked at its ring.
    yielded: Queue,
    /// Wakers of those that gave way inside something that wakes by itself.
    yielded_wakers: RefCell<Vec<Waker>>,
    /// The task woken last, if the slot is used.
    lifo: Cell<Option<TaskPtr>>,
    uses_lifo: Cell<bool>,
    lifo_run: Cell<u8>,
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

/// A run queue that is reached through a shared reference.
struct Queue(UnsafeCell<Ring<TaskPtr>>);

impl Queue {
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

/// Polls in a row, by one loop. What a poll sets for itself (its task's id, its budget) is set
/// over by the next one, and put back once at the end.
#[must_use]
pub(crate) struct Polls<'a> {
    home: &'a Home,
    outer: Option<Id>,
    budgets: Budgets,
    /// Where somebody wants to know what is polled.
    gauge: Option<&'a Gauge>,
}

impl Polls<'_> {
    /// Polls the task whose turn it is. False if there is none. Inlined into the loop that calls
    /// it, a tenth of whose instructions would otherwise save and restore registers.
    #[inline(always)]
    pub(crate) fn poll_next(&self) -> bool {
        let Some(task) = self.home.pop() else { return false };
        self.budgets.renew(coop::BUDGET);
        match self.gauge {
            None => self.home.run(task),
            Some(gauge) => gauge.during(Id::of(task), || self.home.run(task)),
        }
        true
    }

    /// Calls `run`, which polls a task that may move from thread to thread, and does not panic.
    #[inline]
    pub(crate) fn poll_moving(&self, task: Id, run: impl FnOnce()) {
        self.budgets.renew(coop::BUDGET);
        match self.gauge {
            None => henge_driver::current::moving(run),
            Some(gauge) => gauge.during(task, || henge_driver::current::moving(run)),
        }
    }

    /// Does what other threads asked for, between two polls.
    #[inline]
    pub(crate) fn take_inbox(&self) {
        if !self.home.inbox.is_empty() {
            current::set_task(self.outer);
            self.home.take_inbox();
        }
    }
}

impl Drop for Polls<'_> {
    #[inline]
    fn drop(&mut self) {
        current::set_task(self.outer);
    }
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
            queue: Queue::new(),
            yielded: Queue::new(),
            yielded_wakers: RefCell::new(Vec::new()),
            lifo: Cell::new(None),
            uses_lifo: Cell::new(false),
            lifo_run: Cell::new(0),
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
        self.uses_lifo.set(on);
    }

    /// From now on says what it polls.
    pub(crate) fn set_gauge(&self, gauge: Arc<Gauge>) {
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
    pub(super) fn set_inside(&self) {
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
        self.queue.with(|queue| queue.len())
            + self.yielded.with(|queue| queue.len())
            + usize::from(self.lifo.get().is_some())
    }

    /// Whether a task can run now, or could after [`end_turn`](Self::end_turn).
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        self.queue.with(|queue| !queue.is_empty())
            || self.lifo.get().is_some()
            || self.yielded.with(|queue| !queue.is_empty())
            || !self.yielded_wakers.borrow().is_empty()
    }

    /// Spawns a task. On a home that has closed, it is cancelled at once.
    #[inline]
    #[track_caller]
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_from(Location::caller(), future)
    }

    /// The same, for callers that know better where it comes from.
    #[inline]
    pub(crate) fn spawn_from<F>(
        &self,
        location: &'static Location<'static>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        if self.closed.get() {
            return newborn::refused(future);
        }
        let (size, align) = (Task::<F>::SIZE, Task::<F>::ALIGN);
        let (memory, kind) = if slab::shares(size, align) {
            (self.slab.alloc(size, self), Kind::Block)
        } else {
            (Alone::allocate(size, align, self, self.inbox.clone()), Kind::Alone)
        };
        // The one reference is the join handle's.
        let local = Local::new(NOTIFIED, 1, kind);
        let header = Header::new(Task::<F>::VTABLE, Shared::new(), local);
        // SAFETY: fresh memory of the task's size and alignment, of the kind that is named.
        let task = unsafe { Task::<F>::write(memory, header, future) };
        if kind == Kind::Alone {
            self.slab.adopt(task);
        }
        if self.is_watched {
            self.register::<F>(task, location);
        }
        self.alive.set(self.alive.get() + 1);
        self.queue.with(|queue| queue.push(task));
        // SAFETY: the reference that the task was made with; `F::Output` is its result.
        unsafe { JoinHandle::new(task) }
    }

    /// Begins to poll tasks, one after the other.
    #[inline]
    pub(crate) fn polls(&self) -> Polls<'_> {
        let gauge = self.gauge.get().map(Arc::as_ref);
        Polls { home: self, outer: current::task(), budgets: Budgets::new(), gauge }
    }

    /// The task whose turn it is.
    #[inline]
    fn pop(&self) -> Option<TaskPtr> {
        if self.uses_lifo.get() {
            return self.pop_lifo();
        }
        self.queue.with(Ring::pop)
    }

    #[inline(never)]
    fn pop_lifo(&self) -> Option<TaskPtr> {
        if let Some(task) = self.lifo.get()
            && (self.lifo_run.get() < LIFO_IN_A_ROW || self.queue.with(|queue| queue.is_empty()))
        {
            self.lifo_run.set(self.lifo_run.get().saturating_add(1));
            self.lifo.set(None);
            return Some(task);
        }
        self.lifo_run.set(0);
        self.queue.with(Ring::pop)
    }

    /// Puts those that gave way behind the others. To be called when the shard has looked at its
    /// ring; until then they do not run.
    #[inline]
    pub(crate) fn end_turn(&self) {
        self.queue.with(|queue| {
            if queue.is_empty() && queue.capacity() >= HUGE {
                queue.rest();
            }
        });
        if self.yielded.with(|queue| !queue.is_empty()) {
            self.queue.with(|queue| self.yielded.with(|yielded| queue.append(yielded)));
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

    /// Does what other threads asked for: queues the tasks that they woke or spawned, runs their
    /// messages. Says whether there was anything.
    #[inline]
    pub(crate) fn take_inbox(&self) -> bool {
        if self.inbox.is_empty() {
            return false;
        }
        for entry in self.inbox.take() {
            match entry {
                // SAFETY: links in a home's inbox are those of tasks, pushed by their askers.
                Entry::Link(link) => self.answer(unsafe { TaskPtr::new(link.cast()) }),
                Entry::Message(message) => swallow(|| message.run(self)),
            }
        }
        true
    }

    /// Takes in the task that was sent here first, and leaves what came behind it to the caller.
    pub(super) fn take_first(&self) -> Entries {
        let mut entries = self.inbox.take();
        match entries.next() {
            // SAFETY: as in `take_inbox`.
            Some(Entry::Link(link)) => self.answer(unsafe { TaskPtr::new(link.cast()) }),
            Some(Entry::Message(message)) => swallow(|| message.run(self)),
            None => {}
        }
        entries
    }

    /// Does for one task what others asked for.
    fn answer(&self, task: TaskPtr) {
        let local = &task.header().local;
        let asked = task.header().shared.take();
        if asked.newborn {
            task.place().settle_in(self);
            self.slab.adopt(task);
            self.alive.set(self.alive.get() + 1);
            local.set_flags(0);
        }
        if asked.free && !asked.unjoined {
            // SAFETY: without references and without a link under way, so it is also done.
            unsafe { self.slab.free(task) };
            return;
        }
        local.set_refs(local.refs() + asked.refs as i32);
        // What runs below may drop every other reference.
        waker::retain(task);
        if asked.unjoined {
            self.unjoin(task);
        }
        if asked.abort {
            self.abort(task);
        } else if asked.wake {
            self.wake(task);
        }
        self.release(task);
    }

    /// Queues a task unless it is queued already.
    #[inline]
    pub(super) fn wake(&self, task: TaskPtr) {
        let local = &task.header().local;
        let flags = local.flags();
        if flags & (NOTIFIED | DONE) != 0 {
            return;
        }
        local.set_flags(flags | NOTIFIED);
        if flags & RUNNING == 0 {
            self.push(task);
        }
    }

    #[inline]
    fn push(&self, task: TaskPtr) {
        let task = if self.uses_lifo.get() {
            match self.lifo.replace(Some(task)) {
                Some(older) => older,
                None => return,
            }
        } else {
            task
        };
        self.queue.with(|queue| queue.push(task));
    }

    /// Cancels a task when its turn comes, which is soon.
    pub(super) fn abort(&self, task: TaskPtr) {
        let local = &task.header().local;
        if local.flags() & DONE == 0 {
            local.set_flags(local.flags() | ABORT);
            self.wake(task);
        }
    }

    /// The join handle is gone, or going, and has left the result.
    pub(super) fn unjoin(&self, task: TaskPtr) {
        let header = task.header();
        let flags = header.local.flags();
        if flags & DONE == 0 {
            header.local.set_flags(flags | DETACHED);
            swallow(|| drop(header.joiner.take()));
        } else {
            // SAFETY: done, and the handle, whose the result was, has left it to this.
            unsafe { (header.vtable.drop_output)(task) };
        }
    }

    /// Polls a task, as one of [`Polls`].
    #[inline]
    fn run(&self, task: TaskPtr) {
        let header = task.header();
        let local = &header.local;
        let flags = local.flags();
        debug_assert!(flags & (NOTIFIED | RUNNING | DONE) == NOTIFIED, "a queued task is idle");
        local.set_flags(flags & !NOTIFIED | RUNNING);
        current::set_task(Some(Id::of(task)));
        if flags & ABORT != 0 {
            // SAFETY: on the home's thread; the task is not done, so its future is there, and
            // RUNNING was not set, so nobody polls it.
            unsafe { (header.vtable.cancel)(task) };
            self.complete(task);
        } else {
            let waker = waker::borrowed(task);
            let mut cx = Context::from_waker(&waker);
            // SAFETY: as above.
            if unsafe { (header.vtable.poll)(task, &mut cx) }.is_ready() {
                self.complete(task);
            } else {
                let flags = local.flags();
                if flags & (NOTIFIED | ABORT | YIELDED) == 0 {
                    local.set_flags(flags & !RUNNING);
                } else {
                    self.rerun(task, flags);
                }
            }
        }
    }

    /// After a poll during which the task was woken or aborted, or gave way.
    #[inline]
    fn rerun(&self, task: TaskPtr, flags: u8) {
        let header = task.header();
        if flags & ABORT != 0 {
            // SAFETY: on the home's thread; the poll has returned and left the future there.
            unsafe { (header.vtable.cancel)(task) };
            self.complete(task);
            return;
        }
        header.local.set_flags(flags & !(RUNNING | YIELDED) | NOTIFIED);
        if flags & NOTIFIED == 0 {
            self.yielded.with(|queue| queue.push(task));
        } else {
            self.push(task);
        }
    }

    /// The future is gone and the result stored: publishes it.
    #[inline]
    fn complete(&self, task: TaskPtr) {
        let header = task.header();
        let local = &header.local;
        let handle_alone = local.refs() > 0 && !header.joiner.is_set();
        if handle_alone && local.flags() & (DETACHED | MERGED) == 0 {
            // Nobody waits yet: nothing to run, and nothing to free.
            local.set_flags(DONE);
            self.alive.set(self.alive.get() - 1);
            return;
        }
        self.complete_and_tell(task);
    }

    #[inline(never)]
    fn complete_and_tell(&self, task: TaskPtr) {
        let header = task.header();
        let local = &header.local;
        // What runs below may drop every reference there is, and this uses the task after it.
        local.set_refs(local.refs() + 1);
        let flags = local.flags();
        local.set_flags(flags & (DETACHED | MERGED) | DONE);
        self.alive.set(self.alive.get() - 1);
        if self.is_watched {
            self.strike(task);
        }
        if flags & DETACHED != 0 {
            // SAFETY: done, and nobody else will ask for the result.
            unsafe { (header.vtable.drop_output)(task) };
        }
        if let Some(joiner) = header.joiner.take() {
            waker::wake_any(joiner);
        }
        self.release(task);
    }

    /// Puts a task on the roster.
    #[cold]
    fn register<F>(&self, task: TaskPtr, location: &'static Location<'static>) {
        if let Some(roster) = self.inbox.roster() {
            roster.add::<F>(Id::of(task), location);
        }
    }

    /// Takes a task off the roster.
    #[cold]
    fn strike(&self, task: TaskPtr) {
        if let Some(roster) = self.inbox.roster() {
            roster.remove(Id::of(task));
        }
    }

    /// One reference less, at home.
    #[inline]
    pub(super) fn release(&self, task: TaskPtr) {
        let local = &task.header().local;
        let flags = local.flags();
        if flags & MERGED != 0 {
            waker::release_elsewhere(task);
            return;
        }
        local.set_refs(local.refs() - 1);
        if flags & DONE != 0 {
            self.settle(task);
        }
    }

    /// Frees a task that is done if nobody refers to it, and sees to it that somebody will.
    #[inline]
    fn settle(&self, task: TaskPtr) {
        let header = task.header();
        let refs = header.local.refs();
        if refs > 0 {
            return;
        }
        match header.shared.settle(refs) {
            // SAFETY: done, and there is neither a reference nor a link under way. The join
            // handle is a reference, so it has taken the result or left it to be dropped.
            Settled::Free => unsafe { self.slab.free(task) },
            Settled::Later => {}
            Settled::Merged => header.local.set_flags(header.local.flags() | MERGED),
        }
    }

    /// Drops every future on this thread, refuses what comes from now on, and leaves the memory
    /// of tasks that others still refer to to them. Does nothing the second time.
    pub(crate) fn close(&self) {
        self.close_and(|message| swallow(|| drop(message)));
    }

    /// As [`close`](Self::close), but the messages that nobody took are for `keep`.
    pub(super) fn close_and(&self, mut keep: impl FnMut(Message)) {
        if self.closed.replace(true) {
            return;
        }
        let entered = self.enter();
        self.slab.each(|task| self.cancel(task));
        for entry in self.inbox.close() {
            match entry {
                Entry::Link(link) => {
                    // SAFETY: as in `take_inbox`.
                    let task = unsafe { TaskPtr::new(link.cast()) };
                    if task.header().local.flags() & DONE != 0 {
                        // Nothing to cancel; and if its last reference is gone the answer frees it,
                        // while one that was made here could not be given back to a closed inbox.
                        self.answer(task);
                        continue;
                    }
                    // So that it stays until it was cancelled.
                    waker::retain(task);
                    self.answer(task);
                    self.cancel(task);
                    self.release(task);
                }
                Entry::Message(message) => keep(message),
            }
        }
        self.lifo.set(None);
        self.queue.with(|queue| *queue = Ring::new());
        self.yielded.with(|queue| *queue = Ring::new());
        for waker in self.yielded_wakers.take() {
            swallow(|| drop(waker));
        }
        drop(entered);
        // From here on this thread, too, is a stranger to these tasks.
        self.slab.leave();
        self.slab.give_up(|task| {
            let header = task.header();
            let merged = header.local.flags() & MERGED != 0;
            let asked = header.shared.close(if merged { 0 } else { header.local.refs() });
            if asked.unjoined {
                // SAFETY: done, and the handle, whose the result was, has left it to this.
                unsafe { (header.vtable.drop_output)(task) };
            }
            !asked.free
        });
    }

    fn cancel(&self, task: TaskPtr) {
        let header = task.header();
        if header.local.flags() & (DONE | RUNNING) != 0 {
            return;
        }
        header.local.set_flags(header.local.flags() | RUNNING);
        let outer = current::set_task(Some(Id::of(task)));
        // SAFETY: on the home's thread; the task is not done and nobody polls it.
        unsafe { (header.vtable.cancel)(task) };
        self.complete(task);
        current::set_task(outer);
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
