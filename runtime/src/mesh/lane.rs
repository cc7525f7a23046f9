//! One direction between two shards: a bounded ring of letters, and who may take them out.
//!
//! # The protocol
//!
//! Letters are put into the ring by one thread, the source's. The target is told by a parcel in
//! its inbox, which is this lane itself; what is proved of the inbox (no push is overlooked by a
//! shard that goes to sleep) holds for lanes. While the target is awake it [watches] lanes of which
//! it was told, and nobody tells it of what comes along them. The parcel is under way once at most:
//!
//! ```text
//!             flush: swap true, was false          opened, at the target
//!   [quiet] ------------------------------> [sent] ----------------------> [taking, watched]
//!      ^                                                                           |
//!      +-------------- release: false, then another look at the ring --------------+
//! ```
//!
//! `claimed` is false in *quiet* and true otherwise, and is the permission to take out: whoever
//! turned it on has it, sends it to the target with the parcel, and whoever opens that turns it
//! off when it has finished. A target that is gone refuses the parcel: then the source keeps the
//! permission, and from then on refuses all letters itself. So there is one consumer at any time,
//! and letters never lie in a ring that nobody will look at:
//!
//! * The source publishes letters, fences, and looks at `claimed`. The target turns that off,
//!   fences, and looks at the ring. Of the two fences one comes first: either the source finds
//!   `claimed` off, takes the permission and sends the parcel, or the target finds the letters,
//!   takes the permission again and goes on.
//! * A turn takes what is there when it begins and no more than the ring holds: if letters keep
//!   coming, the target goes on in its next turn.
//!
//! *Room.* A source that found the ring full keeps letters in a queue of its own, wants to be
//! [called], and tries once more. The target calls it when it has taken letters out: when it looks,
//! and after its own fence. The call goes by the source's inbox. It must not be a letter: one would
//! want a place in the lane back, and where that is full too, letters that tell of room would keep
//! each other going for ever.
//!
//! [called]: super::summons
//! [watches]: super::watch

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_utils::CachePadded;

use super::current;
use super::ring::{Consumer, Gauge};
use super::summons::{Summoned, Summons, fence_before_calls};
use super::watch::Watched;
use crate::executor::Home;
use crate::executor::inbox::{Content, Inbox, Parcel};
use crate::loom::cell::UnsafeCell;
use crate::loom::sync::atomic::AtomicBool;
use crate::prefetch;

/// What goes along lanes: it knows by itself what to do where it arrives.
pub(super) trait Letter: Send + Sync {
    /// On the target's thread; `from` is the source.
    fn arrive(self: Arc<Self>, home: &Home, from: usize);

    /// The target has gone, and this is the thread that found out: its own, or the source's.
    fn refused(self: Arc<Self>);

    /// Whether it matters to anybody still.
    fn is_wanted(&self) -> bool;
}

/// See the module's documentation.
pub(super) struct Lane {
    claimed: AtomicBool,
    /// By which the source is called when there is room.
    room: Arc<Parcel<Summons<Source>>>,
    /// For whoever has turned `claimed` on. In a line of its own: the source, which reads the other
    /// fields, would otherwise wait for it at each letter.
    consumer: CachePadded<UnsafeCell<Consumer<Arc<dyn Letter>>>>,
    gauge: Gauge<Arc<dyn Letter>>,
    to: Arc<Inbox>,
    /// The shard that puts in.
    from: usize,
}

// SAFETY: `consumer` is used by one thread at a time, the one that has `claimed`, whose changes
// order them; a consumer of letters, which are Send, may be used by one thread after the other. The
// rest is Sync by itself.
unsafe impl Sync for Lane {}

impl Lane {
    /// The lane that ends in this ring, from the shard of `from` to that of `to`, each with its
    /// inbox.
    pub(super) fn new(
        consumer: Consumer<Arc<dyn Letter>>,
        (from, source): (usize, Arc<Inbox>),
        (number, to): (usize, Arc<Inbox>),
    ) -> Arc<Parcel<Lane>> {
        Arc::new(Parcel::new(Lane {
            claimed: AtomicBool::new(false),
            room: Summons::new(source, Source { to: number }),
            gauge: consumer.gauge(),
            consumer: CachePadded::new(UnsafeCell::new(consumer)),
            to,
            from,
        }))
    }

    /// Tells how many letters are in it.
    pub(super) fn gauge(&self) -> Gauge<Arc<dyn Letter>> {
        self.gauge.clone()
    }

    /// The inbox of the shard that takes out.
    pub(super) fn to(&self) -> &Inbox {
        &self.to
    }

    /// For the source, which must try once more after this: there is more than fits.
    pub(super) fn want_room(&self) {
        self.room.content.want();
    }

    /// For the source, after it has published, and after `fence_before_calls`: sees to it that the
    /// target takes out what is there. Says whether the target had to be told.
    ///
    /// # Errors
    /// If the target is gone; all letters have then been refused, and the source must refuse those
    /// to come.
    pub(super) fn announce(lane: &Arc<Parcel<Lane>>) -> Result<bool, Gone> {
        let this = &lane.content;
        // AcqRel: the last taker's use of the consumer comes before ours, and what was published
        // before what whoever opens the parcel does.
        if this.claimed.load(Ordering::Relaxed) || this.claimed.swap(true, Ordering::AcqRel) {
            return Ok(false);
        }
        // SAFETY: this call turned `claimed` on, so the parcel is not under way.
        if unsafe { this.to.post(Arc::clone(lane)) }.is_ok() {
            return Ok(true);
        }
        // `claimed` stays on: nobody else ever takes anything out of this lane again.
        // SAFETY: this thread turned it on, and the parcel was refused.
        unsafe { this.take_out(None) };
        Err(Gone)
    }

    /// Takes out what is there, but no more than the ring holds. Without a home, letters are
    /// refused.
    ///
    /// # Safety
    /// As for [`pop`](Self::pop).
    unsafe fn take_out(&self, home: Option<&Home>) {
        // SAFETY: the caller's promise.
        for _ in 0..unsafe { self.capacity() } {
            // SAFETY: as above.
            let Some(letter) = (unsafe { self.pop() }) else { return };
            // SAFETY: as above.
            unsafe { self.expect_later() };
            match home {
                Some(home) => letter.arrive(home, self.from),
                None => letter.refused(),
            }
        }
    }

    /// Gives the permission back that came with the parcel. If letters have come, the parcel is
    /// sent again.
    fn release(parcel: Arc<Parcel<Lane>>, home: Option<&Home>) {
        let lane = &parcel.content;
        loop {
            // AcqRel: releases the use of the consumer to the next one who has it, and acquires
            // what the source did before it found `claimed` on.
            lane.claimed.swap(false, Ordering::AcqRel);
            // SeqCst, inside: against the source's; see the module's documentation.
            fence_before_calls();
            Summons::call(&lane.room);
            // AcqRel: as above, for the next round.
            if lane.gauge.is_empty() || lane.claimed.swap(true, Ordering::AcqRel) {
                return;
            }
            if home.is_some() {
                // More than one turn's share: the others first.
                // SAFETY: `claimed` was turned on just now, so the parcel is not under way.
                if unsafe { lane.to.post(Arc::clone(&parcel)) }.is_ok() {
                    return;
                }
            }
            // SAFETY: `claimed` was turned on just now.
            unsafe { lane.take_out(None) };
        }
    }

    /// # Safety
    /// The caller is the one that has turned `claimed` on, or opens the parcel of that one.
    unsafe fn pop(&self) -> Option<Arc<dyn Letter>> {
        // SAFETY: the caller's promise: nobody else has a reference to the consumer.
        self.consumer.with(|consumer| unsafe { &*consumer }.pop())
    }

    /// Asks for what the letter after the next one says, which the other side has written and this
    /// one will: it comes while those before it are opened.
    ///
    /// # Safety
    /// As for [`pop`](Self::pop).
    #[inline]
    unsafe fn expect_later(&self) {
        let expect = |letter: &Arc<dyn Letter>| prefetch::all_to_write(&**letter);
        // SAFETY: as in `pop`.
        self.consumer.with(|consumer| unsafe { &*consumer }.peek(1, expect));
    }

    /// # Safety
    /// As for [`pop`](Self::pop).
    unsafe fn capacity(&self) -> usize {
        // SAFETY: as in `pop`.
        self.consumer.with(|consumer| unsafe { &*consumer }.capacity())
    }
}

impl Content for Lane {
    fn open(parcel: Arc<Parcel<Lane>>, home: Option<&Home>) {
        let lane = &parcel.content;
        // SAFETY: whoever sent the parcel has turned `claimed` on, for whoever opens it.
        unsafe { lane.take_out(home) };
        let watched = home.is_some()
            && current::with(|local| {
                // The permission stays with the watch.
                local.is_some_and(|local| local.watch(&lane.to, || Arc::clone(&parcel) as _))
            });
        if !watched {
            Lane::release(parcel, home);
        }
    }
}

impl Watched for Parcel<Lane> {
    #[inline]
    fn has_come(&self) -> bool {
        !self.content.gauge.is_empty() || self.content.room.content.is_wanted()
    }

    fn take(&self, home: &Home) {
        // SAFETY: what is watched came with its parcel, and was not released yet.
        unsafe { self.content.take_out(Some(home)) };
        // Without a fence: until this is let go of, `has_come` looks again.
        Summons::call(&self.content.room);
    }

    fn let_go(self: Arc<Self>, home: Option<&Home>) {
        Lane::release(self, home);
    }
}

/// The target of a lane is gone.
pub(super) struct Gone;

/// Who puts letters in: it goes on when it is called.
struct Source {
    /// The shard that they go to.
    to: usize,
}

impl Summoned for Source {
    fn come(&self) {
        // Without a loop nothing waits any more.
        current::with(|local| {
            if let Some(local) = local {
                local.refill(self.to);
            }
        });
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("from", &self.from).finish_non_exhaustive()
    }
}

#[cfg(all(test, henge_loom))]
mod loom_tests {
    use std::sync::Arc;

    use loom::sync::atomic::{AtomicUsize, Ordering};

    use super::{Lane, Letter, fence_before_calls};
    use crate::executor::Home;
    use crate::executor::inbox::{Inbox, Parcel};
    use crate::mesh::{Local, Peers, ring};

    // The target is the model's first thread. The source is the second one, and does by hand what
    // `Local` would do for it.

    fn model(f: impl Fn() + Sync + Send + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(3));
        builder.check(f);
    }

    /// Where letters ended up.
    #[derive(Clone)]
    struct Tally {
        arrived: loom::sync::Arc<AtomicUsize>,
        refused: loom::sync::Arc<AtomicUsize>,
    }

    impl Tally {
        fn new() -> Tally {
            let zero = || loom::sync::Arc::new(AtomicUsize::new(0));
            Tally { arrived: zero(), refused: zero() }
        }

        fn letter(&self) -> Arc<dyn Letter> {
            Arc::new(self.clone())
        }

        fn arrived(&self) -> usize {
            self.arrived.load(Ordering::SeqCst)
        }
    }

    impl Letter for Tally {
        fn arrive(self: Arc<Self>, _home: &Home, from: usize) {
            assert_eq!(from, 0);
            self.arrived.fetch_add(1, Ordering::SeqCst);
        }

        fn refused(self: Arc<Self>) {
            self.refused.fetch_add(1, Ordering::SeqCst);
        }

        fn is_wanted(&self) -> bool {
            true
        }
    }

    fn announce(lane: &Arc<Parcel<Lane>>) {
        fence_before_calls();
        assert!(Lane::announce(lane).is_ok(), "the target lives");
    }

    fn inbox() -> Arc<Inbox> {
        Arc::new(Inbox::new(|| {}))
    }

    #[test]
    fn loom_what_waits_for_room_is_told_and_nothing_is_left_lying() {
        model(|| {
            let tally = Tally::new();
            let inboxes = [inbox(), inbox()];
            let peers = Peers::new(inboxes.iter().cloned(), 1);
            let home = Home::with_inbox(inboxes[1].clone());
            let local = Local::new(&peers, Some(1), inboxes[1].clone());
            let (_local, _home) = (local.enter(), home.enter());
            let source = loom::thread::spawn({
                let (tally, [own, to]) = (tally.clone(), inboxes);
                move || {
                    let (producer, consumer) = ring::ring(1);
                    let lane = Lane::new(consumer, (0, own.clone()), (1, to));
                    assert!(producer.push(tally.letter()).is_ok());
                    producer.publish();
                    if let Err(second) = producer.push(tally.letter()) {
                        lane.content.want_room();
                        if let Err(second) = producer.push(second) {
                            announce(&lane);
                            while own.is_empty() {
                                loom::thread::yield_now();
                            }
                            assert!(producer.push(second).is_ok(), "there is room");
                        }
                    }
                    producer.publish();
                    announce(&lane);
                    drop(own.close());
                }
            });
            while tally.arrived() < 2 {
                home.take_inbox();
                local.look(&home);
                local.flush();
                loom::thread::yield_now();
            }
            source.join().unwrap();
        });
    }

    #[test]
    fn loom_a_loop_that_watches_a_lane_and_goes_to_sleep_is_told_of_letters() {
        model(|| {
            let tally = Tally::new();
            let inboxes = [inbox(), inbox()];
            let peers = Peers::new(inboxes.iter().cloned(), 2);
            let home = Home::with_inbox(inboxes[1].clone());
            let local = Local::new(&peers, Some(1), inboxes[1].clone());
            let (_local, _home) = (local.enter(), home.enter());
            let source = loom::thread::spawn({
                let (tally, [own, to]) = (tally.clone(), inboxes);
                move || {
                    let (producer, consumer) = ring::ring(2);
                    let lane = Lane::new(consumer, (0, own), (1, to));
                    for _ in 0..2 {
                        assert!(producer.push(tally.letter()).is_ok());
                        producer.publish();
                        announce(&lane);
                    }
                }
            });
            while tally.arrived() < 2 {
                home.take_inbox();
                local.look(&home);
                local.rest(&home);
                // Asleep: the inbox alone wakes it. That it wakes one who has published that he
                // sleeps is the driver's model.
                while home.inbox().is_empty() && tally.arrived() < 2 {
                    loom::thread::yield_now();
                }
            }
            source.join().unwrap();
        });
    }

    #[test]
    fn loom_a_letter_to_one_that_closes_arrives_or_is_refused() {
        model(|| {
            let tally = Tally::new();
            let home = Home::new(|| {});
            let source = loom::thread::spawn({
                let (tally, to) = (tally.clone(), home.inbox().clone());
                move || {
                    let (producer, consumer) = ring::ring(2);
                    let lane = Lane::new(consumer, (0, inbox()), (1, to));
                    for _ in 0..2 {
                        assert!(producer.push(tally.letter()).is_ok());
                        producer.publish();
                        fence_before_calls();
                        if Lane::announce(&lane).is_err() {
                            break;
                        }
                    }
                }
            });
            home.take_inbox();
            home.close();
            source.join().unwrap();
            let (arrived, refused) = (tally.arrived(), tally.refused.load(Ordering::SeqCst));
            // One that found the target gone sends no second.
            assert!(arrived + refused == 2 || (arrived, refused) == (0, 1));
        });
    }
}
