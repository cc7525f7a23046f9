//! One shard's part in running stealable tasks: what it runs next, and where it looks for more.
//!
//! For the shard's thread only.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use henge_driver::coop;

use super::deque::Owner;
use super::idle::Asleep;
use super::pool::{Partition, Pool};
use crate::executor::stealable::Entry;

/// Runs in a row out of the LIFO slot, before others have their turn.
const LIFO_IN_A_ROW: u8 = 3;

/// What a worker has done; written here, read and published by its shard.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Tasks that were stolen, and how often.
    pub(crate) stolen: Cell<u64>,
    pub(crate) thefts: Cell<u64>,
    /// How often it began to search.
    pub(crate) searches: Cell<u64>,
    /// How often the ring was full.
    pub(crate) overflows: Cell<u64>,
}

fn count(counter: &Cell<u64>, n: usize) {
    counter.set(counter.get() + n as u64);
}

/// See the module's documentation.
pub(crate) struct Worker {
    partition: Arc<Partition>,
    ring: Owner<Entry>,
    /// The task that was woken last, by one that ran here.
    lifo: Cell<Option<Entry>>,
    lifo_run: Cell<u8>,
    /// Tasks that have spent their budget, until the shard has looked at its ring. They stand here
    /// no longer than one that yields waits.
    spent: RefCell<Vec<Entry>>,
    picks: Cell<u32>,
    /// When tasks of the common queue were last put before others for they had waited.
    hurried: Cell<Option<Instant>>,
    /// A stealable task is being polled.
    running: Cell<bool>,
    /// It is counted as searching.
    searching: Cell<bool>,
    seed: Cell<u64>,
    /// Where the next glance goes.
    glance: Cell<usize>,
    pub(crate) done: Done,
}

impl Worker {
    /// The worker of a shard. None if it has one.
    pub(crate) fn new(partition: &Arc<Partition>) -> Option<Rc<Worker>> {
        Some(Rc::new(Worker {
            ring: partition.take_owner()?,
            partition: Arc::clone(partition),
            lifo: Cell::new(None),
            lifo_run: Cell::new(0),
            spent: RefCell::default(),
            picks: Cell::new(0),
            hurried: Cell::new(None),
            running: Cell::new(false),
            searching: Cell::new(false),
            seed: Cell::new(0x9e37_79b9_7f4a_7c15 ^ (partition.index() as u64 + 1) << 17),
            glance: Cell::new(partition.index()),
            done: Done::default(),
        }))
    }

    fn pool(&self) -> &Pool {
        self.partition.pool()
    }

    /// Whether it works for this pool.
    #[inline]
    pub(super) fn is_of(&self, pool: &Arc<Pool>) -> bool {
        Arc::ptr_eq(self.partition.pool(), pool)
    }

    /// Tasks that wait for their turn here.
    pub(crate) fn queued(&self) -> usize {
        self.ring.len() + usize::from(self.has_lifo()) + self.spent.borrow().len()
    }

    fn has_lifo(&self) -> bool {
        let entry = self.lifo.take();
        let has = entry.is_some();
        self.lifo.set(entry);
        has
    }

    /// Whether there is something to run here, or will be after [`end_turn`](Self::end_turn).
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        !self.ring.is_empty() || self.has_lifo() || !self.spent.borrow().is_empty()
    }

    /// Queues a task that was woken or spawned on this thread.
    #[inline]
    pub(super) fn wake(&self, entry: Entry) {
        if self.running.get() && self.pool().policy.lifo_slot {
            let Some(older) = self.lifo.replace(Some(entry)) else { return };
            self.push(older);
        } else {
            self.push(entry);
        }
    }

    /// Queues a task behind those that are here, and sees to it that somebody looks, if somebody
    /// sleeps.
    #[inline]
    fn push(&self, entry: Entry) {
        if let Some(overflow) = self.ring.push(entry) {
            count(&self.done.overflows, 1);
            self.pool().injector.push(overflow);
        }
        self.pool().wake_one();
    }

    /// The task that the last one has woken, if it is its turn before all others.
    #[inline]
    pub(crate) fn next_at_once(&self) -> Option<Entry> {
        let entry = self.lifo.take()?;
        let run = self.lifo_run.get();
        if run < LIFO_IN_A_ROW {
            self.lifo_run.set(run + 1);
            return Some(entry);
        }
        self.lifo_run.set(0);
        self.push(entry);
        None
    }

    /// The task whose turn it is otherwise.
    #[inline]
    pub(crate) fn next(&self) -> Option<Entry> {
        self.lifo_run.set(0);
        let pool = self.pool();
        let picks = self.picks.get() + 1;
        if picks >= pool.policy.injector_interval {
            self.picks.set(0);
            if let Some(entry) = pool.injector.take_one() {
                return Some(entry);
            }
        } else {
            self.picks.set(picks);
        }
        self.ring.pop().or_else(|| pool.injector.take(&self.ring, pool.shards()))
    }

    /// Whether tasks wait in the common queue.
    #[inline]
    pub(crate) fn keeps_waiting(&self) -> bool {
        !self.pool().injector.is_empty()
    }

    /// The next task is the oldest of the common queue, at most once in `longest`: where tasks take
    /// long, those in the queue are not to wait for so many of them.
    pub(crate) fn hurry(&self, now: Instant, longest: Duration) {
        let before = self.hurried.get();
        if before.is_none_or(|before| now.saturating_duration_since(before) >= longest) {
            self.hurried.set(Some(now));
            self.picks.set(self.pool().policy.injector_interval - 1);
        }
    }

    /// Runs a task once. One that has nothing left of its budget gives way as one that yields: put
    /// back at once, it would be polled as often as a turn has polls for each poll of that one.
    #[inline]
    pub(crate) fn run(&self, entry: Entry) {
        // Before, and not after: this may take long, and others would rely on its search.
        self.stop_searching();
        let outer = self.running.replace(true);
        let again = entry.run();
        self.running.set(outer);
        match again {
            None => {}
            Some(entry) if coop::has_budget_remaining() => self.push(entry),
            Some(entry) => self.spent.borrow_mut().push(entry),
        }
    }

    /// Puts those that gave way behind the others.
    #[inline]
    pub(crate) fn end_turn(&self) {
        if !self.spent.borrow().is_empty() {
            self.spent.borrow_mut().drain(..).for_each(|entry| self.push(entry));
        }
    }

    /// Calls `f`, which blocks in the middle of a poll: what it wakes others may take at once.
    pub(crate) fn while_blocked<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Back<'a>(&'a Cell<bool>, bool);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let _back = Back(&self.running, self.running.replace(false));
        f()
    }

    /// Looks for work elsewhere, unless enough others do. True if there is something to run here
    /// now.
    pub(crate) fn search(&self) -> bool {
        let pool = self.pool();
        if let Some(entry) = pool.injector.take(&self.ring, pool.shards()) {
            return self.has_found(entry);
        }
        if pool.shards() == 1 || !self.try_search() {
            return false;
        }
        let most = pool.policy.most_stolen();
        let (shards, start) = (pool.shards(), self.draw());
        for victim in (0..shards).map(|n| (start + n) % shards) {
            if victim != self.partition.index()
                && let Some((entry, n)) = pool.thief(victim).steal(&self.ring, most)
            {
                count(&self.done.stolen, n);
                count(&self.done.thefts, 1);
                return self.has_found(entry);
            }
        }
        false
    }

    fn try_search(&self) -> bool {
        if !self.searching.get() {
            if !self.pool().idle.try_search() {
                return false;
            }
            count(&self.done.searches, 1);
            self.searching.set(true);
        }
        true
    }

    fn has_found(&self, entry: Entry) -> bool {
        if self.ring.room() == 0 {
            // It was not empty: somebody woke tasks here in the meantime.
            self.pool().injector.push([entry]);
        } else {
            let overflow = self.ring.push(entry);
            debug_assert!(overflow.is_none(), "there was room");
        }
        self.stop_searching();
        true
    }

    /// There is something to do: if this was the last one that searched, another one does now.
    #[inline]
    pub(crate) fn stop_searching(&self) {
        if self.searching.replace(false) {
            let pool = self.pool();
            let next = pool.idle.found(pool.policy.wake_one_more);
            pool.wake(next);
        }
    }

    /// Whether there is something elsewhere, as far as a short look tells: at the common queue, and
    /// at one ring after the other.
    pub(crate) fn glance(&self) -> bool {
        let pool = self.pool();
        let next = (self.glance.get() + 1) % pool.shards();
        self.glance.set(next);
        !pool.injector.is_empty() || !pool.thief(next).is_empty()
    }

    /// Before the thread sleeps. False if there is something to do after all.
    pub(crate) fn lie_down(&self) -> bool {
        let pool = self.pool();
        let searched = self.searching.replace(false);
        match pool.idle.sleep(self.partition.index(), searched) {
            Asleep::LookFirst if pool.has_any() => {
                self.rise();
                // As one that searches, for it is the one that others relied on: if there is more
                // than it takes, it has to wake the next.
                self.try_search();
                false
            }
            _ => true,
        }
    }

    /// Whether another thread wants this one to get up: looked at last before it sleeps.
    #[inline]
    pub(crate) fn is_woken(&self) -> bool {
        self.pool().idle.is_woken(self.partition.index())
    }

    /// After the thread has slept, or has not after all.
    pub(crate) fn rise(&self) {
        self.searching.set(self.pool().idle.rise(self.partition.index()));
    }

    /// Gives all that is queued here to the other shards.
    pub(crate) fn give_away(&self) {
        self.end_turn();
        let queued = std::iter::from_fn(|| self.lifo.take().or_else(|| self.ring.pop()));
        let mut queued = queued.peekable();
        if queued.peek().is_some() {
            self.pool().inject(queued);
        }
    }

    /// Drops the futures of the shard's tasks, and leaves what is queued here to the other shards.
    pub(crate) fn close(&self) {
        self.stop_searching();
        self.partition.close();
        self.give_away();
    }

    /// Which ring to look at first.
    fn draw(&self) -> usize {
        let mut seed = self.seed.get();
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        self.seed.set(seed);
        (seed >> 33) as usize
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("ring", &self.ring)
            .field("searching", &self.searching.get())
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}
