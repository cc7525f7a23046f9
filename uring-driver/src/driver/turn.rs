//! A turn: what waits is submitted, what has completed is reaped, and the thread sleeps only if
//! there is nothing to do.

use std::io;
use std::time::{Duration, Instant};

use super::Driver;
use crate::ring::{Batch, Wait};
use crate::sys::abi;
use crate::sys::clock;

/// So many turns a busy driver leaves unread bytes in shared buffers.
const SETTLE_EVERY: u32 = 8;

/// What a turn did.
///
/// ```
/// use henge_driver::{Driver, Turn, ops};
///
/// let driver = Driver::new()?;
/// driver.submit_detached(ops::After::new(std::time::Duration::ZERO, || ()));
/// let mut told = Turn::default();
/// while told.completions == 0 {
///     told = driver.park(None, || false)?;
/// }
/// assert_eq!((told.completions, told.operations.count_ones()), (1, 1));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turn {
    /// Completions of operations that were handled.
    pub completions: u32,
    /// Posted objects that were run.
    pub posted: u32,
    /// Wakes that came from other threads.
    pub wakes: u32,
    /// Operations that were submitted and as a rule have [completed by
    /// now](crate::Operation::AT_ONCE).
    pub at_once: u32,
    /// Which operations completed: of each the bit of its slot, modulo 64. An operation that
    /// completes again and again keeps its slot.
    pub operations: u64,
}

impl Driver {
    /// Submits, runs what other threads posted, reaps, and wakes whoever waits; never waits
    /// itself. At most one system call, and none if there is nothing to do. Whoever is called finds
    /// this driver as the thread's, whether or not the caller has [entered](Driver::enter) it.
    ///
    /// # Errors
    ///
    /// Only what makes the ring unusable: the kernel has lost completions (EBADR), or the call is
    /// forbidden.
    ///
    /// # Panics
    ///
    /// Inside [`Operation::complete`](crate::Operation::complete); and with whatever a waker or a
    /// posted object panics, in which case the rest is left for the next turn.
    ///
    /// ```
    /// use henge_driver::{Driver, ops};
    ///
    /// let driver = Driver::new()?;
    /// assert_eq!(driver.turn()?.completions, 0); // nothing to do: not even a system call
    /// driver.submit_detached(ops::After::new(std::time::Duration::ZERO, || println!("now")));
    /// let mut completions = 0;
    /// while completions == 0 {
    ///     completions += driver.turn()?.completions;
    ///     // … what else this thread has to do …
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn turn(&self) -> io::Result<Turn> {
        self.assert_turnable();
        let _entered = self.enter_if_elsewhere();
        self.begin_foreign_turn();
        let mut turn = Turn { posted: self.run_posted(), ..Turn::default() };
        let unsettled = self.inner.unsettled.get() + 1;
        self.inner.unsettled.set(unsettled);
        if unsettled >= SETTLE_EVERY {
            self.settle();
        }
        self.before_enter();
        if self.has_queued() || self.inner.ring.completion_pending() {
            turn.at_once = self.inner.at_once.get();
            self.enter_ring(Wait::No)?;
        }
        self.reap_and_gather(&mut turn)?;
        self.end_foreign_turn();
        Ok(turn)
    }

    /// As [`turn`](Driver::turn), but sleeps until there is something to do, at the latest until
    /// `deadline`. `ready` is asked once more after other threads have been told that this one
    /// sleeps, and keeps it awake by answering `true`: whoever makes it true calls
    /// [`Remote::wake`](crate::Remote::wake) afterwards.
    ///
    /// # Errors
    ///
    /// As [`turn`](Driver::turn).
    ///
    /// # Panics
    ///
    /// As [`turn`](Driver::turn).
    ///
    /// ```
    /// use henge_driver::Driver;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// let driver = Driver::new()?;
    /// let work = Arc::new(AtomicBool::new(false));
    /// let (remote, given) = (driver.remote().clone(), Arc::clone(&work));
    /// std::thread::spawn(move || {
    ///     given.store(true, Ordering::SeqCst); // first the reason,
    ///     remote.wake(); // then the wake
    /// });
    /// while !work.load(Ordering::SeqCst) {
    ///     driver.park(None, || work.load(Ordering::SeqCst))?;
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn park(
        &self,
        deadline: Option<Instant>,
        ready: impl FnOnce() -> bool,
    ) -> io::Result<Turn> {
        self.assert_turnable();
        let _entered = self.enter_if_elsewhere();
        self.settle();
        let awaited = self.inner.quiet.is_awaited();
        self.before_enter();
        let shared = self.inner.remote.shared();
        shared.sleep.publish();
        let wait = if awaited || !shared.list.is_empty() || ready() {
            Wait::No
        } else {
            Wait::Yes(deadline.map(|deadline| deadline.saturating_duration_since(clock::now())))
        };
        let at_once = self.inner.at_once.get();
        let entered = match wait {
            // The deadline has come, or something is to be done: not a wait of no length, which
            // would be a sleep all the same.
            Wait::No | Wait::Yes(Some(Duration::ZERO)) => self.enter_ring(Wait::No),
            wait => {
                self.inner.counting.waits.add(1);
                self.enter_ring(wait)
            }
        };
        shared.sleep.retract();
        entered?;
        let mut turn = Turn { posted: self.run_posted(), at_once, ..Turn::default() };
        self.reap_and_gather(&mut turn)?;
        self.end_foreign_turn();
        Ok(turn)
    }

    /// Has the sleeps that begin from now on wait for so many completions, beside those of what
    /// they submit and [completes at once](crate::Operation::AT_ONCE), instead of for one; after
    /// `wait`, for one again. Where many peers ask, one wake-up serves several of them: each waits
    /// a little for the others, and the CPU is spared a wake-up each.
    ///
    /// Up to one completion is an ordinary sleep. Other threads' wakes wait as completions do. The
    /// kernel may add the thread's timer slack to `wait`, which is 50 µs unless it was changed.
    /// Without effect on kernels before 6.12.
    ///
    /// ```
    /// use henge_driver::{Driver, ops, submit};
    /// use std::time::Duration;
    ///
    /// let driver = Driver::new()?;
    /// driver.set_min_wait(4, Duration::from_micros(50)); // many ask: four in one go
    /// driver.block_on(submit(ops::Timeout::new(Duration::from_millis(1))))??;
    /// driver.set_min_wait(1, Duration::ZERO); // few do: each at once
    /// driver.block_on(submit(ops::Timeout::new(Duration::from_millis(1))))??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn set_min_wait(&self, completions: u32, wait: Duration) {
        let batch = (completions > 1).then_some(Batch { completions, wait });
        self.inner.batch.set(batch);
    }

    /// May the driver be turned now? Not from inside an operation's `complete`.
    ///
    /// ```
    /// use henge_driver::{Driver, current, ops};
    /// use std::{sync::mpsc, time::Duration};
    ///
    /// let driver = Driver::new()?;
    /// assert!(driver.is_turnable());
    /// let _entered = driver.enter();
    /// let (say, said) = mpsc::channel();
    /// driver.submit_detached(ops::After::new(Duration::ZERO, move || {
    ///     // Called by the operation's `complete`.
    ///     let turnable = current::with(|driver| driver.is_turnable());
    ///     say.send(turnable).expect("somebody listens");
    /// }));
    /// while driver.in_flight() > 0 {
    ///     driver.park(None, || false)?;
    /// }
    /// assert_eq!(said.recv(), Ok(Ok(false)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_turnable(&self) -> bool {
        !self.inner.completing.get()
    }

    /// Streams copy what nobody has read out of the buffers that all share.
    pub(super) fn settle(&self) {
        self.inner.unsettled.set(0);
        self.inner.homes.before_sleep(self);
    }

    pub(super) fn assert_turnable(&self) {
        assert!(self.is_turnable(), "the driver was turned from inside an operation's `complete`");
    }

    /// What waits for an enter makes its entries.
    #[inline]
    pub(super) fn before_enter(&self) {
        self.inner.homes.before_enter(self);
        self.make_quiet_entries();
    }

    /// Entries that have been made, and that the kernel has not seen.
    #[inline]
    pub(super) fn has_entries(&self) -> bool {
        self.inner.ring.queued() != 0 || self.has_overflow()
    }

    /// One enter, with everything that is queued; more only if the submission queue cannot hold
    /// it.
    pub(super) fn enter_ring(&self, wait: Wait) -> io::Result<()> {
        self.before_enter();
        loop {
            self.refill();
            let rest = self.has_overflow();
            let wait = if rest { Wait::No } else { wait };
            let before = self.inner.ring.queued();
            let mut batch = self.inner.batch.get();
            if let Some(batch) = &mut batch {
                batch.completions = batch.completions.saturating_add(self.inner.at_once.get());
            }
            self.inner.at_once.set(0);
            if !retry(self.inner.ring.enter(wait, batch))? {
                // No memory, or no room for completions: reap first, then the next turn retries.
                self.inner.counting.retries.add(1);
                return Ok(());
            }
            if !self.has_entries() && !self.inner.ring.has_overflown() {
                self.inner.quiet.letters().answer();
            }
            if !rest || self.inner.ring.queued() >= before {
                return Ok(());
            }
        }
    }
}

/// Sorts the answers of an enter: `true` if it did what it should, `false` if it could not for the
/// moment.
pub(super) fn retry(entered: io::Result<()>) -> io::Result<bool> {
    let Err(error) = entered else { return Ok(true) };
    match error.raw_os_error() {
        // The wait is over: by its deadline, or by a signal, whose handler may have left
        // something to look at.
        Some(abi::ETIME | abi::EINTR) => Ok(true),
        Some(abi::EAGAIN | abi::EBUSY) => Ok(false),
        Some(abi::EBADR) => Err(io::Error::other(
            "the kernel ran out of memory for completions and lost some (EBADR): \
             this ring cannot be used any more",
        )),
        _ => Err(error),
    }
}
