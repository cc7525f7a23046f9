//! Futures and closures that a shard's thread waits for: `block_on`, and blocking in place.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::pin;
use std::time::Duration;

use henge_driver::current;

use super::Shard;
use crate::executor::spawn_meta::SpawnMeta;
use crate::executor::{Home, View};
use crate::runtime::root::Root;
use crate::runtime::shared::Seats;
use crate::runtime::unwind;

/// For how long a thread that leaves its loop waits while peers take nothing of what was written.
/// Long enough for one that is slow to read, and what comes of one that never will is bounded.
const STUCK: Duration = Duration::from_secs(3);

/// For how long it then waits for streams to be let go.
const PATIENCE: Duration = Duration::from_millis(500);

impl Shard {
    /// Runs turns until `future` is done, which is polled as a task. Also inside of a task of this
    /// shard, if [`Nest::refusal`] has no objection.
    #[track_caller]
    pub(in crate::runtime) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let meta = SpawnMeta::new();
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
            let _root = Root::new(&self.home, meta, future);
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
        let handed = self.driver.hand_over(STUCK, PATIENCE);
        self.count_enter();
        if let Err(error) = handed {
            panic!("this thread's ring failed: {error}");
        }
    }
}
