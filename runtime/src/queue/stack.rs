//! A lock-free stack of links that belong to their owners: pushed by any thread, taken whole by one.
//!
//! A Treiber stack with take-all, which is free of the ABA problem (nobody pops one), has no
//! state in between (a push is one exchange: after it the link is there to be taken), allocates
//! nothing and refuses nobody while it is open. Taking reverses, so links come out in the order
//! in which they went in.
//!
//! ```text
//!            push            take
//!   EMPTY ---------> [links] -----> EMPTY        close: swaps CLOSED in, for good;
//!     |                 |                        a push then gives the link back
//!     +---- close ------+----> CLOSED
//! ```
//!
//! Who may touch a link's `next`: the pusher until its exchange succeeded, the taker from its
//! swap until it yields the link. Nobody else ever does.

use std::ptr::{self, NonNull};

// Orderings: a push releases what its owner wrote to the node before, a take acquires it.
use std::sync::atomic::Ordering;

use crate::loom::sync::atomic::AtomicPtr;

/// The place in a node by which it stands on a [`Stack`].
///
/// The lowest bit of a link's address is free: what the pusher puts there comes back as it went
/// in. It tells kinds of nodes apart.
#[derive(Debug)]
pub(crate) struct Link {
    next: AtomicPtr<Link>,
}

impl Link {
    pub(crate) fn new() -> Self {
        Self { next: AtomicPtr::new(ptr::null_mut()) }
    }

    /// For the link's owner, to keep the node on a list of its own while it is on no stack.
    #[inline]
    pub(crate) fn set(&self, next: *mut Link) {
        self.next.store(next, Ordering::Relaxed);
    }

    /// What [`set`](Self::set) put there.
    #[inline]
    pub(crate) fn get(&self) -> *mut Link {
        self.next.load(Ordering::Relaxed)
    }
}

/// The stack is closed: nobody will take from it any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Stack {
    head: AtomicPtr<Link>,
}

/// The head of a closed stack. No link lives at the end of the address space.
fn closed() -> *mut Link {
    ptr::without_provenance_mut(usize::MAX - 1)
}

/// The address of the link without the pusher's bit.
fn untagged(link: *mut Link) -> *mut Link {
    link.map_addr(|address| address & !1)
}

impl Stack {
    pub(crate) fn new() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Pushes a link. Says whether the stack was empty before.
    ///
    /// # Safety
    /// Apart from its lowest bit, `link` points to a live `Link` that stands on no list, and
    /// stays valid and untouched until a take or a close yields it (or until this call fails).
    #[inline]
    pub(crate) unsafe fn push(&self, link: NonNull<Link>) -> Result<(), Closed> {
        let link = link.as_ptr();
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            if head == closed() {
                // Whoever finds the stack closed sees everything its owner did before: acquire.
                self.head.load(Ordering::Acquire);
                return Err(Closed);
            }
            // SAFETY: the caller vouches for the link, and until the exchange below succeeds
            // nobody else knows that it is being pushed.
            unsafe { &*untagged(link) }.set(head);
            // Release: the node's contents come before its publication. Relaxed on failure: the
            // value is only compared, and looked at again above.
            match self.head.compare_exchange_weak(head, link, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return Ok(()),
                Err(current) => head = current,
            }
        }
    }

    /// Whether there is nothing to take. One plain load.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        head.is_null() || head == closed()
    }

    /// Takes everything, oldest first. For one thread only, the one that closes, too.
    #[inline]
    pub(crate) fn take(&self) -> Drain {
        if self.is_empty() {
            return Drain { next: ptr::null_mut() };
        }
        // Only this thread closes, so the head that was not CLOSED above still is not.
        // Acquire: pairs with the release of every push that is taken here.
        Drain::reversed(self.head.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Closes the stack and takes what stands on it. Every later push fails.
    pub(crate) fn close(&self) -> Drain {
        // AcqRel: acquires the taken links; releases what the owner did before it closed to
        // those who find it closed.
        let head = self.head.swap(closed(), Ordering::AcqRel);
        if head == closed() {
            return Drain { next: ptr::null_mut() };
        }
        Drain::reversed(head)
    }
}

/// Links that were taken, oldest first. Those that are not asked for are not touched again.
#[derive(Debug)]
pub(crate) struct Drain {
    next: *mut Link,
}

impl Drain {
    fn reversed(mut newest: *mut Link) -> Self {
        let mut oldest = ptr::null_mut();
        while !newest.is_null() {
            // SAFETY: taken links are valid until they are yielded, by the contract of `push`,
            // and the taker is the only one to touch them.
            let link = unsafe { &*untagged(newest) };
            let older = link.get();
            link.set(oldest);
            oldest = newest;
            newest = older;
        }
        Self { next: oldest }
    }
}

impl Iterator for Drain {
    type Item = NonNull<Link>;

    #[inline]
    fn next(&mut self) -> Option<NonNull<Link>> {
        let link = NonNull::new(self.next)?;
        // The next one is read before this one is given away: its owner may push it again.
        // SAFETY: as in `reversed`; this link was not yielded yet.
        self.next = unsafe { &*untagged(self.next) }.get();
        Some(link)
    }
}
