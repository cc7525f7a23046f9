//! Where the receiver of a channel is called: by senders, or by the loop that looks at its lanes.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use crossbeam_utils::CachePadded;

use super::super::bound::Bound;
use super::super::current;
use super::super::flush::{Flush, Known};
use super::super::local::Local;
use super::super::ring::Glance;
use super::super::summons::{Summoned, Summons};
use super::super::watch::Watched;
use crate::executor::inbox::Parcel;
use crate::executor::{Home, swallow};

/// Lanes of a receiver that a loop looks at; where there are more, senders call.
const LANES_WATCHED: usize = 8;
/// The other end of a lane, where somebody may wait for room.
pub(super) trait Room: Send + Sync {
    /// Calls those who wait. After `fence_before_calls`.
    fn call(&self);

    /// Whether something was sent that cannot be received yet.
    fn has_unpublished(&self) -> bool;
}

/// The other end of a lane as the receiver's thread has it, which writes here in each turn: in a
/// line of its own, since the sender's thread has allocated it, among what that one writes.
#[repr(align(128))]
pub(super) struct Inward {
    /// The sender is to be told of room at the end of this turn.
    noted: AtomicBool,
    known: Known,
    room: Box<dyn Room>,
}

impl Inward {
    pub(super) fn new(room: impl Room + 'static) -> Arc<Inward> {
        let (noted, known) = (AtomicBool::new(false), Known::default());
        Arc::new(Inward { noted, known, room: Box::new(room) })
    }

    /// The other end.
    #[inline]
    pub(super) fn room(&self) -> &dyn Room {
        &*self.room
    }

    /// Whether the sender is told of room at the end of this turn in any case.
    #[inline]
    pub(super) fn is_noted(&self) -> bool {
        self.noted.load(Ordering::Relaxed)
    }

    /// Has the sender told of room at the end of this turn.
    pub(super) fn note(this: &Arc<Inward>, local: &Local) {
        // Before it is remembered: a loop that closes tells at once.
        this.noted.store(true, Ordering::Relaxed);
        local.remember(&this.known, || Arc::clone(this) as _);
    }
}

impl Flush for Inward {
    fn publish(&self) {}

    fn call(&self) -> bool {
        self.noted.store(false, Ordering::Relaxed);
        self.room.call();
        // Who does not wait for room has nothing to hear.
        false
    }
}

/// Where the receiver is called. In a line of its own: senders read the summons around it.
pub(super) struct Desk(CachePadded<Bound<Waiter>>);

impl Desk {
    /// The desk of a receiver on this thread.
    pub(super) fn new(local: &Local) -> Arc<Parcel<Summons<Desk>>> {
        let desk = Desk(CachePadded::new(Bound::new(local.stamp(), Waiter::new())));
        Summons::new(Arc::clone(local.inbox()), desk)
    }

    /// What the receiver's thread uses, on that thread, inside of its loop.
    #[inline]
    pub(super) fn waiter(&self) -> Option<&Waiter> {
        self.0.get()
    }

    /// The same, for one who has what this thread keeps at hand.
    #[inline]
    pub(super) fn waiter_of(&self, local: &Local) -> Option<&Waiter> {
        self.0.of(local)
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
}

impl Waiter {
    /// Nobody is called yet.
    fn new() -> Waiter {
        Waiter {
            waker: RefCell::default(),
            waits: Cell::new(false),
            watched: Cell::new(false),
            gauges: RefCell::default(),
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
        let Some(waiter) = self.waiter() else { return };
        // It stays for the next wait; while it is used it is in nobody's way.
        if let Some(waker) = waiter.waker.take() {
            waker.wake_by_ref();
            let newer = waiter.waker.replace(Some(waker));
            if newer.is_some() {
                drop(waiter.waker.replace(newer));
            }
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
