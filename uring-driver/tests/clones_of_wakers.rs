//! Wakers whose clones are made of other parts than they are: a part that comes again is another
//! task's, perhaps.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};
use std::time::Duration;

use henge_driver::{Driver, ops, submit};

/// Which task is polled.
static POLLED: AtomicUsize = AtomicUsize::new(0);
/// How often each was woken.
static WOKEN: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

static WAKERS: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, |_| ());

/// The data of a clone is the count of the task that was polled when it was made.
fn clone(_: *const ()) -> RawWaker {
    let woken = &WOKEN[POLLED.load(Ordering::Relaxed)];
    RawWaker::new(std::ptr::from_ref(woken).cast(), &WAKERS)
}

fn wake(data: *const ()) {
    let woken = WOKEN.iter().find(|woken| std::ptr::from_ref(*woken).cast() == data);
    woken.expect("only clones are woken").fetch_add(1, Ordering::Relaxed);
}

#[test]
fn the_task_that_polled_last_is_woken_whatever_its_waker_is_made_of() {
    let driver = Driver::new().unwrap();
    let _entered = driver.enter();
    // SAFETY: the functions look at the data's address alone.
    let waker = unsafe { Waker::new(std::ptr::from_ref(&POLLED).cast(), &WAKERS) };
    let mut rest = submit(ops::Timeout::new(Duration::from_millis(1)));
    for task in [0, 0, 1] {
        POLLED.store(task, Ordering::Relaxed);
        assert!(Pin::new(&mut rest).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    while driver.in_flight() > 0 {
        driver.park(None, || false).unwrap();
    }
    assert_eq!(WOKEN.each_ref().map(|woken| woken.load(Ordering::Relaxed)), [0, 1]);
}
