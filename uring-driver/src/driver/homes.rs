//! The register of a driver: all that is at home there, and who wants to be called when.

use std::cell::{Cell, RefCell};
use std::io;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::Waker;

use slab::Slab;

use super::Driver;
use crate::kept::keep;

/// A place, whatever it holds. All calls are at home, except `lose`, which is its last.
pub(crate) trait Tenant: Send + Sync {
    /// Asked for through [`Homes::list`], whose count it gives back. What comes back is to be
    /// dropped by the caller, who must not hold a reference into it any more.
    fn before_enter(&self, driver: &Driver) -> Option<Arc<dyn Tenant>>;
    /// Asked for through [`Homes::rest`], as `before_enter`.
    fn before_sleep(&self, driver: &Driver) -> Option<Arc<dyn Tenant>>;
    /// Where it stands from now on among those that rest.
    fn rests_at(&self, place: usize);
    /// What it has sent quietly is over. Asked for through `Quiet::tell`, as `before_enter`.
    fn sent(&self, driver: &Driver) -> Option<Arc<dyn Tenant>>;
    /// Of what it was to send quietly only so much has been sent. What comes back is as in
    /// `before_enter`; nothing is given back.
    fn not_sent(
        &self,
        driver: &Driver,
        sent: io::Result<usize>,
        bytes: Vec<u8>,
    ) -> Option<Arc<dyn Tenant>>;
    /// The driver ends: cancel, and release when that is done.
    fn recall(&self, driver: &Driver);
    /// The bytes that would be lost now.
    fn unsent(&self, driver: &Driver) -> usize;
    /// The driver has ended, and the kernel still holds memory of an operation.
    fn lose(&self);
}

/// All that is at home at one driver.
pub(crate) struct Homes {
    tenants: RefCell<Slab<Arc<dyn Tenant>>>,
    due: List,
    /// Those that may have something to do before the driver sleeps, each counted in the place's
    /// `refs`. They stay on the list while nobody has.
    resting: RefCell<Vec<NonNull<dyn Tenant>>>,
    /// How many of them have: at least so many. Taken modulo 2⁶⁴: while they are called it counts
    /// the changes alone.
    restless: Cell<usize>,
    /// What is to be dropped when a list has been run, and not while it is: it may be the user's.
    wakers: RefCell<Vec<Waker>>,
}

/// Places that want one call, each counted in the place's `refs`.
#[derive(Default)]
struct List {
    places: RefCell<Vec<NonNull<dyn Tenant>>>,
    // The other half of a double buffer: a call may put its place on the list again.
    spare: RefCell<Vec<NonNull<dyn Tenant>>>,
    // A list may be run within a run only by a driver that is turned within a turn.
    running: Cell<bool>,
}

impl List {
    #[inline]
    fn push(&self, place: NonNull<dyn Tenant>) {
        self.places.borrow_mut().push(place);
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.places.borrow().is_empty()
    }

    fn run(&self, driver: &Driver, call: impl Fn(&dyn Tenant, &Driver) -> Option<Arc<dyn Tenant>>) {
        if self.running.replace(true) {
            return;
        }
        let mut run = Run { list: self, batch: self.spare.take(), called: 0 };
        std::mem::swap(&mut run.batch, &mut *self.places.borrow_mut());
        while let Some(place) = run.next() {
            let released = {
                // SAFETY: the list's count keeps the place at home here, hence registered, hence
                // alive, until `call` gives it back; what that takes out of the register is held
                // until this reference to it has ended.
                let tenant = unsafe { place.as_ref() };
                call(tenant, driver)
            };
            drop(released);
        }
    }
}

/// A list that is being run.
struct Run<'a> {
    list: &'a List,
    batch: Vec<NonNull<dyn Tenant>>,
    called: usize,
}

impl Run<'_> {
    #[inline]
    fn next(&mut self) -> Option<NonNull<dyn Tenant>> {
        let place = self.batch.get(self.called).copied();
        self.called += usize::from(place.is_some());
        place
    }
}

impl Drop for Run<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.called < self.batch.len() {
            // A waker has panicked: the others are called in the next run.
            self.list.places.borrow_mut().splice(..0, self.batch.drain(self.called..));
        }
        self.batch.clear();
        self.list.spare.replace(std::mem::take(&mut self.batch));
        self.list.running.set(false);
    }
}

impl Homes {
    pub(crate) fn new() -> Homes {
        Homes {
            tenants: RefCell::new(Slab::new()),
            due: List::default(),
            resting: RefCell::default(),
            restless: Cell::new(0),
            wakers: RefCell::default(),
        }
    }

    pub(crate) fn insert(&self, tenant: Arc<dyn Tenant>) -> usize {
        self.tenants.borrow_mut().insert(tenant)
    }

    /// The reference goes to the caller, to be dropped outside of the borrow.
    pub(crate) fn remove(&self, slot: usize) -> Arc<dyn Tenant> {
        self.tenants.borrow_mut().remove(slot)
    }

    #[inline]
    pub(crate) fn list(&self, place: NonNull<dyn Tenant>) {
        self.due.push(place);
    }

    /// Puts a place on the list of those that rest, and says where. The count is its.
    pub(crate) fn rest(&self, place: NonNull<dyn Tenant>) -> usize {
        let mut resting = self.resting.borrow_mut();
        resting.push(place);
        resting.len() - 1
    }

    /// Takes a place off that list; the count is the caller's.
    pub(crate) fn rise(&self, place: usize) {
        let mut resting = self.resting.borrow_mut();
        resting.swap_remove(place);
        if let Some(moved) = resting.get(place) {
            // SAFETY: the list's count keeps it at home here, hence registered, hence alive.
            unsafe { moved.as_ref() }.rests_at(place);
        }
    }

    /// One of those that rest has something to do before the driver sleeps.
    #[inline]
    pub(crate) fn has_to_do(&self) {
        self.restless.set(self.restless.get().wrapping_add(1));
    }

    /// It has not, any more.
    #[inline]
    pub(crate) fn has_done(&self) {
        self.restless.set(self.restless.get().wrapping_sub(1));
    }

    /// Whether something is to be submitted that is no entry yet. Not while that is seen to: what
    /// comes up meanwhile is for the next time, and who flushes then would wait for it in vain.
    #[inline]
    pub(crate) fn has_due(&self) -> bool {
        !self.due.is_empty() && !self.due.running.get()
    }

    /// To be called before entries are submitted.
    #[inline]
    pub(crate) fn before_enter(&self, driver: &Driver) {
        if self.has_due() {
            self.due.run(driver, |tenant, driver| tenant.before_enter(driver));
        }
    }

    /// To be called before the driver sleeps, and now and then while it does not.
    #[inline]
    pub(crate) fn before_sleep(&self, driver: &Driver) {
        if self.restless.get() > 0 || driver.pool().is_lent() {
            self.call_resting(driver);
        }
    }

    fn call_resting(&self, driver: &Driver) {
        /// Whoever is left has not been asked, also where a waker has panicked.
        struct Left<'a>(&'a Homes);
        impl Drop for Left<'_> {
            fn drop(&mut self) {
                let (restless, left) = (&self.0.restless, self.0.resting.borrow().len());
                restless.set(restless.get().wrapping_add(left));
            }
        }
        self.restless.set(0);
        let left = Left(self);
        // No more than there are: a call may bring others to rest.
        let many = self.resting.borrow().len();
        let next = || self.resting.borrow_mut().pop();
        for _ in 0..many {
            let Some(place) = next() else { break };
            let released = {
                // SAFETY: the list's count, which `before_sleep` gives back, keeps the place at
                // home here, hence registered, hence alive; what that takes out of the register is
                // held until this reference to it has ended.
                let tenant = unsafe { place.as_ref() };
                tenant.before_sleep(driver)
            };
            drop(released);
        }
        drop(left);
        drop(self.wakers.take());
    }

    /// Drops a waker after the list that is being run.
    pub(crate) fn drop_later(&self, waker: Waker) {
        self.wakers.borrow_mut().push(waker);
    }

    fn snapshot(&self) -> Vec<Arc<dyn Tenant>> {
        self.tenants.borrow().iter().map(|(_, tenant)| tenant.clone()).collect()
    }

    /// The bytes that would be lost if the driver ended now.
    pub(crate) fn unsent(&self, driver: &Driver) -> usize {
        self.snapshot().iter().map(|tenant| tenant.unsent(driver)).sum()
    }

    /// Whether nothing has its home here.
    pub(crate) fn is_empty(&self) -> bool {
        self.tenants.borrow().is_empty()
    }

    /// The driver ends: everybody cancels what is in flight.
    pub(crate) fn recall(&self, driver: &Driver) {
        for tenant in self.snapshot() {
            tenant.recall(driver);
        }
    }

    /// The driver has ended: whoever is still here cannot be told from memory that the kernel
    /// writes. It is leaked, with the operations that point to it. Returns how many.
    pub(crate) fn lose(&self) -> usize {
        let left = self.snapshot();
        // All of them before any is told: whoever is woken by that may panic.
        for (_, tenant) in self.tenants.take() {
            keep(NonNull::new(Arc::into_raw(tenant).cast::<()>().cast_mut()));
        }
        for tenant in &left {
            tenant.lose();
        }
        left.len()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A tenant that counts its calls, and does something besides.
    pub(in crate::driver) struct Called(AtomicU32, fn(&Driver));

    impl Called {
        pub(in crate::driver) const fn and(does: fn(&Driver)) -> Called {
            Called(AtomicU32::new(0), does)
        }

        fn call(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            (self.1)(driver);
            None
        }

        fn count(&self) -> u32 {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Tenant for Called {
        fn before_enter(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
            self.call(driver)
        }
        fn before_sleep(&self, driver: &Driver) -> Option<Arc<dyn Tenant>> {
            self.call(driver)
        }
        fn rests_at(&self, _: usize) {}
        fn sent(&self, _: &Driver) -> Option<Arc<dyn Tenant>> {
            None
        }
        fn not_sent(
            &self,
            _: &Driver,
            _: io::Result<usize>,
            _: Vec<u8>,
        ) -> Option<Arc<dyn Tenant>> {
            None
        }
        fn recall(&self, _: &Driver) {}
        fn unsent(&self, _: &Driver) -> usize {
            0
        }
        fn lose(&self) {}
    }

    fn place(called: &'static Called) -> NonNull<dyn Tenant> {
        NonNull::from(called as &dyn Tenant)
    }

    fn panics(_: &Driver) {
        panic!("a waker that panics");
    }

    #[test]
    fn a_panic_before_an_enter_keeps_nobody_from_being_called() {
        static FIRST: Called = Called::and(panics);
        static SECOND: Called = Called::and(|_| ());
        let driver = Driver::new().unwrap();
        driver.homes().list(place(&FIRST));
        driver.homes().list(place(&SECOND));
        assert!(catch_unwind(AssertUnwindSafe(|| driver.flush())).is_err());
        assert_eq!((FIRST.count(), SECOND.count()), (1, 0));
        driver.flush().unwrap();
        assert_eq!((FIRST.count(), SECOND.count()), (1, 1));
    }

    #[test]
    fn a_panic_before_a_sleep_keeps_nobody_from_being_called() {
        static FIRST: Called = Called::and(|_| ());
        static SECOND: Called = Called::and(panics);
        let driver = Driver::new().unwrap();
        let homes = driver.homes();
        homes.rest(place(&FIRST));
        homes.rest(place(&SECOND));
        homes.has_to_do();
        assert!(catch_unwind(AssertUnwindSafe(|| homes.before_sleep(&driver))).is_err());
        assert_eq!((FIRST.count(), SECOND.count()), (0, 1));
        homes.before_sleep(&driver);
        assert_eq!((FIRST.count(), SECOND.count()), (1, 1));
    }

    #[test]
    fn who_is_called_before_an_enter_may_ask_for_another_and_flush() {
        static SECOND: Called = Called::and(|_| ());
        static FIRST: Called = Called::and(|driver| {
            driver.homes().list(place(&SECOND));
            driver.flush().unwrap();
        });
        let driver = Driver::new().unwrap();
        driver.homes().list(place(&FIRST));
        driver.flush().unwrap();
        assert_eq!((FIRST.count(), SECOND.count()), (1, 1));
    }
}
