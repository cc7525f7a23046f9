//! What other threads ask of a shard: woken tasks by their own links, and messages.
//!
//! Unbounded, but everything in it has an owner that pays: a task stands in it once at most,
//! however often it is woken, and a message is memory of its sender's. Tasks and messages come
//! out in the order in which they went in.

use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::Home;
use super::roster::Roster;
use crate::prefetch;
use crate::queue::stack::{Closed, Drain, Link, Stack};

/// The half of a shard that is everybody's.
pub(crate) struct Inbox {
    /// In a line of its own: the shard looks at it all the time, while others, before they push,
    /// count references to this inbox and read how to wake the shard.
    stack: CachePadded<Stack>,
    /// Wakes the shard if it sleeps, or is about to.
    bell: Box<dyn Fn() + Send + Sync>,
    /// Where tasks are registered that are sent here, if anybody wants to know.
    roster: Option<Arc<Roster>>,
}

/// What stands in the inbox.
pub(crate) enum Entry {
    /// A link that [`Inbox::push_link`] was given.
    Link(NonNull<Link>),
    /// A closure to be called by the shard.
    Message(Message),
}

/// The lowest bit of a link's address: set for messages.
const MESSAGE: usize = 1;

impl Inbox {
    /// `bell` is called after each push; it may be called from any thread at any time, also
    /// after the shard is gone.
    pub(crate) fn new(bell: impl Fn() + Send + Sync + 'static) -> Self {
        Self { stack: CachePadded::new(Stack::new()), bell: Box::new(bell), roster: None }
    }

    /// The same, whose tasks stand in a roster if there is one.
    pub(crate) fn with_roster(self, roster: Option<Arc<Roster>>) -> Self {
        Self { roster, ..self }
    }

    pub(crate) fn roster(&self) -> Option<&Arc<Roster>> {
        self.roster.as_ref()
    }

    /// A push is about to come: asks for what it changes.
    #[inline]
    pub(crate) fn expect_push(&self) {
        prefetch::to_write(&raw const *self.stack);
    }

    /// Pushes a task by its link and wakes the shard.
    ///
    /// # Safety
    /// As for [`Stack::push`].
    #[inline]
    pub(crate) unsafe fn push_link(&self, link: NonNull<Link>) -> Result<(), Closed> {
        // SAFETY: the caller's promise.
        unsafe { self.stack.push(link) }?;
        (self.bell)();
        Ok(())
    }

    /// Wakes the shard if it sleeps, or is about to.
    pub(crate) fn ring(&self) {
        (self.bell)();
    }

    /// Sends a closure to be called on the shard's thread, with the shard's tasks at hand.
    ///
    /// # Errors
    /// Gives the closure back if the shard is gone. A shard that goes later drops it, uncalled,
    /// on its own thread.
    pub(crate) fn send<F>(&self, run: F) -> Result<(), F>
    where
        F: FnOnce(&Home) + Send + 'static,
    {
        let message = Box::into_raw(Box::new(Envelope {
            head: Head { link: Link::new(), open: open::<F> },
            run,
        }));
        let link = message.cast::<Link>().map_addr(|address| address | MESSAGE);
        // SAFETY: an address in a box is not null, with or without its lowest bit.
        let link = unsafe { NonNull::new_unchecked(link) };
        // SAFETY: the envelope begins with its link, was just made, is on no list, and is
        // freed only after it was yielded, or below.
        match unsafe { self.push_link(link) } {
            Ok(()) => Ok(()),
            Err(Closed) => {
                // SAFETY: the push failed, so the box is still ours alone.
                let envelope = unsafe { Box::from_raw(message) };
                Err(envelope.run)
            }
        }
    }

    /// Sends a parcel by its own link, which allocates nothing.
    ///
    /// # Errors
    /// Gives the parcel back if the shard is gone. A shard that goes later opens it without a
    /// home, on its own thread.
    ///
    /// # Safety
    /// The parcel is not under way already, and is not sent again before its content is opened.
    pub(crate) unsafe fn post<C: Content>(
        &self,
        parcel: Arc<Parcel<C>>,
    ) -> Result<(), Arc<Parcel<C>>> {
        let raw = Arc::into_raw(parcel).cast_mut();
        let link = raw.cast::<Link>().map_addr(|address| address | MESSAGE);
        // SAFETY: an address in an `Arc` is not null, with or without its lowest bit.
        let link = unsafe { NonNull::new_unchecked(link) };
        // SAFETY: the parcel begins with its link, which stands on no list by the caller's promise,
        // and the reference that was let go of above keeps it until it was yielded.
        match unsafe { self.push_link(link) } {
            Ok(()) => Ok(()),
            // SAFETY: the push failed, so the reference is still this function's.
            Err(Closed) => Err(unsafe { Arc::from_raw(raw) }),
        }
    }

    /// Whether there is nothing to take. One plain load.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    /// Takes everything, oldest first. For the shard's thread only.
    pub(crate) fn take(&self) -> Entries {
        Entries { links: self.stack.take() }
    }

    /// Refuses everything from now on, and takes what came before. For the shard's thread only.
    pub(crate) fn close(&self) -> Entries {
        Entries { links: self.stack.close() }
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("empty", &self.is_empty()).finish_non_exhaustive()
    }
}

/// What a take or a close yields. Dropped messages are dropped uncalled.
pub(crate) struct Entries {
    links: Drain,
}

impl Iterator for Entries {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let link = self.links.next()?;
        if link.addr().get() & MESSAGE == 0 {
            return Some(Entry::Link(link));
        }
        let head = link.as_ptr().map_addr(|address| address & !MESSAGE).cast::<Head>();
        // SAFETY: only `send` and `post` set the bit, on the address of a box or an `Arc`, which is
        // not null.
        Some(Entry::Message(Message(unsafe { NonNull::new_unchecked(head) })))
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        // A message that nobody asked for is still owned by the iterator; so is its box.
        for entry in self {
            drop(entry);
        }
    }
}

/// Something that is sent to shards again and again, by the link in front of it.
#[repr(C)]
pub(crate) struct Parcel<C> {
    /// First, so that the link's address is the parcel's.
    head: Head,
    pub(crate) content: C,
}

/// What a [`Parcel`] may hold.
pub(crate) trait Content: Send + Sync + Sized + 'static {
    /// Called on the shard's thread; without its tasks at hand if it is closing. From now on the
    /// parcel may be sent again.
    fn open(parcel: Arc<Parcel<Self>>, home: Option<&Home>);
}

impl<C: Content> Parcel<C> {
    pub(crate) fn new(content: C) -> Self {
        Self { head: Head { link: Link::new(), open: open_parcel::<C> }, content }
    }
}

/// # Safety
/// `head` is that of a `Parcel<C>` from `Arc::into_raw`, whose reference becomes this function's.
unsafe fn open_parcel<C: Content>(head: NonNull<Head>, home: Option<&Home>) {
    // SAFETY: the caller's promise.
    let parcel = unsafe { Arc::from_raw(head.cast::<Parcel<C>>().as_ptr()) };
    C::open(parcel, home);
}

/// A closure or a parcel that came from another thread.
pub(crate) struct Message(NonNull<Head>);

impl Message {
    /// Calls the closure, or opens the parcel.
    pub(crate) fn run(self, home: &Home) {
        let head = self.0;
        std::mem::forget(self);
        // SAFETY: the head is that of a live envelope or parcel that was this message's until now.
        let open = unsafe { head.as_ref() }.open;
        // SAFETY: `open` is the function that was chosen when it was sent, called once: the message
        // is gone.
        unsafe { open(head, Some(home)) }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: as in `run`, which forgets the message before.
        let open = unsafe { self.0.as_ref() }.open;
        // SAFETY: as in `run`; this is the last use of the envelope.
        unsafe { open(self.0, None) }
    }
}

/// What is known of an envelope, or of a parcel, whose type is erased.
#[repr(C)]
struct Head {
    /// First, so that the link's address is the whole's.
    link: Link,
    /// Frees the envelope, and calls the closure if there is a home to call it with; opens the
    /// parcel.
    open: unsafe fn(NonNull<Head>, Option<&Home>),
}

/// One allocation a message.
#[repr(C)]
struct Envelope<F> {
    /// First, so that the head's address is the envelope's.
    head: Head,
    run: F,
}

/// # Safety
/// `head` is that of a live `Envelope<F>` from `Box::into_raw`, not used afterwards.
unsafe fn open<F: FnOnce(&Home)>(head: NonNull<Head>, home: Option<&Home>) {
    // SAFETY: the caller's promise.
    let envelope = unsafe { Box::from_raw(head.cast::<Envelope<F>>().as_ptr()) };
    if let Some(home) = home {
        (envelope.run)(home);
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::thread;

    use crate::executor::Home;

    #[test]
    fn messages_run_at_home_in_order_and_ring_the_bell() {
        let rings = Arc::new(AtomicUsize::new(0));
        let counted = rings.clone();
        let home = Home::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let inbox = home.inbox().clone();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (sent, here) = (seen.clone(), thread::current().id());
        let sender = move || {
            for n in 0..3 {
                let sent = sent.clone();
                let message = move |home: &Home| {
                    assert_eq!(thread::current().id(), here);
                    sent.lock().unwrap().push((n, home.alive()));
                };
                assert!(inbox.send(message).is_ok());
            }
        };
        thread::spawn(sender).join().unwrap();
        assert_eq!(rings.load(Ordering::Relaxed), 3);
        let _entered = home.enter();
        assert!(home.take_inbox());
        assert_eq!(*seen.lock().unwrap(), [(0, 0), (1, 0), (2, 0)]);
        assert!(!home.take_inbox());
    }

    #[test]
    fn a_closed_inbox_gives_the_message_back_and_drops_what_it_had() {
        let home = Home::new(|| {});
        let inbox = home.inbox().clone();
        let kept = Arc::new(());
        let message = kept.clone();
        let uncalled = |_: &Home| panic!("nobody is there to call it");
        assert!(inbox.send(move |home| (drop(message), uncalled(home)).1).is_ok());
        assert_eq!(Arc::strong_count(&kept), 2);
        drop(home);
        assert_eq!(Arc::strong_count(&kept), 1);
        let message = kept.clone();
        let refused = inbox.send(move |home| (drop(message), uncalled(home)).1);
        assert!(refused.is_err());
        assert_eq!(Arc::strong_count(&kept), 2, "it comes back");
        drop(refused);
    }

    #[test]
    fn a_message_that_panics_is_the_last_of_itself_only() {
        let home = Home::new(|| {});
        let _entered = home.enter();
        assert!(home.inbox().send(|_| panic!("in a message")).is_ok());
        assert!(home.inbox().send(|home| drop(home.spawn(async {}))).is_ok());
        home.take_inbox();
        assert_eq!(home.queued(), 1);
    }
}
