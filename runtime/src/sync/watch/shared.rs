//! What senders and receivers share: the value under a lock, its version, and who waits.

use std::fmt;
use std::future::poll_fn;
use std::ops::DerefMut;
use std::sync::atomic::Ordering;
use std::task::Poll;

use super::error::RecvError;
use super::word::{Snapshot, Version, Word};
use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard};
use crate::sync::place::{Line, Place};
use crate::sync::wait_queue::WaitQueue;

pub(super) struct Shared<T> {
    value: RwLock<T>,
    word: Word,
    receivers: AtomicUsize,
    senders: AtomicUsize,
    lines: Mutex<Lines>,
}

#[derive(Debug)]
pub(super) struct Lines {
    /// Receivers that wait for a change, each with the version that it has seen.
    receivers: WaitQueue<Version>,
    /// Senders that wait for the last receiver to go.
    senders: WaitQueue<()>,
}

impl<T> Shared<T> {
    /// With one sender, and no receiver.
    pub(super) fn new(value: T) -> Self {
        Self {
            value: RwLock::new(value),
            word: Word::new(),
            receivers: AtomicUsize::new(0),
            senders: AtomicUsize::new(1),
            lines: Mutex::new(Lines { receivers: WaitQueue::new(), senders: WaitQueue::new() }),
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // No foreign code runs under this mutex, so a poisoned one is as good as any.
        self.lines.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.word.load()
    }

    /// The value and its version, which cannot change while it is read.
    pub(super) fn read(&self) -> (RwLockReadGuard<'_, T>, Version) {
        // Poisoned by a closure of `send_modify` that panicked: what it left is the value.
        let value = self.value.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let version = self.word.load().version();
        (value, version)
    }

    /// Changes the value, if `modify` says that it did, and tells the receivers.
    pub(super) fn modify(&self, modify: impl FnOnce(&mut T) -> bool) -> bool {
        let mut value = self.value.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if !modify(&mut value) {
            return false;
        }
        let before = self.word.raise();
        drop(value);
        self.tell_receivers(before);
        true
    }

    fn tell_receivers(&self, before: Snapshot) {
        if !before.is_waited_for() {
            return;
        }
        // Those who come back before the last one is told have seen the version of their return;
        // they are told by whoever raises it further.
        let due = |seen: &Version| {
            let now = self.word.load();
            now.version() != *seen || now.is_closed()
        };
        Receivers(self).wake_while(due, |lines| {
            if lines.receivers.is_empty() {
                self.word.nobody_waits();
            }
        });
    }

    /// Waits for a version other than the one seen, and marks it as seen.
    pub(super) async fn changed(&self, seen: &mut Version) -> Result<(), RecvError> {
        let mut place = Place::new(Receivers(self));
        poll_fn(|cx| {
            // What has happened already needs no mutex.
            if let Some(news) = news(self.word.load(), seen) {
                return Poll::Ready(news);
            }
            place.poll_after_look(cx, |_lines| news(self.word.wait(), seen).ok_or(*seen))
        })
        .await
    }

    pub(super) fn receivers(&self) -> usize {
        self.receivers.load(Ordering::Relaxed)
    }

    pub(super) fn add_receiver(&self) {
        self.receivers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn drop_receiver(&self) {
        // Relaxed: a sender that waits looks at the count under the mutex, which is taken below.
        if self.receivers.fetch_sub(1, Ordering::Relaxed) == 1 {
            // Who subscribes in the meantime leaves the others nothing to be told.
            Senders(self).wake_while(|()| self.receivers() == 0, |_lines| ());
        }
    }

    /// Waits until there is no receiver.
    pub(super) async fn closed(&self) {
        let mut place = Place::new(Senders(self));
        poll_fn(|cx| place.poll(cx, |_lines| if self.receivers() == 0 { Ok(()) } else { Err(()) }))
            .await;
    }

    pub(super) fn senders(&self) -> usize {
        self.senders.load(Ordering::Relaxed)
    }

    pub(super) fn add_sender(&self) {
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn drop_sender(&self) {
        // AcqRel: who closes the channel has seen all that the other senders did.
        if self.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.tell_receivers(self.word.close());
        }
    }
}

/// What there is to tell a receiver, if anything.
fn news(now: Snapshot, seen: &mut Version) -> Option<Result<(), RecvError>> {
    if now.version() != *seen {
        *seen = now.version();
        return Some(Ok(()));
    }
    now.is_closed().then_some(Err(RecvError::new()))
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.word.load();
        f.debug_struct("Shared")
            .field("value", &self.value)
            .field("version", &now.version())
            .field("is_closed", &now.is_closed())
            .field("ref_count_rx", &self.receivers())
            .finish()
    }
}

struct Receivers<'a, T>(&'a Shared<T>);

impl<T> Line for Receivers<'_, T> {
    type State = Lines;
    type Value = Version;

    fn lock(&self) -> impl DerefMut<Target = Lines> {
        self.0.lines()
    }

    fn queue(lines: &mut Lines) -> &mut WaitQueue<Version> {
        &mut lines.receivers
    }
}

struct Senders<'a, T>(&'a Shared<T>);

impl<T> Line for Senders<'_, T> {
    type State = Lines;
    type Value = ();

    fn lock(&self) -> impl DerefMut<Target = Lines> {
        self.0.lines()
    }

    fn queue(lines: &mut Lines) -> &mut WaitQueue<()> {
        &mut lines.senders
    }
}
