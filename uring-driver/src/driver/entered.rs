//! Which driver a thread has entered: found through one thread-local, without a destructor, so that
//! it can be asked at any time in a thread's life.

use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr;
use std::rc::Rc;

use super::{Driver, Inner};
use crate::thread::LOCAL;

thread_local! {
    /// The driver that was entered last; the guard that did so keeps one strong reference to it.
    static ENTERED: Cell<*const Inner> = const { Cell::new(ptr::null()) };
}

/// Runs `f` with this thread's driver, if one was entered.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Driver) -> R) -> Option<R> {
    if ENTERED.get().is_null() {
        return None;
    }
    // SAFETY: seen just now.
    Some(unsafe { with_known(f) })
}

/// Runs `f` with this thread's driver.
///
/// The guard that put the pointer into [`ENTERED`] holds a strong reference, which it gives up
/// only after it has taken the pointer away; a guard that is forgotten never does. A guard may be
/// dropped in the place of another one of the same driver: whatever is made or dropped, there are
/// at least as many guards of a driver as guards of others that will put it back, and one more
/// while it is the thread's.
///
/// # Safety
///
/// One was entered: the id in `thread::LOCAL`, which is written together with the pointer here, is
/// a driver's.
#[inline]
pub(crate) unsafe fn with_known<R>(f: impl FnOnce(&Driver) -> R) -> R {
    let inner = ENTERED.get();
    debug_assert!(!inner.is_null());
    // SAFETY: not null, by our caller's promise. A guard's strong reference stands behind the
    // pointer, as said above; `ManuallyDrop` keeps the count as it is.
    let guards = ManuallyDrop::new(unsafe { Rc::from_raw(inner) });
    // One more for `f`, which may drop the guard and the last handle: a future that has both can be
    // dropped wherever something of the user's runs.
    let driver = Driver { inner: Rc::clone(&guards) };
    f(&driver)
}

/// The driver is this thread's until this guard is dropped.
///
/// ```
/// use henge_driver::{Driver, current};
///
/// let (outer, inner) = (Driver::new()?, Driver::new()?);
/// let _outer = outer.enter();
/// {
///     let _inner = inner.enter();
///     assert!(current::is(inner.id()));
/// }
/// assert!(current::is(outer.id())); // again
/// # Ok::<(), std::io::Error>(())
/// ```
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
    pub(super) fn new(driver: &'a Driver) -> Entered<'a> {
        let installed = Rc::into_raw(Rc::clone(&driver.inner));
        let id = driver.remote().id().get();
        LOCAL.with(|local| Entered {
            installed,
            previous: ENTERED.replace(installed),
            previous_id: local.enter(id),
            previously_blocking: local.may_block.replace(false),
            driver: PhantomData,
        })
    }
}

impl Driver {
    /// Makes this driver the thread's where that is none, or another: what is prepared, or
    /// completes, asks the thread for its driver, and has to find the one that it is with.
    #[inline]
    pub(super) fn enter_if_elsewhere(&self) -> Option<Entered<'_>> {
        let here = LOCAL.with(|local| local.id()) == self.id().get();
        (!here).then(|| self.enter())
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if ptr::eq(ENTERED.get(), self.installed) {
            ENTERED.set(self.previous);
            LOCAL.with(|local| {
                local.enter(self.previous_id);
                local.may_block.set(self.previously_blocking);
            });
            // SAFETY: the strong reference that `new` made; nothing points to it any more.
            drop(Driver { inner: unsafe { Rc::from_raw(self.installed) } });
        } else if !std::thread::panicking() {
            // The reference is not given up: an inner guard will put the pointer back.
            panic!("guards of `Driver::enter` dropped out of order");
        }
    }
}
