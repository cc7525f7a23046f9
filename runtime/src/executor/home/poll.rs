//! Polling: what happens to a task from the moment that its turn comes until it waits again or is
//! done.

use std::sync::Arc;
use std::task::Context;

use henge_driver::coop::{self, Budgets};

use super::Home;
use crate::executor::current;
use crate::executor::gauge::Gauge;
use crate::executor::header::TaskPtr;
use crate::executor::id::Id;
use crate::executor::state::{ABORT, DETACHED, DONE, MERGED, NOTIFIED, ROOT, RUNNING, YIELDED};
use crate::executor::waker;

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
        let task = match self.home.queue.pop() {
            Some(task) => task,
            None if self.home.queue.root_is_due() => match self.home.root_alone() {
                Some(root) => root,
                None => return false,
            },
            None => return false,
        };
        self.poll(task);
        true
    }

    /// Polls the future of `block_on`, if it was woken. To be called first in a turn: all that was
    /// to run before it has.
    #[inline]
    pub(crate) fn poll_root(&self) -> bool {
        self.home.queue.root_is_due() && self.poll_waiting_root()
    }

    /// Not inlined: the loop that polls tasks would be longer for it.
    #[inline(never)]
    fn poll_waiting_root(&self) -> bool {
        let Some(task) = self.home.queue.pop_root() else { return false };
        self.poll(task);
        true
    }

    #[inline(always)]
    fn poll(&self, task: TaskPtr) {
        self.budgets.renew(coop::BUDGET);
        match self.gauge {
            None => self.home.run(task),
            Some(gauge) => self.poll_watched(gauge, task),
        }
    }

    /// Not inlined beside the way without a gauge, which it would make longer.
    #[inline(never)]
    fn poll_watched(&self, gauge: &Gauge, task: TaskPtr) {
        gauge.during(Id::of(task), || self.home.run(task));
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

    /// What runs until the next poll is none of the tasks that were polled.
    #[inline]
    pub(crate) fn outside(&self) {
        current::set_task(self.outer);
    }

    /// Does what other threads asked for, between two polls.
    #[inline]
    pub(crate) fn take_inbox(&self) {
        if !self.home.inbox.is_empty() {
            self.outside();
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

impl Home {
    /// Begins to poll tasks, one after the other.
    #[inline]
    pub(crate) fn polls(&self) -> Polls<'_> {
        let gauge = self.gauge.get().map(Arc::as_ref);
        Polls { home: self, outer: current::task(), budgets: Budgets::new(), gauge }
    }

    /// The future of `block_on` where nobody is in the queue, so that it need not wait for the next
    /// turn; unless somebody gave way who is to run after the ring was looked at, and before what
    /// this wakes, or another thread has sent something.
    #[inline(never)]
    fn root_alone(&self) -> Option<TaskPtr> {
        let alone = self.inbox.is_empty() && !self.queue.has_yielded();
        if alone { self.queue.pop_root() } else { None }
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

    /// After a poll during which the task was woken or aborted, or gave way. One that has nothing
    /// left of its budget gives way, too: queued at once, it would be polled turn after turn, as
    /// often as a turn has polls, for each time that one which gave way by itself is.
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
        let gave_way = flags & NOTIFIED == 0 || !coop::has_budget_remaining();
        if flags & ROOT != 0 {
            self.queue.set_root(task, gave_way);
        } else if gave_way {
            self.queue.push_yielded(task);
        } else {
            self.queue.push_woken(task);
        }
    }

    /// The future is gone and the result stored: publishes it.
    #[inline]
    pub(super) fn complete(&self, task: TaskPtr) {
        let header = task.header();
        let local = &header.local;
        let plain = local.refs() > 0 && !header.joiner.is_set() && !self.is_watched;
        if plain && local.flags() & (DETACHED | MERGED) == 0 {
            // Its handle is there, and nobody waits yet: nothing to run, and nothing to free.
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
}
