//! The sending end of one lane of a channel: the ring's producer, and those who wait for room, in
//! their order. All of it belongs to one thread.
//!
//! Who waits has a place in the line. The first one tries; when it has sent, or leaves, it wakes
//! the next. So a call from the receiver wakes one, and nobody is overtaken.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use crossbeam_utils::CachePadded;
use henge_driver::coop;

use super::super::bound::Bound;
use super::super::current;
use super::super::flush::{Flush, Known};
use super::super::local::Local;
use super::super::ring::{self, Producer};
use super::super::summons::{Summoned, Summons};
use super::Hub;
use super::desk::{Inward, Room};
use super::receiver::Inlet;
use crate::executor::inbox::Parcel;
use crate::executor::swallow;
use crate::loom::sync::atomic::AtomicBool;

/// See the module's documentation.
pub(super) struct Outlet<T> {
    pub(super) hub: Arc<Hub<T>>,
    /// In lines of its own: the receiver's thread reads the summons around it.
    part: CachePadded<Bound<Part<T>>>,
    /// Something was sent that the receiver cannot see yet: the outlet stands in the list of those
    /// to be flushed.
    unpublished: AtomicBool,
}

/// An outlet as it is passed around.
pub(super) type Called<T> = Arc<Parcel<Summons<Outlet<T>>>>;

/// Messages after which they are published before the turn ends.
const BATCH: u32 = 64;

/// What belongs to the sender's thread.
pub(super) struct Part<T> {
    producer: Producer<T>,
    /// [`BATCH`], or less where the lane is short.
    batch: u32,
    /// Messages that were sent when a task accounted for them last.
    accounted: Cell<usize>,
    /// As one who is flushed.
    known: Known,
    /// The turn in which it was flushed sooner.
    turn: Cell<u64>,
    /// The receiver was called for the sake of this lane, whether it wanted to be or not.
    introduced: Cell<bool>,
    line: RefCell<VecDeque<Waiting>>,
    /// Whether anybody stands in the line.
    has_line: Cell<bool>,
}

struct Waiting {
    place: Arc<Place>,
    /// Empty once it was used, until the next poll.
    waker: Option<Waker>,
}

/// The name of one who waits.
pub(super) struct Place {
    /// Whoever waited here has gone, and could not say so on this thread.
    gone: AtomicBool,
}

impl<T: Send + 'static> Outlet<T> {
    /// A lane from this thread.
    pub(super) fn new(hub: &Arc<Hub<T>>, local: &Local) -> Called<T> {
        let (mut producer, consumer) = ring::ring(hub.capacity);
        let batch = u32::try_from(hub.capacity / 4).unwrap_or(BATCH).clamp(1, BATCH);
        producer.think_every(1 << batch.ilog2());
        let part = Part {
            producer,
            batch,
            accounted: Cell::new(0),
            known: Known::default(),
            turn: Cell::new(0),
            introduced: Cell::new(false),
            line: RefCell::default(),
            has_line: Cell::new(false),
        };
        let outlet = Outlet {
            hub: Arc::clone(hub),
            part: CachePadded::new(Bound::new(local.stamp(), part)),
            unpublished: AtomicBool::new(false),
        };
        let called = Summons::new(Arc::clone(local.inbox()), outlet);
        hub.add(Inlet::new(consumer, Inward::new(Far(Arc::clone(&called)))));
        called
    }

    /// What belongs to this thread, if it is the one.
    #[inline]
    pub(super) fn part(&self, local: &Local) -> Option<&Part<T>> {
        self.part.of(local)
    }

    /// Whoever waited at `place` has gone, and this may be another thread.
    pub(super) fn leave(called: &Called<T>, place: &Arc<Place>) {
        match called.content.who.part.get() {
            Some(part) => part.leave(place),
            None => {
                place.gone.store(true, Ordering::Relaxed);
                Summons::nudge(called);
            }
        }
    }
}

impl<T: Send + 'static> Part<T> {
    /// Sends a message where there is nothing else to do: it is neither the first after a flush nor
    /// one with which others are shown, nobody waits, and there is room. Else it comes back.
    #[inline]
    pub(super) fn push_quickly(&self, message: T) -> Result<(), T> {
        self.producer.push_quickly(message)
    }

    /// Sends a message, to be seen at the next flush, or with some more. The first after a flush is
    /// seen at once, by a receiver that looks; one that waits to be called is called by the flush.
    pub(super) fn push(&self, local: &Local, called: &Called<T>, message: T) -> Result<(), T> {
        let outlet = &called.content.who;
        // Before this one: what is shown ends with a line of slots, or the two sides would pull at
        // the line in the middle.
        if self.producer.staged() + self.producer.stride() > self.batch as usize {
            self.show(&outlet.hub);
        }
        let is_first = !outlet.unpublished.load(Ordering::Relaxed);
        if is_first {
            self.producer.expect_publish();
        }
        let pushed = self.producer.push(message);
        if pushed.is_ok() && is_first {
            outlet.unpublished.store(true, Ordering::Relaxed);
            self.producer.publish();
            self.remember(local, called);
        }
        if self.producer.staged() >= self.batch as usize {
            self.show(&outlet.hub);
        }
        if self.has_line.get() {
            self.producer.pause();
        }
        pushed
    }

    /// For how many messages, or attempts, one who has just tried is to account: the ones since the
    /// last time, which were sent quickly, perhaps by others.
    pub(super) fn account(&self) -> u8 {
        let sent = self.producer.position();
        let since = sent.wrapping_sub(self.accounted.replace(sent));
        u8::try_from(since).unwrap_or(coop::BUDGET).max(1)
    }

    /// Shows the receiver what was sent.
    fn show(&self, hub: &Hub<T>) {
        self.producer.publish();
        // Without a fence, which would wait until the other side has given up all lines that were
        // written: this may miss that it has just begun to wait. The flush does not.
        if self.introduced.get() {
            hub.call_receiver();
        }
    }

    fn remember(&self, local: &Local, called: &Called<T>) {
        local.remember(&self.known, || Arc::clone(called) as _);
        local.hurry(&self.turn);
    }

    /// After `fence_before_calls`. Says whether a call was necessary.
    #[inline]
    fn call_receiver(&self, hub: &Hub<T>) -> bool {
        if self.introduced.get() {
            return hub.call_receiver();
        }
        self.introduced.set(true);
        hub.nudge_receiver();
        true
    }

    /// Whether nobody waits before one who has this place, or none.
    #[inline]
    pub(super) fn is_first(&self, place: Option<&Arc<Place>>) -> bool {
        !self.has_line.get() || self.is_first_of_line(place)
    }

    #[cold]
    fn is_first_of_line(&self, place: Option<&Arc<Place>>) -> bool {
        self.forget_those_gone();
        match (self.line.borrow().front(), place) {
            (Some(first), Some(place)) => Arc::ptr_eq(&first.place, place),
            (first, _) => first.is_none(),
        }
    }

    /// Waits in the line, at its end if it has no place yet.
    pub(super) fn wait(&self, place: Option<Arc<Place>>, cx: &Context<'_>) -> Arc<Place> {
        let waker = Some(cx.waker().clone());
        let Some(place) = place else {
            let place = Arc::new(Place { gone: AtomicBool::new(false) });
            let waiting = Waiting { place: Arc::clone(&place), waker };
            self.line.borrow_mut().push_back(waiting);
            self.has_line.set(true);
            self.producer.pause();
            return place;
        };
        let old = {
            let mut line = self.line.borrow_mut();
            let own = line.iter_mut().find(|waiting| Arc::ptr_eq(&waiting.place, &place));
            own.and_then(|own| std::mem::replace(&mut own.waker, waker))
        };
        drop(old);
        place
    }

    /// Gives a place up. If it was the first, the next one is woken.
    pub(super) fn leave(&self, place: &Arc<Place>) {
        let (left, was_first) = {
            let mut line = self.line.borrow_mut();
            let at = line.iter().position(|waiting| Arc::ptr_eq(&waiting.place, place));
            let left = at.and_then(|at| line.remove(at));
            self.has_line.set(!line.is_empty());
            (left, at == Some(0))
        };
        drop(left);
        if was_first {
            self.wake_first();
        }
    }

    fn forget_those_gone(&self) {
        loop {
            let gone = {
                let mut line = self.line.borrow_mut();
                // It is set by the thread that goes, which then nudges this one.
                let gone = line.pop_front_if(|first| first.place.gone.load(Ordering::Relaxed));
                self.has_line.set(!line.is_empty());
                gone
            };
            if gone.is_none() {
                return;
            }
        }
    }

    fn wake_first(&self) {
        self.forget_those_gone();
        let waker = self.line.borrow_mut().front_mut().and_then(|first| first.waker.take());
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T: Send + 'static> Summoned for Outlet<T> {
    fn come(&self) {
        current::with(|local| {
            if let Some(local) = local
                && let Some(part) = self.part(local)
            {
                local.hope(false);
                part.wake_first();
            }
        });
    }
}

impl<T: Send + 'static> Outlet<T> {
    /// What belongs to this thread, which has sent something.
    fn own_part(&self) -> &Part<T> {
        match self.part.get() {
            Some(part) => part,
            None => unreachable!("it is flushed by the thread that sent"),
        }
    }
}

impl<T: Send + 'static> Flush for Parcel<Summons<Outlet<T>>> {
    fn publish(&self) {
        let outlet = &self.content.who;
        let part = outlet.own_part();
        part.producer.publish();
        // The next one is a first one.
        part.producer.pause();
        // Release: who finds that nothing is unpublished finds what was published.
        outlet.unpublished.store(false, Ordering::Release);
    }

    fn call(&self) -> bool {
        let Outlet { hub, .. } = &self.content.who;
        let called = self.content.who.own_part().call_receiver(hub);
        if hub.is_closed() {
            // A destructor that panics is to keep nobody behind this one from being told.
            while let Some(message) = hub.next_left() {
                swallow(|| drop(message));
            }
        }
        if !hub.has_senders() {
            hub.nudge_receiver();
        }
        !called
    }
}

/// An outlet as the receiver has it.
struct Far<T>(Called<T>);

impl<T: Send + 'static> Room for Far<T> {
    fn call(&self) {
        Summons::call(&self.0);
    }

    fn has_unpublished(&self) -> bool {
        // Acquire: pairs with the release in `publish`.
        self.0.content.who.unpublished.load(Ordering::Acquire)
    }
}
