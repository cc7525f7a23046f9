//! What other threads may ask of a driver: to run something on its thread, and to wake up.
//!
//! Asking allocates nothing and is never refused while the driver lives. A driver that sleeps is
//! woken by an entry on the asking thread's own ring, if that has one (it rides on that thread's
//! next enter), else by an eventfd that the sleeping ring polls.

pub(crate) mod list;
pub(crate) mod sleep;

use std::fmt;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

use crate::current;
use crate::driver::Driver;
use crate::driver_id::DriverId;
use crate::fd::Fd;
use crate::sys;
use crate::sys::event::EventFd;
use list::{Entry, Link, List, Pushed};
use sleep::Sleep;

/// Something that can be posted to a driver, to be run on its thread.
///
/// ```
/// use henge_driver::{Driver, Link, Posted};
/// use std::sync::{Arc, Mutex};
///
/// /// A queue that other threads fill, and the driver's thread empties.
/// #[derive(Default)]
/// struct Inbox {
///     link: Link,
///     letters: Mutex<Vec<&'static str>>,
///     read: Mutex<Vec<&'static str>>,
/// }
///
/// impl Posted for Inbox {
///     fn link(&self) -> &Link { &self.link }
///     fn run(self: Arc<Self>, _driver: &Driver) {
///         let letters = std::mem::take(&mut *self.letters.lock().unwrap());
///         self.read.lock().unwrap().extend(letters);
///     }
/// }
///
/// let driver = Driver::new()?;
/// let inbox = Arc::new(Inbox::default());
/// for letter in ["one", "two"] {
///     inbox.letters.lock().unwrap().push(letter);
///     driver.remote().post(Arc::clone(&inbox)).expect("the driver lives");
/// }
/// assert_eq!(driver.turn()?.posted, 1); // both in one go
/// assert_eq!(*inbox.read.lock().unwrap(), ["one", "two"]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Posted: Send + Sync + 'static {
    /// The link by which this object hangs in the driver's list: a field of the object. Objects
    /// that return the link of another are taken for that other one.
    ///
    /// ```
    /// use henge_driver::{Driver, Link, Posted};
    /// use std::sync::Arc;
    ///
    /// struct Ping { link: Link }
    ///
    /// impl Posted for Ping {
    ///     fn link(&self) -> &Link { &self.link } // its own: in one list at a time
    ///     fn run(self: Arc<Self>, _driver: &Driver) {}
    /// }
    ///
    /// let driver = Driver::new()?;
    /// let ping = Arc::new(Ping { link: Link::new() });
    /// for _ in 0..3 {
    ///     driver.remote().post(Arc::clone(&ping)).expect("the driver lives");
    /// }
    /// assert_eq!(driver.turn()?.posted, 1); // it was in the list already
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn link(&self) -> &Link;

    /// Runs on the driver's thread, in its turn. It may post itself again.
    ///
    /// ```
    /// use henge_driver::{Driver, Link, Posted, ops};
    /// use std::sync::Arc;
    ///
    /// struct Remind { link: Link }
    ///
    /// impl Posted for Remind {
    ///     fn link(&self) -> &Link { &self.link }
    ///     fn run(self: Arc<Self>, driver: &Driver) {
    ///         // Only its own thread may give a driver an operation.
    ///         driver.submit_detached(ops::After::new(std::time::Duration::ZERO, || ()));
    ///     }
    /// }
    ///
    /// let driver = Driver::new()?;
    /// let remote = driver.remote().clone();
    /// let there = std::thread::spawn(move || remote.post(Arc::new(Remind { link: Link::new() })));
    /// there.join().expect("no panic").expect("the driver lives");
    /// driver.park(None, || false)?;
    /// assert_eq!(driver.counters().submissions, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn run(self: Arc<Self>, driver: &Driver);
}

/// What a driver that is gone answers; holds what was posted.
///
/// ```
/// # use henge_driver::{Closed, Driver, Link, Posted};
/// # use std::sync::Arc;
/// # struct Letter { link: Link, text: &'static str }
/// # impl Posted for Letter {
/// #     fn link(&self) -> &Link { &self.link }
/// #     fn run(self: Arc<Self>, _driver: &Driver) {}
/// # }
/// let driver = Driver::new()?;
/// let remote = driver.remote().clone();
/// drop(driver);
/// let letter = Arc::new(Letter { link: Link::new(), text: "to nobody" });
/// let Err(Closed(back)) = remote.post(letter) else { panic!("it has been shut down") };
/// assert_eq!(back.text, "to nobody");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Closed<T>(pub T);

impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the driver has been shut down")
    }
}

impl<T> std::error::Error for Closed<T> {}

/// The part of a driver that other threads see.
#[derive(Debug)]
pub(crate) struct Shared {
    id: DriverId,
    pub(crate) list: List,
    pub(crate) sleep: Sleep,
    /// Polled by the driver's ring.
    pub(crate) event: EventFd,
    /// A descriptor of the driver's ring, for messages. Its number belongs to this struct, so a
    /// message can never reach a stranger's ring; when the driver closes, the number is made to
    /// stand for the eventfd instead, and messages fail.
    ring: Fd,
}

impl Shared {
    pub(crate) fn new(ring: RawFd) -> io::Result<Shared> {
        Ok(Shared {
            id: DriverId::fresh(),
            list: List::new(),
            sleep: Sleep::new(),
            event: EventFd::new()?,
            ring: sys::fd::duplicate(ring)?,
        })
    }

    /// Where messages to this driver go.
    pub(crate) fn ring(&self) -> &Fd {
        &self.ring
    }

    /// Lets go of the ring: from now on messages to it fail.
    pub(crate) fn detach(&self) -> io::Result<()> {
        sys::fd::replace(&self.ring, self.event.fd())
    }

    /// Counts a wake of this one with the driver of the thread that sends it, if that is another.
    #[inline]
    fn count(&self, count: impl FnOnce(&Driver)) {
        let _counted = current::with(|driver| {
            if driver.id() != self.id {
                count(driver);
            }
        });
    }

    /// Runs what was pushed before, if it has to be; by message from a thread that turns a ring
    /// itself.
    fn wake(self: &Arc<Shared>) {
        if !self.sleep.claim() {
            self.count(|driver| driver.count_saved_wake());
            return;
        }
        self.count(|driver| driver.count_sent_wake());
        // An entry in the ring of a thread that blocks would wait until it does not any more.
        let by_ring = !current::may_block()
            && matches!(current::with(|driver| driver.send_wake(self)), Ok(true));
        if !by_ring {
            self.event.signal();
        }
    }
}

/// The handle by which other threads reach a driver. Cheap to clone; outlives the driver.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use henge_driver::{Driver, Link, Posted};
///
/// struct Hello { link: Link, said: AtomicBool }
/// impl Posted for Hello {
///     fn link(&self) -> &Link { &self.link }
///     fn run(self: Arc<Self>, _driver: &Driver) { self.said.store(true, Ordering::Relaxed) }
/// }
///
/// let driver = Driver::new()?;
/// let remote = driver.remote().clone();
/// let hello = Arc::new(Hello { link: Link::new(), said: AtomicBool::new(false) });
/// let posted = Arc::clone(&hello);
/// std::thread::spawn(move || remote.post(posted)).join().expect("no panic").expect("it lives");
/// driver.park(None, || false)?;
/// assert!(hello.said.load(Ordering::Relaxed));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Remote(Arc<Shared>);

impl Remote {
    pub(crate) fn new(shared: Shared) -> Remote {
        Remote(Arc::new(shared))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    /// Has `item` run on the driver's thread, and wakes it. An item that waits to be run already
    /// is not queued a second time.
    ///
    /// # Errors
    ///
    /// [`Closed`], with the item, once the driver has been shut down.
    ///
    /// ```
    /// use henge_driver::{Driver, Link, Posted};
    /// use std::sync::{Arc, mpsc};
    ///
    /// struct Say(Link, mpsc::Sender<std::thread::ThreadId>);
    ///
    /// impl Posted for Say {
    ///     fn link(&self) -> &Link { &self.0 }
    ///     fn run(self: Arc<Self>, _driver: &Driver) {
    ///         self.1.send(std::thread::current().id()).expect("somebody listens");
    ///     }
    /// }
    ///
    /// let driver = Driver::new()?;
    /// let (remote, (say, said)) = (driver.remote().clone(), mpsc::channel());
    /// let say = Arc::new(Say(Link::new(), say));
    /// let there = std::thread::spawn(move || remote.post(say).is_ok());
    /// driver.park(None, || false)?;
    /// assert_eq!(said.recv(), Ok(std::thread::current().id()));
    /// assert!(there.join().expect("no panic"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn post<T: Posted>(&self, item: Arc<T>) -> Result<(), Closed<Arc<T>>> {
        /// Runs what `post` has let go of.
        ///
        /// # Safety
        ///
        /// `object` comes from `Arc::<T>::into_raw` and is given up by this call.
        unsafe fn run<T: Posted>(object: *const (), driver: &Driver) {
            // SAFETY: the caller's promise: one strong reference becomes ours.
            let item = unsafe { Arc::from_raw(object.cast::<T>()) };
            item.run(driver);
        }
        let object = Arc::into_raw(Arc::clone(&item)).cast::<()>();
        let entry = Entry { run: run::<T>, object };
        // SAFETY: the link is borrowed from `*item`, which the strong reference in `object` keeps
        // alive and in place until `run` has it; and `run::<T>` suits `object`.
        let pushed = unsafe { self.0.list.push(item.link(), entry) };
        if pushed != Pushed::Queued {
            // SAFETY: not queued, so the strong reference made above is still ours to drop.
            drop(unsafe { Arc::from_raw(object.cast::<T>()) });
        }
        match pushed {
            Pushed::Queued => {
                self.0.wake();
                Ok(())
            }
            Pushed::Already => Ok(()),
            Pushed::Closed => Err(Closed(item)),
        }
    }

    /// Ends the driver's sleep, or keeps it from the next one if it is on its way there. To be
    /// called after the reason to wake up has been made visible to the driver's thread.
    ///
    /// ```
    /// use henge_driver::Driver;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// let driver = Driver::new()?;
    /// let (remote, stop) = (driver.remote().clone(), Arc::new(AtomicBool::new(false)));
    /// let told = Arc::clone(&stop);
    /// std::thread::spawn(move || {
    ///     told.store(true, Ordering::SeqCst);
    ///     remote.wake();
    /// });
    /// while !stop.load(Ordering::SeqCst) {
    ///     driver.park(None, || stop.load(Ordering::SeqCst))?;
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn wake(&self) {
        self.0.wake();
    }

    /// As [`wake`](Remote::wake), at once, by a system call of this thread. A wake that rides on
    /// this thread's next enter would be of no use to a thread that is about to be busy, and wants
    /// somebody to do what it does not come to.
    ///
    /// ```
    /// use henge_driver::Driver;
    ///
    /// let driver = Driver::new()?;
    /// let remote = driver.remote().clone();
    /// let busy = std::thread::spawn(move || {
    ///     remote.wake_at_once(); // somebody else takes over, and then:
    ///     (0..1_000_000).sum::<u64>()
    /// });
    /// driver.park(None, || false)?;
    /// assert_eq!(busy.join().expect("no panic"), 499_999_500_000);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wake_at_once(&self) {
        // Whether it was to be woken or somebody does so already: that wake may be one that waits.
        let _claimed = self.0.sleep.claim();
        self.0.count(|driver| driver.count_sent_wake());
        self.0.event.signal();
    }

    /// Which driver this is.
    ///
    /// ```
    /// use henge_driver::Driver;
    ///
    /// let driver = Driver::new()?;
    /// let another = Driver::new()?;
    /// assert_eq!(driver.remote().id(), driver.id());
    /// assert_ne!(driver.remote().id(), another.remote().id());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn id(&self) -> DriverId {
        self.0.id
    }

    /// Has the driver been shut down?
    ///
    /// ```
    /// use henge_driver::Driver;
    ///
    /// let driver = Driver::new()?;
    /// let remote = driver.remote().clone();
    /// assert!(!remote.is_closed());
    /// drop(driver);
    /// assert!(remote.is_closed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_closed(&self) -> bool {
        self.0.list.is_closed()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("id", &self.0.id.get()).finish_non_exhaustive()
    }
}
