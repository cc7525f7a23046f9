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

mod block;
mod count;
mod wait;

use std::cell::Cell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use henge_driver::Driver;
use henge_driver::sys::clock;

use super::batch_wait::BatchWait;
use super::config::{Hook, call};
use super::context::{LoopGuard, SharedGuard};
use super::counters::Counters;
use super::nest::Nest;
use super::seat::Seat;
use super::shared::Shared;
use super::spin::Spin;
use crate::executor::{Home, Polls};
use crate::mesh::{self, Urge};
use crate::stealing::{self, Worker};
use crate::time::{Host, Timers};

impl Shard {
    /// One turn: tasks, timers, other threads, and the ring, which is entered once at most.
    fn turn(&self) -> io::Result<()> {
        // 1. Tasks. No more than `event_interval`, nor, if the ring has something to say or to be
        // told, past `LONGEST` since it was entered last: 61 polls of 100 µs would be 6 ms without
        // I/O. The future of `block_on` comes before them, or when the queue is empty. What other
        // threads sent is picked up every eighth time, at the price of a load.
        if let Some(worker) = &self.worker
            && self.has_work()
        {
            worker.stop_searching();
        }
        self.nest.set_between_polls(false);
        self.mesh.begin_turn();
        let batch = self.home.polls();
        // A turn that was cut short for the ring's sake goes on, as far as that future can tell.
        let before = self.cut_short.take();
        let root_is_due = before == 0 || before >= self.event_interval;
        let most = if root_is_due { self.event_interval } else { self.event_interval - before };
        let mut polls = u32::from(root_is_due && batch.poll_root());
        let goes_on = |polls| polls < most && !self.nest.is_left();
        while goes_on(polls) && (self.poll_next(&batch, polls) || self.poll_arrivals(&batch, polls))
        {
            polls += 1;
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
                if let Some(worker) = &self.worker
                    && worker.keeps_waiting()
                {
                    worker.hurry(clock::now(), LONGEST);
                }
                let called = urge == Urge::EndTurn;
                if self.ring_wants_us() && (called || clock::now() - self.entered.get() >= LONGEST)
                {
                    self.cut_short.set(if root_is_due { polls } else { before + polls });
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
        if let Some(worker) = &self.worker {
            worker.end_turn();
        }
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

    /// Nobody is in the queue. If the future of `block_on` waits, what other threads have sent
    /// comes before it.
    #[inline]
    fn poll_arrivals(&self, batch: &Polls<'_>, polls: u32) -> bool {
        self.home.root_waits()
            && !self.home.inbox().is_empty()
            && self.poll_after_arrivals(batch, polls)
    }

    #[inline(never)]
    fn poll_after_arrivals(&self, batch: &Polls<'_>, polls: u32) -> bool {
        self.nest.between_polls(|| batch.take_inbox());
        self.poll_next(batch, polls)
    }

    fn enter(&self) -> io::Result<()> {
        let turn = self.driver.turn()?;
        self.note_arrivals(&turn);
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
        self.driver.completion_expected()
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

/// For how long a turn keeps the ring waiting, and a shard the queue that all have in common.
const LONGEST: Duration = Duration::from_micros(200);

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
    /// For waits in which another shard is likely to be the next to come.
    mesh_spin: Cell<Spin>,
    batch_wait: Cell<BatchWait>,
    /// When the ring was entered last.
    entered: Cell<Instant>,
    /// Since when it has not slept.
    awake: Cell<Instant>,
    /// So many tasks were polled since the future of `block_on` had its chance, in turns that ended
    /// before it was to have another one.
    cut_short: Cell<u32>,
    nest: Nest,
    /// A panic now is the end: the ring has failed, or a hook runs, which would panic again.
    failing: Cell<bool>,
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
        timers.set_host(Arc::downgrade(&shared) as Weak<dyn Host>);
        let partition = index.and_then(|index| shared.partitions.get(index));
        let worker = partition.and_then(Worker::new);
        // Who may have to help others is woken at once.
        let batch_wait = if worker.is_none() { shared.config.batch_wait } else { Duration::ZERO };
        Shard {
            mesh: mesh::Local::new(&shared.peers, index, Arc::clone(home.inbox())),
            worker,
            index,
            driver,
            home,
            timers,
            counters,
            event_interval: shared.config.event_interval,
            spin: Cell::new(Spin::new(shared.config.spin)),
            mesh_spin: Cell::new(Spin::new(shared.config.spin)),
            batch_wait: Cell::new(BatchWait::new(batch_wait)),
            entered: Cell::new(clock::now()),
            awake: Cell::new(clock::now()),
            cut_short: Cell::new(0),
            nest: Nest::new(),
            failing: Cell::new(false),
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

    /// Whether a panic that left the loop is to end it.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.get()
    }

    fn call_hook(&self, hook: Option<&Hook>) {
        self.failing.set(true);
        call(hook);
        self.failing.set(false);
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
                self.failing.set(true);
                panic!("this thread's ring failed: {error}");
            }
        }
        self.count_busy(clock::now());
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
}

/// While it lives, this thread is inside the shard's loop.
pub(super) struct Within<'a> {
    // Dropped in this order, the reverse of that in which they were made.
    _timers: crate::time::Entered<'a>,
    _worker: stealing::current::Entered,
    _mesh: mesh::Entered<'a>,
    _home: crate::executor::Entered<'a>,
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
