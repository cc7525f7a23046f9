//! What has come: objects that other threads posted, and completions, each to its owner.

use std::io;
use std::ptr::NonNull;

use super::{Driver, Inner, Phase, Turn, tag};
use crate::cell::{Header, Progress};
use crate::cqe::Cqe;
use crate::inflight::Key;
use crate::ring::{Reaped, Wait};

/// So many enters a turn adds at most to fetch what the first has left behind: about as much as a
/// turn of a shard polls.
const MOST_GATHERS: u32 = 3;

impl Driver {
    /// Runs what other threads posted.
    pub(super) fn run_posted(&self) -> u32 {
        let inner = &*self.inner;
        // SAFETY: `Inner` never leaves its thread, and this is the list's only `Taken`.
        unsafe { inner.taken.take(&inner.remote.shared().list) };
        let mut count = 0;
        while let Some(entry) = inner.taken.pop() {
            count += 1;
            // SAFETY: popped, hence run once; on the home thread: `push`'s condition.
            unsafe { (entry.run)(entry.object, self) };
        }
        count
    }

    /// An operation has completed that [gathers](crate::Operation::GATHERS).
    #[inline]
    pub(crate) fn gather(&self) {
        self.inner.gathers.set(true);
    }

    /// Handles what has completed, and where that asks for it, what an enter has left behind.
    pub(super) fn reap_and_gather(&self, turn: &mut Turn) -> io::Result<()> {
        self.reap(turn);
        for _ in 0..MOST_GATHERS {
            if !self.inner.gathers.take() || !self.inner.ring.completion_pending() {
                break;
            }
            self.enter_ring(Wait::No)?;
            self.reap(turn);
        }
        Ok(())
    }

    /// Handles the completions that are there now; those that come meanwhile are for the next
    /// turn.
    pub(super) fn reap(&self, turn: &mut Turn) {
        let (mut handled, mut operations) = (0, 0);
        // Before it is known what there is to handle: another reap within this one may end early.
        let answered = self.quiet().letters().answered();
        for _ in 0..self.inner.ring.ready() {
            let Some(reaped) = self.inner.ring.pop() else { break };
            if reaped.user_data >> 32 == 0 {
                turn.wakes += u32::from(self.internal(reaped));
            } else {
                handled += 1;
                let key = Key::from_user_data(reaped.user_data);
                operations |= 1 << (key.slot() % 64);
                self.dispatch(key, reaped.cqe);
            }
        }
        // Or what was popped would still look pending, and be entered for.
        self.inner.ring.give_back();
        self.inner.counting.completions.add(u64::from(handled));
        turn.completions += handled;
        turn.operations |= operations;
        self.quiet_done(answered);
    }

    /// Gives a completion to its operation.
    fn dispatch(&self, key: Key, cqe: Cqe) {
        let inner = &*self.inner;
        let Some(cell) = inner.slots.borrow().get(key).copied() else {
            inner.counting.unknown_completions.add(1);
            return;
        };
        // SAFETY: a cell in the table is alive, and its header is the driver's.
        let kind = unsafe { cell.as_ref() }.kind;
        let guard = Completing::new(inner, key, !cqe.has_more());
        // SAFETY: at home; the kernel has the cell, since its slot is in use; `assert_turnable`
        // keeps this from happening inside another `complete`.
        let progress = unsafe { (kind.complete)(cell, self, cqe) };
        guard.done();
        if !matches!(progress, Progress::Continue) {
            self.go_on(cell, key, progress);
        }
    }

    /// What is owed after a completion.
    #[inline(never)]
    fn go_on(&self, cell: NonNull<Header>, key: Key, progress: Progress) {
        let inner = &*self.inner;
        let waker = match progress {
            Progress::Continue => None,
            Progress::Wake(waker) => waker,
            Progress::Stop(waker) => {
                self.cancel_key(key);
                waker
            }
            Progress::Again if inner.phase.get() == Phase::Running => {
                // SAFETY: the last completion has come, so the kernel does not have the cell.
                unsafe { self.submit_cell_again(cell, key) };
                None
            }
            Progress::Again => {
                self.refuse(cell, key);
                None
            }
            Progress::Finished => {
                inner.slots.borrow_mut().remove(key);
                // SAFETY: the last completion has come, and nobody has the cell but this.
                let kind = unsafe { cell.as_ref() }.kind;
                // SAFETY: likewise.
                unsafe { (kind.release)(cell, self) }
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Handles a completion of the driver's own entries; whether it is a wake.
    fn internal(&self, Reaped { user_data, cqe }: Reaped) -> bool {
        let counting = &self.inner.counting;
        match user_data & tag::KIND {
            // A cancel that found nothing, or came too late, is as good as one that did: the
            // operation's own completion is what counts.
            tag::CANCEL | tag::TIME_LIMIT => {}
            tag::WAKE => {
                counting.wakes.add(1);
                return true;
            }
            tag::EVENT => {
                counting.wakes.add(1);
                if !cqe.has_more() && self.inner.phase.get() == Phase::Running {
                    self.arm_event();
                }
                return true;
            }
            tag::MESSAGE => {
                if cqe.result() < 0 {
                    counting.failed_messages.add(1);
                    let peer = self.inner.peers.borrow().get(user_data & !tag::KIND);
                    if let Some(peer) = peer {
                        peer.event.signal();
                    }
                }
            }
            tag::QUIET => self.quiet_failed(user_data, cqe),
            _ => counting.unknown_completions.add(1),
        }
        false
    }
}

/// Undoes `completing`, and the slot of an operation that panicked on its last completion: its
/// cell is leaked, since nobody knows what state it is in.
pub(super) struct Completing<'a> {
    inner: &'a Inner,
    key: Key,
    last: bool,
    /// What is submitted inside of a `complete` is prepared inside of it.
    within: bool,
}

impl<'a> Completing<'a> {
    pub(super) fn new(inner: &'a Inner, key: Key, last: bool) -> Completing<'a> {
        Completing { inner, key, last, within: inner.completing.replace(true) }
    }

    pub(super) fn done(self) {
        self.inner.completing.set(self.within);
        std::mem::forget(self);
    }
}

impl Drop for Completing<'_> {
    // Inline, so that nobody has to have the guard in memory.
    #[inline(always)]
    fn drop(&mut self) {
        panicked(self.inner, self.key, self.last, self.within);
    }
}

#[cold]
#[inline(never)]
fn panicked(inner: &Inner, key: Key, last: bool, within: bool) {
    inner.completing.set(within);
    if last {
        inner.slots.borrow_mut().remove(key);
    }
}
