//! What the thread of one loop keeps for the mesh: its lanes to other shards, and what it has yet
//! to tell them.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use super::bound::Stamp;
use super::current::Entered;
use super::flush::{Flush, Flushes, Known, give_back};
use super::lane::{Lane, Letter};
use super::peers::Peers;
use super::ring::{self, Producer};
use super::summons::fence_before_calls;
use super::watch::{Watch, Watched};
use crate::executor::inbox::{Inbox, Parcel};
use crate::executor::{Home, swallow};

/// Letters beyond a lane's room from which on those that nobody waits for are looked for.
const CROWD: usize = 64;

/// What the loop is to do at the end of the poll, which it would otherwise do some polls later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urge {
    #[default]
    Nothing,
    /// Somebody may be looking for what this turn is the first to send: others are told.
    Tell,
    /// Somebody who waits was called, and may sleep: the wake of one who does goes out with the end
    /// of the turn, which should not be far.
    EndTurn,
}

/// See the module's documentation.
pub(crate) struct Local {
    stamp: Stamp,
    /// Which shard this is; none for a guest, which has no lanes.
    index: Option<usize>,
    /// The same; [`usize::MAX`] for a guest.
    number: usize,
    peers: Arc<Peers>,
    /// Of the loop's home.
    inbox: Arc<Inbox>,
    /// The lane to each shard, made when it is first used.
    lanes: Box<[OnceCell<Outgoing>]>,
    /// Whether one of the two below has something in it.
    has_news: Cell<bool>,
    /// How often others were not told, since they look themselves.
    saved: Cell<u64>,
    /// The number of the turn.
    turn: Cell<u64>,
    urge: Cell<Urge>,
    /// What is looked at without being told of.
    watch: Watch,
    /// Somebody waits for room in a channel, as far as is known.
    hopes: Cell<bool>,
    /// Lanes that the target has not been told of.
    dirty: RefCell<Vec<usize>>,
    /// Channels' ends to be flushed.
    others: Flushes,
    /// It is being told.
    tells: Cell<bool>,
    /// This shard's part of each service, by the service's number.
    services: RefCell<Vec<Option<Rc<dyn Any>>>>,
    closed: Cell<bool>,
}

/// The source's end of a lane.
struct Outgoing {
    producer: Producer<Arc<dyn Letter>>,
    lane: Arc<Parcel<Lane>>,
    /// What did not fit, oldest first. Each letter is memory of a caller's who waits, or of one who
    /// has gone: those are looked for when there are twice as many as there were the last time.
    waiting: RefCell<VecDeque<Arc<dyn Letter>>>,
    crowd: Cell<usize>,
    /// It stands in the list of those to be told.
    dirty: Cell<bool>,
    /// The turn in which it was told sooner.
    turn: Cell<u64>,
    /// The target is gone.
    dead: Cell<bool>,
}

impl Local {
    /// For the thread of the shard of this number, or of a guest, whose home has this inbox.
    pub(crate) fn new(peers: &Arc<Peers>, index: Option<usize>, inbox: Arc<Inbox>) -> Local {
        let lanes = if index.is_some() { peers.shards() } else { 0 };
        Local {
            stamp: Stamp::fresh(),
            index,
            number: index.unwrap_or(usize::MAX),
            inbox,
            peers: Arc::clone(peers),
            lanes: (0..lanes).map(|_| OnceCell::new()).collect(),
            has_news: Cell::new(false),
            saved: Cell::new(0),
            turn: Cell::new(1),
            urge: Cell::default(),
            watch: Watch::new(),
            hopes: Cell::new(false),
            dirty: RefCell::default(),
            others: Flushes::new(),
            tells: Cell::new(false),
            services: RefCell::default(),
            closed: Cell::new(false),
        }
    }

    /// Makes this what the thread keeps, until the answer is dropped.
    pub(crate) fn enter(&self) -> Entered<'_> {
        Entered::new(self)
    }

    #[inline]
    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The inbox of this thread's home.
    pub(super) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Which shard this is; none for a guest.
    #[inline]
    pub(super) fn index(&self) -> Option<usize> {
        self.index
    }

    /// The same as a place in a list of all shards; past the end of any list for a guest.
    #[inline]
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The shards of this runtime.
    #[inline]
    pub(super) fn peers(&self) -> &Arc<Peers> {
        &self.peers
    }

    /// Whether a lane is looked at that had something of late.
    #[inline]
    pub(crate) fn watches(&self) -> bool {
        !self.watch.is_empty()
    }

    /// Whether another shard is likely to be the next to come: with messages, or with room.
    #[inline]
    pub(crate) fn expects(&self) -> bool {
        self.hopes.get() || self.watches()
    }

    /// Somebody waits for room in a channel, or waits no more.
    pub(super) fn hope(&self, hopes: bool) {
        self.hopes.set(hopes);
    }

    /// Whether somebody is to be told something: a loop that would sleep flushes first.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.has_news.get()
    }

    /// Tells the other shards what there is for them. They are woken if they sleep, each once.
    #[inline]
    pub(crate) fn flush(&self) {
        if self.has_news.get() {
            self.tell();
        }
    }

    /// Somebody who waits has been called, and may sleep.
    pub(super) fn note_call(&self) {
        self.urge.set(Urge::EndTurn);
    }

    /// There is news for somebody who may be looking for it: of `turn`, in which that was done last
    /// for its sake, it is told sooner, once a turn.
    #[inline]
    pub(super) fn hurry(&self, turn: &Cell<u64>) {
        if turn.replace(self.turn.get()) != self.turn.get() {
            self.urge.set(self.urge.get().max(Urge::Tell));
        }
    }

    /// A turn begins. What the end of the last one called for went out with its enter.
    #[inline]
    pub(crate) fn begin_turn(&self) {
        self.turn.set(self.turn.get() + 1);
        self.urge.set(Urge::Nothing);
    }

    /// How often there was something for others who need not be told of it.
    #[inline]
    pub(crate) fn saved(&self) -> u64 {
        self.saved.get()
    }

    /// What is to be done since the last time.
    #[inline]
    pub(crate) fn takes_urge(&self) -> Urge {
        let urge = self.urge.get();
        if urge != Urge::Nothing {
            self.urge.set(Urge::Nothing);
        }
        urge
    }

    /// Looks at this from now on instead of being told, until the loop rests, if it is for the loop
    /// of this inbox and there is room for it.
    pub(super) fn watch(
        &self,
        inbox: &Arc<Inbox>,
        what: impl FnOnce() -> Arc<dyn Watched>,
    ) -> bool {
        Arc::ptr_eq(inbox, &self.inbox) && !self.closed.get() && self.watch.add(what)
    }

    /// Whether anything has come that nobody tells of.
    #[inline]
    pub(crate) fn has_come(&self) -> bool {
        self.watch.has_come()
    }

    /// Takes what has come, as the inbox is taken.
    #[inline]
    pub(crate) fn look(&self, home: &Home) {
        self.watch.look(home);
    }

    /// Has others tell of everything from now on: the loop will sleep unless it finds a task
    /// queued, or something in its inbox.
    #[inline]
    pub(crate) fn rest(&self, home: &Home) {
        self.watch.rest(Some(home));
        self.others.forget();
    }

    /// Has one who is `known` flushed the next time.
    #[inline]
    pub(super) fn remember(&self, known: &Known, who: impl FnOnce() -> Arc<dyn Flush>) {
        self.others.note(known, who);
        self.has_news.set(true);
        self.tell_if_closed();
    }

    /// A loop that closes tells at once.
    #[inline]
    fn tell_if_closed(&self) {
        if self.closed.get() {
            self.tell_all();
        }
    }

    /// Tells until there is nothing more to be told.
    fn tell_all(&self) {
        // What is to be told while it tells is told afterwards.
        while self.has_news.get() && !self.tells.get() {
            self.tell();
        }
        self.others.forget();
    }

    fn tell(&self) {
        self.has_news.set(false);
        // Telling may wake tasks of anybody's, who may have more to tell: that is for the next
        // time. The lists' memory is used again.
        self.tells.set(true);
        let mut dirty = self.dirty.take();
        let others = self.others.begin();
        let lanes = || dirty.iter().filter_map(|index| self.lanes.get(*index)?.get());
        lanes().for_each(Outgoing::publish);
        others.each(|other| other.publish());
        // Once for all: against the fences of those who let go of what they watch, or wait.
        fence_before_calls();
        let mut saved = lanes().filter(|lane| lane.announce()).count();
        dirty.clear();
        others.each(|other| saved += usize::from(other.call()));
        drop(others);
        self.tells.set(false);
        self.saved.set(self.saved.get() + saved as u64);
        give_back(&self.dirty, dirty);
    }

    /// Sends a letter to a shard, at the next flush at the latest. If there is no room it waits
    /// here; if the shard is gone it is refused.
    pub(super) fn send(&self, to: usize, letter: Arc<dyn Letter>) {
        match self.lane(to) {
            Some(lane) => {
                if let Err(refused) = lane.send(letter) {
                    refused.refused();
                } else if !lane.dirty.replace(true) {
                    self.dirty.borrow_mut().push(to);
                    self.has_news.set(true);
                    self.hurry(&lane.turn);
                    self.tell_if_closed();
                }
            }
            None => letter.refused(),
        }
    }

    /// The lane itself, for who has to reach its target later.
    pub(super) fn lane_to(&self, to: usize) -> Option<&Arc<Parcel<Lane>>> {
        self.lane(to).map(|lane| &lane.lane)
    }

    /// The lane to a shard of this runtime; none for a guest.
    #[inline]
    fn lane(&self, to: usize) -> Option<&Outgoing> {
        let cell = self.lanes.get(to)?;
        match (cell.get(), self.index) {
            (Some(lane), _) => Some(lane),
            (None, Some(from)) => {
                let inbox = self.peers.inbox(to)?;
                Some(cell.get_or_init(|| {
                    let source = (from, Arc::clone(&self.inbox));
                    let lane = Outgoing::new(self.peers.capacity(), source, (to, inbox));
                    self.peers.show_depth(from, to, Some(lane.lane.content.gauge()));
                    lane
                }))
            }
            (None, None) => None,
        }
    }

    /// There is room in the lane to this shard.
    pub(super) fn refill(&self, to: usize) {
        if let Some(lane) = self.lanes.get(to).and_then(OnceCell::get) {
            lane.publish();
            fence_before_calls();
            lane.announce();
        }
    }

    /// This shard's part of a service.
    pub(super) fn service(&self, number: usize) -> Option<Rc<dyn Any>> {
        self.services.borrow().get(number)?.clone()
    }

    /// Puts this shard's part of a service in its place, or takes it away. What was there before
    /// comes back.
    pub(super) fn set_service(
        &self,
        number: usize,
        part: Option<Rc<dyn Any>>,
    ) -> Option<Rc<dyn Any>> {
        let mut services = self.services.borrow_mut();
        if services.len() <= number {
            services.resize_with(number + 1, || None);
        }
        std::mem::replace(&mut services[number], part)
    }

    /// The loop ends, and has dropped its tasks: drops the services, sends what is to be sent, and
    /// refuses what cannot be.
    pub(crate) fn close(&self) {
        loop {
            let services = self.services.take();
            if services.iter().all(Option::is_none) {
                break;
            }
            services.into_iter().for_each(|part| swallow(|| drop(part)));
        }
        self.closed.set(true);
        self.watch.rest(None);
        self.tell_all();
        for (to, lane) in self.lanes.iter().enumerate() {
            if let (Some(lane), Some(from)) = (lane.get(), self.index) {
                lane.refuse_all();
                self.peers.show_depth(from, to, None);
            }
        }
    }
}

impl Outgoing {
    fn new(capacity: usize, from: (usize, Arc<Inbox>), to: (usize, Arc<Inbox>)) -> Outgoing {
        let (producer, consumer) = ring::ring(capacity);
        Outgoing {
            producer,
            lane: Lane::new(consumer, from, to),
            waiting: RefCell::default(),
            crowd: Cell::new(CROWD),
            dirty: Cell::new(false),
            turn: Cell::new(0),
            dead: Cell::new(false),
        }
    }

    /// Puts a letter into the ring, or behind those that wait for room.
    #[inline]
    fn send(&self, letter: Arc<dyn Letter>) -> Result<(), Arc<dyn Letter>> {
        if self.dead.get() {
            return Err(letter);
        }
        let behind = !self.waiting.borrow().is_empty();
        if behind {
            self.wait(letter);
        } else if let Err(letter) = self.producer.push(letter) {
            self.wait(letter);
        }
        Ok(())
    }

    #[cold]
    fn wait(&self, letter: Arc<dyn Letter>) {
        if self.waiting.borrow().len() >= self.crowd.get() {
            let (wanted, unwanted): (VecDeque<_>, VecDeque<_>) =
                self.waiting.take().into_iter().partition(|letter| letter.is_wanted());
            self.crowd.set(CROWD.max(wanted.len() * 2));
            *self.waiting.borrow_mut() = wanted;
            // What they hold is of those who have gone, and not the business of who calls now.
            unwanted.into_iter().for_each(|letter| swallow(|| drop(letter)));
        }
        self.waiting.borrow_mut().push_back(letter);
    }

    /// Fills the ring, and shows the target what is in it.
    fn publish(&self) {
        self.dirty.set(false);
        if self.dead.get() {
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        let mut wanted = false;
        while let Some(letter) = waiting.pop_front() {
            if let Err(letter) = self.producer.push(letter) {
                waiting.push_front(letter);
                if wanted {
                    break;
                }
                self.lane.content.want_room();
                wanted = true;
            }
        }
        drop(waiting);
        self.producer.publish();
    }

    /// Tells the target, after `fence_before_calls`. True if that was not necessary.
    fn announce(&self) -> bool {
        if self.dead.get() {
            return false;
        }
        let told = Lane::announce(&self.lane);
        if told.is_err() {
            self.refuse_all();
        }
        told.is_ok_and(|told| !told)
    }

    /// The target is gone, or we are: nothing more goes along here.
    fn refuse_all(&self) {
        self.dead.set(true);
        let waiting = self.waiting.take();
        waiting.into_iter().for_each(|letter| letter.refused());
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("index", &self.index).finish_non_exhaustive()
    }
}
