//! Waiting for a future on a thread that is not a shard's, and what that thread keeps for it.
//!
//! A thread has at most one ring, and a task queue with its timers for each runtime that it has
//! blocked on: as a guest, or as the owner of the shard of `new_current_thread`. They are made when
//! they are first needed and kept, so that tasks which were spawned here go on at the next
//! `block_on`, and a thread that blocks often makes one ring. They end, on this thread,
//!
//! - when the runtime is shut down by this thread,
//! - at this thread's next `block_on`, if another one has shut it down,
//! - when the thread ends.
//!
//! With the last of them ends the ring. The thread that builds a runtime of one thread has a ring
//! from then on, since it is most likely the one that will run it. If it is not, the ring ends with
//! the runtime, if that ends here, or with the next runtime that is built here, or the thread.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use henge_driver::offload::Pool;
use henge_driver::{Driver, current};

use super::context::{self, SharedGuard};
use super::launch::end_driver;
use super::seat::Seat;
use super::shard::Shard;
use super::shared::{Seats, Shared, lock};

/// As what a thread blocks on a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// As the owner of the shard, if that has no owner yet.
    Owner,
    /// As the owner if it is that, or built the runtime and that has no owner yet; else as a guest.
    Guest,
}

/// # Panics
/// In async context.
#[track_caller]
pub(crate) fn assert_may_block() {
    assert!(
        !context::in_loop() || current::may_block(),
        "Cannot start a runtime from within a runtime. This happens because a function (like \
         `block_on`) attempted to block the current thread while the thread is being used to \
         drive asynchronous tasks. If you are in an async function, use `.await` on the future \
         instead of blocking on it."
    );
}

/// Runs `future` on this thread, with its ring and its tasks for `shared`, until it is done.
///
/// # Panics
/// In async context, and where a shard of `shared` that is on this thread's stack cannot turn.
#[track_caller]
pub(crate) fn block_on<F: Future>(shared: &Arc<Shared>, role: Role, future: F) -> F::Output {
    assert_may_block();
    // In a `block_in_place` the loop of this thread is below, on this stack.
    let below = context::with(|shard| {
        let own = shard.filter(|shard| Arc::ptr_eq(shard.shared(), shared));
        own.map(|shard| shard.nest().refusal())
    });
    match below {
        Some(Some(refusal)) => panic!("{refusal}"),
        Some(None) => {
            return context::with(|shard| match shard {
                Some(shard) => shard.block_on(future),
                None => unreachable!("the loop that was there has not been left"),
            });
        }
        None => {}
    }
    let shard = match KEPT.try_with(|kept| kept.shard(shared, role)) {
        Ok(shard) => shard,
        // This thread is ending, and what it kept is gone.
        Err(_) => Driver::with_config(&shared.config.driver)
            .map(|driver| Rc::new(Shard::guest(shared, driver))),
    };
    match shard {
        Ok(shard) => {
            // It may be on the stack below a loop of another runtime.
            if shard.nest().depth() > 0
                && let Some(refusal) = shard.nest().refusal()
            {
                panic!("{refusal}");
            }
            let _pool = PoolOf::lend(shared);
            let _present = shared.arrive(shard.home().inbox(), shard.index().is_some(), role);
            shard.block_on(future)
        }
        Err(error) => panic!("this thread cannot block on the runtime: {error}"),
    }
}

/// Makes the ring that this thread will need if it runs the runtime of one thread that it builds.
///
/// # Errors
/// If it cannot have one.
pub(super) fn prepare(config: &henge_driver::Config) -> io::Result<()> {
    match KEPT.try_with(|kept| kept.prepare(config)) {
        Ok(prepared) => prepared,
        // This thread is ending, and keeps nothing.
        Err(_) => Driver::with_config(config).map(drop),
    }
}

/// Calls `f` with the shard of a runtime of one thread where this is that thread: it sits there, or
/// it built the runtime and nobody sits there yet. What `f` spawns waits for the next `block_on`.
///
/// # Errors
/// If it would sit down now, and cannot have a ring.
pub(crate) fn with_own<R>(
    shared: &Arc<Shared>,
    f: impl FnOnce(&Shard) -> R,
) -> io::Result<Option<R>> {
    // A thread that is ending keeps nothing any more.
    let own = KEPT.try_with(|kept| kept.own(shared)).unwrap_or(Ok(None))?;
    Ok(own.map(|shard| f(&shard)))
}

/// The thread's ring serves several runtimes, but blocking work goes to the pool of the one that
/// is blocked on: the ring's first one may have ended.
struct PoolOf {
    ring_and_pool_before: Option<(Driver, Arc<Pool>)>,
}

impl PoolOf {
    fn lend(shared: &Shared) -> PoolOf {
        let lent = KEPT.try_with(|kept| {
            let driver = kept.driver.borrow();
            let driver = driver.as_ref().filter(|driver| !driver.blocks_in(&shared.pool))?;
            let before = driver.replace_blocking(Arc::clone(&shared.pool))?;
            Some((driver.clone(), before))
        });
        PoolOf { ring_and_pool_before: lent.ok().flatten() }
    }
}

impl Drop for PoolOf {
    fn drop(&mut self) {
        if let Some((driver, before)) = self.ring_and_pool_before.take() {
            drop(driver.replace_blocking(before));
        }
    }
}

/// Ends what this thread keeps for a runtime that was shut down.
pub(super) fn end(shared: &Arc<Shared>) {
    // A thread that is ending has ended it, or is about to.
    let _gone = KEPT.try_with(|kept| {
        kept.end(|shard| Arc::ptr_eq(shard.shared(), shared));
        kept.end_unused_driver();
    });
    let Seats::Lone(lone) = &shared.seats else { return };
    let mut lone = lock(lone);
    if !lone.taken {
        // Nobody will sit down here: what waits for somebody is dropped here.
        lone.taken = true;
        let inbox = Arc::clone(&lone.seat.inbox);
        drop(lone);
        let _within = SharedGuard::new(Arc::clone(shared));
        crate::executor::Home::with_inbox(inbox).close();
    }
}

thread_local! {
    static KEPT: Kept = const {
        Kept { driver: RefCell::new(None), shards: RefCell::new(Vec::new()) }
    };
}

/// What a thread keeps. Nothing is borrowed while code of a user runs.
struct Kept {
    driver: RefCell<Option<Driver>>,
    shards: RefCell<Vec<Rc<Shard>>>,
}

impl Kept {
    fn shard(&self, shared: &Arc<Shared>, role: Role) -> io::Result<Rc<Shard>> {
        self.end(|shard| shard.shared().is_closed());
        if let Some(own) = self.find(shared, true) {
            return Ok(own);
        }
        let driver = self.driver(shared)?;
        let shard = match take_seat(shared, role) {
            Some(seat) => Shard::seated(shared, 0, driver, &seat),
            None => match self.find(shared, false) {
                Some(guest) => return Ok(guest),
                None => Shard::guest(shared, driver),
            },
        };
        Ok(self.keep(shard))
    }

    /// The shard of a runtime of one thread, if this is its thread or may become it as a guest may.
    fn own(&self, shared: &Arc<Shared>) -> io::Result<Option<Rc<Shard>>> {
        if let Some(own) = self.find(shared, true) {
            return Ok(Some(own));
        }
        if !may_take_seat(shared) {
            return Ok(None);
        }
        // Before the seat is taken: a seat that is taken is sat on.
        let driver = self.driver(shared)?;
        let seat = take_seat(shared, Role::Guest);
        Ok(seat.map(|seat| self.keep(Shard::seated(shared, 0, driver, &seat))))
    }

    fn keep(&self, shard: Shard) -> Rc<Shard> {
        let shard = Rc::new(shard);
        self.shards.borrow_mut().push(Rc::clone(&shard));
        shard
    }

    fn find(&self, shared: &Arc<Shared>, own: bool) -> Option<Rc<Shard>> {
        let shards = self.shards.borrow();
        let found = shards
            .iter()
            .find(|shard| Arc::ptr_eq(shard.shared(), shared) && shard.index().is_some() == own);
        found.cloned()
    }

    fn driver(&self, shared: &Shared) -> io::Result<Driver> {
        if let Some(driver) = &*self.driver.borrow() {
            return Ok(driver.clone());
        }
        let driver = Driver::with_config(&shared.config.driver)?;
        *self.driver.borrow_mut() = Some(driver.clone());
        Ok(driver)
    }

    fn prepare(&self, config: &henge_driver::Config) -> io::Result<()> {
        // One that is in use is shared.
        if self.shards.borrow().is_empty() {
            // Made for another runtime, which has not been run here.
            self.end_unused_driver();
            let driver = Driver::with_config(config)?;
            *self.driver.borrow_mut() = Some(driver);
        }
        Ok(())
    }

    fn end_unused_driver(&self) {
        if self.shards.borrow().is_empty() {
            let driver = self.driver.borrow_mut().take();
            if let Some(driver) = driver {
                end_driver(&driver);
            }
        }
    }

    /// Ends those that `which` picks, and the ring if none is left. One whose loop is on this
    /// thread's stack is left to the next call.
    fn end(&self, which: impl Fn(&Shard) -> bool) {
        let which = |shard: &mut Rc<Shard>| shard.nest().depth() == 0 && which(shard);
        let mut ended: Vec<_> = self.shards.borrow_mut().extract_if(.., which).collect();
        if ended.is_empty() {
            return;
        }
        for shard in &ended {
            shard.close();
            vacate(shard);
        }
        self.end_unused_driver();
        // The timers go after the operations: these wake tasks, and nothing sleeps any more.
        ended.clear();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.end(|_| true);
        self.end_unused_driver();
    }
}

/// The seat of a runtime of one thread, if the caller may have it and nobody does.
fn take_seat(shared: &Shared, role: Role) -> Option<Seat> {
    let Seats::Lone(lone) = &shared.seats else { return None };
    let mut lone = lock(lone);
    let me = std::thread::current().id();
    let may = role == Role::Owner || lone.builder == me;
    if !may || lone.taken {
        return None;
    }
    lone.taken = true;
    lone.owner = Some(me);
    Some(lone.seat.clone())
}

/// Whether a guest on this thread would get the seat, for now.
fn may_take_seat(shared: &Shared) -> bool {
    let Seats::Lone(lone) = &shared.seats else { return false };
    let lone = lock(lone);
    !lone.taken && lone.builder == std::thread::current().id()
}

/// Gives up the seat of a shard that has ended. If its runtime has not, the next thread that blocks
/// on it may sit down.
fn vacate(shard: &Shard) {
    let Seats::Lone(lone) = &shard.shared().seats else { return };
    if shard.index().is_some() && !shard.shared().is_closed() {
        let mut lone = lock(lone);
        lone.seat = Seat::new(&shard.shared().config.watch);
        shard.shared().peers.reseat(0, Arc::clone(&lone.seat.inbox));
        lone.taken = false;
        lone.owner = None;
    }
}
