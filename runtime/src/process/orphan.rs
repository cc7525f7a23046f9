//! Children that nobody waits for: reaped when they end, so that none stays a zombie.
//!
//! On a shard the ring watches: an operation owns the child, and reaps it when its descriptor says
//! that it has ended. A child that is dropped elsewhere, or whose shard ends first, is put on a
//! list, which is looked through whenever another child is started or dropped.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use henge_driver::ops::{PollOnce, PollSink};
use henge_driver::sys::process::Child;
use henge_driver::{Fd, current};

static WITHOUT_SHARD: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Reaps those that nobody watches and that have ended.
pub(super) fn reap() {
    let mut orphans = WITHOUT_SHARD.lock().unwrap_or_else(PoisonError::into_inner);
    orphans.retain_mut(|child| !has_ended(child));
}

/// Reaps a child when it has ended.
pub(super) fn adopt(mut child: Child, process: Arc<Fd>) {
    reap();
    if has_ended(&mut child) {
        return;
    }
    let orphan = Orphan { child: Some(child), process };
    // Without a ring it goes on the list: the closure is dropped with it.
    _ = current::with(|driver| driver.submit_detached(PollOnce::readable(orphan)));
}

/// Reaps it if so. A child that cannot be waited for is another's business.
fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// A child that is watched by an operation. Dropped before its end it goes on the list.
struct Orphan {
    child: Option<Child>,
    process: Arc<Fd>,
}

impl PollSink for Orphan {
    fn socket(&self) -> &Fd {
        &self.process
    }

    fn ready(&mut self, _: io::Result<()>) {
        if let Some(child) = &mut self.child
            && has_ended(child)
        {
            self.child = None;
        }
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take()
            && !has_ended(&mut child)
        {
            WITHOUT_SHARD.lock().unwrap_or_else(PoisonError::into_inner).push(child);
        }
    }
}
