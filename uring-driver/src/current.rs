//! This thread's driver, the budget of the poll that runs on it, and whether it may block: one
//! thread-local, without a destructor, so that it can be asked at any time in a thread's life.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr;
use std::rc::Rc;

use crate::driver::{Driver, Inner};
use crate::driver_id::DriverId;

/// A poll that is not limited: nobody counts.
pub(crate) const UNLIMITED: u8 = u8::MAX;

pub(crate) struct Local {
    /// The driver that was entered last; the guard that did so keeps one strong reference to it.
    driver: Cell<*const Inner>,
    /// Its id, or 0: one load tells whether something is at home here.
    id: Cell<u64>,
    /// What the poll that runs may still do; see `coop`.
    pub(crate) budget: Cell<u8>,
    /// Although there is a driver, this thread may block; see [`blocking`].
    may_block: Cell<bool>,
    /// What is polled may be polled by another thread the next time; see [`moving`].
    moving: Cell<bool>,
}

thread_local! {
    pub(crate) static LOCAL: Local = const {
        Local {
            driver: Cell::new(ptr::null()),
            id: Cell::new(0),
            budget: Cell::new(UNLIMITED),
            may_block: Cell::new(false),
            moving: Cell::new(false),
        }
    };
}

/// There is no driver on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDriver;

impl fmt::Display for NoDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no io_uring driver on this thread: call this inside a runtime's task or `block_on`, \
             or inside `Driver::block_on` or `Driver::enter`",
        )
    }
}

impl Error for NoDriver {}

impl From<NoDriver> for io::Error {
    fn from(error: NoDriver) -> io::Error {
        io::Error::other(error)
    }
}

/// Runs `f` with this thread's driver.
///
/// # Errors
///
/// [`NoDriver`] if none was entered.
///
/// ```
/// use henge_driver::{Driver, current};
///
/// assert!(current::with(|_| ()).is_err());
/// let driver = Driver::new()?;
/// let _entered = driver.enter();
/// assert!(current::with(|driver| driver.has_queued()).is_ok());
/// # Ok::<(), std::io::Error>(())
/// ```
#[inline]
pub fn with<R>(f: impl FnOnce(&Driver) -> R) -> Result<R, NoDriver> {
    let inner = LOCAL.with(|local| local.driver.get());
    if inner.is_null() {
        return Err(NoDriver);
    }
    // SAFETY: the guard that put the pointer here holds a strong reference, which it gives up only
    // after it has taken the pointer away; a guard that is forgotten never does. `ManuallyDrop`
    // keeps the count as it is: this is a borrow of that reference. Should `f` drop the guard,
    // the handle that the guard borrows (its lifetime) still outlives `f`.
    let borrowed = ManuallyDrop::new(Driver::from_inner(unsafe { Rc::from_raw(inner) }));
    Ok(f(&borrowed))
}

/// Is this the driver of the calling thread? One load and a compare.
#[inline]
pub fn is(id: DriverId) -> bool {
    LOCAL.with(|local| local.id.get()) == id.get()
}

/// Whether this thread may wait for something: it has entered no driver, or is inside of
/// [`blocking`].
///
/// ```
/// use henge_driver::{Driver, current};
///
/// assert!(current::may_block());
/// let driver = Driver::new()?;
/// let _entered = driver.enter();
/// assert!(!current::may_block());
/// assert!(current::blocking(current::may_block));
/// # Ok::<(), std::io::Error>(())
/// ```
#[inline]
pub fn may_block() -> bool {
    LOCAL.with(|local| local.driver.get().is_null() || local.may_block.get())
}

/// Runs `f`, which polls something that another thread may poll the next time, and that must not
/// then have to wait for this one. What transfers bytes does so by calls that cannot wait, and
/// leaves to this thread's driver nothing but the news that it is time to try again.
///
/// ```
/// use henge_driver::current;
///
/// assert!(!current::is_moving());
/// assert!(current::moving(current::is_moving));
/// ```
#[inline]
pub fn moving<R>(f: impl FnOnce() -> R) -> R {
    struct Reset(bool);
    impl Drop for Reset {
        #[inline]
        fn drop(&mut self) {
            LOCAL.with(|local| local.moving.set(self.0));
        }
    }
    let _reset = Reset(LOCAL.with(|local| local.moving.replace(true)));
    f()
}

/// Whether this is inside of [`moving`]. One load.
#[inline]
pub fn is_moving() -> bool {
    LOCAL.with(|local| local.moving.get())
}

/// Runs `f`, which may block, and has no budget to spend, in the middle of a poll. The driver stays
/// this thread's, and does nothing meanwhile.
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    struct Reset {
        may_block: bool,
        moving: bool,
        budget: u8,
    }
    impl Drop for Reset {
        fn drop(&mut self) {
            LOCAL.with(|local| {
                local.may_block.set(self.may_block);
                local.moving.set(self.moving);
                local.budget.set(self.budget);
            });
        }
    }
    let _reset = LOCAL.with(|local| Reset {
        may_block: local.may_block.replace(true),
        moving: local.moving.replace(false),
        budget: local.budget.replace(UNLIMITED),
    });
    f()
}

/// The driver is this thread's until this guard is dropped.
#[derive(Debug)]
pub struct Entered<'a> {
    installed: *const Inner,
    previous: *const Inner,
    previous_id: u64,
    previously_blocking: bool,
    /// The guard belongs to the thread, and to the borrow of the driver.
    driver: PhantomData<&'a Driver>,
}

impl<'a> Entered<'a> {
    pub(crate) fn new(driver: &'a Driver) -> Entered<'a> {
        let installed = Rc::into_raw(Rc::clone(driver.inner()));
        let id = driver.remote().id().get();
        LOCAL.with(|local| Entered {
            installed,
            previous: local.driver.replace(installed),
            previous_id: local.id.replace(id),
            previously_blocking: local.may_block.replace(false),
            driver: PhantomData,
        })
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let last = LOCAL.with(|local| {
            let last = ptr::eq(local.driver.get(), self.installed);
            if last {
                local.driver.set(self.previous);
                local.id.set(self.previous_id);
                local.may_block.set(self.previously_blocking);
            }
            last
        });
        if last {
            // SAFETY: the strong reference that `new` made; nothing points to it any more.
            drop(Driver::from_inner(unsafe { Rc::from_raw(self.installed) }));
        } else if !std::thread::panicking() {
            // The reference is not given up: an inner guard will put the pointer back.
            panic!("guards of `Driver::enter` dropped out of order");
        }
    }
}
