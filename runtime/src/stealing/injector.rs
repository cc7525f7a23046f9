//! The queue that all shards have in common: for what comes from other threads, and for what a full
//! ring gives out.
//!
//! First in, first out, under a lock: shards look at it every 31st pick, or when they have nothing
//! else, and then take several at once. How long it is can be seen without the lock.

use std::collections::VecDeque;
use std::fmt;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::deque::{HALF, Owner, Token};
use crate::loom::sync::atomic::AtomicUsize;
use crate::loom::sync::{Mutex, MutexGuard};

pub(crate) struct Injector<T> {
    /// Written under the lock only.
    len: AtomicUsize,
    /// None once it is closed.
    queue: Mutex<Option<VecDeque<T>>>,
}

impl<T: Token> Injector<T> {
    pub(crate) fn new() -> Self {
        Self { len: AtomicUsize::new(0), queue: Mutex::new(Some(VecDeque::new())) }
    }

    fn queue(&self) -> MutexGuard<'_, Option<VecDeque<T>>> {
        // The queue is whole at every moment, whoever panicked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many items wait, or did a moment ago.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        // Acquire: see `take_with`.
        self.len.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts items at the end. Once the queue is closed they are dropped, outside of the lock.
    pub(crate) fn push(&self, items: impl IntoIterator<Item = T>) {
        let mut queue = self.queue();
        match &mut *queue {
            Some(open) => {
                open.extend(items);
                self.len.store(open.len(), Ordering::Relaxed);
            }
            None => drop(queue),
        }
    }

    /// Takes the oldest item, and into a shard's own ring as many more as are the share of one of
    /// `shards`.
    pub(crate) fn take(&self, into: &Owner<T>, shards: usize) -> Option<T> {
        self.take_with(|open| {
            let share = (open.len() / shards).min(HALF).min(into.room());
            for item in open.drain(..share) {
                let overflow = into.push(item);
                debug_assert!(overflow.is_none(), "there is no less room than there was");
            }
        })
    }

    /// Takes the oldest item.
    pub(crate) fn take_one(&self) -> Option<T> {
        self.take_with(|_open| {})
    }

    fn take_with(&self, more: impl FnOnce(&mut VecDeque<T>)) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let mut queue = self.queue();
        let open = queue.as_mut()?;
        let first = open.pop_front();
        more(open);
        // Release: whoever sees the shorter queue sees the longer ring (`len`).
        self.len.store(open.len(), Ordering::Release);
        first
    }

    /// Takes nothing more, and gives out what there is.
    pub(crate) fn close(&self) -> VecDeque<T> {
        let closed = self.queue().take();
        self.len.store(0, Ordering::Relaxed);
        closed.unwrap_or_default()
    }
}

impl<T: Token> fmt::Debug for Injector<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injector").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use super::super::deque::ring;
    use super::Injector;

    #[test]
    fn a_shard_takes_its_share_in_order() {
        let (injector, (mine, _thief)) = (Injector::new(), ring());
        injector.push((0..9).map(Box::new));
        assert_eq!(injector.take(&mine, 4), Some(Box::new(0)));
        assert_eq!((injector.len(), mine.len()), (6, 2));
        assert_eq!([mine.pop(), mine.pop()], [Some(Box::new(1)), Some(Box::new(2))]);
        assert_eq!(injector.take_one(), Some(Box::new(3)));
        assert_eq!((injector.len(), mine.len()), (5, 0));
    }

    #[test]
    fn a_share_is_no_more_than_there_is_room_for() {
        let (injector, (mine, _thief)) = (Injector::new(), ring());
        injector.push((0..10_000).map(Box::new));
        let mut next = 0;
        while let Some(first) = injector.take(&mine, 1) {
            for item in std::iter::once(first).chain(std::iter::from_fn(|| mine.pop())) {
                assert_eq!(*item, next);
                next += 1;
            }
            // Not empty the next time: less fits.
            for _ in 0..200 {
                mine.push(Box::new(next));
            }
            let taken = injector.take(&mine, 1);
            assert!(mine.len() <= 256);
            for item in (0..200).filter_map(|_| mine.pop()) {
                assert_eq!(*item, next);
            }
            for item in taken.into_iter().chain(std::iter::from_fn(|| mine.pop())) {
                assert_eq!(*item, next);
                next += 1;
            }
        }
        assert_eq!(next, 10_000);
    }

    #[test]
    fn a_closed_one_gives_out_what_it_had_and_drops_what_comes() {
        let kept = std::sync::Arc::new(());
        let injector = Injector::new();
        injector.push([Box::new(kept.clone())]);
        assert_eq!(injector.close().len(), 1);
        injector.push([Box::new(kept.clone())]);
        assert!(injector.is_empty());
        assert!(injector.take_one().is_none());
        assert_eq!(std::sync::Arc::strong_count(&kept), 1);
    }
}
