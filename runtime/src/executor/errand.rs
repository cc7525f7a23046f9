//! A closure as a task with a home of its own, for a thread that runs nothing else meanwhile.
//!
//! The task is a newborn in the inbox of a home that does not exist yet. Whoever has the [`Errand`]
//! makes that home, where it is, for as long as the closure runs, and closes it:
//!
//! ```text
//!   spawn ---> newborn ---- run ----> running ----> done ----> freed by whoever drops it last
//!                 |                                  ^
//!                 +---- run, aborted before ---------+
//!                 +---- dropped ---------------------+  (both: cancelled, the closure dropped)
//! ```
//!
//! So the join handle has its result whatever becomes of the runtime's shards; an abort that comes
//! in time is seen by `run`, and one that comes later finds a task that is about to be done.
//! Joiners ask the home as they ask any, and are answered when it has closed, and its thread has
//! said that it is about to be free.

use std::rc::Rc;
use std::sync::Arc;

use super::raw::swallow;
use super::spawn_meta::SpawnMeta;
use super::{Home, JoinHandle};
use crate::executor::inbox::Inbox;

/// A closure that waits for a thread. If it is dropped its task is cancelled.
#[derive(Debug)]
pub(crate) struct Errand {
    /// The task stands in it. None when it has been run.
    inbox: Option<Arc<Inbox>>,
}

impl Errand {
    /// A task that calls `call` on the thread that runs the errand.
    pub(crate) fn new<F, T>(meta: SpawnMeta<'_>, call: F) -> (JoinHandle<T>, Errand)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // Nobody waits for what others ask of a task that cannot be interrupted.
        let inbox = Arc::new(Inbox::new(|| ()));
        // It may take as long as it likes.
        let future = super::coop::unconstrained(async move { call() });
        let task = inbox.spawn_from(meta, future);
        (task, Errand { inbox: Some(inbox) })
    }

    /// Calls the closure, unless the task was aborted, calls `telling`, and then tells whoever
    /// waits for it.
    pub(crate) fn run(mut self, telling: impl FnOnce()) {
        let Some(home) = self.home() else { return };
        let entered = home.enter();
        // Joiners ask by messages, which are kept: dropped, they wake whoever sent them.
        let early = home.take_first();
        // Once: it is done then.
        _ = home.polls().poll_next();
        drop(entered);
        // First: it may drop the result of a handle that is gone, for as long as that takes.
        let mut late = Vec::new();
        home.close_and(|message| late.push(message));
        telling();
        for message in early {
            swallow(|| drop(message));
        }
        for message in late {
            swallow(|| drop(message));
        }
    }

    /// The home, on this thread, which is no shard by it: nothing is spawned there.
    fn home(&mut self) -> Option<Rc<Home>> {
        let home = Home::with_inbox(self.inbox.take()?);
        home.set_inside();
        Some(home)
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        // Its end is what cancels the task.
        drop(self.home());
    }
}
