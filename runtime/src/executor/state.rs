//! The two words of a task's state, as pure state machines.
//!
//! [`Local`] is the home's: its thread reads and writes it without any read-modify-write.
//! Others only read one bit of it, [`DONE`]. [`Shared`] is everybody's; the home itself writes it
//! only when another thread did before.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use super::stealable;
use crate::loom::sync::atomic::{AtomicU8, AtomicU64};

/// In the run queue or about to be: a wake has nothing to do.
pub(super) const NOTIFIED: u8 = 1 << 0;
/// Being polled, or its future being dropped. The wake of a running task queues it afterwards.
pub(super) const RUNNING: u8 = 1 << 1;
/// The future is gone and the result is stored. Never unset; the only bit that others read.
pub(super) const DONE: u8 = 1 << 2;
/// To be cancelled when its turn comes.
pub(super) const ABORT: u8 = 1 << 3;
/// Gave way: it is queued again after the shard has looked at its ring.
pub(super) const YIELDED: u8 = 1 << 4;
/// There is no join handle (any more): the home drops the result.
pub(super) const DETACHED: u8 = 1 << 5;
/// The references are all counted in [`Shared`]: the home, too, counts there.
pub(super) const MERGED: u8 = 1 << 6;
/// The future of a `block_on`, which has a place of its own beside the run queue.
pub(super) const ROOT: u8 = 1 << 7;

/// The word of the home's thread: flags, and the references that it counts.
#[derive(Debug)]
pub(super) struct Local {
    /// May be negative: a reference can be made elsewhere and dropped here.
    refs: Cell<i32>,
    flags: AtomicU8,
    /// What the task's block is. Others read it, and it does not change while there are any.
    pub(super) kind: Cell<Kind>,
    /// The join handle's own: it has had the result.
    pub(super) taken: Cell<bool>,
}

/// What the block of a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Of a chunk, and free.
    Free,
    /// Of a chunk, and a task's.
    Block,
    /// An allocation of its own, with its `Place` in front.
    Alone,
    /// An allocation of its own, of a task that has no home (`stealable`).
    Stealable,
}

impl Local {
    pub(super) fn new(flags: u8, refs: i32, kind: Kind) -> Self {
        let (kind, taken) = (Cell::new(kind), Cell::new(false));
        Self { refs: Cell::new(refs), flags: AtomicU8::new(flags), kind, taken }
    }

    /// For the home's thread.
    #[inline]
    pub(super) fn flags(&self) -> u8 {
        self.flags.load(Ordering::Relaxed)
    }

    /// For the home's thread. A plain store on every machine that matters.
    #[inline]
    pub(super) fn set_flags(&self, flags: u8) {
        // Release: whoever sees DONE sees the result that was stored before.
        self.flags.store(flags, Ordering::Release);
    }

    /// Whether the task is done: for any thread.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        // Acquire: pairs with the store in `set_flags`, for the result.
        self.flags.load(Ordering::Acquire) & DONE != 0
    }

    /// For the home's thread.
    #[inline]
    pub(super) fn refs(&self) -> i32 {
        self.refs.get()
    }

    /// For the home's thread.
    #[inline]
    pub(super) fn set_refs(&self, refs: i32) {
        self.refs.set(refs);
    }
}

/// The link stands in the home's inbox, or is on its way there: whoever sets this bit pushes.
const LINKED: u64 = 1 << 0;
/// Woken from elsewhere.
const WOKEN: u64 = 1 << 1;
/// Aborted from elsewhere.
const ABORTED: u64 = 1 << 2;
/// The join handle was dropped elsewhere while the task was not done.
const UNJOINED: u64 = 1 << 3;
/// The home has added its count: this one is the whole. It takes no part in the bits that
/// are asked for.
const WHOLE: u64 = 1 << 4;
/// Made by another thread, and not yet known to the home.
const NEWBORN: u64 = 1 << 5;
/// The home has closed and has counted for the last time: whoever finds the link refused and no
/// reference left frees the task.
const ORPHAN: u64 = 1 << 6;
/// One reference. The count is signed: a reference can be made at home and dropped elsewhere.
/// 56 bits do not overflow before the machine is scrap.
pub(super) const ONE: u64 = 1 << 8;

/// The signed count of a value of the shared word.
fn count(word: u64) -> i64 {
    word.cast_signed() >> 8
}

/// The bits of a signed count.
fn counted(refs: i64) -> u64 {
    refs.cast_unsigned().wrapping_mul(ONE)
}

/// What a thread that is not the home owes after a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Owes {
    /// Nothing, and it may not touch the task again unless it still holds a reference.
    Nothing,
    /// The task's link to the home's inbox. Until the home has taken it the task stays.
    Push,
}

/// What others asked for since the home looked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) struct Asked {
    pub(super) newborn: bool,
    pub(super) wake: bool,
    pub(super) abort: bool,
    pub(super) unjoined: bool,
    /// To be added to the home's count.
    pub(super) refs: i64,
    /// No reference is left anywhere, and nothing is under way.
    pub(super) free: bool,
}

/// The word of everybody.
#[derive(Debug)]
pub(super) struct Shared(AtomicU64);

impl Shared {
    /// The word of a task that was spawned at home.
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The word of a task that was spawned elsewhere: woken, about to be pushed, and with one
    /// reference, the join handle's.
    pub(super) fn newborn() -> Self {
        Self(AtomicU64::new(LINKED | WOKEN | NEWBORN | ONE))
    }

    /// The word of a stealable task, which has a meaning of its own; only where the references are
    /// counted is the same.
    pub(super) fn stealable() -> Self {
        Self(AtomicU64::new(stealable::NEW))
    }

    /// The word itself, for the protocol of stealable tasks.
    #[inline]
    pub(super) fn raw(&self) -> &AtomicU64 {
        &self.0
    }

    fn owes(before: u64) -> Owes {
        if before & LINKED == 0 { Owes::Push } else { Owes::Nothing }
    }

    /// Wakes; keeps the reference.
    pub(super) fn wake(&self) -> Owes {
        // Release: what the waker's caller did before comes before the poll.
        Self::owes(self.0.fetch_or(WOKEN | LINKED, Ordering::Release))
    }

    /// Wakes, and drops the reference with which the caller does.
    pub(super) fn wake_and_release(&self) -> Owes {
        self.release_with(|_| WOKEN | LINKED)
    }

    /// Asks for the task's end; keeps the reference.
    pub(super) fn abort(&self) -> Owes {
        // Release: as for a wake.
        Self::owes(self.0.fetch_or(ABORTED | LINKED, Ordering::Release))
    }

    /// Drops the join handle's reference and its interest.
    pub(super) fn unjoin(&self) -> Owes {
        self.release_with(|_| UNJOINED | LINKED)
    }

    /// One more reference. The caller holds one.
    pub(super) fn retain(&self) {
        self.0.fetch_add(ONE, Ordering::Relaxed);
    }

    /// One reference less.
    pub(super) fn release(&self) -> Owes {
        self.release_with(|after| {
            let whole = after & WHOLE != 0;
            let last = if whole { count(after) == 0 } else { count(after) < 0 };
            // The home has to count again: it alone can free the task, or make sense of a
            // count below zero.
            if last { LINKED } else { 0 }
        })
    }

    fn release_with(&self, bits: impl Fn(u64) -> u64) -> Owes {
        let mut before = self.0.load(Ordering::Relaxed);
        loop {
            let after = before.wrapping_sub(ONE);
            let asked = bits(after);
            // AcqRel: releases this thread's use of the task to whoever frees it; acquires the
            // other threads' if that is this one.
            match self.0.compare_exchange_weak(
                before,
                after | asked,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) if asked == 0 => return Owes::Nothing,
                Ok(_) => return Self::owes(before),
                Err(current) => before = current,
            }
        }
    }

    /// Moves part of the home's count here, so that neither overflows.
    pub(super) fn spill(&self, refs: i32) {
        self.0.fetch_add(counted(i64::from(refs)), Ordering::Relaxed);
    }

    /// For the home, which has taken the link: takes what was asked for, and gives the link back
    /// to those who ask next.
    pub(super) fn take(&self) -> Asked {
        self.answer(WHOLE, |before| {
            // A count below zero is added to the home's; above zero it can stay.
            let refs = if before & WHOLE == 0 { count(before).min(0) } else { 0 };
            (refs, (before & WHOLE).wrapping_add(counted(count(before) - refs)))
        })
    }

    /// For the home, which closes and whose count is `refs`: makes this word the whole, and says
    /// whether the task can be freed. If not, others free it from here on. A result that nobody
    /// joins is dropped before: while it is, nobody can free the task. If the link is under way its
    /// pusher, who will be refused, settles.
    pub(super) fn close(&self, refs: i32, mut drop_output: impl FnMut()) -> bool {
        loop {
            let asked = self.answer(WHOLE | ORPHAN, |before| {
                if before & UNJOINED != 0 {
                    return (0, before & !UNJOINED);
                }
                let whole = count(before) + if before & WHOLE == 0 { i64::from(refs) } else { 0 };
                (0, (before & LINKED | WHOLE | ORPHAN).wrapping_add(counted(whole)))
            });
            if !asked.unjoined {
                return asked.free;
            }
            drop_output();
        }
    }

    /// For a pusher that was refused because the home has closed: gives the link back, and says
    /// whether the task can be freed. What was asked for before the home came here is left for the
    /// home.
    pub(super) fn refuse(&self, mut drop_output: impl FnMut()) -> bool {
        loop {
            let asked = self.answer(WHOLE | ORPHAN, |before| {
                if before & ORPHAN == 0 {
                    return (0, before & !LINKED);
                }
                // The result is dropped while the link still holds the task.
                let keeps = if before & UNJOINED == 0 { 0 } else { LINKED };
                (0, (keeps | WHOLE | ORPHAN).wrapping_add(counted(count(before))))
            });
            if !asked.unjoined {
                return asked.free;
            }
            drop_output();
        }
    }

    fn answer(&self, over: u64, step: impl Fn(u64) -> (i64, u64)) -> Asked {
        let mut before = self.0.load(Ordering::Relaxed);
        loop {
            let (refs, after) = step(before);
            // AcqRel: acquires what the askers did before they asked (the bits were set with
            // release); releases this thread's use of the task to whoever frees it, and of the
            // link to the next pusher.
            match self.0.compare_exchange_weak(before, after, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => {
                    let taken = before & !after;
                    return Asked {
                        newborn: taken & NEWBORN != 0,
                        wake: taken & WOKEN != 0,
                        abort: taken & ABORTED != 0,
                        unjoined: taken & UNJOINED != 0,
                        refs,
                        free: after == over,
                    };
                }
                Err(current) => before = current,
            }
        }
    }

    /// For the home, when the task is done and its own count is `refs`, not above zero: whether
    /// the task can be freed. If not it has merged the count into this word, or `refs` must be
    /// counted again when the link has been taken.
    #[inline]
    pub(super) fn settle(&self, refs: i32) -> Settled {
        // Acquire: pairs with every release of a reference that this count has seen. A stale
        // count cannot be zero: whoever changed it later holds, or was made from, a reference
        // that is counted neither as dropped here nor in what was read.
        let word = self.0.load(Ordering::Acquire);
        if word & LINKED != 0 {
            return Settled::Later;
        }
        if count(word) + i64::from(refs) == 0 {
            return Settled::Free;
        }
        self.merge(refs)
    }

    fn merge(&self, refs: i32) -> Settled {
        let delta = counted(i64::from(refs)).wrapping_add(WHOLE);
        // AcqRel: as in `answer`.
        let after = self.0.fetch_add(delta, Ordering::AcqRel).wrapping_add(delta);
        if after == WHOLE { Settled::Free } else { Settled::Merged }
    }
}

/// What the home finds when its own count has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Settled {
    /// No reference is left: the caller frees the task.
    Free,
    /// The link is under way; its taker settles.
    Later,
    /// Others hold references; the last of them pushes the link.
    Merged,
}
