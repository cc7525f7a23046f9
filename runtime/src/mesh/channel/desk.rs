//! Where the receiver of a channel is called: by senders, or by the loop that looks at its lanes.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use crossbeam_utils::CachePadded;

use super::super::bound::Bound;
use super::super::current;
use super::super::local::{Flush, Local};
use super::super::ring::Glance;
use super::super::summons::{Summoned, Summons};
use super::super::watch::Watched;
use crate::executor::inbox::Parcel;
use crate::executor::{Home, swallow};
use crate::loom::sync::atomic::AtomicU64;

/// Lanes of a receiver that a loop looks at; where there are more, senders call.
const LANES_WATCHED: usize = 8;
/// The other end of a lane, where somebody may wait for room.
pub(super) trait Room: Send + Sync {
    /// Calls those who wait. After `fence_before_calls`.
    fn call(&self);

    /// Whether something was sent that cannot be received yet.
    fn has_unpublished(&self) -> bool;
}

/// Where the receiver is called. In a line of its own: senders read the summons around it.
pub(super) struct Desk(CachePadded<Own>);

/// What the receiver's thread uses.
struct Own {
    /// Counts how often senders were told of room. Outside of what is bound, so that the receiver,
    /// which is on its thread, need not prove it for each message.
    round: AtomicU64,
    waiter: Bound<Waiter>,
}

impl Desk {
    /// The desk of a receiver on this thread.
    pub(super) fn new(local: &Local) -> Arc<Parcel<Summons<Desk>>> {
        // An inlet that is new was noted in none.
        let round = AtomicU64::new(1);
        let waiter = Bound::new(local.stamp(), Waiter::new());
        let desk = Desk(CachePadded::new(Own { round, waiter }));
        Summons::new(Arc::clone(local.inbox()), desk)
    }

    /// Which it is, of the rounds in which senders are told of room.
    #[inline]
    pub(super) fn round(&self) -> u64 {
        self.0.round.load(Ordering::Relaxed)
    }

    /// What the receiver's thread uses, on that thread, inside of its loop.
    #[inline]
    pub(super) fn waiter(&self) -> Option<&Waiter> {
        self.0.waiter.get()
    }

    /// The same, for one who has what this thread keeps at hand.
    #[inline]
    pub(super) fn waiter_of(&self, local: &Local) -> Option<&Waiter> {
        self.0.waiter.of(local)
    }
}

pub(super) struct Waiter {
    pub(super) waker: RefCell<Option<Waker>>,
    /// The loop is to wake who waits when something has come.
    pub(super) waits: Cell<bool>,
    /// The loop watches this.
    watched: Cell<bool>,
    /// What the loop looks at.
    pub(super) gauges: RefCell<Vec<Box<dyn Glance>>>,
    /// Outlets whose lanes were taken from in this turn.
    pub(super) drained: RefCell<Vec<Arc<dyn Room>>>,
}

impl Waiter {
    /// Nobody is called yet.
    fn new() -> Waiter {
        Waiter {
            waker: RefCell::default(),
            waits: Cell::new(false),
            watched: Cell::new(false),
            gauges: RefCell::default(),
            drained: RefCell::default(),
        }
    }

    /// Has the loop look at the lanes, or senders call if those are too many. There must be another
    /// look after this.
    pub(super) fn be_called(&self, desk: &Arc<Parcel<Summons<Desk>>>) {
        let watched = self.watched.get()
            || self.gauges.borrow().len() <= LANES_WATCHED
                && current::with(|local| {
                    local.is_some_and(|local| local.watch(local.inbox(), || Arc::clone(desk) as _))
                });
        self.watched.set(watched);
        self.waits.set(watched);
        if !watched {
            desk.content.want();
        }
    }
}

impl Summoned for Desk {
    fn come(&self) {
        let waker = self.waiter().and_then(|waiter| waiter.waker.take());
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Watched for Parcel<Summons<Desk>> {
    #[inline]
    fn has_come(&self) -> bool {
        let Some(waiter) = self.content.who.waiter() else { return false };
        waiter.waits.get() && waiter.gauges.borrow().iter().any(|gauge| !gauge.is_empty())
    }

    fn take(&self, _home: &Home) {
        let Some(waiter) = self.content.who.waiter() else { return };
        waiter.waits.set(false);
        swallow(|| self.content.who.come());
    }

    fn let_go(self: Arc<Self>, home: Option<&Home>) {
        let Some(waiter) = self.content.who.waiter() else { return };
        waiter.watched.set(false);
        if waiter.waits.get() {
            self.content.want();
            if let Some(home) = home
                && self.has_come()
            {
                self.take(home);
            }
            waiter.waits.set(false);
        }
    }
}

impl Flush for Parcel<Summons<Desk>> {
    fn publish(&self) {}

    fn call(&self) -> bool {
        let Some(waiter) = self.content.who.waiter() else {
            unreachable!("it is flushed by the thread that received")
        };
        let round = &self.content.who.0.round;
        round.store(self.content.who.round() + 1, Ordering::Relaxed);
        let mut drained = waiter.drained.take();
        drained.drain(..).for_each(|outlet| outlet.call());
        // Its memory is used again.
        waiter.drained.replace(drained);
        // Who does not wait for room has nothing to hear.
        false
    }
}
