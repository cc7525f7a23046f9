//! The driver: submits what operations prepare, reaps what the kernel completes, and sleeps.
//!
//! # Who may touch which memory
//!
//! Everything here belongs to the thread that made the driver. Cells of operations are reached
//! through the slot table; other threads reach the driver through [`Remote`] only.
//!
//! Nothing is borrowed while somebody else's code runs: not while an operation prepares or
//! completes, not while a waker is cloned, woken or dropped, not while a posted object runs. All
//! of these may submit, cancel and post. They may not turn the driver from inside an operation's
//! `complete`, which would hand that operation its next completion while it has one in hand.

mod config;
mod counters;
mod peers;
mod registered;
mod shutdown;
mod submit;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use crate::capabilities::Capabilities;
use crate::cell::alloc::FreeLists;
use crate::cell::{Header, Progress};
use crate::cqe::Cqe;
use crate::current::Entered;
use crate::home::Homes;
use crate::inflight::{Key, Slots};
use crate::known_bugs;
use crate::listen::ListenGroup;
use crate::offload;
use crate::pool::Pool;
use crate::refusal;
use crate::remote::DriverId;
use crate::remote::list::Taken;
use crate::remote::{Remote, Shared};
use crate::ring::{Batch, Reaped, Request, Ring, Wait};
use crate::scratch::Scratch;
use crate::sqe::Sqe;
use crate::sys::abi;
use crate::sys::clock;
use crate::sys::event::EventFd;

pub use config::Config;
pub use counters::Counters;
use counters::Counting;
use peers::Peers;
use registered::Registered;
pub use shutdown::Leaked;
pub use submit::Ticket;

/// Entries without a slot: the upper half of their number is zero.
mod tag {
    pub(super) const CANCEL: u64 = 1 << 24;
    pub(super) const TIME_LIMIT: u64 = 2 << 24;
    /// Posted on this ring by another driver.
    pub(super) const WAKE: u64 = 3 << 24;
    /// The poll of this driver's own eventfd.
    pub(super) const EVENT: u64 = 4 << 24;
    /// A wake that this driver sent; the lower 24 bits say to which peer.
    pub(super) const MESSAGE: u64 = 5 << 24;
    pub(super) const KIND: u64 = !0 << 24;
}

/// A ring and what is in flight on it; one a thread.
///
/// A handle: clones are the same driver. When the last one goes, the driver is
/// [shut down](Driver::shutdown).
///
/// ```
/// use henge_driver::{Driver, ops, submit};
///
/// let driver = Driver::new()?;
/// let answer = driver.block_on(async { submit(ops::Nop::new()).await })?;
/// answer?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Driver {
    inner: Rc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) ring: Ring,
    slots: RefCell<Slots<NonNull<Header>>>,
    /// Entries that found the submission queue full; groups of entries that belong together.
    overflow: RefCell<VecDeque<(Sqe, Option<Sqe>)>>,
    pub(crate) cells: FreeLists,
    pub(crate) pool: Pool,
    homes: Homes,
    scratch: Scratch,
    registered: Registered,
    blocking: RefCell<Option<Arc<offload::Pool>>>,
    /// An operation has completed that [gathers](crate::Operation::GATHERS).
    gathers: Cell<bool>,
    /// What to cancel when a descriptor is closed.
    until_close: RefCell<Vec<Ticket>>,
    /// Turns since the streams were last asked to let go of shared buffers.
    unsettled: Cell<u32>,
    /// How many completions a turn that has any brings, on average of late, times 256.
    crowd: Cell<u32>,
    remote: Remote,
    taken: Taken,
    peers: RefCell<Peers>,
    counting: Counting,
    /// An operation has a completion in hand: no turning.
    completing: Cell<bool>,
    phase: Cell<Phase>,
    /// What `as_raw_fd` gave out; from then on the driver sleeps between turns.
    notifier: OnceCell<EventFd>,
    batch: Option<Batch>,
    config: Config,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Everything is being cancelled; operations are not repeated.
    Closing,
    Closed,
}

/// So many enters a turn adds at most to fetch what the first has left behind: about as much as a
/// turn of a shard polls.
const MOST_GATHERS: u32 = 3;

/// So many turns a busy driver leaves unread bytes in shared buffers.
const SETTLE_EVERY: u32 = 8;

/// Up to so many completions a turn, times 256, an enter serves one peer at a time. Where there are
/// more, what it submits goes along with what it fetches.
const ALONE: u32 = 3 << 7;

/// The share of the newest turn in that average is one in 2 to the power of this.
const WEIGHT: u32 = 3;

/// What a turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turn {
    /// Completions of operations that were handled.
    pub completions: u32,
    /// Posted objects that were run.
    pub posted: u32,
}

impl Driver {
    /// A driver with the default [`Config`], at home on this thread.
    ///
    /// # Errors
    ///
    /// See [`with_config`](Driver::with_config).
    pub fn new() -> io::Result<Driver> {
        Driver::with_config(&Config::new())
    }

    /// A driver at home on this thread.
    ///
    /// # Errors
    ///
    /// Whatever keeps the kernel from giving this process a ring or the descriptors that go with
    /// it. The message names the cause (a kernel older than 6.1 or known to be broken, the sysctl,
    /// a seccomp filter, a limit) and what to do; the kernel's own answer is the error's source.
    pub fn with_config(config: &Config) -> io::Result<Driver> {
        if let Some(bug) = known_bugs::reason_to_refuse() {
            return Err(refusal::broken(bug));
        }
        let ring = Ring::new(&Request {
            entries: config.ring_entries,
            completions: config.completions(),
            registered_ring: true,
        })
        .map_err(refusal::explain)?;
        if !ring.flags().defer_taskrun {
            return Err(refusal::too_old());
        }
        let shared = Shared::new(ring.as_raw_fd()).map_err(refusal::explain)?;
        let remote = Remote::new(shared);
        let batch = config.min_wait.map(|(completions, wait)| Batch { completions, wait });
        let driver = Driver {
            inner: Rc::new(Inner {
                ring,
                slots: RefCell::new(Slots::new()),
                overflow: RefCell::new(VecDeque::new()),
                cells: FreeLists::new(),
                homes: Homes::new(),
                scratch: Scratch::new(),
                registered: Registered::default(),
                blocking: RefCell::new(config.blocking.clone()),
                gathers: Cell::new(false),
                until_close: RefCell::default(),
                unsettled: Cell::new(0),
                crowd: Cell::new(0),
                pool: Pool::new(config.pool, remote.clone()),
                remote,
                taken: Taken::new(),
                peers: RefCell::new(Peers::new()),
                counting: Counting::default(),
                completing: Cell::new(false),
                phase: Cell::new(Phase::Running),
                notifier: OnceCell::new(),
                batch,
                config: config.clone(),
            }),
        };
        driver.arm_event();
        Ok(driver)
    }

    /// Submits, runs what other threads posted, reaps, and wakes whoever waits; never waits
    /// itself. At most one system call, and none if there is nothing to do.
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
    pub fn turn(&self) -> io::Result<Turn> {
        self.assert_turnable();
        self.begin_foreign_turn();
        let posted = self.run_posted();
        let unsettled = self.inner.unsettled.get() + 1;
        self.inner.unsettled.set(unsettled);
        if unsettled >= SETTLE_EVERY {
            self.settle();
        }
        self.before_enter();
        if self.has_queued() || self.inner.ring.completion_pending() {
            self.enter_ring(Wait::No)?;
        }
        let completions = self.reap_and_gather()?;
        self.end_foreign_turn();
        Ok(Turn { completions, posted })
    }

    /// As [`turn`](Driver::turn), but sleeps until there is something to do, at the latest until
    /// `deadline`. `ready` is asked once more after other threads have been told that this one
    /// sleeps, and keeps it awake by answering `true`: whoever makes it true calls
    /// [`Remote::wake`] afterwards.
    ///
    /// # Errors
    ///
    /// As [`turn`](Driver::turn).
    ///
    /// # Panics
    ///
    /// As [`turn`](Driver::turn).
    pub fn park(
        &self,
        deadline: Option<Instant>,
        ready: impl FnOnce() -> bool,
    ) -> io::Result<Turn> {
        self.assert_turnable();
        self.settle();
        self.before_enter();
        let shared = self.inner.remote.shared();
        shared.sleep.publish();
        let wait = if !shared.list.is_empty() || ready() {
            Wait::No
        } else {
            Wait::Yes(deadline.map(|deadline| deadline.saturating_duration_since(clock::now())))
        };
        let entered = match wait {
            // The deadline has come, or something is to be done: not a wait of no length, which
            // would be a sleep all the same.
            Wait::No | Wait::Yes(Some(std::time::Duration::ZERO)) => self.enter_ring(Wait::No),
            wait => {
                self.inner.counting.waits.add(1);
                self.enter_ring(wait)
            }
        };
        shared.sleep.retract();
        entered?;
        let posted = self.run_posted();
        let completions = self.reap_and_gather()?;
        self.end_foreign_turn();
        Ok(Turn { completions, posted })
    }

    /// May the driver be turned now? Not from inside an operation's `complete`.
    pub fn is_turnable(&self) -> bool {
        !self.inner.completing.get()
    }

    /// Is there something that a turn would reap? Plain loads, no system call.
    #[inline]
    pub fn completion_pending(&self) -> bool {
        self.inner.ring.completion_pending()
    }

    /// Has another thread posted something that the next turn would run?
    #[inline]
    pub fn has_posted(&self) -> bool {
        !self.inner.remote.shared().list.is_empty()
    }

    /// Are there entries that the kernel has not seen yet?
    #[inline]
    pub fn has_queued(&self) -> bool {
        self.inner.homes.has_due() || self.has_entries()
    }

    /// Hands over what is queued without reaping: before the thread does something that takes
    /// long.
    ///
    /// # Errors
    ///
    /// As [`turn`](Driver::turn).
    pub fn flush(&self) -> io::Result<()> {
        while self.has_queued() {
            self.before_enter();
            self.refill();
            if !retry(self.inner.ring.submit())? {
                self.inner.counting.retries.add(1);
                break;
            }
        }
        Ok(())
    }

    /// The handle by which other threads reach this driver.
    #[inline]
    pub fn remote(&self) -> &Remote {
        &self.inner.remote
    }

    /// The name of this driver.
    #[inline]
    pub fn id(&self) -> DriverId {
        self.inner.remote.id()
    }

    /// System calls that entered the ring so far.
    #[inline]
    pub fn enters(&self) -> u64 {
        self.inner.ring.enters()
    }

    /// The drivers that may listen on the same addresses as this one.
    pub fn listen_group(&self) -> &Arc<ListenGroup> {
        &self.inner.config.listen_group
    }

    /// The threads for what has no operation on the ring.
    pub fn blocking(&self) -> Arc<offload::Pool> {
        Arc::clone(self.inner.blocking.borrow_mut().get_or_insert_default())
    }

    /// Has blocking work go to another pool from now on, and returns the one where it went. For a
    /// driver that serves several runtimes in turn.
    pub fn replace_blocking(&self, pool: Arc<offload::Pool>) -> Option<Arc<offload::Pool>> {
        self.inner.blocking.replace(Some(pool))
    }

    /// Spare byte buffers.
    #[inline]
    pub fn scratch(&self) -> &Scratch {
        &self.inner.scratch
    }

    #[inline]
    pub(crate) fn homes(&self) -> &Homes {
        &self.inner.homes
    }

    /// Streams copy what nobody has read out of the buffers that all share.
    fn settle(&self) {
        self.inner.unsettled.set(0);
        self.inner.homes.before_sleep(self);
    }

    /// The buffers that receives use.
    #[inline]
    pub fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// Makes this driver the thread's, until the guard is dropped. Guards nest, and are dropped in
    /// the opposite order.
    ///
    /// # Panics
    ///
    /// The guard, when it is dropped before one that was made later.
    pub fn enter(&self) -> Entered<'_> {
        Entered::new(self)
    }

    /// When the driver wants its next turn at the latest: now, if something waits to be submitted
    /// or reaped, else whenever its descriptor becomes readable.
    pub fn next_deadline(&self) -> Option<Instant> {
        let now = self.has_queued()
            || self.completion_pending()
            || !self.inner.remote.shared().list.is_empty();
        now.then(clock::now)
    }

    /// Operations in flight.
    pub fn in_flight(&self) -> usize {
        self.inner.slots.borrow().len()
    }

    /// What the running kernel gave this driver.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it is asked for its operations.
    pub fn capabilities(&self) -> io::Result<Capabilities> {
        let incremental = self.pool().probe_incremental();
        Capabilities::of(&self.inner.ring, incremental)
    }

    /// What the driver has done so far.
    pub fn counters(&self) -> Counters {
        self.inner.counting.read(self.inner.ring.enters())
    }

    pub(crate) fn from_inner(inner: Rc<Inner>) -> Driver {
        Driver { inner }
    }

    #[inline]
    pub(crate) fn inner(&self) -> &Rc<Inner> {
        &self.inner
    }

    fn assert_turnable(&self) {
        assert!(self.is_turnable(), "the driver was turned from inside an operation's `complete`");
    }

    /// What waits for an enter makes its entries, or makes them superfluous.
    #[inline]
    fn before_enter(&self) {
        let idle = || {
            self.inner.crowd.get() <= ALONE
                && !self.has_entries()
                && !self.inner.ring.completion_pending()
        };
        self.inner.homes.before_enter(self, idle);
    }

    /// Entries that have been made, and that the kernel has not seen.
    #[inline]
    fn has_entries(&self) -> bool {
        self.inner.ring.queued() != 0 || !self.inner.overflow.borrow().is_empty()
    }

    /// One enter, with everything that is queued; more only if the submission queue cannot hold
    /// it.
    fn enter_ring(&self, wait: Wait) -> io::Result<()> {
        self.before_enter();
        loop {
            self.refill();
            let rest = !self.inner.overflow.borrow().is_empty();
            let wait = if rest { Wait::No } else { wait };
            let before = self.inner.ring.queued();
            if !retry(self.inner.ring.enter(wait, self.inner.batch))? {
                // No memory, or no room for completions: reap first, then the next turn retries.
                self.inner.counting.retries.add(1);
                return Ok(());
            }
            if !rest || self.inner.ring.queued() >= before {
                return Ok(());
            }
        }
    }

    /// Runs what other threads posted.
    fn run_posted(&self) -> u32 {
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

    /// Handles the completions that are there now; those that come meanwhile are for the next
    /// turn.
    /// Handles what has completed, and where that asks for it, what an enter has left behind.
    fn reap_and_gather(&self) -> io::Result<u32> {
        let mut completions = self.reap();
        for _ in 0..MOST_GATHERS {
            if !self.inner.gathers.take() || !self.inner.ring.completion_pending() {
                break;
            }
            self.enter_ring(Wait::No)?;
            completions += self.reap();
        }
        Ok(completions)
    }

    fn reap(&self) -> u32 {
        let mut handled = 0;
        for _ in 0..self.inner.ring.ready() {
            let Some(reaped) = self.inner.ring.pop() else { break };
            if reaped.user_data >> 32 == 0 {
                self.internal(reaped);
            } else {
                handled += 1;
                self.dispatch(Key::from_user_data(reaped.user_data), reaped.cqe);
            }
        }
        // Or what was popped would still look pending, and be entered for.
        self.inner.ring.give_back();
        self.inner.counting.completions.add(u64::from(handled));
        if handled > 0 {
            let crowd = self.inner.crowd.get();
            self.inner.crowd.set(crowd - (crowd >> WEIGHT) + ((handled << 8) >> WEIGHT));
        }
        handled
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
        if kind.gathers {
            inner.gathers.set(true);
        }
        let guard = Completing::new(inner, key, !cqe.has_more());
        // SAFETY: at home; the kernel has the cell, since its slot is in use; `assert_turnable`
        // keeps this from happening inside another `complete`.
        let progress = unsafe { (kind.complete)(cell, cqe) };
        guard.done();
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
                // SAFETY: the last completion has come, and the slot is free.
                unsafe { (kind.release)(cell) }
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Handles a completion of the driver's own entries.
    fn internal(&self, Reaped { user_data, cqe }: Reaped) {
        let counting = &self.inner.counting;
        match user_data & tag::KIND {
            // A cancel that found nothing, or came too late, is as good as one that did: the
            // operation's own completion is what counts.
            tag::CANCEL | tag::TIME_LIMIT => {}
            tag::WAKE => counting.wakes.add(1),
            tag::EVENT => {
                counting.wakes.add(1);
                if !cqe.has_more() && self.inner.phase.get() == Phase::Running {
                    self.arm_event();
                }
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
            _ => counting.unknown_completions.add(1),
        }
    }

    /// Polls the eventfd by which other threads wake this one. A write is one completion; the
    /// counter is never read, since the poll reports events and not the state.
    fn arm_event(&self) {
        let event = self.inner.remote.shared().event.fd();
        let sqe = Sqe::poll_multishot(event, abi::POLLIN).with_user_data(tag::EVENT);
        self.push((sqe, None));
    }

    /// Sends a wake to another driver, to ride on the next enter. `false` if this driver does not
    /// do that.
    pub(crate) fn send_wake(&self, to: &Arc<Shared>) -> bool {
        let inner = &*self.inner;
        if !inner.config.wake_by_message || inner.phase.get() == Phase::Closed {
            return false;
        }
        if Arc::ptr_eq(to, inner.remote.shared()) {
            return false;
        }
        let peer = inner.peers.borrow_mut().index_of(to);
        let sqe = Sqe::message(to.ring(), tag::WAKE)
            .with_user_data(tag::MESSAGE | peer)
            .with_skip_success();
        inner.counting.messages.add(1);
        self.push((sqe, None));
        true
    }

    // Under somebody else's event loop.

    /// The descriptor has done its work; from here to the end of the turn nobody need signal it.
    fn begin_foreign_turn(&self) {
        if let Some(notifier) = self.inner.notifier.get() {
            self.inner.remote.shared().sleep.retract();
            notifier.clear();
        }
    }

    /// The thread may go to sleep in its own loop now: other threads must wake it. What came up
    /// meanwhile makes the descriptor readable at once.
    fn end_foreign_turn(&self) {
        if let Some(notifier) = self.inner.notifier.get() {
            let shared = self.inner.remote.shared();
            shared.sleep.publish();
            if self.has_queued() || self.completion_pending() || !shared.list.is_empty() {
                notifier.signal();
            }
        }
    }

    /// What was queued outside a turn needs one.
    #[inline]
    fn notify_queued(&self) {
        if let Some(notifier) = self.inner.notifier.get() {
            notifier.signal();
        }
    }
}

/// Undoes `completing`, and the slot of an operation that panicked on its last completion: its
/// cell is leaked, since nobody knows what state it is in.
struct Completing<'a> {
    inner: &'a Inner,
    key: Key,
    last: bool,
}

impl<'a> Completing<'a> {
    fn new(inner: &'a Inner, key: Key, last: bool) -> Completing<'a> {
        inner.completing.set(true);
        Completing { inner, key, last }
    }

    fn done(self) {
        self.inner.completing.set(false);
        std::mem::forget(self);
    }
}

impl Drop for Completing<'_> {
    fn drop(&mut self) {
        self.inner.completing.set(false);
        if self.last {
            self.inner.slots.borrow_mut().remove(self.key);
        }
    }
}

/// Sorts the answers of an enter: `true` if it did what it should, `false` if it could not for the
/// moment.
fn retry(entered: io::Result<()>) -> io::Result<bool> {
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

impl Clone for Driver {
    fn clone(&self) -> Driver {
        Driver { inner: Rc::clone(&self.inner) }
    }
}

impl Drop for Driver {
    #[inline]
    fn drop(&mut self) {
        if Rc::strong_count(&self.inner) == 1 {
            self.shutdown_at_drop();
        }
    }
}

impl AsRawFd for Driver {
    /// An eventfd that is readable when a turn would find something to do; made when it is first
    /// asked for. A turn clears it.
    ///
    /// # Panics
    ///
    /// If the process has no descriptor left, the first time.
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl AsFd for Driver {
    /// As [`as_raw_fd`](AsRawFd::as_raw_fd).
    ///
    /// # Panics
    ///
    /// As [`as_raw_fd`](AsRawFd::as_raw_fd).
    fn as_fd(&self) -> BorrowedFd<'_> {
        let notifier = self.inner.notifier.get_or_init(|| {
            let made = EventFd::new().and_then(|notifier| {
                self.inner.ring.register_eventfd(notifier.as_raw_fd())?;
                Ok(notifier)
            });
            match made {
                Ok(notifier) => notifier,
                Err(error) => panic!("no eventfd for the driver's descriptor: {error}"),
            }
        });
        self.end_foreign_turn();
        notifier.fd().as_fd()
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("id", &self.inner.remote.id())
            .field("ring", &self.inner.ring)
            .field("in_flight", &self.in_flight())
            .field("phase", &self.inner.phase.get())
            .finish_non_exhaustive()
    }
}
