//! Sends that the kernel answers only if it has not done all that they ask for.
//!
//! A send that may not wait has ended when the call returns that submits it, and nearly always all
//! of it was sent. So its entry is *quiet*: it has a completion only if that is not so. Nobody has
//! to give it a slot, to make a completion, or to find out whose that is; nor is anybody told that
//! it was done, unless they wait for it.
//!
//! What a state writes goes into a *letter*: bytes in memory of the driver's, for one socket. Those
//! of a turn are written, become entries, and are done with, all together, and their memory is that
//! of the letters of the next turn.
//!
//! ```text
//!    put, add      make         an enter has taken              what it left was
//!   ─────────▶ open ──▶ made ──────────────────────▶ answered ─────────────────────▶ (none)
//!    ◀────────         │        all entries                           reaped
//!    take_back         └─────────────┬──────────────────┘
//!                                    │ a completion
//!                                    ▼
//!                                not done
//! ```
//!
//! - Bytes are added to a letter, or taken back, until it is made: from then on they are the
//!   kernel's (I2), and belong to the driver until the letter is over. They are `Vec`s, so they
//!   stay where they are when the list grows.
//! - An enter that has left no entry behind, and no completion outside of the queue, has answered
//!   all letters: a completion of theirs is in the queue by then, and handled before any of them
//!   counts as done. In between no letter is begun.
//! - A letter has the address of the place of the state that wrote it, which is at home here, and
//!   is not released while the letter is not over (`Place::leave`). So the address is valid, and so
//!   is the descriptor, which is the place's.
//! - A completion names a round and a letter. One that names nobody is counted, and not believed
//!   (I10).
//! - No completion ends a sleep for the sake of a letter. Where somebody waits for its end, the
//!   driver does not sleep.

mod letters;

use std::cell::RefCell;
use std::io;
use std::os::fd::RawFd;
use std::ptr::NonNull;

use self::letters::{Letters, Round};
use super::Driver;
use super::homes::Tenant;
use crate::cqe::Cqe;
use crate::kept::keep;
use crate::sqe::Sqe;
use crate::sys::abi;

/// What is sent quietly, and who waits for that.
#[derive(Default)]
pub(crate) struct Quiet {
    letters: Letters,
    /// Those who wait for the end of theirs, each counted in the place's `refs`.
    awaited: RefCell<Vec<NonNull<dyn Tenant>>>,
    /// Those who are to be told of it now.
    over: RefCell<Vec<NonNull<dyn Tenant>>>,
}

impl Quiet {
    /// The letters, to be added to and taken back.
    #[inline]
    pub(crate) fn letters(&self) -> &Letters {
        &self.letters
    }

    /// Begins a letter of `len` bytes, which `fill` appends, and says which; none if there are too
    /// many, or at the wrong time.
    ///
    /// # Safety
    ///
    /// `from` is at home at this driver, and stays there, with its descriptor, until the letter is
    /// over or was taken back.
    #[inline]
    pub(crate) unsafe fn put(
        &self,
        from: NonNull<dyn Tenant>,
        socket: RawFd,
        len: usize,
        fill: impl FnOnce(&mut Vec<u8>, usize),
    ) -> Option<u32> {
        self.letters.put(from, socket, len, fill)
    }

    /// Has a place told when the letters that there are now are over.
    ///
    /// # Safety
    ///
    /// The place is at home at this driver, and counted in its own `refs` for this until it is
    /// told.
    pub(crate) unsafe fn tell(&self, place: NonNull<dyn Tenant>) {
        self.awaited.borrow_mut().push(place);
    }

    /// Whether somebody waits for the end of a letter, which no completion will tell of.
    #[inline]
    pub(super) fn is_awaited(&self) -> bool {
        // Some are left who are to be told now only where somebody before them has panicked.
        !self.awaited.borrow().is_empty() || !self.over.borrow().is_empty()
    }

    /// The driver ends. What the kernel may not have done with stays for ever.
    pub(super) fn close(&self) {
        if let Some(letters) = self.letters.close() {
            keep([NonNull::from(Box::leak(Box::new(letters))).cast()]);
        }
    }
}

impl Driver {
    /// Where what is sent quietly is gathered.
    #[inline]
    pub(crate) fn quiet(&self) -> &Quiet {
        &self.inner.quiet
    }

    /// Makes entries of the letters.
    #[inline]
    pub(super) fn make_quiet_entries(&self) {
        if self.inner.quiet.letters.has_open() {
            self.make_all();
        }
    }

    fn make_all(&self) {
        let mut count = 0;
        let mut blocked = self.has_overflow();
        // Nothing of others' runs while entries are pushed.
        self.inner.quiet.letters.make(|name, letter| {
            // With WAITALL less than all is not a success.
            let flags = abi::MSG_DONTWAIT | abi::MSG_WAITALL;
            let (from, len) = (letter.bytes.as_ptr(), letter.bytes.len() as u32);
            let sqe = Sqe::send_number(letter.socket, from, len, flags);
            let sqe = sqe.with_skip_success().with_user_data(name);
            // Entries go out in order: once one waits outside, so do those behind it.
            if blocked || !self.push_to_ring(&sqe) {
                self.push_outside((sqe, None));
                blocked = self.has_overflow();
            }
            count += 1;
        });
        self.notify_queued();
        self.inner.counting.submissions.add(count);
    }

    /// A completion: the kernel has not done what a quiet entry asked for, or only a part of it.
    #[cold]
    pub(super) fn quiet_failed(&self, name: u64, cqe: Cqe) {
        let Some((place, bytes)) = self.inner.quiet.letters.fail(name) else {
            self.inner.counting.unknown_completions.add(1);
            return;
        };
        self.inner.counting.completions.add(1);
        let sent = match cqe.result() {
            error if error < 0 => Err(io::Error::from_raw_os_error(-error)),
            n => Ok((n as usize).min(bytes.len())),
        };
        let released = {
            // SAFETY: its letter was not over until just now, so the place is at home here, hence
            // registered, hence alive (`put`). `not_sent` counts it while it runs, and what it
            // takes out of the register is held until this reference has ended.
            let tenant = unsafe { place.as_ref() };
            tenant.not_sent(self, sent, bytes)
        };
        drop(released);
    }

    /// What has been answered, and has no completion, is done. All completions that were there when
    /// it was answered have been handled.
    #[inline]
    pub(super) fn quiet_done(&self, answered: Option<Round>) {
        let quiet = &self.inner.quiet;
        if quiet.letters.finish(answered) && quiet.is_awaited() {
            quiet.over.borrow_mut().append(&mut quiet.awaited.borrow_mut());
        }
        if !quiet.over.borrow().is_empty() {
            self.tell_all();
        }
    }

    fn tell_all(&self) {
        let next = || self.inner.quiet.over.borrow_mut().pop();
        while let Some(place) = next() {
            let released = {
                // SAFETY: counted (`tell`) until `sent` gives that back, so the place is
                // at home here, hence registered, hence alive; what that takes out of the register
                // is held until this reference has ended.
                let tenant = unsafe { place.as_ref() };
                tenant.sent(self)
            };
            drop(released);
        }
    }
}
