//! The list by which other threads reach a driver: many push, the home takes all at once.
//!
//! # The protocol
//!
//! A stack without locks (Treiber's), which its owner turns round to have the order of arrival.
//! The links are in the pushed objects themselves, so pushing allocates nothing.
//!
//! ```text
//!             post (first one wins)             take                  cleared
//!   [idle] ───────────────────────▶ [queued] ─────────▶ [taken] ───────────────▶ [idle]
//!            `queued`: false → true                      home copies `entry`,
//!                                                        `queued`: true → false, runs it
//! ```
//!
//! * *idle*: nobody touches `next` and `entry`.
//! * *queued*: the thread that turned `queued` on has written `entry` and then, once, the head.
//!   Between the two it writes `next`; from its successful exchange on both are the home's.
//! * *taken*: the home alone; it copies what it needs, turns `queued` off and only then runs the
//!   entry, which may therefore be posted again while it runs.
//!
//! Whoever finds `queued` on has nothing to do: the run is still to come, and the home's exchange
//! of the flag reads the poster's, so it sees everything that the poster did before.
//!
//! A closed list has [`CLOSED`] for its head, for ever; pushing onto it fails. There is no state
//! in between that a sleeper could overlook: the head is one word.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::ptr;
use std::sync::atomic::Ordering;

use crate::driver::Driver;
use crate::loom::sync::{AtomicBool, AtomicPtr};

/// What is run on the home thread: a function and what it is about.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) run: unsafe fn(*const (), &Driver),
    pub(crate) object: *const (),
}

/// The place in an object by which it hangs in the list of one driver at a time.
///
/// ```
/// use henge_driver::{Driver, Link, Posted};
/// use std::sync::Arc;
///
/// struct Flush { link: Link, path: std::path::PathBuf }
///
/// impl Posted for Flush {
///     fn link(&self) -> &Link { &self.link }
///     fn run(self: Arc<Self>, _driver: &Driver) { println!("flush {}", self.path.display()) }
/// }
///
/// let flush = Arc::new(Flush { link: Link::new(), path: "log".into() });
/// # let driver = Driver::new().expect("a ring");
/// assert!(driver.remote().post(flush).is_ok());
/// ```
pub struct Link {
    next: Cell<*mut Link>,
    entry: UnsafeCell<Option<Entry>>,
    queued: AtomicBool,
}

// SAFETY: `next` and `entry` are touched by one thread at a time, as the protocol above says: the
// one that turned `queued` on, then the home, to which they pass with the exchange of the head.
unsafe impl Send for Link {}
// SAFETY: likewise.
unsafe impl Sync for Link {}

impl Link {
    /// A link that is in no list.
    ///
    /// ```
    /// use henge_driver::Link;
    ///
    /// struct Job { link: Link, number: u32 }
    ///
    /// let job = Job { link: Link::new(), number: 7 }; // in no list yet
    /// assert_eq!(job.number, 7);
    /// # drop(job.link);
    /// ```
    pub fn new() -> Link {
        Link {
            next: Cell::new(ptr::null_mut()),
            entry: UnsafeCell::new(None),
            queued: AtomicBool::new(false),
        }
    }
}

impl Default for Link {
    fn default() -> Link {
        Link::new()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// The head of a list that takes nothing any more.
const CLOSED: *mut Link = ptr::without_provenance_mut(1);

/// The answer to a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Pushed {
    /// The list has it, and owns what `entry` stands for until it is run.
    Queued,
    /// The list had it already; what `entry` stands for is still the caller's.
    Already,
    /// Nobody will ever take it; what `entry` stands for is still the caller's.
    Closed,
}

/// The end that other threads see.
#[derive(Debug)]
pub(crate) struct List {
    head: AtomicPtr<Link>,
}

impl List {
    pub(crate) fn new() -> List {
        List { head: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Puts `link` into the list, to be run as `entry`.
    ///
    /// # Safety
    ///
    /// If the answer is `Queued`, `link` stays where it is, alive, until `entry` has begun to run;
    /// and `entry.run` may be called once, on the home thread, with `entry.object`.
    pub(crate) unsafe fn push(&self, link: &Link, entry: Entry) -> Pushed {
        // AcqRel: releases what the poster did before to the home's exchange in `pop`, and
        // acquires the home's copying of the previous `entry`, which we are about to overwrite.
        if link.queued.swap(true, Ordering::AcqRel) {
            return Pushed::Already;
        }
        // SAFETY: we turned `queued` on, so `entry` is ours until the exchange below.
        unsafe { *link.entry.get() = Some(entry) };
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            if head == CLOSED {
                // Release: whoever posts it to another list may overwrite `entry` after this.
                link.queued.store(false, Ordering::Release);
                return Pushed::Closed;
            }
            link.next.set(head);
            let new = ptr::from_ref(link).cast_mut();
            // Release: hands `entry` and `next` to the home's swap of the head.
            match self.head.compare_exchange_weak(head, new, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return Pushed::Queued,
                Err(now) => head = now,
            }
        }
    }

    /// Is there nothing to take? A plain load: the home's question before it sleeps, after the
    /// fence that [`Sleep::publish`](super::sleep::Sleep::publish) ends with.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        head.is_null() || head == CLOSED
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.head.load(Ordering::Relaxed) == CLOSED
    }
}

/// The home's end: what was taken and not run yet.
#[derive(Debug)]
pub(crate) struct Taken {
    first: Cell<*mut Link>,
}

impl Taken {
    pub(crate) const fn new() -> Taken {
        Taken { first: Cell::new(ptr::null_mut()) }
    }

    /// Takes all that is in the list, to come after what was taken before.
    ///
    /// # Safety
    ///
    /// On the home thread of the list, and always with the same `Taken`.
    pub(crate) unsafe fn take(&self, list: &List) {
        if !list.is_empty() {
            // SAFETY: our caller's promise.
            unsafe { self.take_and_leave(list, ptr::null_mut()) };
        }
    }

    /// As [`take`](Taken::take), and closes the list for ever.
    ///
    /// # Safety
    ///
    /// As for `take`.
    pub(crate) unsafe fn close(&self, list: &List) {
        // SAFETY: our caller's promise.
        unsafe { self.take_and_leave(list, CLOSED) };
    }

    unsafe fn take_and_leave(&self, list: &List, head: *mut Link) {
        // Acquire: pairs with the exchange of each pusher (a chain of them is one release
        // sequence), so `entry` and `next` of every link are visible.
        let mut rest = list.head.swap(head, Ordering::Acquire);
        if rest == CLOSED {
            return;
        }
        let mut reversed = ptr::null_mut();
        while !rest.is_null() {
            // SAFETY: a link in the list stays alive until its entry runs (`push`), and is ours
            // since the swap.
            let link = unsafe { &*rest };
            let next = link.next.replace(reversed);
            reversed = std::mem::replace(&mut rest, next);
        }
        self.append(reversed);
    }

    /// Puts a chain behind what waits already (nothing, but for a turn inside a turn).
    fn append(&self, chain: *mut Link) {
        let mut last = &self.first;
        while !last.get().is_null() {
            // SAFETY: taken and not run, hence alive and ours.
            last = &unsafe { &*last.get() }.next;
        }
        last.set(chain);
    }

    /// The next entry; from now on its link may be posted again.
    pub(crate) fn pop(&self) -> Option<Entry> {
        let first = self.first.get();
        if first.is_null() {
            return None;
        }
        // SAFETY: taken and not run, hence alive and ours.
        let link = unsafe { &*first };
        self.first.set(link.next.get());
        // SAFETY: ours until `queued` goes off below; written by the poster.
        let entry = unsafe { *link.entry.get() };
        // AcqRel: acquires what every poster that found `queued` on did before, and releases our
        // reading of `entry` and `next` to the next poster. An exchange, not a store, because
        // only reading their value makes us see what they did.
        link.queued.swap(false, Ordering::AcqRel);
        entry
    }
}
