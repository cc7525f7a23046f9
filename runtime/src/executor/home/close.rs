//! The end of a home: its tasks are dropped here, and what is left of them belongs to others.

use super::Home;
use crate::executor::current;
use crate::executor::header::TaskPtr;
use crate::executor::id::Id;
use crate::executor::inbox::{Entry, Message};
use crate::executor::raw::swallow;
use crate::executor::state::{DONE, MERGED, RUNNING};
use crate::executor::waker;

impl Home {
    /// Drops every future on this thread, refuses what comes from now on, and leaves the memory
    /// of tasks that others still refer to to them. Does nothing the second time.
    pub(crate) fn close(&self) {
        self.close_and(|message| swallow(|| drop(message)));
    }

    /// As [`close`](Self::close), but the messages that nobody took are for `keep`.
    pub(in crate::executor) fn close_and(&self, mut keep: impl FnMut(Message)) {
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
        self.queue.clear();
        drop(entered);
        // From here on this thread, too, is a stranger to these tasks.
        self.slab.leave();
        self.slab.give_up(|task| {
            let header = task.header();
            let merged = header.local.flags() & MERGED != 0;
            let refs = if merged { 0 } else { header.local.refs() };
            // SAFETY: done, and the handle, whose the result was, has left it to this.
            let drop_output = || unsafe { (header.vtable.drop_output)(task) };
            !header.shared.close(refs, drop_output)
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
