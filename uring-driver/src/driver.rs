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
pub(crate) mod entered;
mod foreign;
pub(crate) mod homes;
mod peers;
pub(crate) mod quiet;
mod reap;
mod registered;
mod setup;
mod shutdown;
mod submit;
mod tag;
mod turn;
mod until_close;
mod until_left;
mod wake;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use crate::capabilities::Capabilities;
use crate::cell::Header;
use crate::cell::alloc::FreeLists;
use crate::driver_id::DriverId;
use crate::inflight::Slots;
use crate::listen::ListenGroup;
use crate::offload;
use crate::pool::Pool;
use crate::remote::Remote;
use crate::remote::list::Taken;
use crate::ring::{Batch, Ring};
use crate::scratch::Scratch;
use crate::sqe::Sqe;
use crate::sys::clock;
use crate::sys::event::EventFd;

pub use config::Config;
pub use counters::Counters;
use counters::Counting;
pub use entered::Entered;
use homes::Homes;
use peers::Peers;
use quiet::Quiet;
use registered::Registered;
pub use shutdown::Leaked;
pub use submit::Ticket;
pub use turn::Turn;
use turn::retry;
use until_left::UntilLeft;

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
    quiet: Quiet,
    scratch: Scratch,
    registered: Registered,
    blocking: RefCell<Option<Arc<offload::Pool>>>,
    /// An operation has completed that [gathers](crate::Operation::GATHERS).
    gathers: Cell<bool>,
    /// What to cancel when a descriptor is closed.
    until_close: RefCell<Vec<Ticket>>,
    until_left: UntilLeft,
    /// Turns since the streams were last asked to let go of shared buffers.
    unsettled: Cell<u32>,
    remote: Remote,
    taken: Taken,
    peers: RefCell<Peers>,
    counting: Counting,
    /// An operation has a completion in hand: no turning.
    completing: Cell<bool>,
    phase: Cell<Phase>,
    /// Bytes that nobody took when this thread left its loop last.
    stuck: Cell<u64>,
    /// What `as_raw_fd` gave out; from then on the driver sleeps between turns.
    notifier: OnceCell<EventFd>,
    batch: Cell<Option<Batch>>,
    /// Operations that will complete with the next enter, as a rule.
    at_once: Cell<u32>,
    config: Config,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Everything is being cancelled; operations are not repeated.
    Closing,
    Closed,
}

impl Driver {
    /// Is there something that a turn would reap? Plain loads, no system call.
    ///
    /// ```
    /// use henge_driver::{Driver, ops};
    ///
    /// let driver = Driver::new()?;
    /// driver.submit_detached(ops::After::new(std::time::Duration::ZERO, || ()));
    /// driver.flush()?;
    /// while driver.in_flight() > 0 {
    ///     // A loop with other work to do asks, and turns when it is worth it.
    ///     if driver.completion_pending() {
    ///         assert!(driver.turn()?.completions > 0);
    ///     }
    ///     // … do some of that other work …
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn completion_pending(&self) -> bool {
        self.inner.ring.completion_pending()
    }

    /// As [`completion_pending`](Driver::completion_pending), for a caller that would otherwise
    /// sleep. The kernel may go on saying that something is pending when nothing is; who believed
    /// it would turn for nothing until the next completion. Who has other work to do must not rely
    /// on this one: what is pending by the other only may be there.
    #[doc(hidden)]
    #[inline]
    pub fn completion_expected(&self) -> bool {
        self.inner.ring.completion_expected()
    }

    /// Has another thread posted something that the next turn would run?
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use henge_driver::{Driver, Link, Posted};
    /// # struct Hello(Link);
    /// # impl Posted for Hello {
    /// #     fn link(&self) -> &Link { &self.0 }
    /// #     fn run(self: Arc<Self>, _driver: &Driver) {}
    /// # }
    /// let driver = Driver::new()?;
    /// let (remote, hello) = (driver.remote().clone(), Arc::new(Hello(Link::new())));
    /// let there = std::thread::spawn(move || remote.post(hello));
    /// there.join().expect("no panic").expect("the driver lives");
    /// assert!(driver.has_posted());
    /// assert_eq!(driver.turn()?.posted, 1);
    /// assert!(!driver.has_posted());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn has_posted(&self) -> bool {
        !self.inner.remote.shared().list.is_empty()
    }

    /// Is there something that the kernel has not seen yet, or has not been asked about?
    ///
    /// ```
    /// use henge_driver::{Driver, ops};
    ///
    /// let driver = Driver::new()?;
    /// driver.submit_detached(ops::After::new(std::time::Duration::ZERO, || ()));
    /// assert!(driver.has_queued()); // the kernel hears of it with the next turn
    /// driver.turn()?;
    /// assert!(!driver.has_queued());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn has_queued(&self) -> bool {
        self.inner.homes.has_due() || self.has_entries() || !self.inner.quiet.letters().is_empty()
    }

    /// Hands over what is queued without reaping: before the thread does something that takes
    /// long.
    ///
    /// # Errors
    ///
    /// As [`turn`](Driver::turn).
    ///
    /// ```
    /// use henge_driver::{Driver, ops};
    ///
    /// let driver = Driver::new()?;
    /// driver.submit_detached(ops::After::new(std::time::Duration::ZERO, || ()));
    /// driver.flush()?;
    /// assert!(!driver.has_queued()); // under way while this thread …
    /// assert_eq!((0..1_000_000).sum::<u64>(), 499_999_500_000); // … computes
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn flush(&self) -> io::Result<()> {
        let _entered = self.enter_if_elsewhere();
        while self.homes().has_due() || self.quiet().letters().has_open() || self.has_entries() {
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
    ///
    /// ```
    /// use henge_driver::Driver;
    ///
    /// let driver = Driver::new()?;
    /// let remote = driver.remote().clone();
    /// let there = std::thread::spawn(move || (remote.id(), remote.is_closed()));
    /// assert_eq!(there.join().expect("no panic"), (driver.id(), false));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn remote(&self) -> &Remote {
        &self.inner.remote
    }

    /// The name of this driver.
    ///
    /// ```
    /// use henge_driver::{Driver, current};
    ///
    /// let driver = Driver::new()?;
    /// assert!(!current::is(driver.id()));
    /// let _entered = driver.enter();
    /// assert!(current::is(driver.id()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn id(&self) -> DriverId {
        self.inner.remote.id()
    }

    /// System calls that entered the ring so far.
    #[doc(hidden)]
    #[inline]
    pub fn enters(&self) -> u64 {
        self.inner.ring.enters()
    }

    /// The drivers that may listen on the same addresses as this one.
    #[doc(hidden)]
    pub fn listen_group(&self) -> &Arc<ListenGroup> {
        &self.inner.config.listen_group
    }

    /// The threads for what has no operation on the ring.
    ///
    /// ```
    /// use henge_driver::{Driver, offload::Class};
    ///
    /// let driver = Driver::new()?;
    /// let job = driver.blocking().spawn(Class::User, || std::fs::canonicalize("/proc/self/exe"));
    /// let program = driver.block_on(job)?.expect("no panic")?;
    /// assert!(program.is_absolute());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn blocking(&self) -> Arc<offload::Pool> {
        Arc::clone(self.inner.blocking.borrow_mut().get_or_insert_default())
    }

    /// Has blocking work go to another pool from now on, and returns the one where it went. For a
    /// driver that serves several runtimes in turn.
    #[doc(hidden)]
    pub fn replace_blocking(&self, pool: Arc<offload::Pool>) -> Option<Arc<offload::Pool>> {
        self.inner.blocking.replace(Some(pool))
    }

    /// Whether blocking work goes to this pool.
    #[doc(hidden)]
    pub fn blocks_in(&self, pool: &Arc<offload::Pool>) -> bool {
        self.inner.blocking.borrow().as_ref().is_some_and(|own| Arc::ptr_eq(own, pool))
    }

    /// Spare byte buffers.
    #[doc(hidden)]
    #[inline]
    pub fn scratch(&self) -> &Scratch {
        &self.inner.scratch
    }

    #[inline]
    pub(crate) fn homes(&self) -> &Homes {
        &self.inner.homes
    }

    /// The buffers that receives use.
    #[doc(hidden)]
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
    ///
    /// ```
    /// use henge_driver::{Driver, current, ops};
    ///
    /// let driver = Driver::new()?;
    /// {
    ///     let _entered = driver.enter();
    ///     // Whatever is called from here finds it.
    ///     current::with(|driver| driver.submit_detached(ops::After::new(SOON, || ())))?;
    /// }
    /// assert!(current::with(|_| ()).is_err());
    /// assert_eq!(driver.in_flight(), 1);
    /// # const SOON: std::time::Duration = std::time::Duration::ZERO;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn enter(&self) -> Entered<'_> {
        Entered::new(self)
    }

    /// When the driver wants its next turn at the latest: now, if something waits to be submitted
    /// or reaped, else whenever its descriptor becomes readable.
    ///
    /// ```
    /// use henge_driver::{Driver, ops};
    /// use std::os::fd::AsRawFd;
    ///
    /// let driver = Driver::new()?;
    /// let _poll_me = driver.as_raw_fd();
    /// driver.turn()?;
    /// assert!(driver.next_deadline().is_none()); // its descriptor will tell
    /// driver.submit_detached(ops::After::new(std::time::Duration::ZERO, || ()));
    /// assert!(driver.next_deadline().is_some_and(|at| at <= std::time::Instant::now()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn next_deadline(&self) -> Option<Instant> {
        let now = self.has_queued()
            || self.completion_expected()
            || !self.inner.remote.shared().list.is_empty();
        now.then(clock::now)
    }

    /// Operations in flight.
    ///
    /// ```
    /// use henge_driver::{Driver, ops};
    ///
    /// let driver = Driver::new()?;
    /// driver.submit_detached(ops::After::new(std::time::Duration::ZERO, || ()));
    /// assert_eq!(driver.in_flight(), 1);
    /// while driver.in_flight() > 0 {
    ///     driver.park(None, || false)?;
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn in_flight(&self) -> usize {
        self.inner.slots.borrow().len() + self.inner.quiet.letters().len()
    }

    /// What the running kernel gave this driver.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it is asked for its operations.
    ///
    /// ```
    /// use henge_driver::Driver;
    ///
    /// let capabilities = Driver::new()?.capabilities()?;
    /// assert!(capabilities.has("DEFER_TASKRUN"));
    /// println!("{capabilities}"); // for the first lines of a log
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn capabilities(&self) -> io::Result<Capabilities> {
        let incremental = self.pool().probe_incremental();
        Capabilities::of(&self.inner.ring, incremental)
    }

    /// What the driver has done so far.
    ///
    /// ```
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// let driver = Driver::new()?;
    /// driver.block_on(async {
    ///     for _ in 0..3 {
    ///         submit(ops::Nop::new()).await?;
    ///     }
    ///     std::io::Result::Ok(())
    /// })??;
    /// let counters = driver.counters();
    /// assert_eq!((counters.submissions, counters.completions), (3, 3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn counters(&self) -> Counters {
        self.inner.counting.read(self.inner.ring.enters())
    }

    /// Of these, [`wakes_sent`](Counters::wakes_sent) and [`wakes_saved`](Counters::wakes_saved):
    /// two loads, for a loop that shows them in every turn.
    #[doc(hidden)]
    #[inline]
    pub fn wakes(&self) -> (u64, u64) {
        self.inner.counting.wakes()
    }

    #[inline]
    pub(crate) fn inner(&self) -> &Rc<Inner> {
        &self.inner
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
            self.end();
        }
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
