//! What all shards of a runtime have in common for stealable tasks.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slab::Slab;

use super::current;
use super::deque::{self, Owner, Thief};
use super::idle::Idle;
use super::injector::Injector;
use super::policy::Policy;
use crate::executor::JoinHandle;
use crate::executor::roster::Roster;
use crate::executor::spawn_meta::SpawnMeta;
use crate::executor::stealable::{self, Entry, Member, Scheduler};

/// The queues that all shards look at, and who of them does.
pub(crate) struct Pool {
    thieves: Box<[Thief<Entry>]>,
    pub(super) injector: Injector<Entry>,
    pub(super) idle: Idle,
    pub(super) policy: Policy,
    /// Shards that have not closed.
    open: AtomicUsize,
    /// Where tasks stand that are not complete, if anybody wants to know.
    roster: Option<Arc<Roster>>,
    /// Wakes the shard of an index if it sleeps, or is about to.
    bell: Box<dyn Fn(usize) + Send + Sync>,
}

impl Pool {
    pub(super) fn shards(&self) -> usize {
        self.thieves.len()
    }

    pub(super) fn thief(&self, index: usize) -> &Thief<Entry> {
        &self.thieves[index]
    }

    /// Whether there is something for anybody to run.
    pub(super) fn has_any(&self) -> bool {
        !self.injector.is_empty() || self.thieves.iter().any(|thief| !thief.is_empty())
    }

    /// Wakes a shard that [`Idle`] has taken off its list.
    #[inline]
    pub(super) fn wake(&self, whom: Option<usize>) {
        if let Some(index) = whom {
            (self.bell)(index);
        }
    }

    /// After work was made: wakes a shard for it if one is needed.
    #[inline]
    pub(super) fn wake_one(&self) {
        self.wake(self.idle.wake_one());
    }

    /// Puts entries into the common queue.
    pub(super) fn inject(&self, entries: impl IntoIterator<Item = Entry>) {
        self.injector.push(entries);
        self.wake_one();
    }

    /// One shard has closed. What is queued when the last one does was cancelled before.
    pub(super) fn leave(&self) {
        // AcqRel: the last one comes after all that the others did.
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            drop(self.injector.close());
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("thieves", &self.thieves)
            .field("injector", &self.injector)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

/// The stealable tasks that were spawned on one shard, or drawn to it, wherever they are now. So
/// that a task's beginning and end touch no count that all shards have in common.
#[derive(Debug)]
pub(crate) struct Partition {
    pool: Arc<Pool>,
    index: usize,
    /// Those that are not complete. None once the shard has closed.
    members: Mutex<Option<Slab<Member>>>,
    /// Until the shard takes its seat.
    owner: Mutex<Option<Owner<Entry>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that panics runs under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Partition {
    /// The queues of `shards` shards, of which `bell` wakes the one of an index, from any thread,
    /// at any time.
    pub(crate) fn all(
        shards: usize,
        policy: Policy,
        roster: Option<Arc<Roster>>,
        bell: impl Fn(usize) + Send + Sync + 'static,
    ) -> Box<[Arc<Partition>]> {
        let (owners, thieves): (Vec<_>, Vec<_>) = (0..shards).map(|_| deque::ring()).unzip();
        let pool = Arc::new(Pool {
            thieves: thieves.into(),
            injector: Injector::new(),
            idle: Idle::new(shards, policy.most_searching(shards)),
            policy,
            roster,
            open: AtomicUsize::new(shards),
            bell: Box::new(bell),
        });
        owners
            .into_iter()
            .enumerate()
            .map(|(index, owner)| {
                let members = Mutex::new(Some(Slab::new()));
                let owner = Mutex::new(Some(owner));
                Arc::new(Partition { pool: Arc::clone(&pool), index, members, owner })
            })
            .collect()
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// The end of the ring that only the shard has. Once.
    pub(super) fn take_owner(&self) -> Option<Owner<Entry>> {
        lock(&self.owner).take()
    }

    /// Spawns a task that any shard may run.
    pub(crate) fn spawn<F>(
        self: &Arc<Self>,
        meta: SpawnMeta<'_>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        stealable::spawn(self, meta, future)
    }

    /// Tasks that are not complete.
    pub(crate) fn alive(&self) -> usize {
        lock(&self.members).as_ref().map_or(0, Slab::len)
    }

    /// Entries in the common queue.
    pub(crate) fn injected(&self) -> usize {
        self.pool.injector.len()
    }

    /// Takes no more tasks, and drops the futures of those that it has, here; those that run are
    /// dropped by the shards that run them.
    pub(crate) fn close(&self) {
        let Some(members) = lock(&self.members).take() else { return };
        for (_, member) in members {
            member.cancel();
        }
        self.pool.leave();
    }
}

impl Scheduler for Partition {
    fn enlist(&self, member: Member) -> Result<usize, Member> {
        match &mut *lock(&self.members) {
            Some(members) => Ok(members.insert(member)),
            None => Err(member),
        }
    }

    fn dismiss(&self, key: usize) -> Option<Member> {
        let member = lock(&self.members).as_mut().and_then(|members| members.try_remove(key));
        if let (Some(roster), Some(member)) = (&self.pool.roster, &member) {
            roster.remove(member.id());
        }
        member
    }

    fn roster(&self) -> Option<&Roster> {
        self.pool.roster.as_deref()
    }

    fn schedule(&self, entry: Entry) {
        let left = current::with(|worker| match worker {
            Some(worker) if worker.is_of(&self.pool) => {
                worker.wake(entry);
                None
            }
            _ => Some(entry),
        });
        if let Some(entry) = left {
            self.pool.inject([entry]);
        }
    }
}
