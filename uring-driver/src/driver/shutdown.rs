//! The end of a driver: drain, cancel, reap, and leak what the kernel does not give back.
//!
//! Memory is never freed under the kernel. An operation whose last completion has not come by the
//! deadline (a read of a disk that does not answer) keeps its cell for the rest of the process's
//! life, and the caller is told.

use std::io;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Driver, Phase};
use crate::cell::Header;
use crate::inflight::Key;
use crate::kept::keep;
use crate::sys::clock;

/// What a driver could not get back from the kernel in time, or could not send.
///
/// ```
/// use henge_driver::{Driver, Leaked};
/// use std::time::Duration;
///
/// let leaked = Driver::new()?.shutdown(Duration::ZERO, Duration::from_secs(60));
/// let Leaked { operations, bytes, unsent, .. } = leaked;
/// assert_eq!((operations, bytes, unsent), (0, 0, 0));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leaked {
    /// Operations whose memory is kept for the rest of the process's life.
    pub operations: usize,
    /// The size of their cells in bytes; what the operations own besides is not counted.
    pub bytes: usize,
    /// Bytes that were promised to somebody and not sent by the first deadline.
    pub unsent: u64,
}

/// How long one wait is at most while shutting down, to see a deadline that other ends caused.
pub(super) const STEP: Duration = Duration::from_millis(50);

/// So many turns are made after the deadline, which is the kernel's: a thread that was not let run
/// until then has not seen yet what the kernel did meanwhile. They do not wait.
const LATE_TURNS: u32 = 4;

/// So many operations are cancelled between two turns.
const CANCELS: usize = 256;

/// The name of an operation that is no time-out.
fn awaits_event(cell: &NonNull<Header>) -> Option<Key> {
    // SAFETY: a cell in the table is alive, and its header is the driver's.
    let header = unsafe { cell.as_ref() };
    (!header.kind.timeout).then(|| header.key.get())
}

impl Driver {
    /// Waits up to `drain` for operations that have bytes to send and for what its blocking pool
    /// has [promised](crate::offload::Class::Promised), cancels everything, waits up to `reap` for
    /// the kernel to let go, and leaks the rest. Afterwards the driver does nothing any more;
    /// calling it again does nothing. However late it is, what the kernel gives back without a wait
    /// is taken.
    ///
    /// Operations that come up meanwhile are accepted and cancelled like the others.
    ///
    /// # Panics
    ///
    /// As [`turn`](Driver::turn).
    ///
    /// ```
    /// use henge_driver::{Driver, Leaked, ops};
    /// use std::time::Duration;
    ///
    /// let driver = Driver::new()?;
    /// let rest = driver.submit_detached(ops::After::new(Duration::from_secs(3600), || ()));
    /// // Nothing is still to be sent, and the kernel gives back what it has.
    /// assert_eq!(driver.shutdown(Duration::ZERO, Duration::from_secs(60)), Leaked::default());
    /// assert!(!driver.is_in_flight(rest));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown(&self, drain: Duration, reap: Duration) -> Leaked {
        if self.inner.phase.get() == Phase::Closed {
            return Leaked::default();
        }
        self.assert_turnable();
        let _entered = self.enter();
        let deadline = clock::after(drain);
        while self.unsent() > 0 && self.step(deadline) {}
        let pool = self.inner.blocking.borrow().clone();
        if let Some(pool) = pool {
            pool.keep_promises(deadline);
        }
        let unsent = self.unsent();

        self.inner.phase.set(Phase::Closing);
        let deadline = clock::after(reap);
        self.cancel_each(deadline);
        let mut late = LATE_TURNS;
        loop {
            // Also what came up since the last time, in completions and destructors.
            self.homes().recall(self);
            self.cancel_all();
            // Who waits for the next sleep to do something stays at home until then.
            self.settle();
            let done = self.in_flight() == 0;
            let goes_on = self.step(deadline) || self.look_again(&mut late);
            if !goes_on || (done && self.in_flight() == 0) {
                break;
            }
        }
        self.close();
        let slots = self.inner.slots.borrow();
        keep(slots.values().map(|cell| cell.cast()));
        let bytes = slots.values().map(|cell| {
            // SAFETY: a cell in the table is alive, and its header is the driver's.
            unsafe { cell.as_ref() }.kind.bytes
        });
        Leaked { operations: slots.len(), bytes: bytes.sum(), unsent }
    }

    /// Is the driver past the point from which on everything is cancelled? What is submitted now is
    /// cancelled at once, so that what repeats itself should not.
    ///
    /// ```
    /// use henge_driver::Driver;
    /// use std::time::Duration;
    ///
    /// let driver = Driver::new()?;
    /// assert!(!driver.is_shutting_down());
    /// driver.shutdown(Duration::ZERO, Duration::from_secs(60));
    /// assert!(driver.is_shutting_down());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_shutting_down(&self) -> bool {
        self.inner.phase.get() != Phase::Running
    }

    /// The last handle goes. Out of line: who asks for the thread's driver has a handle meanwhile.
    #[cold]
    pub(super) fn end(&self) {
        // Should this panic, what the kernel and others have of the driver stays for ever.
        let kept = ManuallyDrop::new(Rc::clone(&self.inner));
        let ended = self.shutdown_at_drop();
        drop(ManuallyDrop::into_inner(kept));
        if let Err(panicked) = ended
            && !thread::panicking()
        {
            resume_unwind(panicked);
        }
    }

    /// The end for whoever did not call `shutdown`, and what has panicked in it.
    fn shutdown_at_drop(&self) -> thread::Result<()> {
        if self.inner.phase.get() == Phase::Closed {
            return Ok(());
        }
        let (drain, reap) = (self.inner.config.drain, self.inner.config.reap);
        let shutdown = || {
            let _leaked = self.shutdown(drain, reap);
        };
        // A waker may panic, or something posted: the next call does the rest.
        catch_unwind(AssertUnwindSafe(shutdown)).inspect_err(|_| shutdown())
    }

    /// Asks for the end of every operation that is in flight, but for time-outs.
    ///
    /// A request to cancel *all* has the kernel go through its table from the start for each
    /// operation that it finds, and what was found stays in the table until its completion is
    /// made: a minute for a hundred thousand receives. Asked for one it looks in the right place.
    /// The latest first, since they stand in front, and with turns in between, which take what was
    /// found out of the way. Its time-outs it keeps in a list, for which the opposite is true.
    fn cancel_each(&self, deadline: Instant) {
        let keys: Vec<_> = self.inner.slots.borrow().values().filter_map(awaits_event).collect();
        for some in keys.rchunks(CANCELS) {
            some.iter().rev().for_each(|key| self.cancel_key(*key));
            while self.has_queued() || self.completion_expected() {
                if self.turn().is_err() || clock::now() >= deadline {
                    return;
                }
            }
        }
    }

    /// One turn that waits; `false` when the deadline has come, or the ring does not work.
    fn step(&self, deadline: Instant) -> bool {
        let now = clock::now();
        if now >= deadline {
            return false;
        }
        let idle = self.in_flight() == 0;
        let turned =
            if idle { self.turn() } else { self.park(Some(deadline.min(now + STEP)), || false) };
        turned.is_ok()
    }

    /// One of the turns after the deadline; `false` when there was the last, or the ring does not
    /// work.
    fn look_again(&self, late: &mut u32) -> bool {
        let left = late.checked_sub(1);
        left.is_some_and(|left| {
            *late = left;
            self.turn().is_ok()
        })
    }

    /// From here on other threads are refused.
    fn close(&self) {
        let shared = self.inner.remote.shared();
        // SAFETY: `Inner` never leaves its thread, and this is the list's only `Taken`.
        unsafe { self.inner.taken.close(&shared.list) };
        self.run_posted();
        self.inner.phase.set(Phase::Closed);
        let _lost = self.homes().lose();
        self.inner.quiet.close();
        self.inner.pool.close(&self.inner.ring, self.in_flight() > 0);
        // If the number cannot be redirected (no such thing is known) messages still go to a ring
        // that nobody reads any more.
        let _detached = shared.detach();
    }

    /// For a thread that is about to do something else than to turn this driver: waits until what
    /// was promised to be sent has been, then lets go of all state that has its home here, and of
    /// operations that can be submitted anew, so that other threads can use it. Whoever waited for
    /// some of it is woken, and takes it up again when it is polled.
    ///
    /// Once nothing has been sent for as long as `stuck`, the rest stays queued, and goes on when
    /// this driver is turned again; as long as no byte more or less is left, later calls do not
    /// wait for it. So does an operation that the kernel does not let go of in that time, as one on
    /// a disk that does not answer, and what does not end within `patience` otherwise.
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
    /// use henge_driver::{Driver, Fd, ops, submit};
    /// use std::future::{Future, poll_fn};
    /// use std::io::Write;
    /// use std::{os::fd::OwnedFd, pin::Pin, sync::Arc, task::Poll, time::Duration};
    ///
    /// let (reader, mut writer) = std::io::pipe()?;
    /// let reader = Arc::new(Fd::from(OwnedFd::from(reader)));
    /// let mut read = submit(ops::ReadAt::new(reader, vec![0; 8], u64::MAX));
    /// let driver = Driver::new()?;
    /// driver.block_on(poll_fn(|cx| {
    ///     assert!(Pin::new(&mut read).poll(cx).is_pending()); // it is under way on this ring
    ///     Poll::Ready(())
    /// }))?;
    /// driver.hand_over(Duration::from_secs(3), Duration::from_secs(1))?;
    /// // Nobody turns this ring any more, and the read is done by another.
    /// let elsewhere = std::thread::spawn(|| Driver::new()?.block_on(read));
    /// writer.write_all(b"hello")?;
    /// let (n, bytes) = elsewhere.join().expect("no panic")?;
    /// assert_eq!(&bytes[..n?], b"hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn hand_over(&self, stuck: Duration, patience: Duration) -> io::Result<()> {
        self.assert_turnable();
        if self.is_at_rest() {
            // As after every `block_on` of a future that had nothing to do with this ring.
            self.inner.stuck.set(0);
            return Ok(());
        }
        let _entered = self.enter_if_elsewhere();
        self.turn()?;
        self.send_the_rest(stuck)?;
        self.end_before_leaving(stuck, patience)?;
        if self.homes().is_empty() {
            return Ok(());
        }
        let deadline = clock::after(patience);
        while !self.homes().is_empty() && clock::now() < deadline {
            self.homes().recall(self);
            self.park(Some(deadline.min(clock::now() + STEP)), || self.homes().is_empty())?;
        }
        Ok(())
    }

    /// Nothing is queued or under way, nothing is at home here, and nobody has sent anything: a
    /// turn would find nothing to do, and nothing is to be let go of.
    fn is_at_rest(&self) -> bool {
        self.in_flight() == 0
            && self.homes().is_empty()
            && !self.has_queued()
            && !self.completion_pending()
            && !self.has_posted()
    }

    /// Waits until what was promised to be sent has been, or nothing of it has for as long as
    /// `stuck`.
    fn send_the_rest(&self, stuck: Duration) -> io::Result<()> {
        let mut last = None;
        let rest = loop {
            let unsent = self.unsent();
            let deadline = match last {
                Some((left, deadline)) if unsent >= left => deadline,
                // What was waited for in vain the last time is not waited for again.
                _ if unsent == 0 || unsent == self.inner.stuck.get() => break unsent,
                _ => clock::after(stuck),
            };
            last = Some((unsent, deadline));
            let now = clock::now();
            if now >= deadline {
                break unsent;
            }
            self.park(Some(deadline.min(now + STEP)), || false)?;
        };
        self.inner.stuck.set(rest);
        Ok(())
    }

    /// Bytes that operations in flight have still to send. A send moves only while this driver
    /// turns, so a thread that is about to do something else waits until this is zero.
    ///
    /// # Panics
    ///
    /// Inside [`Operation::complete`](crate::Operation::complete).
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Next, Operation, Sqe};
    ///
    /// struct Farewell;
    ///
    /// // SAFETY: the entry points to no memory and names no descriptor.
    /// unsafe impl Operation for Farewell {
    ///     type Output = ();
    ///     fn prepare(&mut self) -> Sqe { Sqe::nop() }
    ///     fn complete(&mut self, _: Cqe) -> Next<()> { Next::Done(()) }
    ///     fn unsent(&self) -> u64 { 7 }
    /// }
    ///
    /// let driver = Driver::new()?;
    /// driver.submit_detached(Farewell);
    /// while driver.unsent() > 0 {
    ///     driver.park(None, || false)?; // before the thread does something else
    /// }
    /// assert_eq!(driver.in_flight(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn unsent(&self) -> u64 {
        self.assert_turnable();
        let cells: Vec<_> = self.inner.slots.borrow().values().copied().collect();
        let unsent = cells.into_iter().map(|cell| {
            // SAFETY: a cell in the table is alive; `unsent` of one operation does not end others:
            // nothing is reaped meanwhile.
            let kind = unsafe { cell.as_ref() }.kind;
            // SAFETY: at home, not inside `complete` (`assert_turnable`).
            unsafe { (kind.unsent)(cell) }
        });
        let gathered = self.homes().unsent(self) as u64;
        unsent.sum::<u64>() + gathered
    }
}
