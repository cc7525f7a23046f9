//! The loop: what one thread does, turn by turn, for one queue of tasks.
//!
//! A [`Shard`] is made, run and dropped by one thread: a shard thread of `new_multi_thread`, the
//! thread that owns the shard of `new_current_thread`, or a guest. What other threads may ask of it
//! comes by the inbox (tasks to be woken, closures) and by the driver's remote list (operations to
//! be cancelled), each of which wakes it if it sleeps.
//!
//! # Why no wake is lost
//! The loop sleeps in [`Driver::park`] only. That publishes that the thread sleeps, fences, and
//! looks once more at its own list and at all that `something_came` looks at, before it enters the
//! kernel. Whoever pushes does so before a fence and a look at the flag. Of the two fences one
//! comes first: either the pusher sees the flag and wakes, or the loop sees the push and does not
//! sleep. While the loop only *looks* (spins), nothing is published: it sees a push by looking.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::hint;
use std::io;
use std::panic::{Location, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use henge_driver::sys::clock;
use henge_driver::{Driver, current};

use super::config::call;
use super::context::{LoopGuard, SharedGuard};
use super::counters::Counters;
use super::nest::Nest;
use super::root::Root;
use super::seat::Seat;
use super::shared::{Seats, Shared};
use super::spin::Spin;
use super::unwind;
use crate::mesh::{self, Urge};
use crate::stealing::{self, Worker};
use crate::task::{Home, Polls, View};
use crate::time::Timers;

impl Shard {
    /// One turn: tasks, timers, other threads, and the ring, which is entered once at most.
    fn turn(&self) -> io::Result<()> {
        // 1. Tasks. No more than `event_interval`, nor, if the ring has something to say or to be
        // told, past `LONGEST` since it was entered last: 61 polls of 100 µs would be 6 ms without
        // I/O. What other threads sent is picked up every eighth time, at the price of a load.
        let mut polls = 0;
        if let Some(worker) = &self.worker
            && self.has_work()
        {
            worker.stop_searching();
        }
        self.nest.set_between_polls(false);
        self.mesh.begin_turn();
        let batch = self.home.polls();
        while polls < self.event_interval && self.poll_next(&batch, polls) {
            polls += 1;
            if self.nest.is_left() {
                break;
            }
            // Whoever was called and sleeps is woken by an entry that goes out when the ring is
            // entered: the turn ends for its sake, or it would sleep while a lane fills up.
            let urge = self.mesh.takes_urge();
            if urge != Urge::Nothing || polls % 8 == 0 {
                self.nest.between_polls(|| {
                    batch.take_inbox();
                    if self.mesh.has_come() {
                        batch.outside();
                        self.mesh.look(&self.home);
                    }
                    self.mesh.flush();
                });
                let called = urge == Urge::EndTurn;
                if self.ring_wants_us() && (called || clock::now() - self.entered.get() >= LONGEST)
                {
                    break;
                }
            }
        }
        drop(batch);
        self.nest.set_between_polls(true);

        // 2. Timers, before anything is waited for: they make tasks runnable.
        if !self.timers.is_idle() {
            self.timers.fire(clock::now());
        }

        // 3. Other threads: what they sent, their letters included, and what they are to be told.
        // A wake rides on the enter below.
        self.home.take_inbox();
        self.mesh.look(&self.home);
        self.mesh.flush();
        self.count_turn(polls);

        // 4. The ring: what was queued is submitted, what has come is handed to its owners, whose
        // tasks run in the next turn. With tasks to run and nothing to submit or to fetch it is not
        // entered at all, which would cost as much as ten polls.
        if !self.has_work() && !self.nest.is_left() {
            self.wait(polls)?;
        } else if self.ring_wants_us() {
            self.enter()?;
        }

        // 5. Tasks that gave way for the sake of I/O are behind those that it made runnable.
        self.home.end_turn();
        Ok(())
    }

    /// Polls a task: of its own and of those that may be stolen one each in turn, so that neither
    /// starve the others. False if there is none.
    #[inline]
    fn poll_next(&self, batch: &Polls<'_>, polls: u32) -> bool {
        match &self.worker {
            None => batch.poll_next(),
            Some(worker) => poll_either(worker, batch, polls % 2 == 0),
        }
    }

    /// Nothing to do, after a turn that ran `polls` tasks: looks for what others have too much of,
    /// then for a while at the ring if that pays, then sleeps until something comes.
    fn wait(&self, polls: u32) -> io::Result<()> {
        if self.driver.completion_pending() || self.driver.has_posted() {
            return self.enter();
        }
        if self.worker.as_ref().is_some_and(|worker| worker.search()) {
            return if self.ring_wants_us() { self.enter() } else { Ok(()) };
        }
        let deadline = self.timers.next_deadline();
        if deadline.is_none() && self.timers.pending() > 0 {
            // Timers that are never due: the clock is paused, and moves when nothing else does.
            if self.driver.has_queued() {
                return self.enter();
            }
            if self.timers.auto_advance() {
                return Ok(());
            }
        }
        let begun = clock::now();
        let mut looked = false;
        let mut spin = self.spin.get();
        spin.ran(polls);
        self.spin.set(spin);
        if let Some(limit) = spin.before_sleep()
            && !self.keeps_pool_waiting()
        {
            if self.driver.has_queued() {
                // It is submitted first, or there would be nothing to look for.
                return self.enter();
            }
            if self.look(begun, limit, deadline) {
                // What was posted is run by a turn of the driver and by nothing else.
                return if self.ring_wants_us() { self.enter() } else { Ok(()) };
            }
            looked = true;
        }
        call(self.shared.config.hooks.park.as_ref());
        if !self.has_work() {
            self.sleep(begun, looked, deadline)?;
        }
        call(self.shared.config.hooks.unpark.as_ref());
        Ok(())
    }

    /// Whether a look would take the CPU from the closure whose end it looks for.
    fn keeps_pool_waiting(&self) -> bool {
        self.shared.config.one_cpu && self.shared.pool.is_busy()
    }

    /// Looks for at most `limit` and not past `deadline`. True if the next turn has something to
    /// do.
    fn look(&self, begun: Instant, limit: Duration, deadline: Option<Instant>) -> bool {
        let mut spin = self.spin.get();
        let until = begun.checked_add(limit);
        let found = loop {
            let came = (0..LOOKS).any(|_| {
                hint::spin_loop();
                self.something_came()
            });
            if came || self.worker.as_ref().is_some_and(|worker| worker.glance()) {
                spin.found(clock::now() - begun);
                break true;
            }
            let now = clock::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                break true;
            }
            if until.is_some_and(|until| until <= now) {
                break false;
            }
        };
        self.spin.set(spin);
        let counter = if found { &self.counters.spins } else { &self.counters.spins_in_vain };
        counter.add(1);
        found
    }

    fn sleep(&self, begun: Instant, looked: bool, deadline: Option<Instant>) -> io::Result<()> {
        self.mesh.rest(&self.home);
        let submits = self.driver.has_queued();
        self.count_busy(begun);
        self.counters.parks.add(1);
        // What the driver does before it sleeps may wake tasks as well.
        match &self.worker {
            None => self.driver.park(deadline, || self.something_came() || self.has_work())?,
            Some(worker) => {
                if !worker.lie_down() {
                    self.counters.unparks.add(1);
                    return Ok(());
                }
                let came = || self.something_came() || self.has_work() || worker.is_woken();
                let slept = self.driver.park(deadline, came);
                worker.rise();
                slept?
            }
        };
        let now = clock::now();
        self.entered.set(now);
        let mut spin = self.spin.get();
        spin.slept(now - begun, looked, submits);
        self.spin.set(spin);
        self.awake.set(now);
        self.counters.unparks.add(1);
        self.counters.parked.add((now - begun).as_nanos() as u64);
        self.count_enter();
        Ok(())
    }

    fn enter(&self) -> io::Result<()> {
        self.driver.turn()?;
        self.entered.set(clock::now());
        self.count_enter();
        Ok(())
    }

    /// Whether a task can run now, or could after the turn.
    #[inline]
    fn has_work(&self) -> bool {
        self.home.has_work() || self.worker.as_ref().is_some_and(|worker| worker.has_work())
    }

    /// Whether an enter would bring or take anything. Plain loads.
    #[inline]
    fn ring_wants_us(&self) -> bool {
        self.driver.has_queued() || self.driver.completion_pending() || self.driver.has_posted()
    }

    /// Whether anything came from outside: all sources there are, for a loop that would sleep.
    #[inline]
    fn something_came(&self) -> bool {
        self.driver.completion_pending()
            || self.driver.has_posted()
            || !self.home.inbox().is_empty()
            || self.mesh.has_come()
            || self.timers.has_returned()
            || self.mesh.has_news()
    }
}

/// Polls one of the two kinds of tasks, `pinned` first or last. What a stealable task has woken
/// comes before both, for it is in the cache, and nobody else may have it.
#[inline]
fn poll_either(worker: &Worker, batch: &Polls<'_>, pinned: bool) -> bool {
    if let Some(entry) = worker.next_at_once() {
        batch.poll_moving(entry.id(), || worker.run(entry));
        return true;
    }
    if pinned && batch.poll_next() {
        return true;
    }
    match worker.next() {
        Some(entry) => {
            batch.poll_moving(entry.id(), || worker.run(entry));
            true
        }
        None => !pinned && batch.poll_next(),
    }
}

/// For how long a turn keeps the ring waiting.
const LONGEST: Duration = Duration::from_micros(200);

/// How often a loop that looks does so between two looks at the clock.
const LOOKS: u32 = 16;

/// For how long a thread that leaves its loop waits for streams to be let go.
const PATIENCE: Duration = Duration::from_millis(500);

/// One queue of tasks with its ring and its timers, on the thread that runs them.
pub(crate) struct Shard {
    shared: Arc<Shared>,
    /// Which of the runtime's shards this is; none for a guest.
    index: Option<usize>,
    driver: Driver,
    home: Rc<Home>,
    timers: Timers,
    /// Lanes to other shards, and what is to be sent.
    mesh: mesh::Local,
    counters: Arc<Counters>,
    /// Where tasks may be stolen.
    worker: Option<Rc<Worker>>,
    /// How many tasks run between two looks at the ring.
    event_interval: u32,
    spin: Cell<Spin>,
    /// When the ring was entered last.
    entered: Cell<Instant>,
    /// Since when it has not slept.
    awake: Cell<Instant>,
    nest: Nest,
    /// Futures of `block_on` among the tasks that are not done.
    roots: Cell<usize>,
}

impl Shard {
    /// The shard of a seat, on this thread, which its driver belongs to.
    pub(super) fn seated(shared: &Arc<Shared>, index: usize, driver: Driver, seat: &Seat) -> Shard {
        seat.sit(driver.remote());
        let home = Home::with_inbox(Arc::clone(&seat.inbox));
        let timers = Timers::new(Arc::clone(&shared.clock), shared.config.resolution);
        if let Some(gauge) = &seat.gauge {
            home.set_gauge(Arc::clone(gauge));
        }
        let counters = Arc::clone(&seat.counters);
        Shard::new(Arc::clone(shared), Some(index), driver, home, timers, counters)
    }

    /// A guest of the runtime, on this thread, which the driver belongs to.
    pub(super) fn guest(shared: &Arc<Shared>, driver: Driver) -> Shard {
        let wake = driver.remote().clone();
        let home = Home::new(move || wake.wake());
        let timers = Timers::guest(Arc::clone(&shared.clock), shared.config.resolution);
        Shard::new(Arc::clone(shared), None, driver, home, timers, Arc::default())
    }

    fn new(
        shared: Arc<Shared>,
        index: Option<usize>,
        driver: Driver,
        home: Rc<Home>,
        timers: Timers,
        counters: Arc<Counters>,
    ) -> Shard {
        home.use_lifo_slot(shared.config.lifo_slot);
        let wake = driver.remote().clone();
        timers.set_home(move || wake.wake());
        let partition = index.and_then(|index| shared.partitions.get(index));
        Shard {
            mesh: mesh::Local::new(&shared.peers, index, Arc::clone(home.inbox())),
            worker: partition.and_then(Worker::new),
            index,
            driver,
            home,
            timers,
            counters,
            event_interval: shared.config.event_interval,
            spin: Cell::new(Spin::new(shared.config.spin)),
            entered: Cell::new(clock::now()),
            awake: Cell::new(clock::now()),
            nest: Nest::new(),
            roots: Cell::new(0),
            shared,
        }
    }

    /// Which of the runtime's shards this is; none for a guest.
    pub(crate) fn index(&self) -> Option<usize> {
        self.index
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Ends the loop after the task that runs.
    pub(super) fn leave(&self) {
        self.nest.leave_outermost();
    }

    pub(super) fn nest(&self) -> &Nest {
        &self.nest
    }

    /// Makes everything of this shard the current thing of its kind on this thread.
    pub(super) fn enter_all(&self) -> Within<'_> {
        let _shared = SharedGuard::new(Arc::clone(&self.shared));
        let _shard = LoopGuard::new(self);
        let (_driver, _home) = (self.driver.enter(), self.home.enter());
        let _mesh = self.mesh.enter();
        let _worker = stealing::current::enter(self.worker.as_ref());
        Within { _timers: self.timers.enter(), _worker, _mesh, _home, _driver, _shard, _shared }
    }

    /// Runs turns until [`leave`](Shard::leave) is called. Inside [`enter_all`](Shard::enter_all).
    pub(super) fn run(&self) {
        let _level = self.nest.begin();
        self.turns();
    }

    fn turns(&self) {
        if self.nest.depth() == 1 {
            self.awake.set(clock::now());
        }
        while !self.nest.is_left() {
            if let Err(error) = self.turn() {
                panic!("this thread's ring failed: {error}");
            }
        }
        self.count_busy(clock::now());
    }

    /// Runs turns until `future` is done, which is polled as a task. Also inside of a task of this
    /// shard, if [`Nest::refusal`] has no objection.
    #[track_caller]
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let location = Location::caller();
        let _within = self.enter_all();
        let mut result = None;
        // It does not stand still while it turns from within.
        let blocked = self.counters.blocked.replace(0);
        {
            let level = self.nest.begin();
            self.roots.set(self.roots.get() + 1);
            let future = pin!(async {
                result = Some(unwind::catch(future).await);
                level.leave();
                self.roots.set(self.roots.get() - 1);
            });
            let _root = Root::new(&self.home, location, future);
            View::current().inside().during(|| self.turns());
        }
        self.counters.blocked.set(blocked);
        if self.nest.depth() == 0 {
            self.hand_over();
        }
        match result {
            Some(Ok(output)) => output,
            Some(Err(panic)) => resume_unwind(panic),
            None => panic!("the loop was left before its future was done"),
        }
    }

    /// Whether a task of this shard may block in place: not on a runtime of one thread, whose other
    /// tasks nobody would run, nor inside of a `LocalSet`.
    pub(crate) fn can_block_in_place(&self) -> bool {
        let lone = self.index.is_some() && matches!(self.shared.seats, Seats::Lone(_));
        !lone && !Home::with_current(|home| home.is_some_and(Home::is_set))
    }

    /// Runs a closure that may block in the middle of a poll.
    pub(crate) fn block_in_place<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Unblocked<'a>(&'a Shard, u64);
        impl Drop for Unblocked<'_> {
            fn drop(&mut self) {
                if let Some(gauge) = self.0.home.gauge() {
                    gauge.forgive();
                }
                self.0.counters.blocked.set(self.1);
            }
        }
        if self.nest.is_polling() {
            self.nest.between_polls(|| self.make_way());
        }
        let _unblocked = Unblocked(self, self.counters.blocked.replace(1));
        match &self.worker {
            None => current::blocking(f),
            // What the closure wakes is for the other shards.
            Some(worker) => worker.while_blocked(|| current::blocking(f)),
        }
    }

    /// Before this thread blocks in the middle of a poll: others get what they would otherwise wait
    /// for. What was queued goes to the kernel, those who gave way are woken, and what other shards
    /// may run, too, is given to them.
    fn make_way(&self) {
        self.mesh.flush();
        if self.ring_wants_us()
            && let Err(error) = self.enter()
        {
            panic!("this thread's ring failed: {error}");
        }
        self.home.end_turn();
        if let Some(worker) = &self.worker {
            worker.give_away();
        }
    }

    /// Before this thread does something else: what was written goes out, as it would have by now
    /// if writing were a system call, and streams are let go, so that other threads can use them.
    fn hand_over(&self) {
        self.mesh.flush();
        let handed = self.driver.hand_over(PATIENCE);
        self.count_enter();
        if let Err(error) = handed {
            panic!("this thread's ring failed: {error}");
        }
    }

    /// Drops all tasks, here, and takes no more. Inside, they may do what they may do in a poll.
    pub(super) fn close(&self) {
        let _within = self.enter_all();
        if let Some(worker) = &self.worker {
            worker.close();
        }
        self.home.close();
        self.mesh.close();
        self.counters.queued.set(0);
        self.counters.alive.set(0);
    }

    #[inline]
    fn count_turn(&self, polls: u32) {
        self.counters.turns.add(1);
        self.counters.polls.add(u64::from(polls));
        let mut queued = self.home.queued();
        if let Some(worker) = &self.worker {
            queued += worker.queued();
            self.counters.stolen.set(worker.done.stolen.get());
            self.counters.thefts.set(worker.done.thefts.get());
            self.counters.searches.set(worker.done.searches.get());
            self.counters.overflows.set(worker.done.overflows.get());
        }
        let driver = self.driver.counters();
        self.counters.wakes_sent.set(driver.wakes_sent);
        self.counters.wakes_saved.set(driver.wakes_saved + self.mesh.saved());
        self.counters.queued.set(queued as u64);
        // The future that `block_on` was given is no task to its author.
        self.counters.alive.set(self.home.alive().saturating_sub(self.roots.get()) as u64);
        self.counters.timers.set(self.timers.pending() as u64);
    }

    /// Up to `now` it has been awake.
    fn count_busy(&self, now: Instant) {
        let since = self.awake.replace(now);
        self.counters.busy.add(now.saturating_duration_since(since).as_nanos() as u64);
    }

    fn count_enter(&self) {
        let driver = self.driver.counters();
        self.counters.enters.set(driver.enters);
        self.counters.completions.set(driver.completions);
        self.counters.pool_bytes.set(self.driver.pool().bytes() as u64);
        self.counters.pool_found_empty.set(self.driver.pool().found_empty_count());
    }
}

/// While it lives, this thread is inside the shard's loop.
pub(super) struct Within<'a> {
    // Dropped in this order, the reverse of that in which they were made.
    _timers: crate::time::Entered<'a>,
    _worker: stealing::current::Entered,
    _mesh: mesh::Entered<'a>,
    _home: crate::task::Entered<'a>,
    _driver: henge_driver::current::Entered<'a>,
    _shard: LoopGuard<'a>,
    _shared: SharedGuard,
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shard")
            .field("index", &self.index)
            .field("driver", &self.driver)
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}
