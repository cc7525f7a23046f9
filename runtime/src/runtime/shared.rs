//! What all threads of a runtime and all its handles have in common. None of it is a task or a
//! ring: those belong to threads.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use henge_driver::current;
use henge_driver::offload::{Class, JobError, Pool};

use super::config::Config;
use super::context;
use super::guest::Role;
use super::host;
use super::latch::Latch;
use super::placement::Cpus;
use super::seat::Seat;
use crate::executor::inbox::Inbox;
use crate::executor::spawn_meta::SpawnMeta;
use crate::executor::{Errand, Home, JoinHandle};
use crate::mesh::Peers;
use crate::stealing::Partition;
use crate::time::Clock;

/// One runtime.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) seats: Seats,
    pub(crate) pool: Arc<Pool>,
    pub(crate) config: Config,
    pub(crate) cpus: Cpus,
    pub(crate) clock: Arc<Clock>,
    /// The shards as they see each other.
    pub(crate) peers: Arc<Peers>,
    /// The stealable tasks, by the shard that they began on; none where nothing is stolen.
    pub(crate) partitions: Box<[Arc<Partition>]>,
    /// The shards' threads.
    pub(super) running: Latch,
    closed: AtomicBool,
    /// The owner of the shard of `new_current_thread` is inside `block_on`. Who looks a moment
    /// before that changes is right, too.
    owner_inside: AtomicBool,
    /// How many seats were drawn.
    draws: AtomicU64,
}

/// The task queues of a runtime's shards.
#[derive(Debug)]
pub(crate) enum Seats {
    /// One a shard thread, from build to shutdown.
    Threads(Box<[Seat]>),
    /// The one of `new_current_thread`, which goes to the first thread that blocks on it.
    Lone(Mutex<Lone>),
}

impl Seats {
    fn all(&self) -> Vec<Seat> {
        match self {
            Seats::Threads(seats) => seats.to_vec(),
            Seats::Lone(lone) => vec![lock(lone).seat.clone()],
        }
    }
}

#[derive(Debug)]
pub(crate) struct Lone {
    pub(crate) seat: Seat,
    /// Whether a thread owns it.
    pub(crate) taken: bool,
    /// The thread that built the runtime.
    pub(crate) builder: ThreadId,
    /// The thread that owns it.
    pub(super) owner: Option<ThreadId>,
    /// The guests that are inside `block_on`, as they came.
    pub(super) guests: Vec<Guest>,
}

impl Lone {
    /// Whether the caller owns the shard, or would if it blocked before others do.
    fn is_mine(&self) -> bool {
        self.owner.unwrap_or(self.builder) == std::thread::current().id()
    }
}

/// A thread that is inside `block_on` and not the owner.
#[derive(Debug)]
pub(super) struct Guest {
    inbox: Arc<Inbox>,
    role: Role,
}

/// A thread is inside `block_on`, for as long as this lives.
pub(super) enum Present<'a> {
    Owner { inside: &'a AtomicBool, before: bool },
    Guest { lone: &'a Mutex<Lone>, inbox: Arc<Inbox> },
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        match self {
            Present::Owner { inside, before } => inside.store(*before, Ordering::Relaxed),
            Present::Guest { lone, inbox } => {
                let mut lone = lock(lone);
                let own = lone.guests.iter().position(|guest| Arc::ptr_eq(&guest.inbox, inbox));
                let left = own.map(|own| lone.guests.remove(own));
                drop(lone);
                drop(left);
            }
        }
    }
}

impl Shared {
    pub(super) fn new(
        seats: Seats,
        pool: Arc<Pool>,
        config: Config,
        cpus: Cpus,
        clock: Arc<Clock>,
    ) -> Arc<Shared> {
        host::announce();
        let (closed, draws) = (AtomicBool::new(false), AtomicU64::new(0));
        let owner_inside = AtomicBool::new(false);
        let running = Latch::default();
        let inboxes = seats.all().into_iter().map(|seat| seat.inbox);
        let peers = Peers::new(inboxes, config.lane_capacity);
        let partitions = match (&seats, config.stealing) {
            (Seats::Threads(seats), Some(policy)) => {
                let bells = seats.clone();
                let roster = config.watch.roster.clone();
                let bell = move |index: usize| bells[index].wake_at_once();
                Partition::all(seats.len(), policy, roster, bell)
            }
            _ => Box::default(),
        };
        Arc::new(Shared {
            seats,
            pool,
            config,
            cpus,
            clock,
            peers,
            partitions,
            running,
            closed,
            owner_inside,
            draws,
        })
    }

    /// The seats at this moment, by number.
    pub(crate) fn seats(&self) -> Vec<Seat> {
        self.seats.all()
    }

    pub(crate) fn shards(&self) -> usize {
        match &self.seats {
            Seats::Threads(seats) => seats.len(),
            Seats::Lone(_) => 1,
        }
    }

    /// Takes no more tasks from handles. True the first time.
    pub(super) fn close(&self) -> bool {
        // AcqRel: who sees the runtime closed sees what happened before, and here the other way.
        !self.closed.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Acquire: pairs with `close`.
        self.closed.load(Ordering::Acquire)
    }

    /// Puts a task on a shard; see [`Handle::spawn`](super::Handle::spawn).
    #[track_caller]
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_from(SpawnMeta::new(), future)
    }

    /// The same, for callers that know more of it.
    pub(crate) fn spawn_from<F>(&self, meta: SpawnMeta<'_>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.is_closed() {
            return cancelled(future);
        }
        let mut future = Some(future);
        let here = context::with_shard(|shard| {
            let ours = std::ptr::eq(&**shard.shared(), self)
                && (shard.index().is_some() || self.stands_in(shard.home().inbox()));
            // A closure that blocks this shard may be about to wait for the task.
            let ours = ours && (!current::may_block() || self.shards() == 1);
            let future = if ours { future.take() } else { None };
            future.map(|future| shard.home().spawn_from(meta, future))
        });
        match (here.flatten(), future) {
            (Some(task), _) => task,
            (None, Some(future)) => self.draw().spawn_from(meta, future),
            (None, None) => unreachable!("the future is either spawned or left"),
        }
    }

    /// Spawns a task that any shard may run; see [`steal::spawn`](crate::steal::spawn).
    pub(crate) fn spawn_stealable<F>(&self, meta: SpawnMeta<'_>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.is_closed() {
            return cancelled(future);
        }
        if self.partitions.is_empty() {
            return match &self.seats {
                Seats::Threads(_) => self.draw().spawn_from(meta, future),
                Seats::Lone(_) => self.spawn_from(meta, future),
            };
        }
        self.partition().spawn(meta, future)
    }

    /// Where nothing is stolen, makes a task on the less loaded of two shards that are drawn; see
    /// [`steal::place`](crate::steal::place).
    ///
    /// # Errors
    /// Gives the closure back where tasks are stolen: an idle shard will come for it.
    #[track_caller]
    pub(crate) fn place_by_draw<M, F>(&self, make: M) -> Result<JoinHandle<F::Output>, M>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        match self.partitions.is_empty() {
            true => Ok(self.draw().spawn_with(make)),
            false => Err(make),
        }
    }

    /// Where a task begins that is spawned here: on this thread's shard, or on one that is drawn.
    fn partition(&self) -> &Arc<Partition> {
        let here = context::with_shard(|shard| {
            let ours = std::ptr::eq(&**shard.shared(), self);
            if ours { shard.index() } else { None }
        });
        let drawn = || self.draws.fetch_add(1, Ordering::Relaxed) as usize % self.partitions.len();
        &self.partitions[here.flatten().unwrap_or_else(drawn)]
    }

    /// Makes a task on the shard of this number.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub(crate) fn spawn_on<M, F>(&self, index: usize, make: M) -> JoinHandle<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        let shards = self.shards();
        assert!(index < shards, "there is no shard {index}: this runtime has {shards}");
        match &self.seats {
            Seats::Threads(seats) => seats[index].inbox.spawn_with(make),
            Seats::Lone(lone) => {
                let inbox = Arc::clone(&lock(lone).seat.inbox);
                inbox.spawn_with(make)
            }
        }
    }

    /// Notes that this thread is inside `block_on`: the owner, or, with this inbox, a guest that
    /// came to be what `role` says.
    pub(super) fn arrive(
        &self,
        inbox: &Arc<Inbox>,
        owner: bool,
        role: Role,
    ) -> Option<Present<'_>> {
        let Seats::Lone(lone) = &self.seats else { return None };
        if owner {
            let inside = &self.owner_inside;
            let before = inside.load(Ordering::Relaxed);
            inside.store(true, Ordering::Relaxed);
            return Some(Present::Owner { inside, before });
        }
        lock(lone).guests.push(Guest { inbox: Arc::clone(inbox), role });
        Some(Present::Guest { lone, inbox: Arc::clone(inbox) })
    }

    /// Whether the guest with this inbox, which is inside `block_on`, runs what is spawned on the
    /// runtime: where the owner of the one shard is not.
    fn stands_in(&self, inbox: &Arc<Inbox>) -> bool {
        let Seats::Lone(lone) = &self.seats else { return false };
        !self.owner_inside.load(Ordering::Relaxed)
            && lock(lone).guests.iter().any(|guest| Arc::ptr_eq(&guest.inbox, inbox))
    }

    /// The less loaded of two seats that are drawn. Of a runtime of one thread, whoever is inside
    /// `block_on`: the owner, then a guest that would have been the owner, then any; if nobody is,
    /// what is spawned waits for the owner. So does what the owner spawns itself, who may be about
    /// to block on it, while nobody is inside but guests that come and go.
    fn draw(&self) -> Arc<Inbox> {
        match &self.seats {
            Seats::Lone(lone) => {
                let lone = lock(lone);
                let stays = lone.guests.iter().find(|guest| guest.role == Role::Owner);
                let own =
                    self.owner_inside.load(Ordering::Relaxed) || stays.is_none() && lone.is_mine();
                let guest = if own { None } else { stays.or(lone.guests.first()) };
                Arc::clone(guest.map_or(&lone.seat.inbox, |guest| &guest.inbox))
            }
            Seats::Threads(seats) => {
                let drawn = mix(self.draws.fetch_add(1, Ordering::Relaxed));
                let pick = |bits: u32| &seats[(bits as usize) % seats.len()];
                let (a, b) = (pick(drawn as u32), pick((drawn >> 32) as u32));
                let drawn = if a.load() <= b.load() { a } else { b };
                let free = || seats.iter().find(|seat| !seat.is_blocked());
                let seat = if drawn.is_blocked() { free().unwrap_or(drawn) } else { drawn };
                Arc::clone(&seat.inbox)
            }
        }
    }

    /// Runs a closure in the pool, inside this runtime.
    ///
    /// # Errors
    /// If the pool has no thread, and the system refuses to start one.
    pub(crate) fn spawn_blocking<F, T>(
        self: &Arc<Self>,
        meta: SpawnMeta<'_>,
        call: F,
    ) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (task, errand) = Errand::new(meta, call);
        let shared = Arc::clone(self);
        let inhibit = self.clock.inhibit();
        let job = self.pool.spawn_telling(Class::User, move |telling| {
            let entered = context::SharedGuard::new(Arc::clone(&shared));
            errand.run(|| telling.begin());
            drop(entered);
            drop(inhibit);
            shared.let_time_pass();
        });
        match job.detach() {
            Some(JobError::NoThread(error)) => Err(error),
            // The pool is shut down, and the errand dropped: its task is cancelled.
            _ => Ok(task),
        }
    }

    /// On a paused clock, an idle shard has waited for what is done now before it moves the clock.
    fn let_time_pass(&self) {
        if let Seats::Lone(lone) = &self.seats
            && self.clock.may_auto_advance()
        {
            let inbox = Arc::clone(&lock(lone).seat.inbox);
            inbox.ring();
        }
    }
}

/// A task of a runtime that is shut down.
#[cold]
fn cancelled<F: Future + 'static>(future: F) -> JoinHandle<F::Output> {
    let home = Home::new(|| ());
    home.close();
    home.spawn(future)
}

/// What is guarded is whole at every moment, whoever panicked.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Spreads the bits of a counter (the finalizer of splitmix64).
fn mix(count: u64) -> u64 {
    let mut bits = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
