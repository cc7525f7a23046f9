//! Tasks that wait for something that several may wait for at once, by `&self`.
//!
//! A task stands in the list from its first pending poll until its future is dropped or it is
//! woken; a woken one stands behind the others when it comes back. Few sockets are ever waited for
//! in this way, so the list is made for the first who waits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Waker};

use henge_driver::wake_each;

/// A list of wakers, each with a key by which its owner finds it again.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    // How many stand in the list: lets `wake_all` pass by without the lock.
    len: AtomicU32,
    list: Mutex<Option<Box<List>>>,
}

#[derive(Debug, Default)]
struct List {
    next: u64,
    wakers: Vec<(u64, Waker)>,
}

impl Waiters {
    fn list(&self) -> MutexGuard<'_, Option<Box<List>>> {
        // No code of a user runs under the lock.
        self.list.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Wakes everybody, whoever panics.
    ///
    /// The caller's thread is the one where what they wait for happens. Who stands in the list
    /// was there when it entered it, or handed over with a lock since: a relaxed look suffices.
    #[inline]
    pub(crate) fn wake_all(&self) {
        if self.len.load(Ordering::Relaxed) != 0 {
            wake_each(self.take().into_iter().map(|(_, waker)| waker));
        }
    }

    /// Whether anybody stands in the list; see [`Waiters::wake_all`].
    pub(crate) fn has_any(&self) -> bool {
        self.len.load(Ordering::Relaxed) != 0
    }

    #[cold]
    fn take(&self) -> Vec<(u64, Waker)> {
        let mut list = self.list();
        self.len.store(0, Ordering::Relaxed);
        list.as_mut().map(|list| std::mem::take(&mut list.wakers)).unwrap_or_default()
    }

    /// Notes how many stand in the list. That they are fewer than 2³² is what memory allows.
    fn counted(&self, list: &List) {
        self.len.store(list.wakers.len() as u32, Ordering::Relaxed);
    }

    fn stand(&self, key: &mut Option<u64>, waker: Waker) {
        let mut guard = self.list();
        let list = guard.get_or_insert_default();
        let found = key.and_then(|key| list.wakers.iter_mut().find(|(of, _)| *of == key));
        let old = match found {
            Some((_, known)) => Some(std::mem::replace(known, waker)),
            None => {
                let fresh = list.next;
                list.next += 1;
                *key = Some(fresh);
                list.wakers.push((fresh, waker));
                self.counted(list);
                None
            }
        };
        drop(guard);
        drop(old);
    }

    fn leave(&self, key: u64) {
        let mut guard = self.list();
        let Some(list) = guard.as_mut() else { return };
        let at = list.wakers.iter().position(|(of, _)| *of == key);
        let old = at.map(|at| list.wakers.remove(at));
        self.counted(list);
        drop(guard);
        drop(old);
    }
}

/// One future's place in the list; it leaves when dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    waiters: &'a Waiters,
    key: Option<u64>,
}

impl<'a> Place<'a> {
    pub(crate) fn new(waiters: &'a Waiters) -> Place<'a> {
        Place { waiters, key: None }
    }

    /// Stands in the list, to be woken next time.
    pub(crate) fn stand(&mut self, cx: &Context<'_>) {
        self.waiters.stand(&mut self.key, cx.waker().clone());
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.waiters.leave(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Waiters};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake, Waker};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn everybody_in_the_list_is_woken_once() {
        let waiters = Waiters::default();
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let (mut a, mut b) = (Place::new(&waiters), Place::new(&waiters));
        a.stand(&Context::from_waker(&waker));
        a.stand(&Context::from_waker(&waker));
        b.stand(&Context::from_waker(&waker));
        waiters.wake_all();
        waiters.wake_all();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn everybody_is_woken_whoever_panics() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("a waker that panics");
            }
        }
        let waiters = Waiters::default();
        let count = Arc::new(Count::default());
        let wakers = [Waker::from(Arc::new(Panics)), Waker::from(count.clone())];
        let mut places = [Place::new(&waiters), Place::new(&waiters)];
        for (place, waker) in places.iter_mut().zip(&wakers) {
            place.stand(&Context::from_waker(waker));
        }
        waiters.wake_all();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_dropped_place_is_not_woken() {
        let waiters = Waiters::default();
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let mut gone = Place::new(&waiters);
        gone.stand(&Context::from_waker(&waker));
        drop(gone);
        waiters.wake_all();
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        assert_eq!(Arc::strong_count(&count), 2, "the waker was given back");
    }

    #[test]
    fn a_woken_place_may_stand_again() {
        let waiters = Waiters::default();
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let mut place = Place::new(&waiters);
        for _ in 0..2 {
            place.stand(&Context::from_waker(&waker));
            waiters.wake_all();
        }
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }
}
