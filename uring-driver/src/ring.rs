//! The kernel's ring: the only file, with `ring/`, that names the `io_uring` crate.
//!
//! # Who may touch which memory
//!
//! A [`Ring`] is three mappings that the kernel shares: the entries, the completions, and the
//! heads and tails of both. The thread that made the ring is the only one that writes the
//! submission tail and the completion head, and the only one that may enter (SINGLE_ISSUER:
//! anybody else gets EEXIST), so a `Ring` is neither `Send` nor `Sync`, and takes `&self`
//! throughout: its methods run no code of anybody else's, so none of them can come up again
//! inside another.
//!
//! Entries are copied into the mapping by [`Ring::push`] and are the kernel's from the moment
//! that the tail is published, which [`Ring::enter`] does. Completions are copied out by
//! [`Ring::pop`], 16 bytes at a time, before anything is done with them: whoever handles one may
//! push, enter and even pop again.

pub(crate) mod buf_ring;
mod probe;
mod registered;
mod setup;

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, RawFd};
use std::ptr::NonNull;
use std::time::Duration;

use io_uring::cqueue::CompletionStatus;
use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{CompletionQueue, EnterFlags, IoUring, SubmissionQueue, Submitter, squeue};

use crate::cqe::Cqe;
use crate::sqe::Sqe;

pub(crate) use setup::{Flags, Request};

/// How an enter waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Not at all.
    No,
    /// Until there is a completion, but no longer than so long.
    Yes(Option<Duration>),
}

/// Wait for so many completions at once, but for no longer than so long; from then on for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) completions: u32,
    pub(crate) wait: Duration,
}

/// As good as no limit.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// A completion with the number that its entry was tagged with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reaped {
    pub(crate) user_data: u64,
    pub(crate) cqe: Cqe,
}

/// The kernel's ring, made on this thread, used on this thread.
pub(crate) struct Ring {
    /// Borrow from `*ring`, hence dropped before it is.
    sq: ManuallyDrop<UnsafeCell<SubmissionQueue<'static>>>,
    cq: ManuallyDrop<UnsafeCell<CompletionQueue<'static>>>,
    status: CompletionStatus,
    submitter: Submitter<'static>,
    /// Owned; a raw pointer because the fields above borrow from what it points to.
    ring: NonNull<IoUring>,
    flags: Flags,
    /// The flags of every enter.
    always: EnterFlags,
    enters: Cell<u64>,
    /// The last enter brought nothing, and the kernel says that there is something to run.
    stale: Cell<bool>,
}

impl Ring {
    /// Makes a ring, with every flag of `request` that the kernel takes.
    ///
    /// # Errors
    ///
    /// The errno of `io_uring_setup` or of the mappings.
    pub(crate) fn new(request: &Request) -> io::Result<Ring> {
        let (ring, mut flags) = setup::build(request)?;
        let ring = NonNull::from(Box::leak(Box::new(ring)));
        // SAFETY: the box was leaked just now and is freed in `drop` alone, after everything that
        // borrows from it; nothing ever takes an exclusive reference to it in between.
        let shared: &'static IoUring = unsafe { ring.as_ref() };
        // SAFETY: this is the only submission queue of this ring: it is private, never replaced.
        let sq = unsafe { shared.submission_shared() };
        // SAFETY: likewise the only completion queue.
        let cq = unsafe { shared.completion_shared() };
        // SAFETY: the status lives beside the ring in the same struct and is not handed out.
        let status = unsafe { cq.status() };
        let mut submitter = shared.submitter();
        flags.registered_ring = request.registered_ring && submitter.register_ring_fd().is_ok();
        let mut always = EnterFlags::GETEVENTS;
        if flags.no_iowait {
            always |= EnterFlags::NO_IOWAIT;
        }
        Ok(Ring {
            sq: ManuallyDrop::new(UnsafeCell::new(sq)),
            cq: ManuallyDrop::new(UnsafeCell::new(cq)),
            status,
            submitter,
            ring,
            flags,
            always,
            enters: Cell::new(0),
            stale: Cell::new(false),
        })
    }

    /// Runs `f` with the submission queue. Private: `f` is always a few lines of this file, which
    /// call nothing that could ask for the queue again.
    #[inline]
    fn sq<R>(&self, f: impl FnOnce(&mut SubmissionQueue<'static>) -> R) -> R {
        // SAFETY: the only way to the queue; not `Sync`, and `f` never comes back here.
        f(unsafe { &mut *self.sq.get() })
    }

    /// Runs `f` with the completion queue, under the same condition.
    #[inline]
    fn cq<R>(&self, f: impl FnOnce(&mut CompletionQueue<'static>) -> R) -> R {
        // SAFETY: the only way to the queue; not `Sync`, and `f` never comes back here.
        f(unsafe { &mut *self.cq.get() })
    }

    /// Queues entries that belong together; `false`, and none queued, if there is no room.
    ///
    /// # Safety
    ///
    /// Memory that the entries point to stays valid, and the kernel's, until their completion.
    #[inline]
    pub(crate) unsafe fn push(&self, entries: &[Sqe]) -> bool {
        self.sq(|sq| {
            if sq.capacity() - sq.len() < entries.len() {
                // The kernel may have taken some since the head was last looked at.
                sq.sync();
                if sq.capacity() - sq.len() < entries.len() {
                    return false;
                }
            }
            for entry in entries {
                // SAFETY: both are `repr(C)` structs of 64 bytes in the layout of the kernel's
                // `struct io_uring_sqe` (asserted in both crates), and ours has no padding.
                let entry = unsafe { &*std::ptr::from_ref(entry).cast::<squeue::Entry>() };
                // SAFETY: what the entry points to stays valid: our caller's promise.
                let pushed = unsafe { sq.push(entry) };
                debug_assert!(pushed.is_ok(), "room was made sure of above");
            }
            true
        })
    }

    /// How many entries the kernel has not seen yet.
    #[inline]
    pub(crate) fn queued(&self) -> u32 {
        self.sq(|sq| sq.len() as u32)
    }

    /// Is there something that an enter or a pop would bring? Plain loads.
    #[inline]
    pub(crate) fn completion_pending(&self) -> bool {
        !self.status.is_empty() || self.sq(|sq| sq.taskrun() || sq.cq_overflow())
    }

    /// The same for a caller that would otherwise sleep. The kernel raises its flag after it has
    /// queued the work. An enter that runs the work in between takes the flag down too early; then
    /// it stays up, and no enter takes it down that finds no work. So a flag that has outlived an
    /// enter which brought nothing does not count. Nor is it needed for a sleep: that begins with
    /// the kernel's look at the work itself.
    #[inline]
    pub(crate) fn completion_expected(&self) -> bool {
        !self.status.is_empty()
            || self.sq(|sq| (sq.taskrun() && !self.stale.get()) || sq.cq_overflow())
    }

    /// Are there completions that found no room in the queue? One load.
    #[inline]
    pub(crate) fn has_overflown(&self) -> bool {
        self.sq(|sq| sq.cq_overflow())
    }

    /// Completions that are there to be popped.
    #[inline]
    pub(crate) fn ready(&self) -> u32 {
        self.cq(|cq| {
            cq.sync();
            cq.len() as u32
        })
    }

    /// Gives the places of what was popped back to the kernel.
    #[inline]
    pub(crate) fn give_back(&self) {
        self.cq(|cq| cq.sync());
    }

    /// Takes the next completion. The kernel gets the place back with the next
    /// [`give_back`](Ring::give_back), [`ready`](Ring::ready) or [`enter`](Ring::enter).
    #[inline]
    pub(crate) fn pop(&self) -> Option<Reaped> {
        let entry = self.cq(Iterator::next)?;
        let cqe = Cqe::new(entry.result(), entry.flags());
        Some(Reaped { user_data: entry.user_data(), cqe })
    }

    /// Submits what is queued, runs the kernel's deferred work, and waits if asked to.
    ///
    /// # Errors
    ///
    /// The errno of the call; ETIME if the wait ended without a completion. Entries that were not
    /// taken stay queued.
    pub(crate) fn enter(&self, wait: Wait, batch: Option<Batch>) -> io::Result<()> {
        self.cq(|cq| cq.sync());
        let to_submit = self.sq(|sq| {
            sq.sync();
            sq.len() as u32
        });
        self.enters.set(self.enters.get() + 1);
        let limit = match wait {
            Wait::No => return self.call(to_submit, 0, None),
            Wait::Yes(limit) => limit,
        };
        let batch = batch.filter(|_| self.flags.min_wait);
        // A wait without a limit would end with its first part, whether anything has come or not.
        let limit = limit.or(batch.map(|_| FOR_EVER));
        let timespec = limit.map(Timespec::from);
        let mut args = SubmitArgs::new();
        if let Some(timespec) = &timespec {
            args = args.timespec(timespec);
        }
        match batch {
            Some(batch) => {
                // The limit is not looked at before the first part of the wait is over.
                let wait = limit.map_or(batch.wait, |limit| limit.min(batch.wait));
                let wait = u32::try_from(wait.as_micros()).unwrap_or(u32::MAX);
                let args = args.min_wait_usec(wait);
                self.call(to_submit, batch.completions.max(1), Some(&args))
            }
            None if limit.is_some() => self.call(to_submit, 1, Some(&args)),
            None => self.call(to_submit, 1, None),
        }
    }

    fn call(
        &self,
        submit: u32,
        wait_for: u32,
        args: Option<&SubmitArgs<'_, '_>>,
    ) -> io::Result<()> {
        let mut flags = self.always;
        if args.is_some() {
            flags |= EnterFlags::EXT_ARG;
        }
        // SAFETY: the entries up to the tail were pushed under `push`'s promise; `args` is of the
        // type that EXT_ARG announces and outlives the call; without it the kernel gets a null
        // pointer, which it does not look behind.
        let taken = unsafe { self.submitter.enter(submit, wait_for, flags.bits(), args) };
        // See how far the kernel came, so that `queued` tells the truth.
        let flagged = self.sq(|sq| {
            sq.sync();
            sq.taskrun()
        });
        self.stale.set(flagged && self.status.is_empty());
        taken.map(drop)
    }

    /// Submits without running deferred work and without waiting: to make room in the queue in
    /// the middle of a turn.
    ///
    /// # Errors
    ///
    /// The errno of the call. Entries that were not taken stay queued.
    pub(crate) fn submit(&self) -> io::Result<()> {
        let to_submit = self.sq(|sq| {
            sq.sync();
            sq.len() as u32
        });
        self.enters.set(self.enters.get() + 1);
        // SAFETY: as in `call`, with no argument.
        let taken = unsafe { self.submitter.enter::<SubmitArgs<'_, '_>>(to_submit, 0, 0, None) };
        self.sq(|sq| sq.sync());
        taken.map(drop)
    }

    /// Lets the kernel signal an eventfd whenever there is something to reap.
    ///
    /// # Errors
    ///
    /// The errno of `io_uring_register`.
    pub(crate) fn register_eventfd(&self, event: RawFd) -> io::Result<()> {
        self.submitter.register_eventfd(event)
    }

    /// What was had of what was asked for.
    pub(crate) fn flags(&self) -> &Flags {
        &self.flags
    }

    /// System calls that entered this ring so far.
    #[inline]
    pub(crate) fn enters(&self) -> u64 {
        self.enters.get()
    }
}

impl AsRawFd for Ring {
    fn as_raw_fd(&self) -> RawFd {
        // SAFETY: owned by this struct and never borrowed exclusively.
        unsafe { self.ring.as_ref() }.as_raw_fd()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if self.flags.registered_ring {
            // It can only fail if it was not registered, and then there is nothing to undo.
            let _unregistered = self.submitter.unregister_ring_fd();
        }
        // SAFETY: dropped once, here, and not used afterwards; what it borrows from is alive.
        unsafe { ManuallyDrop::drop(&mut self.sq) };
        // SAFETY: likewise.
        unsafe { ManuallyDrop::drop(&mut self.cq) };
        // SAFETY: made by `Box::leak` in `new`. What borrows from it is dropped (the queues) or
        // has no destructor and is not used after this line (the submitter, the status).
        drop(unsafe { Box::from_raw(self.ring.as_ptr()) });
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}
