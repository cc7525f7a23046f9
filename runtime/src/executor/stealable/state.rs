//! The word of a stealable task's state, as a pure state machine: flags and a count of references,
//! for any thread.
//!
//! Each transition is one read-modify-write, and says what its caller owes afterwards.

use std::sync::atomic::Ordering;

use super::super::state::ONE;
use crate::loom::sync::atomic::AtomicU64;

/// An entry for it stands in a queue, or is on its way there. While it runs: it was woken, and is
/// to be queued again.
const QUEUED: u64 = 1 << 0;
/// Somebody polls it, or drops its future. That one alone may touch the future.
const RUNNING: u64 = 1 << 1;
/// The future is gone and the result is stored. Never unset.
const COMPLETE: u64 = 1 << 2;
/// To be cancelled by whoever runs it next, or runs it now.
const ABORT: u64 = 1 << 3;
/// There is a join handle, and the result is its.
const JOINED: u64 = 1 << 4;
/// The joiner's waker is there, and belongs to whoever completes the task.
const JOINER: u64 = 1 << 5;

/// A new task: queued, with a join handle, and referred to by its entry, its scheduler's list and
/// the handle.
pub(in crate::executor) const NEW: u64 = QUEUED | JOINED | (3 * ONE);

fn refs(word: u64) -> u64 {
    word / ONE
}

/// The word of one task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a>(&'a AtomicU64);

/// After a wake or an abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Owes {
    Nothing,
    /// An entry, whose reference was made.
    Entry,
}

/// What an entry is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Started {
    /// The caller runs the task: polls it.
    Poll,
    /// The caller runs the task: cancels it.
    Cancel,
    /// Nothing: somebody else has ended the task. The entry's reference is still to be dropped.
    Stale,
}

/// After a poll that was pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Paused {
    /// The task waits to be woken. The entry's reference is dropped; the caller must not touch the
    /// task any more.
    Idle,
    /// It was woken meanwhile: the caller queues the entry again.
    Again,
    /// It was aborted meanwhile: the caller runs it still, and cancels it.
    Cancel,
}

/// What whoever has completed a task owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) struct Completed {
    /// There is nobody for the result: it is to be dropped.
    pub(super) unwanted: bool,
    /// The joiner's waker is there.
    pub(super) joiner: bool,
}

impl<'a> Word<'a> {
    pub(super) fn of(word: &'a AtomicU64) -> Self {
        Self(word)
    }

    /// Changes the word by `step`, whose `None` leaves it.
    ///
    /// AcqRel always: each transition releases what its caller did to the task before, and acquires
    /// what those before it did. A wake of a task that is queued already writes the same value for
    /// that reason: what the waker's caller did before must come before the poll.
    #[inline]
    fn step<R>(self, step: impl Fn(u64) -> (R, Option<u64>)) -> R {
        // Acquire, here and on failure: whoever finds the task complete sees its result.
        let mut before = self.0.load(Ordering::Acquire);
        loop {
            let (result, after) = step(before);
            let Some(after) = after else { return result };
            // AcqRel: see above.
            let (changed, missed) = (Ordering::AcqRel, Ordering::Acquire);
            match self.0.compare_exchange_weak(before, after, changed, missed) {
                Ok(_) => return result,
                Err(now) => before = now,
            }
        }
    }

    /// Wakes; keeps the caller's reference.
    #[inline]
    pub(super) fn wake(self) -> Owes {
        self.step(|word| match word {
            _ if word & COMPLETE != 0 => (Owes::Nothing, None),
            _ if word & (QUEUED | RUNNING) != 0 => (Owes::Nothing, Some(word | QUEUED)),
            _ => (Owes::Entry, Some((word | QUEUED) + ONE)),
        })
    }

    /// Asks for the task's end; keeps the caller's reference.
    pub(super) fn abort(self) -> Owes {
        self.step(|word| match word {
            _ if word & COMPLETE != 0 => (Owes::Nothing, None),
            _ if word & (QUEUED | RUNNING) != 0 => (Owes::Nothing, Some(word | ABORT)),
            _ => (Owes::Entry, Some((word | ABORT | QUEUED) + ONE)),
        })
    }

    /// An entry has come out of its queue.
    #[inline]
    pub(super) fn start(self) -> Started {
        self.step(|word| {
            if word & (RUNNING | COMPLETE) != 0 {
                return (Started::Stale, None);
            }
            let started = if word & ABORT == 0 { Started::Poll } else { Started::Cancel };
            (started, Some(word & !QUEUED | RUNNING))
        })
    }

    /// The poll was pending.
    #[inline]
    pub(super) fn pause(self) -> Paused {
        self.step(|word| match word {
            _ if word & ABORT != 0 => (Paused::Cancel, Some(word)),
            _ if word & QUEUED != 0 => (Paused::Again, Some(word & !RUNNING)),
            // Not the last reference: the scheduler has one while the task is not complete.
            _ => (Paused::Idle, Some((word & !RUNNING) - ONE)),
        })
    }

    /// The scheduler closes. True if the caller now runs the task, to cancel it; an entry that
    /// stands in a queue has become stale. If somebody else runs it, that one cancels it.
    pub(super) fn claim(self) -> bool {
        self.step(|word| match word {
            _ if word & COMPLETE != 0 => (false, None),
            _ if word & RUNNING != 0 => (false, Some(word | ABORT)),
            _ => (true, Some(word & !QUEUED | RUNNING | ABORT)),
        })
    }

    /// The future is gone and the result stored: for whoever runs the task.
    pub(super) fn complete(self) -> Completed {
        // AcqRel: as in `step`.
        let word = self.0.fetch_xor(RUNNING | COMPLETE, Ordering::AcqRel);
        debug_assert!(word & (RUNNING | COMPLETE) == RUNNING, "it runs, for the last time");
        Completed { unwanted: word & JOINED == 0, joiner: word & JOINER != 0 }
    }

    /// The joiner's waker is there. False if the task is complete: then it stays the join handle's.
    pub(super) fn leave_joiner(self) -> bool {
        self.step(|word| match word & COMPLETE {
            0 => (true, Some(word | JOINER)),
            _ => (false, None),
        })
    }

    /// The join handle takes its waker back. False if the task is complete: then whoever completed
    /// it has the waker.
    pub(super) fn take_joiner(self) -> bool {
        self.step(|word| match word & COMPLETE {
            0 => (true, Some(word & !JOINER)),
            _ => (false, None),
        })
    }

    /// The join handle goes. False if the task is complete: then the result is the handle's. What
    /// lies in the joiner's place is the handle's if [`has_joiner`](Word::has_joiner) is false.
    pub(super) fn unjoin(self) -> bool {
        self.step(|word| match word & COMPLETE {
            0 => (true, Some(word & !(JOINED | JOINER))),
            _ => (false, None),
        })
    }

    /// Whether the joiner's waker belongs to whoever completes the task. For the join handle, which
    /// alone changes it.
    pub(super) fn has_joiner(self) -> bool {
        self.0.load(Ordering::Relaxed) & JOINER != 0
    }

    /// One reference less. True if it was the last.
    #[inline]
    pub(super) fn release(self) -> bool {
        // AcqRel: releases this thread's use of the task to whoever frees it, and acquires the
        // others' if that is this one.
        let word = self.0.fetch_sub(ONE, Ordering::AcqRel);
        debug_assert!(refs(word) > 0);
        refs(word) == 1
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::{NEW, Owes, Paused, Started, Word};

    #[test]
    fn a_life_of_two_polls() {
        let word = AtomicU64::new(NEW);
        let word = Word::of(&word);
        assert_eq!(word.wake(), Owes::Nothing, "it is queued");
        assert_eq!(word.start(), Started::Poll);
        assert_eq!(word.pause(), Paused::Idle);
        assert_eq!(word.wake(), Owes::Entry);
        assert_eq!(word.start(), Started::Poll);
        assert_eq!(word.wake(), Owes::Nothing, "it runs");
        assert_eq!(word.pause(), Paused::Again);
        assert_eq!(word.start(), Started::Poll);
        assert!(word.leave_joiner());
        let completed = word.complete();
        assert!(completed.joiner && !completed.unwanted);
        assert_eq!(word.wake(), Owes::Nothing);
        assert_eq!([word.release(), word.release(), word.release()], [false, false, true]);
    }

    #[test]
    fn an_abort_is_seen_by_whoever_runs_it_or_queues_it() {
        let (idle, queued, running) =
            (AtomicU64::new(NEW), AtomicU64::new(NEW), AtomicU64::new(NEW));
        let (idle, queued, running) = (Word::of(&idle), Word::of(&queued), Word::of(&running));
        assert_eq!((idle.start(), idle.pause()), (Started::Poll, Paused::Idle));
        assert_eq!((idle.abort(), idle.abort()), (Owes::Entry, Owes::Nothing));
        assert_eq!(idle.start(), Started::Cancel);
        assert_eq!(queued.abort(), Owes::Nothing);
        assert_eq!(queued.start(), Started::Cancel);
        assert_eq!(running.start(), Started::Poll);
        assert_eq!(running.abort(), Owes::Nothing);
        assert_eq!(running.pause(), Paused::Cancel);
    }

    #[test]
    fn a_claim_makes_the_entry_stale() {
        let word = AtomicU64::new(NEW);
        let word = Word::of(&word);
        assert!(word.claim());
        assert_eq!(word.start(), Started::Stale);
        assert_eq!(word.wake(), Owes::Nothing);
        let completed = word.complete();
        assert!(!completed.joiner && !completed.unwanted);
        assert!(!word.claim());
        assert_eq!(word.start(), Started::Stale);
    }

    #[test]
    fn the_waker_of_the_joiner_has_one_owner() {
        let word = AtomicU64::new(NEW);
        let word = Word::of(&word);
        assert!(word.leave_joiner());
        assert!(word.take_joiner());
        assert!(word.leave_joiner());
        assert_eq!(word.start(), Started::Poll);
        assert!(word.complete().joiner);
        assert!(!word.take_joiner() && word.has_joiner());
        assert!(!word.unjoin());
    }

    #[test]
    fn without_a_handle_the_result_is_unwanted() {
        let word = AtomicU64::new(NEW);
        let word = Word::of(&word);
        assert!(word.leave_joiner());
        assert!(word.unjoin());
        assert_eq!(word.start(), Started::Poll);
        let completed = word.complete();
        assert!(completed.unwanted && !completed.joiner);
    }
}
