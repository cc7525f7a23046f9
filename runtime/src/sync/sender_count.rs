//! How many senders a channel has: those that keep it open, and those that do not.

use std::sync::atomic::Ordering;

use crate::loom::sync::atomic::AtomicUsize;

#[derive(Debug)]
pub(crate) struct SenderCount {
    strong: AtomicUsize,
    weak: AtomicUsize,
}

impl SenderCount {
    /// Of a channel with its first sender.
    pub(crate) fn one() -> Self {
        Self { strong: AtomicUsize::new(1), weak: AtomicUsize::new(0) }
    }

    #[inline]
    pub(crate) fn strong(&self) -> usize {
        // Acquire: pairs with the release in `remove`; who sees the end sees all that the senders
        // did before they went.
        self.strong.load(Ordering::Acquire)
    }

    /// Whether nobody can send any more.
    #[inline]
    pub(crate) fn are_gone(&self) -> bool {
        self.strong() == 0
    }

    pub(crate) fn weak(&self) -> usize {
        self.weak.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self) {
        self.strong.fetch_add(1, Ordering::Relaxed);
    }

    /// One sender less. Says whether it was the last one, which then tells the other side.
    #[must_use]
    pub(crate) fn remove(&self) -> bool {
        // Release: pairs with `strong`; Acquire: the last one hands on what the others did.
        self.strong.fetch_sub(1, Ordering::AcqRel) == 1
    }

    pub(crate) fn add_weak(&self) {
        self.weak.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remove_weak(&self) {
        self.weak.fetch_sub(1, Ordering::Relaxed);
    }

    /// One sender more, for a weak one, if there is one yet.
    pub(crate) fn upgrade(&self) -> bool {
        let one_more = |senders| if senders == 0 { None } else { Some(senders + 1) };
        self.strong.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }
}
