//! What local senders and receivers share: the value, its version, and who waits.

use std::cell::{Cell, Ref, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::ops::DerefMut;

use super::error::RecvError;
use crate::sync::place::{Line, Place};
use crate::sync::wait_queue::WaitQueue;

/// Which change of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version(u64);

impl Version {
    /// A version that the current one differs from, for a receiver that was at it.
    pub(super) fn before(self) -> Self {
        Self(self.0.wrapping_sub(1))
    }
}

pub(super) struct Shared<T> {
    value: RefCell<T>,
    version: Cell<Version>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
    /// Receivers that wait for a change, each with the version that it has seen.
    receivers_line: RefCell<WaitQueue<Version>>,
    /// Senders that wait for the last receiver to go.
    senders_line: RefCell<WaitQueue<()>>,
}

impl<T> Shared<T> {
    /// With one sender, and no receiver.
    pub(super) fn new(value: T) -> Self {
        Self {
            value: RefCell::new(value),
            version: Cell::new(Version(0)),
            senders: Cell::new(1),
            receivers: Cell::new(0),
            receivers_line: RefCell::new(WaitQueue::new()),
            senders_line: RefCell::new(WaitQueue::new()),
        }
    }

    pub(super) fn version(&self) -> Version {
        self.version.get()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.senders.get() == 0
    }

    /// The value and its version, which cannot change while it is read.
    #[track_caller]
    pub(super) fn read(&self) -> (Ref<'_, T>, Version) {
        (self.value.borrow(), self.version())
    }

    /// Changes the value, if `modify` says that it did, and tells the receivers.
    #[track_caller]
    pub(super) fn modify(&self, modify: impl FnOnce(&mut T) -> bool) -> bool {
        if !modify(&mut self.value.borrow_mut()) {
            return false;
        }
        self.version.set(Version(self.version.get().0.wrapping_add(1)));
        self.tell_receivers();
        true
    }

    fn tell_receivers(&self) {
        // Those who come back before the last one is told have seen the version of their return.
        Receivers(self).wake_while(|seen| *seen != self.version() || self.is_closed(), |_line| ());
    }

    /// Waits for a version other than the one seen, and marks it as seen.
    pub(super) async fn changed(&self, seen: &mut Version) -> Result<(), RecvError> {
        let mut place = Place::new(Receivers(self));
        poll_fn(|cx| place.poll(cx, |_line| self.news(seen).ok_or(*seen))).await
    }

    /// What there is to tell a receiver, if anything.
    fn news(&self, seen: &mut Version) -> Option<Result<(), RecvError>> {
        if self.version() != *seen {
            *seen = self.version();
            return Some(Ok(()));
        }
        self.is_closed().then(|| Err(RecvError::new()))
    }

    pub(super) fn receivers(&self) -> usize {
        self.receivers.get()
    }

    pub(super) fn add_receiver(&self) {
        self.receivers.set(self.receivers.get() + 1);
    }

    pub(super) fn drop_receiver(&self) {
        self.receivers.set(self.receivers.get() - 1);
        // Who subscribes in the meantime leaves the others nothing to be told.
        Senders(self).wake_while(|()| self.receivers() == 0, |_line| ());
    }

    /// Waits until there is no receiver.
    pub(super) async fn closed(&self) {
        let mut place = Place::new(Senders(self));
        poll_fn(|cx| place.poll(cx, |_line| if self.receivers() == 0 { Ok(()) } else { Err(()) }))
            .await;
    }

    pub(super) fn senders(&self) -> usize {
        self.senders.get()
    }

    pub(super) fn add_sender(&self) {
        self.senders.set(self.senders.get() + 1);
    }

    pub(super) fn drop_sender(&self) {
        self.senders.set(self.senders.get() - 1);
        if self.is_closed() {
            self.tell_receivers();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("value", &self.value)
            .field("version", &self.version())
            .field("is_closed", &self.is_closed())
            .field("ref_count_rx", &self.receivers())
            .finish()
    }
}

struct Receivers<'a, T>(&'a Shared<T>);

impl<T> Line for Receivers<'_, T> {
    type State = WaitQueue<Version>;
    type Value = Version;

    fn lock(&self) -> impl DerefMut<Target = WaitQueue<Version>> {
        self.0.receivers_line.borrow_mut()
    }

    fn queue(state: &mut WaitQueue<Version>) -> &mut WaitQueue<Version> {
        state
    }
}

struct Senders<'a, T>(&'a Shared<T>);

impl<T> Line for Senders<'_, T> {
    type State = WaitQueue<()>;
    type Value = ();

    fn lock(&self) -> impl DerefMut<Target = WaitQueue<()>> {
        self.0.senders_line.borrow_mut()
    }

    fn queue(state: &mut WaitQueue<()>) -> &mut WaitQueue<()> {
        state
    }
}
