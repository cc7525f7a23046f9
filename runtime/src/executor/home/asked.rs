//! What is asked of a task, here or by other threads: wakes, aborts, and the ends of references.

use super::Home;
use crate::executor::header::TaskPtr;
use crate::executor::inbox::{Entries, Entry};
use crate::executor::raw::swallow;
use crate::executor::state::{ABORT, DETACHED, DONE, MERGED, NOTIFIED, ROOT, RUNNING, Settled};
use crate::executor::waker;
use crate::prefetch;

impl Home {
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
    pub(in crate::executor) fn take_first(&self) -> Entries {
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
    pub(super) fn answer(&self, task: TaskPtr) {
        // Who asked has written it last; it will be changed at once.
        prefetch::to_write(task.as_ptr().as_ptr());
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
    pub(in crate::executor) fn wake(&self, task: TaskPtr) {
        let local = &task.header().local;
        let flags = local.flags();
        if flags & (NOTIFIED | DONE | RUNNING | ROOT) == 0 {
            local.set_flags(flags | NOTIFIED);
            self.queue.push_woken(task);
        } else if flags & DONE == 0 {
            // Queued already, or queued when its poll has returned.
            local.set_flags(flags | NOTIFIED);
            if flags & (NOTIFIED | RUNNING) == 0 {
                self.queue.set_root(task, false);
            }
        }
    }

    /// Cancels a task when its turn comes, which is soon.
    pub(in crate::executor) fn abort(&self, task: TaskPtr) {
        let local = &task.header().local;
        if local.flags() & DONE == 0 {
            local.set_flags(local.flags() | ABORT);
            self.wake(task);
        }
    }

    /// The join handle is gone, or going, and has left the result.
    pub(in crate::executor) fn unjoin(&self, task: TaskPtr) {
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

    /// One reference less, at home.
    #[inline]
    pub(in crate::executor) fn release(&self, task: TaskPtr) {
        let local = &task.header().local;
        let flags = local.flags();
        if flags & MERGED != 0 {
            waker::release_elsewhere(task);
            return;
        }
        let refs = match local.refs().checked_sub(1) {
            Some(refs) => refs,
            None => waker::spill(task) - 1,
        };
        local.set_refs(refs);
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
}
