//! A lock-free stack of links that belong to their owners: pushed by any thread, taken whole by
//! one.
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
    pub(crate) unsafe fn push(&self, link: NonNull<Link>) -> Result<bool, Closed> {
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
                Ok(_) => return Ok(head.is_null()),
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
            return Drain::empty();
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
            return Drain::empty();
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
    pub(crate) const fn empty() -> Self {
        Self { next: ptr::null_mut() }
    }

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

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::ptr::NonNull;

    use super::{Closed, Link, Stack};

    fn push(stack: &Stack, link: &'static Link) -> Result<bool, Closed> {
        // SAFETY: static, and each test pushes a link again only after it was yielded.
        unsafe { stack.push(NonNull::from(link)) }
    }

    /// Links that live for ever, where the leak checker finds them.
    static LINKS: std::sync::Mutex<Vec<&'static Link>> = std::sync::Mutex::new(Vec::new());

    fn link() -> &'static Link {
        let link: &'static Link = Box::leak(Box::new(Link::new()));
        LINKS.lock().expect("no panic holds it").push(link);
        link
    }

    #[test]
    fn comes_out_in_the_order_in_which_it_went_in() {
        let stack = Stack::new();
        let links = [link(), link(), link()];
        assert!(stack.is_empty());
        for (n, link) in links.into_iter().enumerate() {
            assert_eq!(push(&stack, link), Ok(n == 0));
        }
        assert!(!stack.is_empty());
        let taken: Vec<_> = stack.take().collect();
        assert_eq!(taken, links.map(NonNull::from));
        assert!(stack.is_empty());
        assert_eq!(stack.take().next(), None);
    }

    #[test]
    fn what_was_yielded_can_be_pushed_again_while_the_rest_is_read() {
        let stack = Stack::new();
        let links = [link(), link(), link()];
        links.iter().for_each(|link| assert!(push(&stack, link).is_ok()));
        let mut taken = stack.take();
        assert_eq!(taken.next(), Some(NonNull::from(links[0])));
        assert_eq!(push(&stack, links[0]), Ok(true));
        assert_eq!(taken.collect::<Vec<_>>(), [links[1], links[2]].map(NonNull::from));
        assert_eq!(stack.take().collect::<Vec<_>>(), [NonNull::from(links[0])]);
    }

    #[test]
    fn a_closed_stack_refuses_and_gives_what_it_had() {
        let stack = Stack::new();
        let (first, second) = (link(), link());
        assert_eq!(push(&stack, first), Ok(true));
        assert_eq!(stack.close().collect::<Vec<_>>(), [NonNull::from(first)]);
        assert_eq!(push(&stack, second), Err(Closed));
        assert!(stack.is_empty());
        assert_eq!(stack.take().next(), None);
        assert_eq!(stack.close().next(), None);
    }

    #[test]
    fn the_lowest_bit_comes_back() {
        let stack = Stack::new();
        let tagged = NonNull::from(link()).map_addr(|address| address | 1);
        // SAFETY: a static link, its lowest bit set.
        assert_eq!(unsafe { stack.push(tagged) }, Ok(true));
        assert_eq!(stack.take().collect::<Vec<_>>(), [tagged]);
    }
}

#[cfg(all(test, henge_loom))]
mod loom_tests {
    use std::ptr::NonNull;

    use loom::sync::Arc;
    use loom::thread;

    use super::{Link, Stack};

    /// A link with something that its push must publish.
    #[repr(C)]
    struct Node {
        link: Link,
        value: loom::cell::UnsafeCell<usize>,
    }

    // SAFETY: the value is written before the push and read after the take, which loom checks.
    unsafe impl Send for Node {}
    // SAFETY: as above.
    unsafe impl Sync for Node {}

    fn push(stack: &Stack, value: usize) -> bool {
        let node = Box::new(Node { link: Link::new(), value: loom::cell::UnsafeCell::new(0) });
        // SAFETY: nobody else knows the node yet.
        node.value.with_mut(|place| unsafe { *place = value });
        let node = Box::into_raw(node);
        let link = NonNull::new(node.cast::<Link>()).expect("a box is not at zero");
        // SAFETY: the node begins with its link, is on no list, and is freed where it is taken.
        let pushed = unsafe { stack.push(link) }.is_ok();
        if !pushed {
            // SAFETY: refused, so it is still ours.
            drop(unsafe { Box::from_raw(node) });
        }
        pushed
    }

    fn values(links: impl Iterator<Item = NonNull<Link>>) -> Vec<usize> {
        links
            .map(|link| {
                // SAFETY: pushed by `push`, and yielded once.
                let node = unsafe { Box::from_raw(link.as_ptr().cast::<Node>()) };
                // SAFETY: the pusher is done with it.
                node.value.with(|place| unsafe { *place })
            })
            .collect()
    }

    #[test]
    fn loom_pushes_and_a_take_and_a_close() {
        loom::model(|| {
            let stack = Arc::new(Stack::new());
            let pushers: Vec<_> = (0..2)
                .map(|n| {
                    let stack = stack.clone();
                    thread::spawn(move || {
                        [push(&stack, 10 * n), push(&stack, 10 * n + 1)]
                            .iter()
                            .filter(|pushed| **pushed)
                            .count()
                    })
                })
                .collect();
            let mut seen = values(stack.take());
            seen.extend(values(stack.close()));
            assert!(!push(&stack, 99), "closed is closed");
            let pushed: usize = pushers.into_iter().map(|pusher| pusher.join().unwrap()).sum();
            assert_eq!(seen.len(), pushed, "what was not refused was taken");
            for n in 0..2 {
                let own: Vec<_> = seen.iter().filter(|value| **value / 10 == n).collect();
                assert!(own.is_sorted(), "each pusher's come in their order");
            }
        });
    }
}
